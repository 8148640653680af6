#pragma once
// Logged models as MLflow's REST API has them since its version 3.

#include <string>
#include <vector>

#include "onnxop/registry/logged_models.h"
#include "onnxop/wire/mlflow_fields.h"

namespace onnxop {

/// {"model": {"info", "data"}}
std::string logged_model_json(const LoggedModel& model);

/// {"models": […], "next_page_token": …}
std::string logged_models_json(const Page<LoggedModel>& page);

LoggedModel new_logged_model_of(const MlflowFields& fields);

/// "LOGGED_MODEL_READY", from its name or number. Throws Error{kInvalidArgument} for none.
std::string logged_model_status_of(const MlflowFields& fields);

struct LoggedModelSearch {
  SearchOptions options = {};
  MetricDatasets datasets = {};
};

/// Of logged-models/search.
LoggedModelSearch logged_model_search_of(const MlflowFields& fields);

}  // namespace onnxop
