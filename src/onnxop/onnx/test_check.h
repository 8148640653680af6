#pragma once
// A sound model to spoil, for the tests of check_model.

#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <onnx/onnx_pb.h>

#include "onnxop/onnx/model_file.h"
#include "onnxop/onnx/test_models.h"

namespace onnxop::testing_models {

class CheckModel : public testing::Test {
 protected:
  CheckModel() {
    const Bytes bytes = serialize_model(conv_model());
    EXPECT_TRUE(proto_.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())));
    graph_ = proto_.mutable_graph();
  }

  std::string error() const {
    const auto path = folder_.write("model.onnx", as_bytes(proto_.SerializeAsString()));
    return error_of([&] { check_model(path); });
  }

  std::vector<std::string> notes() const {
    return describe_model(folder_.write("model.onnx", as_bytes(proto_.SerializeAsString()))).notes;
  }

  onnx::NodeProto* add_node(const std::string& op_type, const std::string& input,
                            const std::string& output, const std::string& domain = "") {
    auto* made = graph_->add_node();
    made->set_op_type(op_type);
    made->set_name("extra");
    made->set_domain(domain);
    made->add_input(input);
    made->add_output(output);
    return made;
  }

  void import(const std::string& domain, std::int64_t version) {
    auto* made = proto_.add_opset_import();
    made->set_domain(domain);
    made->set_version(version);
  }

  TemporaryFolder folder_;
  onnx::ModelProto proto_;
  onnx::GraphProto* graph_;
};

}  // namespace onnxop::testing_models
