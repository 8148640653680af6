// What clients log in ONNX form becomes a version that can be served.

#include "onnxop/workflow/publish_artifacts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <onnx/onnx_pb.h>

#include "onnxop/base/file.h"
#include "onnxop/base/json_value.h"
#include "onnxop/base/test_error.h"
#include "onnxop/onnx/test_models.h"

namespace onnxop {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using namespace testing_models;

constexpr const char* kMlmodel = R"(artifact_path: model
flavors:
  onnx:
    code: null
    data: model.onnx
    onnx_version: 1.17.0
  python_function:
    data: model.pkl
    loader_module: mlflow.onnx
model_size_bytes: 17
)";

class PublishArtifacts : public testing::Test {
 protected:
  void put(const std::string& name, std::span<const std::byte> content) {
    registry_.artifacts().put("0/run/artifacts/model/" + name, content);
  }
  void put(const std::string& name, std::string_view content) { put(name, as_bytes(content)); }

  ModelVersion publish() {
    return publish_from_artifacts(registry_, {.name = "net", .source = "runs:/run/model"},
                                  "0/run/artifacts/model");
  }

  /// The model, with one tensor's data in a file beside it.
  static std::pair<std::string, std::string> with_external_data(const std::string& location) {
    const Bytes bytes = serialize_model(conv_model());
    onnx::ModelProto model;
    model.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
    auto* const tensor = model.mutable_graph()->mutable_initializer(1);
    const std::string data = tensor->raw_data();
    tensor->clear_raw_data();
    tensor->set_data_location(onnx::TensorProto::EXTERNAL);
    auto* const entry = tensor->add_external_data();
    entry->set_key("location");
    entry->set_value(location);
    return {model.SerializeAsString(), data};
  }

  TemporaryFolder folder_;
  FakeClock clock_;
  Registry registry_{StoreLocation(folder_.path() / "store"), clock_};
};

TEST_F(PublishArtifacts, TheFlavorOnnxNamesTheFile) {
  const Bytes model = serialize_model(conv_model());
  put("MLmodel", kMlmodel);
  put("model.onnx", model);
  put("other.onnx", "not this one");
  const ModelVersion version = publish();
  EXPECT_NE(version.sha256, "");
  EXPECT_EQ(read_file(version.model_path), model);
  EXPECT_EQ(version.source, "runs:/run/model");
  EXPECT_EQ(parse_json(version.contract, "contract")["input"]["width"], 8) << "guessed";
  EXPECT_FALSE(version.tags.contains("onnxop.not_served"));
}

TEST_F(PublishArtifacts, OrItIsTheOnlyOne) {
  put("net.onnx", serialize_model(conv_model()));
  put("notes.txt", "x");
  EXPECT_NE(publish().sha256, "");
}

TEST_F(PublishArtifacts, ExternalDataComesWithIt) {
  const auto [model, data] = with_external_data("weights.bin");
  put("MLmodel", kMlmodel);
  put("model.onnx", model);
  put("weights.bin", data);
  const ModelVersion version = publish();
  ASSERT_NE(version.sha256, "") << version.tags.at("onnxop.not_served");
  std::vector<std::string> names;
  for (const ModelFile& file : registry_.models().files("net", version.version)) {
    names.push_back(file.path);
  }
  EXPECT_THAT(names, ElementsAre("model.onnx", "weights.bin"));
}

TEST_F(PublishArtifacts, ExternalDataElsewhereIsRefused) {
  folder_.write("secret", Bytes(100));
  for (const std::string& location :
       {std::string("../secret"), (folder_.path() / "secret").string(), std::string("missing")}) {
    put("model.onnx", with_external_data(location).first);
    const ModelVersion version = publish();
    EXPECT_EQ(version.sha256, "") << location;
    EXPECT_NE(version.tags.at("onnxop.not_served"), "");
  }
}

TEST_F(PublishArtifacts, AVersionWithoutAModelIsThereButNotServed) {
  put("MLmodel", "flavors:\n  sklearn:\n    data: model.pkl\n");
  put("model.pkl", "x");
  ModelVersion version = publish();
  EXPECT_EQ(version.version, 1);
  EXPECT_EQ(version.sha256, "");
  EXPECT_TRUE(version.tags.empty());
  version = publish_from_artifacts(registry_, {.name = "net"}, "0/nothing/artifacts");
  EXPECT_EQ(version.version, 2);
  EXPECT_EQ(version.sha256, "");
}

TEST_F(PublishArtifacts, OfSeveralNoneIsGuessed) {
  put("a.onnx", "x");
  put("b.onnx", "y");
  EXPECT_THAT(publish().tags.at("onnxop.not_served"), HasSubstr("a.onnx, b.onnx"));
}

TEST_F(PublishArtifacts, ABrokenModelIsNotServed) {
  put("MLmodel", kMlmodel);
  put("model.onnx", "this is no model");
  const ModelVersion version = publish();
  EXPECT_EQ(version.sha256, "");
  EXPECT_NE(version.tags.at("onnxop.not_served"), "");
}

TEST_F(PublishArtifacts, AFolderThatCannotBeMadeIsNamed) {
  const std::string too_long(256, 'n');  // one byte more than a file system takes
  put("MLmodel", "flavors:\n  onnx:\n    data: " + too_long + "/model.onnx\n");
  put(too_long + "/model.onnx", serialize_model(conv_model()));
  const Error error = onnxop::error_of([&] { publish(); });
  EXPECT_EQ(error.code(), ErrorCode::kIo);
  EXPECT_THAT(error.what(), HasSubstr("/" + too_long + ": cannot make the folder: "));
}

TEST_F(PublishArtifacts, NothingIsLeftOfTheWork) {
  put("model.onnx", serialize_model(conv_model()));
  publish();
  for (const auto& entry : std::filesystem::directory_iterator(registry_.dir())) {
    EXPECT_THAT(entry.path().filename().string(), testing::Not(HasSubstr("import")));
  }
}

TEST(Mlmodel, TheDataOfTheFlavorOnnx) {
  EXPECT_EQ(onnx_data_of(kMlmodel), "model.onnx");
  EXPECT_EQ(onnx_data_of("flavors:\r\n  python_function:\r\n    data: a\r\n  onnx:\r\n"
                         "    data: 'b c.onnx'\r\n"),
            "b c.onnx");
  EXPECT_EQ(onnx_data_of("flavors:\n  onnx:\n    data: \"d/m.onnx\""), "d/m.onnx");
  EXPECT_EQ(onnx_data_of("flavors:\n  sklearn:\n    data: a\nonnx:\n  data: b\n"), std::nullopt);
  EXPECT_EQ(onnx_data_of("onnx:\n  data: b\n"), std::nullopt);
  EXPECT_EQ(onnx_data_of("flavors:\n  onnx:\n  other:\n    data: b\n"), std::nullopt);
  EXPECT_EQ(onnx_data_of(""), std::nullopt);
}

}  // namespace
}  // namespace onnxop
