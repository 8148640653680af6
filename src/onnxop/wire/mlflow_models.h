#pragma once
// Registered models as MLflow's REST API has them.

#include <string>
#include <vector>

#include "onnxop/registry/models.h"

namespace onnxop {

/// A model with the newest version of each stage.
struct ListedModel {
  RegisteredModel model;
  std::vector<ModelVersion> latest;
};

/// {"registered_model": {…}}
std::string registered_model_json(const ListedModel& model);

/// {"registered_models": […], "next_page_token": …}
std::string registered_models_json(const Page<ListedModel>& page);

}  // namespace onnxop
