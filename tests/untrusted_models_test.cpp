// Models from strangers: what reaches out of its folder or asks for absurd amounts of memory is
// refused by import, and by the server for folders and the store, and the others go on.

#include <functional>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <onnx/onnx_pb.h>

#include "onnxop/onnx/test_models.h"
#include "support/model_server.h"

namespace onnxop::testing_support {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

/// A sound model of which `spoil` changes something.
Bytes spoiled(const std::function<void(onnx::GraphProto&)>& spoil) {
  onnx::ModelProto proto;
  const Bytes sound = serialize_model(testing_models::conv_model());
  EXPECT_TRUE(proto.ParseFromArray(sound.data(), static_cast<int>(sound.size())));
  spoil(*proto.mutable_graph());
  const std::string text = proto.SerializeAsString();
  const auto bytes = as_bytes(text);
  return {bytes.begin(), bytes.end()};
}

/// Its first weights, 72 bytes, lie in another file.
Bytes with_weights_at(const std::string& location) {
  return spoiled([&](onnx::GraphProto& graph) {
    onnx::TensorProto& tensor = *graph.mutable_initializer(1);
    tensor.clear_raw_data();
    tensor.set_data_location(onnx::TensorProto::EXTERNAL);
    auto* entry = tensor.add_external_data();
    entry->set_key("location");
    entry->set_value(location);
  });
}

Bytes with_initializer(const std::vector<std::int64_t>& dims, const std::string& data) {
  return spoiled([&](onnx::GraphProto& graph) {
    onnx::TensorProto& tensor = *graph.add_initializer();
    tensor.set_name("absurd");
    tensor.set_data_type(onnx::TensorProto::FLOAT);
    tensor.mutable_dims()->Assign(dims.begin(), dims.end());
    tensor.set_raw_data(data);
  });
}

/// A constant that the graph makes of two numbers.
Bytes with_filled(std::int64_t rows, std::int64_t columns) {
  return spoiled([&](onnx::GraphProto& graph) {
    onnx::TensorProto& size = *graph.add_initializer();
    size.set_name("size");
    size.set_data_type(onnx::TensorProto::INT64);
    size.add_dims(2);
    size.add_int64_data(rows);
    size.add_int64_data(columns);
    onnx::NodeProto& node = *graph.add_node();
    node.set_op_type("ConstantOfShape");
    node.add_input("size");
    node.add_output("filled");
  });
}

struct Untrusted {
  std::string name;
  Bytes bytes;
  std::string complaint;
};

class UntrustedModels : public ModelServer {
 protected:
  UntrustedModels() {
    write_file_atomically(dir_.path() / "secret", Bytes(72));
    const auto link = fs::path("..") / ".." / ".." / "secret";
    cases_ = {{"absolute", with_weights_at((dir_.path() / "secret").string()), "absolute location"},
              {"above", with_weights_at("../../../secret"), "with '..'"},
              {"link", with_weights_at("link"), "leads out of the model's folder"},
              {"overflow", with_initializer({INT64_MAX, 4}, ""), "fewer elements"},
              {"terabytes", with_initializer({std::int64_t{1} << 40}, "1234"), "bytes of raw_data"},
              {"filled", with_filled(1 << 20, 1 << 20), "at most 2147483648 elements"}};
    for (const Untrusted& each : cases_) {
      const fs::path folder = dir_.path() / "models" / each.name / "1";
      fs::create_directories(folder);
      fs::create_symlink(link, folder / "link");
      write_file_atomically(folder / "model.onnx", each.bytes);
      fs::last_write_time(folder / "model.onnx",
                          fs::file_time_type::clock::now() - std::chrono::hours(1));
    }
    fs::last_write_time(dir_.path() / "secret",
                        fs::file_time_type::clock::now() - std::chrono::hours(1));
  }

  std::vector<Untrusted> cases_;
};

TEST_F(UntrustedModels, AreNotImported) {
  for (const Untrusted& each : cases_) {
    const auto outcome = run_onnxop({"import", dir_ / ("models/" + each.name + "/1/model.onnx"),
                                     "--name", "bad", "--store", dir_ / "store"});
    EXPECT_EQ(outcome.exit_code, 1) << each.name;
    EXPECT_THAT(outcome.err, HasSubstr(each.complaint)) << each.name;
  }
  EXPECT_EQ(run_onnxop({"models", "--json", "--store", dir_ / "store"}).json()["models"].size(),
            0U);
}

TEST_F(UntrustedModels, AreNotServedFromAFolder) {
  start();
  std::map<std::string, Json> states;
  for (const Json& each : json("/v2/repository/index", {"--data-binary", "{}"})) {
    states[each["name"]] = each;
  }
  for (const Untrusted& each : cases_) {
    ASSERT_TRUE(states.contains(each.name));
    EXPECT_EQ(states[each.name]["state"], "UNAVAILABLE") << each.name;
    EXPECT_THAT(states[each.name]["reason"].get<std::string>(), HasSubstr(each.complaint));
  }
  EXPECT_EQ(version(), 1) << "the sound one is served";
}

TEST_F(UntrustedModels, AreNotServedFromAStoreThatSomebodyChanged) {
  // Sound when it was imported; now its weights are a link to another file.
  const fs::path folder = dir_.path() / "sound";
  fs::create_directory(folder);
  write_file_atomically(folder / "model.onnx", with_weights_at("weights"));
  write_file_atomically(folder / "weights", Bytes(72));
  const std::string store = dir_ / "store";
  ASSERT_EQ(
      run_onnxop({"import", (folder / "model.onnx").string(), "--name", "net", "--store", store})
          .exit_code,
      0);
  const fs::path weights = fs::path(store) / "models" / "net" / "1" / "weights";
  fs::permissions(weights.parent_path(), fs::perms::owner_all);
  fs::remove(weights);
  write_file_atomically(dir_.path() / "secret", Bytes(72, std::byte{1}));
  fs::create_symlink(dir_.path() / "secret", weights);
  BackgroundProgram server(
      {"serve", "--store", store, "--port", "0", "--port-file", dir_ / "port"});
  const std::string url = "http://127.0.0.1:" + server.wait_for_file(dir_ / "port");
  const auto index = run_program(
      {"curl", "--silent", "--max-time", "30", "--request", "POST", url + "/v2/repository/index"});
  EXPECT_THAT(index.out, HasSubstr("weights has SHA-256"));
  const auto ready = run_program({"curl", "--silent", "--max-time", "30", "--output", "/dev/null",
                                  "--write-out", "%{http_code}", url + "/v2/models/net/ready"});
  EXPECT_NE(ready.out, "200");
}

}  // namespace
}  // namespace onnxop::testing_support
