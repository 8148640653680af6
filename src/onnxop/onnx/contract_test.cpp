#include "onnxop/onnx/contract.h"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "onnxop/base/json_value.h"
#include "onnxop/base/test_source_dir.h"
#include "onnxop/onnx/test_models.h"

namespace onnxop {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using namespace testing_models;

const std::string kSha(64, 'a');

/// The design's example, with hashes.
std::string example() {
  return R"({"version":1,"input":{"name":"image","kind":"image","color":"gray","width":28,"height":28,"resize":"area"},)"
         R"("output":{"name":"probabilities","kind":"classification","labels":["0","1"]},)"
         R"("training":{"spec_sha256":")" +
         kSha + R"(","data_sha256":")" + kSha + R"(","test_accuracy":0.99}})";
}

Contract read(const std::string& text) {
  return contract_from_json(parse_json(text, "test"), "side.json");
}

/// The example with one value changed; "" takes it out.
std::string changed(const std::string& pointer, const std::string& value) {
  Json json = parse_json(example(), "test");
  const Json::json_pointer at(pointer);
  if (value.empty()) {
    json.at(at.parent_pointer()).erase(at.back());
  } else {
    json[at] = parse_json(value, "test");
  }
  return dump_json(json);
}

std::string error_with(const std::string& pointer, const std::string& value) {
  return error_of([&] { read(changed(pointer, value)); });
}

TEST(ContractJson, WritesTheExampleAsItIs) {
  EXPECT_EQ(dump_json(contract_to_json(read(example()))), example());
}

TEST(ContractJson, KeepsEveryField) {
  Contract contract;
  contract.input = {"pixels",
                    ImageColor::kRgb,
                    224,
                    112,
                    ImageResize::kBilinear,
                    ImageLayout::kNchw,
                    1.0F / 255,
                    {123.675F, 116.28F, 103.53F},
                    {58.395F, 57.12F, 57.375F}};
  contract.output = {"scores", OutputKind::kClassification, {"cat", "dog"}, true};
  contract.training = ContractTraining{kSha, kSha, std::nullopt, 0.25};
  const std::string text = dump_json(contract_to_json(contract));
  const Contract again = read(text);
  EXPECT_EQ(again.input.name, "pixels");
  EXPECT_EQ(again.input.color, ImageColor::kRgb);
  EXPECT_EQ(again.input.width, 224);
  EXPECT_EQ(again.input.height, 112);
  EXPECT_EQ(again.input.resize, ImageResize::kBilinear);
  EXPECT_EQ(again.input.layout, ImageLayout::kNchw);
  EXPECT_EQ(again.input.scale, 1.0F / 255);
  EXPECT_THAT(again.input.mean, ElementsAre(123.675F, 116.28F, 103.53F));
  EXPECT_THAT(again.input.std_dev, ElementsAre(58.395F, 57.12F, 57.375F));
  EXPECT_EQ(again.output.name, "scores");
  EXPECT_TRUE(again.output.logits);
  EXPECT_FALSE(again.training->test_accuracy);
  EXPECT_EQ(again.training->test_loss, 0.25);
  EXPECT_THAT(text, HasSubstr("123.675,116.28,103.53"));
  EXPECT_EQ(dump_json(contract_to_json(again)), text);
}

TEST(ContractJson, TakesTheLeastThatItNeeds) {
  const Contract contract =
      read(R"({"version":1,"input":{"name":"x","kind":"image","color":"rgb","width":8,"height":8},)"
           R"("output":{"name":"y","kind":"regression"}})");
  EXPECT_EQ(contract.input.resize, ImageResize::kArea);
  EXPECT_EQ(contract.input.scale, 1.0F);
  EXPECT_TRUE(contract.output.labels.empty());
  EXPECT_FALSE(contract.training);
}

struct Bad {
  const char* pointer;
  const char* value;
  std::vector<std::string> message;
};

