#include "onnxop/registry/run_search_sql.h"

#include <algorithm>
#include <iterator>
#include <optional>

#include "onnxop/base/format.h"
#include "onnxop/base/utf8.h"
#include "onnxop/registry/filter_sql.h"
#include "onnxop/registry/key_values.h"

namespace onnxop {
namespace {

const SearchTables& run_tables() {
  static const SearchTables kTables{.grammar = run_grammar(),
                                    .metrics = {"run_latest_metrics", "f.run = r.number"},
                                    .params = {"run_params", "f.run = r.number"},
                                    .tags = {"run_tags", "f.run = r.number"}};
  return kTables;
}

// For statements that come to a run by a row `x` of an index: what it lacks is found out before the
// run itself is read.
const SearchTables& run_tables_by_row() {
  static const SearchTables kTables{.grammar = run_grammar(),
                                    .metrics = {"run_latest_metrics", "f.run = x.run"},
                                    .params = {"run_params", "f.run = x.run"},
                                    .tags = {"run_tags", "f.run = x.run"}};
  return kTables;
}

std::string_view table_of(SearchEntity entity) {
  switch (entity) {
    case SearchEntity::kMetric:
      return run_tables().metrics.name;
    case SearchEntity::kParam:
      return run_tables().params.name;
    default:
      return run_tables().tags.name;
  }
}

bool has_table(SearchEntity entity) {
  return entity == SearchEntity::kMetric || entity == SearchEntity::kParam ||
         entity == SearchEntity::kTag;
}

// A table that is read through that index. PostgreSQL has statistics to choose by.
std::string through(std::string_view table, std::string_view alias, std::string_view index,
                    SqlDialect dialect) {
  return dialect == SqlDialect::kSqlite ? format("{} {} INDEXED BY {}", table, alias, index)
                                        : format("{} {}", table, alias);
}

std::string value_index(SearchEntity entity, std::string_view alias, SqlDialect dialect) {
  return through(table_of(entity), alias, format("{}_by_value", table_of(entity)), dialect);
}

std::string scope_condition(const RunQuery& query) {
  std::vector<std::string> conditions;
  if (query.experiment_ids.size() == 1) {
    conditions.push_back(format("r.experiment_id = {}", query.experiment_ids.front()));
  } else if (!query.experiment_ids.empty()) {
    conditions.push_back(format("r.experiment_id IN ({})", number_list(query.experiment_ids)));
  }
  if (query.view == ViewType::kActiveOnly) {
    conditions.emplace_back("r.lifecycle_stage = 'active'");
  } else if (query.view == ViewType::kDeletedOnly) {
    conditions.emplace_back("r.lifecycle_stage = 'deleted'");
  }
  return all_of(conditions);
}

std::string all_conditions(const RunQuery& query, const SearchTables& tables, SqlDialect dialect,
                           SqlValues& values, const FilterClause* without = nullptr) {
  std::vector<std::string> conditions{scope_condition(query)};
  for (const FilterClause& clause : query.filter) {
    if (&clause != without) {
      conditions.push_back(condition_sql(clause, tables, dialect, values));
    }
  }
  return all_of(conditions);
}

// The tables' indexes hold the first 64 characters of a text.
constexpr std::size_t kIndexedCharacters = 64;

std::string indexed_part(std::string_view text) {
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < kIndexedCharacters && bytes < text.size(); ++i) {
    bytes += std::max<std::size_t>(1, utf8_length(text.substr(bytes)));
  }
  return std::string(text.substr(0, bytes));
}

std::string indexed_column(std::string_view text) {
  return format("substr({}, 1, {})", text, kIndexedCharacters);
}

// The condition on a column of texts that its index can answer; "": there is none.
std::string indexed_text_condition(const FilterClause& clause, std::string_view text,
                                   SqlDialect dialect, SqlValues& values) {
  const std::string column = indexed_column(text);
  if (clause.comparator == Comparator::kEqual) {
    return format("{} = {}", column, values.bind(indexed_part(clause.texts.front())));
  }
  // SQLite compares bytes; what PostgreSQL takes for less depends on its collation.
  if (clause.comparator == Comparator::kLike && dialect == SqlDialect::kSqlite) {
    std::string end = indexed_part(pattern_prefix(clause.texts.front()));
    if (!end.empty()) {
      const std::string begin = values.bind(end);
      ++end.back();  // never 0xff: it is UTF-8
      return format("{} >= {} AND {} < {}", column, begin, column, values.bind(end));
    }
  }
  return clause.comparator == Comparator::kIsNotNull ? "1 = 1" : "";
}

bool is_range(Comparator comparator) {
  return comparator == Comparator::kEqual || comparator == Comparator::kLess ||
         comparator == Comparator::kLessEqual || comparator == Comparator::kGreater ||
         comparator == Comparator::kGreaterEqual;
}

std::string indexed_condition(const FilterClause& clause, SqlDialect dialect, SqlValues& values) {
  if (clause.entity == SearchEntity::kMetric) {
    return is_range(clause.comparator) ? format("x.value {} {}", sql_operator(clause.comparator),
                                                values.bind(clause.number))
                                       : "";
  }
  return has_table(clause.entity) ? indexed_text_condition(clause, "x.value", dialect, values) : "";
}

// By a metric, parameter or tag.
std::optional<SearchStart> start_by_value(const FilterClause& clause, SqlDialect dialect) {
  SqlValues counted;
  const std::string condition = indexed_condition(clause, dialect, counted);
  if (condition.empty()) {
    return std::nullopt;
  }
  const std::string table = value_index(clause.entity, "x", dialect);
  SearchStart start{.tables = table + " CROSS JOIN runs r", .by_row = true};
  start.rows.text =
      format("{} WHERE x.key = {} AND {}", table, counted.bind(clause.key), condition);
  start.rows.values = std::move(counted);
  start.narrow = [clause, dialect](SqlValues& values) {
    const std::string indexed = indexed_condition(clause, dialect, values);
    return format("x.key = {} AND {} AND r.number = x.run", values.bind(clause.key), indexed);
  };
  return start;
}

// Beside "name = 'x'" SQLite takes the name for 'x' in all other conditions, and then has none left
// that the index answers. A text that the index holds whole needs no such condition.
std::optional<SearchStart> start_by_name(const RunQuery& query, const FilterClause& clause,
                                         SqlDialect dialect) {
  const bool is_equal = clause.comparator == Comparator::kEqual;
  const bool others = std::ranges::any_of(query.filter, [&](const FilterClause& other) {
    return &other != &clause && other.entity == clause.entity && other.key == clause.key;
  });
  if (others || (!is_equal && clause.comparator != Comparator::kLike) ||
      (is_equal && count_utf8_characters(clause.texts.front()) >= kIndexedCharacters)) {
    return std::nullopt;
  }
  const auto narrow = [clause, dialect](SqlValues& values) {
    return indexed_text_condition(clause, "r.name", dialect, values);
  };
  SqlValues counted;
  const std::string condition = narrow(counted);
  if (condition.empty()) {
    return std::nullopt;
  }
  SearchStart start{.tables = through("runs", "r", "runs_by_name", dialect),
                    .narrow = narrow,
                    .answered = is_equal ? &clause : nullptr};
  start.rows = {format("{} WHERE {}", start.tables, condition), std::move(counted)};
  return start;
}

std::optional<SearchStart> start_by_attribute(const RunQuery& query, const FilterClause& clause,
                                              SqlDialect dialect) {
  if (clause.key == "run_name") {
    return start_by_name(query, clause, dialect);
  }
  std::string_view index;
  if (clause.key == "status" && clause.comparator == Comparator::kEqual) {
    index = "runs_by_status";
  } else if (clause.key == "run_id" &&
             (clause.comparator == Comparator::kEqual || clause.comparator == Comparator::kIn)) {
    index = "sqlite_autoindex_runs_1";
  } else {
    return std::nullopt;
  }
  SearchStart start{.tables = through("runs", "r", index, dialect)};
  SqlValues counted;
  const std::string condition = condition_sql(clause, run_tables(), dialect, counted);
  start.rows = {format("{} WHERE {}", start.tables, condition), std::move(counted)};
  return start;
}

SearchStart start_by_experiment(const RunQuery& query, SqlDialect dialect) {
  SearchStart start{.tables = query.experiment_ids.empty()
                                  ? "runs r"
                                  : through("runs", "r", "runs_by_start", dialect)};
  start.rows.text = format("{} WHERE {}", start.tables, scope_condition(query));
  return start;
}

// What an order needs: tables to join, and its terms.
struct OrderSql {
  std::string joins = {};
  std::vector<std::string> terms = {};
};

// The values of a term's table `o`. Texts are ordered by what the index holds of them first, so
// that the order is the same along the index and without it, whatever the collation.
std::vector<std::string> value_terms(const OrderTerm& term, std::string_view o) {
  const std::string_view direction = direction_sql(term.ascending);
  std::vector<std::string> terms;
  if (term.entity != SearchEntity::kMetric) {
    terms.push_back(format("{}{}", indexed_column(format("{}.value", o)), direction));
  }
  terms.push_back(format("{}.value{}", o, direction));
  return terms;
}

// NaN is after all values, and what has none after that.
std::string class_term(const OrderTerm& term, std::string_view o) {
  return term.entity == SearchEntity::kMetric
             ? format("CASE WHEN {}.is_nan = 1 THEN 1 WHEN {}.value IS NULL THEN 2 ELSE 0 END", o,
                      o)
             : format("CASE WHEN {}.value IS NULL THEN 1 ELSE 0 END", o);
}

void append_ties(const RunQuery& query, OrderSql& sql) {
  const bool by_start = std::ranges::any_of(query.order, [](const OrderTerm& term) {
    return term.entity == SearchEntity::kAttribute && term.key == "start_time";
  });
  if (!by_start) {
    sql.terms.emplace_back("r.start_time_ms DESC");
  }
  sql.terms.emplace_back("r.run_id");
}

// From the order term `first` on.
OrderSql order_sql(const RunQuery& query, std::size_t first, SqlValues& values) {
  OrderSql sql;
  for (std::size_t i = first; i < query.order.size(); ++i) {
    const OrderTerm& term = query.order[i];
    if (!has_table(term.entity)) {
      sql.terms.push_back(
          attribute_order_sql(*find_attribute(run_grammar().attributes, term.key), term.ascending));
      continue;
    }
    const std::string o = format("o{}", i);
    sql.joins += format(" LEFT JOIN {} {} ON {}.run = r.number AND {}.key = {}",
                        table_of(term.entity), o, o, o, values.bind(term.key));
    sql.terms.push_back(class_term(term, o));
    std::ranges::move(value_terms(term, o), std::back_inserter(sql.terms));
  }
  append_ties(query, sql);
  return sql;
}

SqlStatement page_statement(const std::string& tables, const std::string& condition,
                            const OrderSql& order, SqlValues values, std::int64_t limit,
                            std::int64_t offset) {
  return {.text = format("SELECT r.number, 0 FROM {}{} WHERE {} ORDER BY {} LIMIT {} OFFSET {}",
                         tables, order.joins, condition, join(order.terms, ", "), limit, offset),
          .values = std::move(values)};
}

// The rows `x` of a partial index that have a value for the first order term, without those that
// the filter excludes by that value already.
std::string order_index_condition(const RunQuery& query, SqlValues& values) {
  const OrderTerm& term = query.order.front();
  std::vector<std::string> conditions{format("x.key = {}", values.bind(term.key))};
  if (term.entity == SearchEntity::kMetric) {
    conditions.emplace_back("x.is_nan = 0");
    for (const FilterClause& clause : query.filter) {
      if (clause.entity == term.entity && clause.key == term.key && is_range(clause.comparator)) {
        conditions.push_back(
            format("x.value {} {}", sql_operator(clause.comparator), values.bind(clause.number)));
      }
    }
  }
  conditions.emplace_back("r.number = x.run");
  return all_of(conditions);
}

std::string order_index_tables(const RunQuery& query, SqlDialect dialect) {
  return value_index(query.order.front().entity, "x", dialect) + " CROSS JOIN runs r";
}

// Of one experiment and one view, the index has both before the time.
std::string by_time(const RunQuery& query, SqlDialect dialect) {
  const bool narrow = query.experiment_ids.size() == 1 && query.view != ViewType::kAll;
  return through("runs", "r", narrow ? "runs_by_start" : "runs_by_time", dialect);
}

}  // namespace

