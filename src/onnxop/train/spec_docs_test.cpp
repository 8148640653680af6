// The schema and the page that describe the spec know exactly the keys and defaults that the parser
// knows.

#include <algorithm>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "onnxop/base/file.h"
#include "onnxop/base/json_value.h"
#include "onnxop/base/test_source_dir.h"
#include "onnxop/train/spec.h"

namespace onnxop {
namespace {

const std::filesystem::path kDocs = source_dir() / "docs";

Json schema() {
  return parse_json(read_text_file(kDocs / "spec.schema.json"), "spec.schema.json");
}

std::set<std::string> property_names(const Json& object) {
  std::set<std::string> names;
  for (const auto& [key, value] : object.at("properties").items()) {
    names.insert(key);
  }
  return names;
}

TEST(SpecDocsTest, SchemaHasTheParsersKeys) {
  const Json root = schema();
  for (const auto section : spec_sections()) {
    const Json& object = section == "spec" ? root : root.at("$defs").at(std::string(section));
    const auto& keys = spec_keys(section);
    EXPECT_EQ(property_names(object), std::set<std::string>(keys.begin(), keys.end())) << section;
    EXPECT_EQ(object.at("additionalProperties"), false) << section;
  }
}

TEST(SpecDocsTest, SchemaHasNoSectionsOfItsOwn) {
  const auto known = spec_sections();
  const Json whole = schema();
  for (const auto& [name, object] : whole.at("$defs").items()) {
    EXPECT_TRUE(name == "layer" || std::find(known.begin(), known.end(), name) != known.end())
        << name;
  }
}

/// Every default of the section's schema is what the parser filled in.
void expect_defaults(const Json& defs, const std::string& section, const Json& filled) {
  int compared = 0;
  for (const auto& [key, property] : defs.at(section).at("properties").items()) {
    if (!property.contains("default") || !filled.contains(key)) {
      continue;
    }
    Json value = filled.at(key);
    if (value.is_array()) {
      EXPECT_EQ(value[0], value[1]);
      value = value[0];
    }
    EXPECT_EQ(value, property.at("default")) << section << '.' << key;
    ++compared;
  }
  EXPECT_GT(compared, 0) << section;
}

TEST(SpecDocsTest, SchemaDefaultsOfLayersAreTheParsers) {
  const Json defs = schema().at("$defs");
  const Json spec = spec_to_json(parse_spec(R"(
data: {kind: mnist}
layers:
  - Conv2D: {filters: 4, kernel_size: 3}
  - BatchNormalization
  - LeakyReLU
  - ELU
  - MaxPooling2D
  - AveragePooling2D
  - Flatten
  - Dense: {units: 10}
  - Activation: {activation: softmax}
)",
                                            "a.yaml"));
  for (const auto& layer : spec["layers"]) {
    const std::string name = layer.begin().key();
    if (name != "Flatten" && name != "Activation") {
      expect_defaults(defs, name, layer.front());
    }
  }
}

TEST(SpecDocsTest, SchemaDefaultsOfTheRestAreTheParsers) {
  const Json defs = schema().at("$defs");
  const std::string layers = "layers: [Flatten, {Dense: {units: 10, activation: softmax}}]\n";
  const auto filled = [&](const std::string& text) {
    return spec_to_json(parse_spec(text + layers, "a.yaml"));
  };
  for (const std::string optimizer : {"SGD", "RMSprop", "Adam", "AdamW", "Adadelta"}) {
    const Json spec =
        filled("data: {kind: mnist}\ntrain: {early_stopping: , optimizer: " + optimizer + "}\n");
    expect_defaults(defs, optimizer, spec["train"]["optimizer"][optimizer]);
    expect_defaults(defs, "early_stopping", spec["train"]["early_stopping"]);
    expect_defaults(defs, "augment", spec["train"]["augment"]);
    expect_defaults(defs, "data_mnist", spec["data"]);
    EXPECT_EQ(spec["train"]["epochs"], defs["train"]["properties"]["epochs"]["default"]);
    EXPECT_EQ(spec["train"]["batch_size"], defs["train"]["properties"]["batch_size"]["default"]);
    EXPECT_EQ(spec["train"]["seed"], defs["train"]["properties"]["seed"]["default"]);
  }
  for (const std::string schedule : {"constant", "step", "cosine"}) {
    const Json spec = filled("data: {kind: mnist}\ntrain: {schedule: {kind: " + schedule + "}}\n");
    expect_defaults(defs, "schedule_" + schedule, spec["train"]["schedule"]);
  }
  expect_defaults(
      defs, "data_folder",
      filled("data: {kind: folder, train: a, test: b}\ninput: {width: 9, height: 9}\n")["data"]);
  const Json csv = filled("data: {kind: csv, train: a, test: b, target: c}\n");
  expect_defaults(defs, "data_csv", csv["data"]);
  expect_defaults(defs, "input_features", csv["input"]);
  expect_defaults(
      defs, "data_idx",
      filled("data: {kind: idx, train_images: a, train_labels: a, test_images: a, test_labels: a, "
             "classes: 10}\ninput: {width: 9, height: 9}\n")["data"]);
}

TEST(SpecDocsTest, PageNamesEveryKey) {
  const std::string page = read_text_file(kDocs / "spec.md");
  for (const auto section : spec_sections()) {
    for (const auto key : spec_keys(section)) {
      const bool heading = page.find(format("# {}\n", key)) != std::string::npos;
      EXPECT_TRUE(heading || page.find(format("`{}`", key)) != std::string::npos)
          << section << '.' << key;
    }
  }
}

}  // namespace
}  // namespace onnxop
