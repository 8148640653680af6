#include "onnxop/registry/run_search.h"

#include <algorithm>

#include "onnxop/base/format.h"
#include "onnxop/registry/key_values.h"
#include "onnxop/registry/registry_core.h"
#include "onnxop/registry/run_rows.h"
#include "onnxop/registry/runs.h"
#include "onnxop/registry/search_grammar.h"
#include "onnxop/registry/search_page.h"
#include "onnxop/registry/session.h"

namespace onnxop {
namespace {

using Numbers = std::vector<std::int64_t>;

Numbers select_numbers(Session& session, const SqlStatement& statement) {
  Numbers numbers;
  for (const auto& [number, nothing] : select_pairs(session, statement.text, statement.values)) {
    numbers.push_back(number);
  }
  return numbers;
}

struct RarestStart {
  SearchStart start;
  std::int64_t rows = 0;
};

// Of each start no more rows are counted than the rarest so far has, or `few`.
RarestStart find_rarest(Session& session, const RunQuery& query, SqlDialect dialect,
                        std::int64_t few) {
  std::vector<SearchStart> starts = possible_starts(query, dialect);
  RarestStart rarest{starts.back(), few};
  for (SearchStart& start : starts) {
    const std::int64_t rows = select_numbers(session, count_statement(start, rarest.rows)).front();
    if (rows < rarest.rows) {
      rarest = {std::move(start), rows};
    }
  }
  return rarest;
}

// Along an index that has but some of the runs, then those that it has not.
Numbers find_along_partial_index(Session& session, const RunQuery& query, SqlDialect dialect,
                                 std::int64_t limit, std::int64_t offset) {
  Numbers numbers = select_numbers(session, ordered_statement(query, dialect, limit, offset));
  const auto found = static_cast<std::int64_t>(numbers.size());
  if (found == limit || order_index_has_all(query)) {
    return numbers;
  }
  const std::int64_t with_value =
      found > 0 ? offset + found
                : select_numbers(session, count_ordered_statement(query, dialect)).front();
  const std::int64_t skipped = std::max<std::int64_t>(0, offset - with_value);
  const Numbers rest =
      select_numbers(session, leftover_statement(query, dialect, limit - found, skipped));
  numbers.insert(numbers.end(), rest.begin(), rest.end());
  return numbers;
}

}  // namespace

Numbers find_runs(Session& session, const RunQuery& query, SqlDialect dialect, std::int64_t limit,
                  std::int64_t offset, std::int64_t few) {
  const auto [start, rows] = find_rarest(session, query, dialect, few);
  if (rows < few || !has_order_index(query)) {
    return select_numbers(session, sorted_statement(query, start, dialect, limit, offset));
  }
  return order_index_is_partial(query)
             ? find_along_partial_index(session, query, dialect, limit, offset)
             : select_numbers(session, ordered_statement(query, dialect, limit, offset));
}

Page<Run> Runs::search(std::span<const std::int64_t> experiment_ids, ViewType view,
                       const SearchOptions& options) const {
  const RunQuery query{.experiment_ids = {experiment_ids.begin(), experiment_ids.end()},
                       .view = view,
                       .filter = parse_filter(options.filter, run_grammar()),
                       .order = parse_order_by(options.order_by, run_grammar())};
  const SearchPage page =
      open_page(options, format("runs {} {}", number_list(experiment_ids), static_cast<int>(view)));
  const SqlDialect dialect =
      core_.location.is_postgresql() ? SqlDialect::kPostgresql : SqlDialect::kSqlite;
  return core_.database.read([&](Session& session) {
    Numbers numbers = find_runs(session, query, dialect, page.size + 1, page.offset);
    Page<Run> result;
    result.next_page_token = close_page(page, numbers);
    result.items = load_runs(session, numbers);
    return result;
  });
}

}  // namespace onnxop
