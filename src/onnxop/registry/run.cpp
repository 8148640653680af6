#include "onnxop/registry/run.h"

#include <array>

#include "onnxop/base/error.h"
#include "onnxop/registry/runs.h"

namespace onnxop {
namespace {

constexpr std::array<std::pair<RunStatus, std::string_view>, 5> kStatusNames = {{
    {RunStatus::kRunning, "RUNNING"},
    {RunStatus::kFinished, "FINISHED"},
    {RunStatus::kFailed, "FAILED"},
    {RunStatus::kKilled, "KILLED"},
    {RunStatus::kScheduled, "SCHEDULED"},
}};

}  // namespace

std::string_view run_status_name(RunStatus status) {
  for (const auto& [known, name] : kStatusNames) {
    if (known == status) {
      return name;
    }
  }
  fail(ErrorCode::kInternal, "run status {} has no name", static_cast<int>(status));
}

RunStatus parse_run_status(std::string_view name) {
  for (const auto& [status, known] : kStatusNames) {
    if (known == name) {
      return status;
    }
  }
  fail(ErrorCode::kInvalidArgument,
       "'{}' is no status of a run: expected RUNNING, SCHEDULED, FINISHED, FAILED or KILLED", name);
}

std::string_view lifecycle_stage_name(LifecycleStage stage) {
  return stage == LifecycleStage::kActive ? "active" : "deleted";
}

std::string run_artifact_root(const Run& run) {
  return format("{}/{}/artifacts", run.experiment_folder, run.run_id);
}

}  // namespace onnxop
