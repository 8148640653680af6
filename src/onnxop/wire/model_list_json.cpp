#include "onnxop/wire/model_list_json.h"

#include "onnxop/base/json_value.h"

namespace onnxop {

std::string model_list_json(std::span<const ModelListEntry> models) {
  Json list = Json::array();
  for (const ModelListEntry& model : models) {
    Json entry{{"name", model.name},     {"version", model.version}, {"sha256", model.sha256},
               {"routes", model.routes}, {"input", nullptr},         {"output", nullptr}};
    if (model.contract) {
      const Json contract = contract_to_json(*model.contract);
      entry["input"] = contract.at("input");
      entry["output"] = contract.at("output");
    }
    list.push_back(std::move(entry));
  }
  return dump_json(Json{{"models", std::move(list)}});
}

}  // namespace onnxop
