#pragma once
// Runs as MLflow's REST API has them.

#include <string>
#include <string_view>
#include <vector>

#include "onnxop/registry/runs.h"
#include "onnxop/wire/mlflow_fields.h"

namespace onnxop {

/// {"run": {"info", "data", "inputs", "outputs"}}
std::string run_json(const Run& run);

/// {"run_info": {…}}
std::string run_info_json(const Run& run);

/// {"runs": […], "next_page_token": …}
std::string runs_json(const Page<Run>& page);

NewRun new_run_of(const MlflowFields& fields);
RunUpdate run_update_of(const MlflowFields& fields);

/// "datasets" and "models" of runs/log-inputs and runs/outputs.
std::vector<DatasetInput> dataset_inputs_of(const MlflowFields& fields);
std::vector<RunModel> run_models_of(const MlflowFields& fields);

/// The value of the tag mlflow.log-model.history with one more model, of runs/log-model; `history`
/// is the tag's value until now, and the oldest are left out where the tag would be too long.
/// Throws Error{kInvalidArgument} where the model's JSON is none, or has not what it must have.
std::string logged_model_history(std::string_view history, std::string_view model_json);

}  // namespace onnxop
