#include "onnxop/wire/openapi.h"

#include <algorithm>
#include <cctype>

#include "onnxop/base/format.h"
#include "onnxop/base/json_value.h"

namespace onnxop {
namespace {

Json reference(std::string_view schema) {
  return {{"$ref", format("#/components/schemas/{}", schema)}};
}

Json object_schema(std::vector<std::string> required, Json properties) {
  Json schema{{"type", "object"}};
  if (!required.empty()) {  // a list without elements is not valid
    schema["required"] = std::move(required);
  }
  schema["properties"] = std::move(properties);
  return schema;
}

Json text_schema(std::string_view description) {
  return {{"type", "string"}, {"description", description}};
}

Json array_of(Json items) {
  return {{"type", "array"}, {"items", std::move(items)}};
}

/// Of /api/models/{model}/traffic: what is put, and what is got.
Json traffic_schemas() {
  const Json count{{"type", "integer"}, {"format", "int64"}, {"minimum", 0}};
  const Json rate{{"type", "number"}, {"minimum", 0}, {"maximum", 1}};
  const Json percent{{"type", "number"}, {"minimum", 0}, {"maximum", 100}, {"default", 100}};
  Json plan{
      {"split",
       {{"type", "object"},
        {"nullable", true},
        {"description",
         "Weights by alias or version; the first is the primary, others are canaries"},
        {"additionalProperties", {{"type", "integer"}, {"minimum", 0}, {"maximum", 1'000'000}}}}},
      {"shadow", object_schema({"target"}, {{"target", text_schema("Alias or version")},
                                            {"percent", percent}})},
      {"rollback",
       object_schema(
           {}, {{"max_error_rate", rate},
                {"max_disagreement", rate},
                {"min_requests",
                 {{"type", "integer"}, {"minimum", 1}, {"maximum", 100'000}, {"default", 100}}},
                {"compare_percent", percent}})}};
  plan["shadow"]["nullable"] = true;
  plan["rollback"]["nullable"] = true;
  Json request = object_schema({}, plan);
  request["minProperties"] = 1;
  const Json comparisons = object_schema(
      {"requests", "dropped", "failed", "agreed", "disagreed", "largest_difference"},
      {{"requests", count},
       {"dropped", count},
       {"failed", count},
       {"agreed", count},
       {"disagreed", count},
       {"largest_difference",
        {{"type", "object"}, {"additionalProperties", {{"type", "number"}, {"nullable", true}}}}}});
  Json report = plan;
  report["model"] = {{"type", "string"}};
  report["targets"] =
      array_of(object_schema({"target", "version", "share", "requests"},
                             {{"target", {{"type", "string"}}},
                              {"version", {{"type", "integer"}, {"nullable", true}}},
                              {"share", rate},
                              {"requests", count},
                              {"comparisons", comparisons}}));
  report["shadowed"] = {{"type", "object"}, {"nullable", true}};
  report["rolled_back"] =
      object_schema({"target", "reason", "figures"}, {{"target", {{"type", "string"}}},
                                                      {"reason", {{"type", "string"}}},
                                                      {"figures", {{"type", "object"}}}});
  report["rolled_back"]["nullable"] = true;
  return {{"TrafficRequest", std::move(request)},
          {"Traffic", object_schema({"model", "split", "shadow", "rollback", "targets", "shadowed",
                                     "rolled_back"},
                                    std::move(report))}};
}

Json schemas() {
  const Json numbers = array_of({{"type", "number"}, {"format", "double"}});
  Json prediction = array_of(array_of(numbers));
  prediction["description"] = "One list of values for the one image: a probability a class";
  const Json version{{"type", "integer"}, {"format", "int64"}, {"minimum", 0}};
  const Json nullable_object{{"type", "object"}, {"nullable", true}};
  const Json model = object_schema({"name", "version", "sha256", "routes", "input", "output"},
                                   {{"name", {{"type", "string"}}},
                                    {"version", version},
                                    {"sha256", text_schema("Of the model file")},
                                    {"routes", array_of({{"type", "string"}})},
                                    {"input", nullable_object},
                                    {"output", nullable_object}});
  return {{"Prediction",
           object_schema({"prediction", "model", "version"},
                         {{"prediction", std::move(prediction)},
                          {"label", text_schema("The most probable class; not for regressions")},
                          {"confidence", {{"type", "number"}, {"minimum", 0}, {"maximum", 1}}},
                          {"model", {{"type", "string"}}},
                          {"version", version}})},
          {"Model", model},
          {"Predictions",
           object_schema({"predictions"}, {{"predictions", array_of(reference("Prediction"))}})},
          {"Tensor", object_schema({"name", "datatype", "shape"},
                                   {{"name", {{"type", "string"}}},
                                    {"datatype", text_schema("BOOL, UINT8, … FP32, FP64, BYTES")},
                                    {"shape", array_of({{"type", "integer"}, {"format", "int64"}})},
                                    {"parameters", {{"type", "object"}}},
                                    {"data", {{"type", "array"}, {"items", Json::object()}}}})},
          {"InferRequest",
           object_schema({"inputs"},
                         {{"id", {{"type", "string"}}},
                          {"parameters", {{"type", "object"}}},
                          {"inputs", array_of(reference("Tensor"))},
                          {"outputs", array_of(object_schema(
                                          {"name"}, {{"name", {{"type", "string"}}},
                                                     {"parameters", {{"type", "object"}}}}))}})},
          {"InferAnswer", object_schema({"model_name", "model_version", "outputs"},
                                        {{"model_name", {{"type", "string"}}},
                                         {"model_version", {{"type", "string"}}},
                                         {"id", {{"type", "string"}}},
                                         {"outputs", array_of(reference("Tensor"))}})},
          {"ModelList", object_schema({"models"}, {{"models", array_of(reference("Model"))}})},
          {"Status", object_schema({"status"}, {{"status", {{"type", "string"}}}})},
          {"Error", object_schema({"error"}, {{"error", text_schema("What was got, and what was "
                                                                    "expected")}})},
          {"MlflowError", object_schema({"error_code", "message"},
                                        {{"error_code", text_schema("RESOURCE_DOES_NOT_EXIST, …")},
                                         {"message", {{"type", "string"}}}})}};
}

Json json_content(Json schema) {
  return {{"application/json", {{"schema", std::move(schema)}}}};
}

Json answer_content(ApiSchema schema) {
  switch (schema) {
    case ApiSchema::kPrediction:
      return json_content(reference("Prediction"));
    case ApiSchema::kModelList:
      return json_content(reference("ModelList"));
    case ApiSchema::kStatus:
      return json_content(reference("Status"));
    case ApiSchema::kOpenApi:
      return json_content({{"type", "object"}});
    case ApiSchema::kJson:
      return json_content({{"description", "An object or a list"}});
    case ApiSchema::kInference: {
      Json content = json_content(reference("InferAnswer"));
      content["application/octet-stream"] = {
          {"schema", {{"type", "string"}, {"format", "binary"}}}};
      return content;
    }
    case ApiSchema::kPredictions:
      return json_content(
          {{"anyOf", Json::array({reference("Prediction"), reference("Predictions")})}});
    case ApiSchema::kTraffic:
      return json_content(reference("Traffic"));
    case ApiSchema::kFile:
      return {
          {"application/octet-stream", {{"schema", {{"type", "string"}, {"format", "binary"}}}}}};
    case ApiSchema::kText:
      return {{"text/plain", {{"schema", {{"type", "string"}}}}}};
    case ApiSchema::kHtml:
      break;
  }
  return {{"text/html", {{"schema", {{"type", "string"}}}}}};
}

std::string_view error_description(int status) {
  switch (status) {
    case 400:
      return "The body is empty or no whole image of a known format, or the request is malformed";
    case 401:
      return "There is no token, or none that is known";
    case 403:
      return "The token has not the role that this needs, or the request is for an unknown host";
    case 408:
      return "The request did not come in time";
    case 404:
      return "There is no such model or version";
    case 409:
      return "Not in this state: the message says why";
    case 413:
      return "The body, the image or a tensor is larger than the limit";
    case 415:
      return "The image or the encoding is of a kind that is not decoded";
    case 429:
      return "Too many requests, of this client or for the model: come again later";
    case 504:
      return "The request's own deadline passed before it was its turn";
    case 500:
      return "Something failed here; the log has the details under the id in the message";
    case 416:
      return "There is nothing in the range that was asked for";
    case 501:
      return "This server does not do that";
    default:
      return "Not now: too many requests wait, or the server is shutting down";
  }
}

Json image_body(std::uint64_t max_body_bytes) {
  const Json binary{{"schema", {{"type", "string"}, {"format", "binary"}}}};
  Json content;
  for (const char* type : {"image/png", "image/jpeg", "image/bmp", "image/webp", "image/gif",
                           "image/x-portable-graymap", "application/octet-stream"}) {
    content[type] = binary;
  }
  return {{"required", true},
          {"description",
           format("The bytes of an image; its format is known from them, whatever the content type "
                  "says. At most {} bytes.",
                  max_body_bytes)},
          {"content", std::move(content)}};
}

std::string_view path_parameter_description(std::string_view name) {
  return name == "model"     ? "NAME or NAME@ALIAS"
         : name == "version" ? "A number from 1"
         : name == "path"    ? "Of an artifact; slashes in it are left as they are"
                             : "As the tracking gave it";
}

/// One a placeholder.
std::vector<Json> path_parameters(std::string_view path) {
  std::vector<Json> parameters;
  for (auto at = path.find('{'); at != std::string_view::npos; at = path.find('{', at + 1)) {
    const std::string_view name = path.substr(at + 1, path.find_first_of("*}", at) - at - 1);
    parameters.push_back({{"name", name},
                          {"in", "path"},
                          {"required", true},
                          {"description", path_parameter_description(name)},
                          {"schema", {{"type", "string"}}}});
  }
  return parameters;
}

Json operation_json(const ApiOperation& operation, std::uint64_t max_body_bytes) {
  Json json{{"operationId", operation.id}, {"summary", operation.summary}};
  for (const Json& parameter : path_parameters(operation.path)) {
    json["parameters"].push_back(parameter);
  }
  switch (operation.body) {
    case ApiBody::kImage:
      json["requestBody"] = image_body(max_body_bytes);
      break;
    case ApiBody::kImages:
      json["requestBody"] = image_body(max_body_bytes);
      json["requestBody"]["content"]["multipart/form-data"] = {
          {"schema",
           {{"type", "object"},
            {"additionalProperties", {{"type", "string"}, {"format", "binary"}}}}}};
      break;
    case ApiBody::kInference:
      json["requestBody"] = {{"required", true},
                             {"content", json_content(reference("InferRequest"))}};
      break;
    case ApiBody::kOptionalJson:
      json["requestBody"] = {{"required", false}, {"content", json_content({{"type", "object"}})}};
      break;
    case ApiBody::kTraffic:
      json["requestBody"] = {{"required", true},
                             {"content", json_content(reference("TrafficRequest"))}};
      break;
    case ApiBody::kFile:
      json["requestBody"] = {{"required", true},
                             {"content",
                              {{"application/octet-stream",
                                {{"schema", {{"type", "string"}, {"format", "binary"}}}}}}}};
      break;
    case ApiBody::kNone:
      break;
  }
  if (!operation.tag.empty()) {
    json["tags"] = Json::array({operation.tag});
  }
  if (!operation.roles.empty()) {
    json["security"] = Json::array({{{"bearer", Json::array()}}});
    json["description"] = format("Needs a token with the role {}.", operation.roles);
  }
  Json& responses = json["responses"];
  responses["200"] = {{"description", "Done"}, {"content", answer_content(operation.answer)}};
  for (const int status : operation.errors) {
    responses[format("{}", status)] = {
        {"description", error_description(status)},
        {"content", json_content(reference(operation.tag.empty() ? "Error" : "MlflowError"))}};
  }
  return json;
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

}  // namespace

Json openapi_document(std::span<const ApiOperation> operations, std::string_view version,
                      std::uint64_t max_body_bytes) {
  Json paths = Json::object();
  Json components{{"schemas", schemas()}};
  components["schemas"].update(traffic_schemas());
  for (const ApiOperation& operation : operations) {
    if (!operation.roles.empty()) {
      components["securitySchemes"]["bearer"] = {{"type", "http"}, {"scheme", "bearer"}};
    }
    if (!operation.described) {
      continue;
    }
    std::string path = operation.path;
    std::erase(path, '*');
    paths[path][lower(operation.method)] = operation_json(operation, max_body_bytes);
  }
  return {
      {"openapi", "3.0.3"},
      {"info",
       {{"title", "onnxop"},
        {"description",
         "Models behind HTTP: images in, JSON out; or tensors, by the Open Inference Protocol v2."},
        {"version", version}}},
      {"paths", std::move(paths)},
      {"components", std::move(components)}};
}

}  // namespace onnxop
