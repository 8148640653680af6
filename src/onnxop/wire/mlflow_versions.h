#pragma once
// Versions of registered models as MLflow's REST API has them.

#include <string>
#include <vector>

#include "onnxop/base/json_writer.h"
#include "onnxop/registry/models.h"
#include "onnxop/wire/mlflow_fields.h"

namespace onnxop {

/// {"model_version": {…}}
std::string model_version_json(const ModelVersion& version);

/// {"model_versions": […], "next_page_token": …}
std::string model_versions_json(const Page<ModelVersion>& page);

/// What model-versions/create says, but for the files.
NewVersion new_version_of(const MlflowFields& fields);

/// {"artifact_uri": …}
std::string download_uri_json(std::string_view uri);

/// Throws Error{kInvalidArgument} for what is no whole number.
std::int64_t parse_version_number(std::string_view text);

/// The number of a version, which clients give as a text.
std::int64_t version_number_of(const MlflowFields& fields);

/// An object of an answer.
void write_model_version(JsonWriter& json, const ModelVersion& version);

}  // namespace onnxop
