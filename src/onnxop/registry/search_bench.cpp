// A page of a hundred runs out of many: by a filter that few, that many and that none pass, sorted
// along an index and without one.

#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include <benchmark/benchmark.h>
#include <stdlib.h>

#include "onnxop/base/clock.h"
#include "onnxop/base/format.h"
#include "onnxop/registry/database.h"
#include "onnxop/registry/registry.h"
#include "onnxop/registry/session.h"

namespace onnxop {
namespace {

const SystemClock kClock;

// Runs as a search for parameters leaves them: accuracy and loss that go together, learning rate,
// optimizer, owner.
class FullStore {
 public:
  explicit FullStore(std::int64_t runs) {
    std::string name = (std::filesystem::temp_directory_path() / "onnxop-search.XXXXXX").string();
    folder_ = mkdtemp(name.data());
    Registry(folder_, kClock);  // makes the tables
    Database database(sqlite_dialect(folder_ / "onnxop.db"), kClock);
    database.write([&](Session& session) {
      session << format(
          "CREATE TEMP TABLE n AS WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c "
          "WHERE i < {}) SELECT i, (i * 7919 % 1000003) / 1000003.0 AS x, "
          "(i * 104729 % 1000033) / 1000033.0 AS y FROM c",
          runs);
      session << "INSERT INTO runs (run_id, number, name, status, start_time_ms, owner) SELECT "
                 "printf('%032x', i * 2654435761), i, 'run ' || i, 'FINISHED', 1000000 + i, '' "
                 "FROM n";
      add_values(session, "run_latest_metrics (run, key, step, timestamp_ms, value, is_nan)",
                 "'accuracy', 1, 1, x, 0");
      add_values(session, "run_latest_metrics (run, key, step, timestamp_ms, value, is_nan)",
                 "'loss', 1, 1, 1 - 0.9 * x + 0.1 * y, 0");
      add_values(session, "run_params (run, key, value)", "'lr', printf('%.4f', y)");
      add_values(session, "run_params (run, key, value)",
                 "'optimizer', CASE WHEN i % 3 = 0 THEN 'adam' ELSE 'sgd' END");
      add_values(session, "run_tags (run, key, value)", "'owner', 'user ' || i % 50");
    });
  }
  ~FullStore() { std::filesystem::remove_all(folder_); }
  FullStore(const FullStore&) = delete;
  FullStore& operator=(const FullStore&) = delete;

  const std::filesystem::path& dir() const { return folder_; }

  /// Made once for each size.
  static const FullStore& of(std::int64_t runs) {
    static std::map<std::int64_t, std::unique_ptr<FullStore>> stores;
    auto& store = stores[runs];
    if (store == nullptr) {
      store = std::make_unique<FullStore>(runs);
    }
    return *store;
  }

 private:
  static void add_values(Session& session, std::string_view table, std::string_view values) {
    session << format("INSERT INTO {} SELECT i, {} FROM n", table, values);
  }

  std::filesystem::path folder_;
};

void search(benchmark::State& state, const std::string& filter, const std::string& order_by) {
  const Registry registry(FullStore::of(state.range(0)).dir(), kClock, true);
  const SearchOptions options{
      .filter = filter,
      .order_by = order_by.empty() ? std::vector<std::string>{} : std::vector{order_by},
      .max_results = 100};
  std::size_t found = 0;
  for (auto _ : state) {
    found = registry.runs().search({}, ViewType::kActiveOnly, options).items.size();
  }
  state.counters["found"] = static_cast<double>(found);
}

#define SEARCH(name, filter, order_by)              \
  BENCHMARK_CAPTURE(search, name, filter, order_by) \
      ->Arg(10'000)                                 \
      ->Arg(100'000)                                \
      ->Unit(benchmark::kMillisecond)

SEARCH(newest, "", "");
SEARCH(good_newest, "metrics.accuracy > 0.9", "");
SEARCH(good_by_loss, "metrics.accuracy > 0.9", "metrics.loss ASC");
SEARCH(good_by_loss_against, "metrics.accuracy > 0.9", "metrics.loss DESC");
SEARCH(best_by_loss, "metrics.accuracy > 0.999", "metrics.loss ASC");
SEARCH(all_by_accuracy, "", "metrics.accuracy DESC");
SEARCH(three_conditions,
       "metrics.accuracy > 0.5 AND params.optimizer = 'adam' AND tags.owner = 'user 7'",
       "metrics.accuracy DESC");
SEARCH(by_text, "params.optimizer = 'adam'", "params.lr ASC");
SEARCH(like, "params.lr LIKE '0.12%'", "metrics.loss ASC");
SEARCH(none, "tags.owner = 'nobody'", "metrics.loss ASC");
SEARCH(by_name, "metrics.accuracy > 0.9", "run_name");

}  // namespace
}  // namespace onnxop
