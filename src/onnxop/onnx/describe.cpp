#include <algorithm>
#include <set>
#include <unordered_set>
#include <utility>

#include <onnx/onnx_pb.h>

#include "onnxop/base/error.h"
#include "onnxop/base/json_value.h"
#include "onnxop/onnx/external_data.h"
#include "onnxop/onnx/judge.h"
#include "onnxop/onnx/model_file.h"
#include "onnxop/onnx/proto_file.h"
#include "onnxop/onnx/structure.h"
#include "onnxop/onnx/tensor_check.h"
#include "onnxop/onnx/walk.h"

namespace onnxop {
namespace {

DType dtype_of(std::int32_t element_type) {
  return element_type > 0 && element_type <= static_cast<std::int32_t>(DType::kBfloat16)
             ? static_cast<DType>(element_type)
             : DType::kUndefined;
}

TensorInfo info_of(const onnx::ValueInfoProto& value) {
  TensorInfo info;
  info.name = value.name();
  const auto& tensor = value.type().tensor_type();
  info.dtype = dtype_of(tensor.elem_type());
  for (const auto& dim : tensor.shape().dim()) {
    info.shape.push_back(dim.has_dim_value() && dim.dim_value() >= 0 ? dim.dim_value() : -1);
  }
  return info;
}

/// "image: [N, 28, 28, 1]"
std::string shape_with_symbols(const onnx::ValueInfoProto& value) {
  const auto& tensor = value.type().tensor_type();
  if (!value.type().has_tensor_type()) {
    return format("{}: not a tensor", value.name());
  }
  if (!tensor.has_shape()) {
    return format("{}: of any shape", value.name());
  }
  std::vector<std::string> sizes;
  for (const auto& dim : tensor.shape().dim()) {
    sizes.push_back(dim.has_dim_value()       ? format("{}", dim.dim_value())
                    : dim.dim_param().empty() ? "?"
                                              : dim.dim_param());
  }
  return format("{}: [{}]", value.name(), join(sizes, ", "));
}

void describe_heading(const onnx::ModelProto& model, ModelDescription& description) {
  description.producer_name = model.producer_name();
  description.producer_version = model.producer_version();
  description.domain = model.domain();
  description.doc_string = model.doc_string();
  description.graph_name = model.graph().name();
  description.ir_version = model.ir_version();
  description.model_version = model.model_version();
  for (const auto& import : model.opset_import()) {
    description.opsets[domain_name(import.domain())] = import.version();
  }
  for (const auto& entry : model.metadata_props()) {
    description.metadata[entry.key()] = entry.value();
  }
}

void describe_values(const onnx::GraphProto& graph, ModelDescription& description) {
  std::unordered_set<std::string> initializers;
  for (const auto& tensor : graph.initializer()) {
    initializers.insert(tensor.name());
  }
  for (const auto& sparse : graph.sparse_initializer()) {
    initializers.insert(sparse.values().name());
  }
  for (const auto& input : graph.input()) {
    if (!initializers.contains(input.name())) {
      description.inputs.push_back(info_of(input));
      description.input_symbols.push_back(shape_with_symbols(input));
    }
  }
  for (const auto& output : graph.output()) {
    description.outputs.push_back(info_of(output));
  }
}

void describe_operators(const onnx::ModelProto& model, ModelDescription& description) {
  std::map<std::pair<std::string, std::string>, std::int64_t> counts;
  for_each_node(model, [&](const onnx::NodeProto& node, bool) {
    ++counts[{domain_name(node.domain()), node.op_type()}];
  });
  for (const auto& [key, count] : counts) {
    const auto& [domain, op_type] = key;
    description.operators.push_back({domain, op_type, count, operator_origin(domain, op_type)});
  }
  if (!model.functions().empty()) {
    description.notes.push_back(format("it defines {} functions: their operators are counted once",
                                       model.functions_size()));
  }
}

void describe_data(const onnx::ModelProto& model, const std::filesystem::path& path,
                   ModelDescription& description) {
  for_each_graph(model.graph(), [&](const onnx::GraphProto& graph) {
    for (const auto& tensor : graph.initializer()) {
      description.parameters += tensor_elements(tensor).value_or(0);
    }
    for (const auto& sparse : graph.sparse_initializer()) {
      description.parameters += tensor_elements(sparse.values()).value_or(0);
    }
  });
  std::set<std::string> files;
  for_each_tensor(model, [&](const onnx::TensorProto& tensor, const std::string&) {
    if (const auto location = external_location(tensor)) {
      files.insert(*location);
    }
  });
  description.file_bytes = std::filesystem::file_size(path);
  for (const std::string& file : files) {
    description.external_files.push_back(file);
    if (!external_range_problem({file, {}, {}}, model_folder(path))) {
      description.file_bytes += std::filesystem::file_size(model_folder(path) / file);
    }
  }
}

void describe_contract(ModelDescription& description) {
  const auto entry = description.metadata.find(std::string(kContractKey));
  if (entry == description.metadata.end()) {
    return;
  }
  try {
    const std::string what = format("metadata {}", kContractKey);
    description.contract = contract_from_json(parse_json(entry->second, what), what);
  } catch (const Error& e) {
    description.problems.emplace_back(e.what());
  }
}

}  // namespace

ModelDescription describe_model(const std::filesystem::path& path) {
  const auto model = read_model_proto(path);
  const auto folder = model_folder(path);
  ModelDescription description;
  describe_heading(*model, description);
  describe_values(model->graph(), description);
  describe_operators(*model, description);
  describe_data(*model, path, description);
  describe_contract(description);

  auto broken = structural_problems(*model, folder);
  if (broken.empty()) {
    Judgement judgement = judge(*model, folder, true);
    broken = std::move(judgement.problems);
    description.notes.insert(description.notes.end(), judgement.notes.begin(),
                             judgement.notes.end());
    description.flops_per_sample = judgement.flops_per_sample;
  }
  description.problems.insert(description.problems.end(), broken.begin(), broken.end());
  return description;
}

}  // namespace onnxop
