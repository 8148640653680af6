#include <bit>
#include <limits>
#include <type_traits>

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <onnx/onnx_pb.h>

#include "onnxop/base/error.h"
#include "onnxop/onnx/model_file.h"

namespace onnxop {
namespace {

static_assert(std::endian::native == std::endian::little,
              "TensorProto.raw_data is little-endian and is written from memory as it is");

void fill_attribute(const std::string& name, const AttributeValue& value,
                    onnx::AttributeProto& proto) {
  proto.set_name(name);
  std::visit(
      [&](const auto& held) {
        using T = std::decay_t<decltype(held)>;
        if constexpr (std::is_same_v<T, std::int64_t>) {
          proto.set_type(onnx::AttributeProto::INT);
          proto.set_i(held);
        } else if constexpr (std::is_same_v<T, float>) {
          proto.set_type(onnx::AttributeProto::FLOAT);
          proto.set_f(held);
        } else if constexpr (std::is_same_v<T, std::string>) {
          proto.set_type(onnx::AttributeProto::STRING);
          proto.set_s(held);
        } else if constexpr (std::is_same_v<T, std::vector<std::int64_t>>) {
          proto.set_type(onnx::AttributeProto::INTS);
          proto.mutable_ints()->Assign(held.begin(), held.end());
        } else {
          static_assert(std::is_same_v<T, std::vector<float>>);
          proto.set_type(onnx::AttributeProto::FLOATS);
          proto.mutable_floats()->Assign(held.begin(), held.end());
        }
      },
      value);
}

void fill_node(const GraphNode& node, onnx::NodeProto& proto) {
  proto.mutable_input()->Assign(node.inputs.begin(), node.inputs.end());
  proto.mutable_output()->Assign(node.outputs.begin(), node.outputs.end());
  proto.set_name(node.name);
  proto.set_op_type(node.op_type);
  for (const auto& [name, value] : node.attributes) {
    fill_attribute(name, value, *proto.add_attribute());
  }
  if (!node.doc_string.empty()) {
    proto.set_doc_string(node.doc_string);
  }
}

void fill_initializer(const GraphInitializer& initializer, onnx::TensorProto& proto) {
  const Tensor& tensor = initializer.tensor;
  if (dtype_size(tensor.dtype()) == 0) {
    fail(ErrorCode::kUnsupported, "initializer '{}': type {} has no fixed element size",
         initializer.name, dtype_name(tensor.dtype()));
  }
  proto.mutable_dims()->Assign(tensor.shape().begin(), tensor.shape().end());
  proto.set_data_type(static_cast<std::int32_t>(tensor.dtype()));
  proto.set_name(initializer.name);
  proto.set_raw_data(tensor.bytes().data(), tensor.bytes().size());
  if (!initializer.doc_string.empty()) {
    proto.set_doc_string(initializer.doc_string);
  }
}

void fill_value(const GraphValue& value, onnx::ValueInfoProto& proto) {
  proto.set_name(value.name);
  auto* type = proto.mutable_type()->mutable_tensor_type();
  type->set_elem_type(static_cast<std::int32_t>(value.dtype));
  auto* shape = type->mutable_shape();
  for (const GraphDim& dim : value.shape) {
    auto* to = shape->add_dim();
    if (dim.size >= 0) {
      to->set_dim_value(dim.size);
    } else if (!dim.symbol.empty()) {
      to->set_dim_param(dim.symbol);
    }
  }
  if (!value.doc_string.empty()) {
    proto.set_doc_string(value.doc_string);
  }
}

void fill_graph(const Graph& graph, onnx::GraphProto& proto) {
  proto.set_name(graph.name);
  if (!graph.doc_string.empty()) {
    proto.set_doc_string(graph.doc_string);
  }
  for (const GraphNode& node : graph.nodes) {
    fill_node(node, *proto.add_node());
  }
  for (const GraphInitializer& initializer : graph.initializers) {
    fill_initializer(initializer, *proto.add_initializer());
  }
  for (const GraphValue& value : graph.inputs) {
    fill_value(value, *proto.add_input());
  }
  for (const GraphValue& value : graph.outputs) {
    fill_value(value, *proto.add_output());
  }
}

Bytes to_bytes(const onnx::ModelProto& proto) {
  const std::size_t size = proto.ByteSizeLong();
  if (size > static_cast<std::size_t>(std::numeric_limits<int>::max())) {
    fail(ErrorCode::kTooLarge, "model '{}': {} bytes, an ONNX file may have at most {}",
         proto.graph().name(), size, std::numeric_limits<int>::max());
  }
  Bytes bytes(size);
  google::protobuf::io::ArrayOutputStream array(bytes.data(), static_cast<int>(size));
  google::protobuf::io::CodedOutputStream coded(&array);
  coded.SetSerializationDeterministic(true);
  if (!proto.SerializeToCodedStream(&coded)) {
    fail(ErrorCode::kInternal, "model '{}': protobuf could not write it", proto.graph().name());
  }
  return bytes;
}

}  // namespace

Bytes serialize_model(const Model& model) {
  onnx::ModelProto proto;
  proto.set_ir_version(model.ir_version);
  proto.add_opset_import()->set_version(model.opset);
  proto.set_producer_name(model.producer_name);
  proto.set_producer_version(model.producer_version);
  if (!model.doc_string.empty()) {
    proto.set_doc_string(model.doc_string);
  }
  fill_graph(model.graph, *proto.mutable_graph());
  for (const auto& [key, value] : model.metadata) {
    auto* entry = proto.add_metadata_props();
    entry->set_key(key);
    entry->set_value(value);
  }
  return to_bytes(proto);
}

}  // namespace onnxop