std::vector<SearchStart> possible_starts(const RunQuery& query, SqlDialect dialect) {
  std::vector<SearchStart> starts;
  for (const FilterClause& clause : query.filter) {
    auto start = clause.entity == SearchEntity::kAttribute
                     ? start_by_attribute(query, clause, dialect)
                     : start_by_value(clause, dialect);
    if (start) {
      starts.push_back(std::move(*start));
    }
  }
  starts.push_back(start_by_experiment(query, dialect));
  return starts;
}

SqlStatement count_statement(const SearchStart& start, std::int64_t limit) {
  return {.text = format("SELECT COUNT(*), 0 FROM (SELECT 1 AS one FROM {} LIMIT {}) c",
                         start.rows.text, limit),
          .values = start.rows.values};
}

SqlStatement sorted_statement(const RunQuery& query, const SearchStart& start, SqlDialect dialect,
                              std::int64_t limit, std::int64_t offset) {
  SqlValues values;
  std::string condition = all_conditions(query, start.by_row ? run_tables_by_row() : run_tables(),
                                         dialect, values, start.answered);
  if (start.narrow) {
    condition = format("{} AND {}", start.narrow(values), condition);
  }
  const OrderSql order = order_sql(query, 0, values);
  return page_statement(start.tables, condition, order, std::move(values), limit, offset);
}