TEST(ContractJson, NamesKeyAndExpectation) {
  const std::vector<Bad> bads{
      {"/version", "2", {"side.json: version", "got 2", "expected 1"}},
      {"/version", "\"1\"", {"version", "got \"1\""}},
      {"/version", "", {"version", "missing"}},
      {"/extra", "1", {"extra", "unknown key"}},
      {"/input", "[]", {"input: got [], expected an object"}},
      {"/input", "", {"input", "missing"}},
      {"/input/colour", "\"gray\"", {"input.colour", "unknown key", "did you mean 'color'?"}},
      {"/input/name", "\"\"", {"input.name", "not empty"}},
      {"/input/kind", "\"text\"", {"input.kind", "\"image\""}},
      {"/input/color", "\"grey\"", {"input.color", "gray, rgb", "did you mean 'gray'?"}},
      {"/input/color", "3", {"input.color", "got 3"}},
      {"/input/width", "0", {"input.width", "got 0", "1 to 65535"}},
      {"/input/width", "65536", {"input.width"}},
      {"/input/width", "28.5", {"input.width", "integer"}},
      {"/input/width", "18446744073709551615", {"input.width"}},
      {"/input/height", "-28", {"input.height"}},
      {"/input/height", "", {"input.height", "missing"}},
      {"/input/resize", "\"bicubic\"", {"input.resize", "area, bilinear, nearest"}},
      {"/input/layout", "\"hwcn\"", {"input.layout", "nhwc, nchw"}},
      {"/input/scale", "0", {"input.scale", "other than 0"}},
      {"/input/scale", "1e39", {"input.scale"}},
      {"/input/scale", "\"1\"", {"input.scale"}},
      {"/input/mean", "[1,2,3]", {"input.mean", "1 number"}},
      {"/input/mean", "[null]", {"input.mean[0]"}},
      {"/input/std", "[0]", {"input.std[0]", "greater than 0"}},
      {"/input/std", "5", {"input.std"}},
      {"/output/kind", "\"classificatoin\"", {"output.kind", "did you mean 'classification'?"}},
      {"/output/kind", "\"regression\"", {"output.labels", "regression"}},
      {"/output/labels", "\"01\"", {"output.labels", "list"}},
      {"/output/labels/1", "1", {"output.labels[1]", "got 1", "text"}},
      {"/output/logits", "1", {"output.logits", "true or false"}},
      {"/output/name", "", {"output.name", "missing"}},
      {"/training/spec_sha256", "\"abc\"", {"training.spec_sha256", "64"}},
      {"/training/data_sha256", "", {"training.data_sha256", "missing"}},
      {"/training/test_accuracy", "99.1", {"training.test_accuracy", "0 to 1"}},
      {"/training/test_loss", "\"low\"", {"training.test_loss"}},
      {"/training", "null", {"training", "got null"}},
  };
  for (const Bad& bad : bads) {
    const std::string message = error_with(bad.pointer, bad.value);
    EXPECT_THAT(message, HasSubstr("invalid_argument: side.json: "))
        << bad.pointer << " " << bad.value;
    for (const std::string& part : bad.message) {
      EXPECT_THAT(message, HasSubstr(part)) << bad.pointer << " " << bad.value;
    }
  }
  EXPECT_THAT(error_of([] { read("[1]"); }), HasSubstr("contract: got [1], expected an object"));
}

TEST(ContractJson, RefusesImagesThatNoMemoryHolds) {
  const auto with_height = [](int height) {
    return format(R"({{"version":1,"input":{{"name":"x","kind":"image","color":"rgb",)"
                  R"("width":65535,"height":{}}},"output":{{"name":"y","kind":"regression"}}}})",
                  height);
  };
  EXPECT_EQ(read(with_height(256)).input.height, 256);
  EXPECT_THAT(error_of([&] { read(with_height(257)); }),
              HasSubstr("got 65535 x 257 pixels, expected at most 16777216"));
}

TEST(ContractJson, ShowsNoLongValuesInFull) {
  const std::string message = error_with("/input/width", "\"" + std::string(5000, 'x') + "\"");
  EXPECT_THAT(message, HasSubstr("a long string"));
  EXPECT_LT(message.size(), 300U);
}

void collect_keys(const Json& schema, const std::string& place, std::set<std::string>& keys) {
  for (const auto& [key, value] : schema.at("properties").items()) {
    const std::string path = place.empty() ? key : place + "." + key;
    keys.insert(path);
    if (value.contains("properties")) {
      EXPECT_EQ(value.at("additionalProperties"), false) << path;
      collect_keys(value, path, keys);
    }
  }
}

