#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "onnxop/base/json_value.h"
#include "onnxop/wire/image_json.h"
#include "onnxop/wire/model_list_json.h"
#include "onnxop/wire/openapi.h"

namespace onnxop {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(ImageJson, IsExactlyWhatClientsRead) {
  const std::vector<double> values{0.25, 0.75};
  EXPECT_EQ(
      image_answer_json(
          {.values = values, .label = "7", .confidence = 0.75, .model = "mnist", .version = 12}),
      R"({"prediction":[[[0.25,0.75]]],"label":"7","confidence":0.75,"model":"mnist",)"
      R"("version":12})");
}

TEST(ImageJson, RegressionsHaveNoLabel) {
  const std::vector<double> values{-1.5};
  EXPECT_EQ(
      image_answer_json({.values = values, .classification = false, .model = "m", .version = 0}),
      R"({"prediction":[[[-1.5]]],"model":"m","version":0})");
}

TEST(ImageJson, NumbersReadBackAsTheSame) {
  const std::vector<double> values{
      0.1F, 1e-30, 5e-324, std::numeric_limits<double>::max(), 1.0 / 3, 123456789012345680.0, 0, 1};
  const std::string text =
      image_answer_json({.values = values, .label = "", .confidence = 1.0 / 3, .model = ""});
  const Json json = parse_json(text, "answer");
  for (std::size_t i = 0; i < values.size(); ++i) {
    EXPECT_EQ(json["prediction"][0][0][i].get<double>(), values[i]) << text;
  }
  EXPECT_EQ(json["confidence"].get<double>(), 1.0 / 3);
}

TEST(ImageJson, TextsAreEscaped) {
  const Json json = parse_json(
      image_answer_json({.values = {}, .label = "a\"b\\c\n\x01", .model = "\xff"}), "answer");
  EXPECT_EQ(json["label"], "a\"b\\c\n\x01");
  EXPECT_EQ(json["model"], "\xEF\xBF\xBD");
  EXPECT_EQ(error_json("no \"image\" <here> \xc3"),
            "{\"error\":\"no \\\"image\\\" <here> \xEF\xBF\xBD\"}");
  EXPECT_EQ(status_json("ready"), R"({"status":"ready"})");
}

TEST(ModelListJson, TellsWhatIsThere) {
  Contract contract;
  contract.input.name = "image";
  contract.input.width = 28;
  contract.input.height = 14;
  contract.output.name = "p";
  contract.output.labels = {"a", "b"};
  const std::vector<ModelListEntry> models{{"mnist", 3, "ab", {"/api/x", "/api/y"}, contract},
                                           {"text", 0, "cd", {}, std::nullopt}};
  const Json json = parse_json(model_list_json(models), "list")["models"];
  ASSERT_EQ(json.size(), 2U);
  EXPECT_EQ(json[0]["name"], "mnist");
  EXPECT_EQ(json[0]["version"], 3);
  EXPECT_EQ(json[0]["sha256"], "ab");
  EXPECT_EQ(json[0]["routes"], Json({"/api/x", "/api/y"}));
  EXPECT_EQ(json[0]["input"]["height"], 14);
  EXPECT_EQ(json[0]["output"]["labels"], Json({"a", "b"}));
  EXPECT_EQ(json[1]["routes"], Json::array());
  EXPECT_TRUE(json[1]["input"].is_null());
  EXPECT_EQ(model_list_json({}), R"({"models":[]})");
}

/// Every $ref of the document, wherever it stands.
void collect_references(const Json& json, std::vector<std::string>& references) {
  if (json.is_object()) {
    for (const auto& [key, value] : json.items()) {
      if (key == "$ref") {
        references.push_back(value.get<std::string>());
      }
    }
  }
  for (const auto& value : json) {
    if (value.is_structured()) {
      collect_references(value, references);
    }
  }
}

TEST(OpenApi, DescribesEachOperation) {
  const std::vector<ApiOperation> operations{
      {.method = "POST",
       .path = "/api/x",
       .id = "x",
       .summary = "Says what x is",
       .body = ApiBody::kImage,
       .answer = ApiSchema::kPrediction,
       .errors = {400, 503}},
      {.method = "GET", .path = "/api/x", .id = "get_x", .summary = "s", .errors = {}},
      {.method = "GET",
       .path = "/",
       .id = "i",
       .summary = "s",
       .answer = ApiSchema::kHtml,
       .errors = {}}};
  const Json json = openapi_document(operations, "1.2", 1000);
  EXPECT_EQ(json["openapi"], "3.0.3");
  EXPECT_EQ(json["info"]["version"], "1.2");
  const Json& post = json["paths"]["/api/x"]["post"];
  EXPECT_EQ(post["operationId"], "x");
  EXPECT_THAT(post["requestBody"]["description"].get<std::string>(), HasSubstr("1000 bytes"));
  EXPECT_TRUE(post["requestBody"]["content"].contains("image/png"));
  EXPECT_EQ(post["requestBody"]["content"]["image/png"]["schema"]["format"], "binary");
  std::vector<std::string> statuses;
  for (const auto& [status, response] : post["responses"].items()) {
    statuses.push_back(status);
    EXPECT_TRUE(response["description"].is_string());
  }
  EXPECT_THAT(statuses, ElementsAre("200", "400", "503"));
  EXPECT_FALSE(json["paths"]["/api/x"]["get"].contains("requestBody"));
  EXPECT_TRUE(json["paths"]["/"]["get"]["responses"]["200"]["content"].contains("text/html"));
  std::vector<std::string> references;
  collect_references(json, references);
  EXPECT_GE(references.size(), 4U);
  for (const std::string& reference : references) {
    EXPECT_TRUE(json.contains(Json::json_pointer(reference.substr(1)))) << reference;
  }
}

TEST(OpenApi, SchemasAreObjectsWithTheirRequiredKeys) {
  const Json json = openapi_document({}, "1", 1);
  EXPECT_TRUE(json["paths"].is_object());
  for (const auto& [name, schema] : json["components"]["schemas"].items()) {
    EXPECT_EQ(schema["type"], "object") << name;
    for (const Json& key : schema.value("required", Json::array())) {
      EXPECT_TRUE(schema["properties"].contains(key.get<std::string>())) << name << key;
    }
    for (const auto& [key, property] : schema["properties"].items()) {
      EXPECT_TRUE(property.is_object() && (property.contains("type") || property.contains("$ref")))
          << name << '.' << key << ' ' << property;
    }
  }
  const Json& prediction = json["components"]["schemas"]["Prediction"]["properties"]["prediction"];
  EXPECT_EQ(prediction["items"]["items"]["items"]["type"], "number") << "three lists deep";
}

}  // namespace
}  // namespace onnxop
