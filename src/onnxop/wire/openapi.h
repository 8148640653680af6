#pragma once
// The OpenAPI 3.0 document of the service, from the same descriptions that its routes carry.

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "onnxop/base/json.h"

namespace onnxop {

/// What an answer's body looks like; the names are those in components/schemas.
enum class ApiSchema {
  kPrediction,
  kModelList,
  kStatus,
  kOpenApi,
  kHtml,
  kText,
  kJson,
  kInference,
  kPredictions,
  kTraffic,
  kFile
};

/// What a request's body is.
enum class ApiBody { kNone, kImage, kImages, kInference, kOptionalJson, kTraffic, kFile };

struct ApiOperation {
  std::string method = {};   // upper case: "GET"
  std::string path = {};     // "/api/classify_digit"
  std::string id = {};       // unique in the document
  std::string summary = {};  // one line
  ApiBody body = ApiBody::kNone;
  ApiSchema answer = ApiSchema::kStatus;  // of status 200
  std::vector<int> errors = {};           // statuses with an {"error": …} body, ascending
  /// Of which a bearer token must have one, in words: "infer or manage"; "": no token is needed.
  std::string roles = {};
  std::string tag = {};   // "MLflow": of its REST API, whose errors look as it has them
  bool described = true;  // in the document; a second path for the same is not
};

/// `version` is the program's; `max_body_bytes` the limit that the document tells of.
Json openapi_document(std::span<const ApiOperation> operations, std::string_view version,
                      std::uint64_t max_body_bytes);

}  // namespace onnxop
