#include "onnxop/registry/logged_model_gc.h"

#include <utility>

#include "onnxop/base/format.h"
#include "onnxop/registry/artifact_rows.h"
#include "onnxop/registry/logged_models.h"
#include "onnxop/registry/registry_core.h"
#include "onnxop/registry/session.h"
#include "onnxop/registry/version_needs.h"

namespace onnxop {
namespace {

using soci::into;
using soci::use;

}  // namespace

std::vector<DoomedModel> find_doomed_models(Session& session, const std::string& condition) {
  std::vector<DoomedModel> found;
  DoomedModel row;
  soci::statement select =
      (session.prepare << "SELECT m.number, m.model_id, e.artifact_location FROM logged_models m "
                          "JOIN experiments e ON e.experiment_id = m.experiment_id WHERE "
                       << condition << " ORDER BY m.number",
       into(row.number), into(row.model_id), into(row.experiment_folder));
  select.execute();
  while (select.fetch()) {
    found.push_back(row);
  }
  return found;
}

void remove_logged_model(Session& session, const DoomedModel& model) {
  remove_artifacts_below(session, format("{}/models/{}", model.experiment_folder, model.model_id));
  for (const std::string_view table :
       {"logged_model_params", "logged_model_tags", "logged_model_metrics"}) {
    session << "DELETE FROM " << table << " WHERE model = :model", use(model.number);
  }
  session << "DELETE FROM logged_models WHERE number = :model", use(model.number);
}

RemovedForGood LoggedModels::gc(std::optional<std::int64_t> deleted_before_ms) {
  // A deleted model is not changed: its updated_ms is the time of its deletion.
  std::string condition =
      format("m.lifecycle_stage = '{}'", lifecycle_stage_name(LifecycleStage::kDeleted));
  if (deleted_before_ms) {
    condition += format(" AND m.updated_ms < {}", *deleted_before_ms);
  }
  RemovedForGood removed;
  const auto doomed =
      core_.database.read([&](Session& session) { return find_doomed_models(session, condition); });
  for (const DoomedModel& model : doomed) {
    core_.database.write([&](Session& session) {
      // Somebody else may have removed it.
      const auto still = find_doomed_models(
          session, format("{} AND m.model_id = '{}'", condition, model.model_id));
      if (still.empty()) {
        return;
      }
      if (auto versions = versions_that_need_model(session, model.model_id); !versions.empty()) {
        removed.kept.push_back({model.model_id, std::move(versions)});
        return;
      }
      remove_logged_model(session, still.front());
      removed.ids.push_back(model.model_id);
    });
  }
  return removed;
}

}  // namespace onnxop
