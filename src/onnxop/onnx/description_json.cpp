#include "onnxop/onnx/description_json.h"

#include "onnxop/base/json_value.h"

namespace onnxop {
namespace {

Json tensors_json(const std::vector<TensorInfo>& tensors) {
  Json list = Json::array();
  for (const auto& tensor : tensors) {
    list.push_back(
        {{"name", tensor.name}, {"dtype", dtype_name(tensor.dtype)}, {"shape", tensor.shape}});
  }
  return list;
}

}  // namespace

std::string_view origin_name(OperatorCount::Origin origin) {
  switch (origin) {
    case OperatorCount::Origin::kCore:
      return "core";
    case OperatorCount::Origin::kExperimental:
      return "experimental";
    case OperatorCount::Origin::kCustom:
      return "custom";
  }
  return "custom";
}

Json description_json(std::string_view path, const ModelDescription& d) {
  Json operators = Json::array();
  for (const auto& op : d.operators) {
    operators.push_back({{"domain", op.domain},
                         {"op_type", op.op_type},
                         {"count", op.count},
                         {"origin", origin_name(op.origin)}});
  }
  Json json{{"path", path},
            {"producer", {{"name", d.producer_name}, {"version", d.producer_version}}},
            {"ir_version", d.ir_version},
            {"model_version", d.model_version},
            {"opsets", d.opsets},
            {"graph", d.graph_name},
            {"doc_string", d.doc_string},
            {"metadata", d.metadata},
            {"inputs", tensors_json(d.inputs)},
            {"outputs", tensors_json(d.outputs)},
            {"operators", operators},
            {"parameters", d.parameters},
            {"flops_per_sample", nullptr},
            {"bytes", d.file_bytes},
            {"external_files", d.external_files},
            {"contract", nullptr},
            {"problems", d.problems},
            {"notes", d.notes}};
  if (d.flops_per_sample) {
    json["flops_per_sample"] = *d.flops_per_sample;
  }
  if (d.contract) {
    json["contract"] = contract_to_json(*d.contract);
  }
  return json;
}

}  // namespace onnxop