bool order_index_is_partial(const RunQuery& query) {
  return !query.order.empty() && has_table(query.order.front().entity);
}

bool has_order_index(const RunQuery& query) {
  return query.order.empty() || order_index_is_partial(query) ||
         (query.order.front().entity == SearchEntity::kAttribute &&
          query.order.front().key == "start_time");
}

SqlStatement ordered_statement(const RunQuery& query, SqlDialect dialect, std::int64_t limit,
                               std::int64_t offset) {
  SqlValues values;
  if (!order_index_is_partial(query)) {
    const std::string condition = all_conditions(query, run_tables(), dialect, values);
    const OrderSql order = order_sql(query, 0, values);
    return page_statement(by_time(query, dialect), condition, order, std::move(values), limit,
                          offset);
  }
  const std::string condition = format("{} AND {}", order_index_condition(query, values),
                                       all_conditions(query, run_tables_by_row(), dialect, values));
  OrderSql order = order_sql(query, 1, values);
  const std::vector<std::string> terms = value_terms(query.order.front(), "x");
  order.terms.insert(order.terms.begin(), terms.begin(), terms.end());
  return page_statement(order_index_tables(query, dialect), condition, order, std::move(values),
                        limit, offset);
}

SqlStatement count_ordered_statement(const RunQuery& query, SqlDialect dialect) {
  SqlValues values;
  const std::string index = order_index_condition(query, values);
  std::string text =
      format("SELECT COUNT(*), 0 FROM {} WHERE {} AND {}", order_index_tables(query, dialect),
             index, all_conditions(query, run_tables_by_row(), dialect, values));
  return {.text = std::move(text), .values = std::move(values)};
}

bool order_index_has_all(const RunQuery& query) {
  const OrderTerm& first = query.order.front();
  return std::ranges::any_of(query.filter, [&](const FilterClause& clause) {
    return clause.entity == first.entity && clause.key == first.key &&
           (first.entity == SearchEntity::kMetric ? is_range(clause.comparator)
                                                  : clause.comparator != Comparator::kIsNull);
  });
}

SqlStatement leftover_statement(const RunQuery& query, SqlDialect dialect, std::int64_t limit,
                                std::int64_t offset) {
  const OrderTerm& first = query.order.front();
  SqlValues values;
  const std::string condition = format(
      "{} AND NOT EXISTS (SELECT 1 FROM {} f WHERE f.run = r.number AND f.key = {}{})",
      all_conditions(query, run_tables(), dialect, values), table_of(first.entity),
      values.bind(first.key), first.entity == SearchEntity::kMetric ? " AND f.is_nan = 0" : "");
  const OrderSql order = order_sql(query, 0, values);
  return page_statement("runs r", condition, order, std::move(values), limit, offset);
}

}  // namespace onnxop