TEST(ContractJson, SchemaHasTheSameKeys) {
  const auto file = source_dir() / "docs/contract.schema.json";
  const Json schema = parse_json(read_text_file(file), file.string());
  std::set<std::string> keys;
  collect_keys(schema, "", keys);
  EXPECT_EQ(schema.at("additionalProperties"), false);

  Contract full;
  full.input = {
      "x",   ImageColor::kGray, 1, 1, ImageResize::kNearest, ImageLayout::kNchw, 2.0F, {1.0F},
      {1.0F}};
  full.output = {"y", OutputKind::kClassification, {"a"}, true};
  full.training = ContractTraining{kSha, kSha, 0.5, 0.5};
  std::set<std::string> written;
  const Json json = contract_to_json(full);
  for (const auto& [key, value] : json.items()) {
    written.insert(key);
    if (value.is_object()) {
      for (const auto& [inner, unused] : value.items()) {
        written.insert(key + "." + inner);
      }
    }
  }
  EXPECT_EQ(keys, written);
}

std::optional<Contract> guess(Shape in, Shape out, DType dtype = DType::kFloat32,
                              const char* name = "y") {
  return guess_contract({{"x", dtype, std::move(in)}}, {{name, DType::kFloat32, std::move(out)}});
}

TEST(GuessContract, ReadsThePlainImageModels) {
  const auto nchw = guess({-1, 3, 224, 320}, {-1, 1000});
  ASSERT_TRUE(nchw);
  EXPECT_EQ(nchw->input.name, "x");
  EXPECT_EQ(nchw->input.layout, ImageLayout::kNchw);
  EXPECT_EQ(nchw->input.color, ImageColor::kRgb);
  EXPECT_EQ(nchw->input.height, 224);
  EXPECT_EQ(nchw->input.width, 320);
  EXPECT_EQ(nchw->output.kind, OutputKind::kClassification);
  EXPECT_TRUE(nchw->output.logits);

  const auto nhwc = guess({1, 28, 32, 1}, {1, 10}, DType::kUint8, "probabilities");
  ASSERT_TRUE(nhwc);
  EXPECT_EQ(nhwc->input.layout, ImageLayout::kNhwc);
  EXPECT_EQ(nhwc->input.color, ImageColor::kGray);
  EXPECT_EQ(nhwc->input.height, 28);
  EXPECT_EQ(nhwc->input.width, 32);
  EXPECT_FALSE(nhwc->output.logits);
}

TEST(GuessContract, SaysNothingElsewhere) {
  EXPECT_FALSE(guess({-1, 784}, {-1, 10}));
  EXPECT_FALSE(guess({-1, 4, 28, 28}, {-1, 10}));
  EXPECT_FALSE(guess({-1, 3, 28, 3}, {-1, 10}));
  EXPECT_FALSE(guess({-1, 3, -1, -1}, {-1, 10}));
  EXPECT_FALSE(guess({-1, 3, 0, 28}, {-1, 10}));
  EXPECT_FALSE(guess({-1, 3, 100000, 28}, {-1, 10}));
  EXPECT_FALSE(guess({-1, 3, 4097, 4096}, {-1, 10}));
  EXPECT_TRUE(guess({-1, 3, 4096, 4096}, {-1, 10}));
  EXPECT_FALSE(guess({-1, 3, 28, 28}, {-1, 10, 4}));
  EXPECT_FALSE(guess({-1, 3, 28, 28}, {-1, 1}));
  EXPECT_FALSE(guess({-1, 3, 28, 28}, {-1, -1}));
  EXPECT_FALSE(guess({-1, 3, 28, 28}, {-1, 10}, DType::kInt64));
  EXPECT_FALSE(guess_contract({}, {}));
  const TensorInfo image{"x", DType::kFloat32, {-1, 28, 28, 1}};
  EXPECT_FALSE(guess_contract({image, image}, {{"y", DType::kFloat32, {-1, 10}}}));
}

}  // namespace
}  // namespace onnxop
