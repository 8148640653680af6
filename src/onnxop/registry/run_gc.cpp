// Runs that end without their process, and runs that go for good.

#include "onnxop/registry/run_gc.h"

#include <algorithm>
#include <limits>
#include <system_error>
#include <utility>

#include "onnxop/base/error.h"
#include "onnxop/registry/artifact_rows.h"
#include "onnxop/registry/metric_points.h"
#include "onnxop/registry/process_owner.h"
#include "onnxop/registry/registry_core.h"
#include "onnxop/registry/run_rows.h"
#include "onnxop/registry/runs.h"
#include "onnxop/registry/session.h"
#include "onnxop/registry/version_needs.h"

namespace onnxop {
namespace {

namespace fs = std::filesystem;
using soci::into;
using soci::use;

// The RUNNING runs whose process has surely ended.
std::vector<std::int64_t> find_abandoned(Session& session) {
  const std::string running(run_status_name(RunStatus::kRunning));
  std::vector<std::int64_t> found;
  long long number = 0;
  std::string owner;
  soci::statement select = (session.prepare << "SELECT number, owner FROM runs WHERE "
                                               "status = :status AND owner <> '' "
                                               "ORDER BY number DESC",
                            use(running), into(number), into(owner));
  select.execute();
  while (select.fetch()) {
    if (owner_is_gone(owner)) {
      found.push_back(number);
    }
  }
  return found;
}

// When a run that nobody ended was last heard of.
std::int64_t last_sign_of_life(Session& session, std::int64_t run, std::int64_t start_ms) {
  const long long number = run;
  long long latest = 0;
  session << "SELECT COALESCE(MAX(timestamp_ms), 0) FROM run_latest_metrics WHERE run = :run",
      use(number), into(latest);
  return std::max<std::int64_t>(latest, start_ms);
}

struct DeletedRun {
  long long number = 0;
  std::string run_id;
  std::string experiment_folder;
};

// Those runs, or the one of them with that number (0: all); oldest first.
std::vector<DeletedRun> find_deleted(Session& session, const DeletedRuns& which,
                                     std::int64_t number = 0) {
  const std::string deleted(lifecycle_stage_name(LifecycleStage::kDeleted));
  const long long before = which.before_ms.value_or(std::numeric_limits<long long>::max());
  const std::string experiment =
      which.experiment_id ? format(" AND r.experiment_id = {}", *which.experiment_id) : "";
  std::vector<DeletedRun> runs;
  DeletedRun run;
  soci::statement select =
      (session.prepare << "SELECT r.number, r.run_id, e.artifact_location FROM runs r JOIN "
                          "experiments e ON e.experiment_id = r.experiment_id WHERE "
                          "r.lifecycle_stage = :stage AND COALESCE(r.deleted_ms, 0) < :before"
                       << experiment << (number == 0 ? "" : format(" AND r.number = {}", number))
                       << " ORDER BY r.number",
       use(deleted), use(before), into(run.number), into(run.run_id), into(run.experiment_folder));
  select.execute();
  while (select.fetch()) {
    runs.push_back(run);
  }
  return runs;
}

void remove_folder(const fs::path& folder) {
  std::error_code error;
  fs::remove_all(folder, error);
  if (error) {
    fail(ErrorCode::kIo, "cannot remove {}: {}", folder.native(), error.message());
  }
}

void remove_rows(Session& session, const DeletedRun& run) {
  for (const std::string_view table :
       {"run_params", "run_tags", "run_metrics", "run_recent_metrics", "run_metric_segments",
        "run_latest_metrics", "run_dataset_tags", "run_datasets", "run_models"}) {
    session << "DELETE FROM " << table << " WHERE run = :run", use(run.number);
  }
  remove_artifacts_below(session, format("{}/{}", run.experiment_folder, run.run_id));
  session << "DELETE FROM runs WHERE number = :run", use(run.number);
}

}  // namespace

std::vector<Run> Runs::mark_interrupted() {
  if (core_.database.read(find_abandoned).empty()) {
    return {};
  }
  return core_.database.write([&](Session& session) {
    const std::string killed(run_status_name(RunStatus::kKilled));
    const auto numbers = find_abandoned(session);
    std::vector<Run> runs = load_runs(session, numbers);
    for (std::size_t i = 0; i < runs.size(); ++i) {
      runs[i].status = RunStatus::kKilled;
      runs[i].end_time_ms = last_sign_of_life(session, numbers[i], runs[i].start_time_ms);
      const long long number = numbers[i];
      const long long end = *runs[i].end_time_ms;
      session << "UPDATE runs SET status = :status, end_time_ms = :end WHERE number = :run",
          use(killed), use(end), use(number);
      settle_points(session, number);
    }
    return runs;
  });
}

// One run after the other: its folder first, then its rows, so that a run whose removal was cut
// short is still there, deleted, for the next time. Inside the transaction, so that nobody restores
// it meanwhile.
RemovedForGood remove_deleted_runs(RegistryCore& core, const DeletedRuns& which) {
  RemovedForGood removed;
  const auto doomed =
      core.database.read([&](Session& session) { return find_deleted(session, which); });
  for (const DeletedRun& run : doomed) {
    core.database.write([&](Session& session) {
      const auto still = find_deleted(session, which, run.number);
      if (still.empty() || still.front().run_id != run.run_id) {
        return;
      }
      if (auto versions = versions_that_need_run(session, run.run_id); !versions.empty()) {
        removed.kept.push_back({run.run_id, std::move(versions)});
        return;
      }
      remove_folder(core.runs_dir() / run.run_id);
      remove_rows(session, run);
      removed.ids.push_back(run.run_id);
    });
  }
  core.database.write([](Session& session) {
    session << "DELETE FROM logged_model_metrics WHERE run_id <> '' AND "
               "run_id NOT IN (SELECT run_id FROM runs)";
  });
  return removed;
}

RemovedForGood Runs::gc(std::optional<std::int64_t> deleted_before_ms) {
  return remove_deleted_runs(core_, {.before_ms = deleted_before_ms});
}

}  // namespace onnxop
