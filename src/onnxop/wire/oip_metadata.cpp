#include "onnxop/wire/oip_metadata.h"

#include <algorithm>

#include "onnxop/base/format.h"
#include "onnxop/base/json.h"
#include "onnxop/base/json_value.h"
#include "onnxop/wire/oip_datatype.h"

namespace onnxop {
namespace {

Json tensors_json(std::span<const TensorInfo> tensors) {
  Json list = Json::array();
  for (const TensorInfo& tensor : tensors) {
    list.push_back(
        {{"name", tensor.name}, {"datatype", oip_datatype(tensor.dtype)}, {"shape", tensor.shape}});
  }
  return list;
}

/// Triton's names in configurations: "TYPE_FP32", "TYPE_STRING".
std::string config_type(DType dtype) {
  return dtype == DType::kString ? "TYPE_STRING" : format("TYPE_{}", oip_datatype(dtype));
}

const TritonTensor* find_tensor(std::span<const TritonTensor> tensors, const std::string& name) {
  const auto found = std::find_if(tensors.begin(), tensors.end(),
                                  [&](const TritonTensor& each) { return each.name == name; });
  return found == tensors.end() ? nullptr : &*found;
}

/// With batching, the shapes of a configuration leave the rows out.
Json config_tensors(std::span<const TensorInfo> tensors, bool batched,
                    std::span<const TritonTensor> own) {
  Json list = Json::array();
  for (const TensorInfo& tensor : tensors) {
    Shape dims = tensor.shape;
    if (batched && !dims.empty()) {
      dims.erase(dims.begin());
    }
    list.push_back(
        {{"name", tensor.name}, {"data_type", config_type(tensor.dtype)}, {"dims", dims}});
    const TritonTensor* said = find_tensor(own, tensor.name);
    if (said != nullptr && said->reshape) {
      list.back()["reshape"] = {{"shape", *said->reshape}};
    }
    if (said != nullptr && !said->label_filename.empty()) {
      list.back()["label_filename"] = said->label_filename;
    }
  }
  return list;
}

Json policy_json(const TritonVersionPolicy& policy) {
  switch (policy.kind) {
    case TritonVersionPolicy::Kind::kAll:
      return {{"all", Json::object()}};
    case TritonVersionPolicy::Kind::kSpecific:
      return {{"specific", {{"versions", policy.versions}}}};
    case TritonVersionPolicy::Kind::kLatest:
      break;
  }
  return {{"latest", {{"num_versions", policy.latest}}}};
}

Json batching_json(const OipConfig& config) {
  Json json{{"max_queue_delay_microseconds", 0}};
  if (config.max_queue > 0) {
    json["default_queue_policy"]["max_queue_size"] = config.max_queue;
  }
  if (config.own != nullptr && config.own->default_timeout_us) {
    json["default_queue_policy"]["default_timeout_microseconds"] = *config.own->default_timeout_us;
  }
  return json;
}

Json duration_json(const StatDuration& duration) {
  return {{"count", duration.count}, {"ns", duration.ns}};
}

Json statistics_of(const OipStatistics& model) {
  Json batches = Json::array();
  for (const BatchStat& batch : model.batches) {
    batches.push_back({{"batch_size", batch.batch_size},
                       {"compute_input", duration_json(batch.compute_input)},
                       {"compute_infer", duration_json(batch.compute_infer)},
                       {"compute_output", duration_json(batch.compute_output)}});
  }
  const StatDuration none;
  return {{"name", model.name},
          {"version", model.version},
          {"last_inference", model.last_inference_ms},
          {"inference_count", model.inference_count},
          {"execution_count", model.execution_count},
          {"inference_stats",
           {{"success", duration_json(model.success)},
            {"fail", duration_json(model.fail)},
            {"queue", duration_json(model.queue)},
            {"compute_input", duration_json(model.compute_input)},
            {"compute_infer", duration_json(model.compute_infer)},
            {"compute_output", duration_json(model.compute_output)},
            {"cache_hit", duration_json(none)},
            {"cache_miss", duration_json(none)}}},
          {"batch_stats", std::move(batches)}};
}

}  // namespace

std::vector<std::string> oip_extensions() {
  return {"classification", "model_repository",   "model_configuration",
          "statistics",     "binary_tensor_data", "parameters"};
}

std::string server_metadata_json(std::string_view version) {
  return dump_json(
      Json{{"name", "onnxop"}, {"version", version}, {"extensions", oip_extensions()}});
}

std::string model_metadata_json(const OipModel& model) {
  return dump_json(Json{{"name", model.name},
                        {"versions", model.versions},
                        {"platform", kOipPlatform},
                        {"inputs", tensors_json(model.inputs)},
                        {"outputs", tensors_json(model.outputs)}});
}

std::string health_json(bool live, bool ready) {
  return dump_json(Json{{"live", live}, {"ready", ready}});
}

std::string model_ready_json(std::string_view name, bool ready) {
  return dump_json(Json{{"name", name}, {"ready", ready}});
}

std::string repository_index_json(std::span<const IndexedVersion> versions) {
  Json list = Json::array();
  for (const IndexedVersion& each : versions) {
    list.push_back({{"name", each.name},
                    {"version", format("{}", each.version)},
                    {"state", each.state},
                    {"reason", each.reason}});
  }
  return dump_json(list);
}

std::string model_config_json(const OipModel& model, const OipConfig& config) {
  const bool batched = config.max_batch > 0;
  static const TritonConfig kNone;
  const TritonConfig& own = config.own == nullptr ? kNone : *config.own;
  Json json{
      {"name", model.name},
      {"platform", kOipPlatform},
      {"backend", "onnxruntime"},
      {"max_batch_size", config.max_batch},
      {"input", config_tensors(model.inputs, batched, own.inputs)},
      {"output", config_tensors(model.outputs, batched, own.outputs)},
      {"instance_group",
       Json::array({{{"name", model.name}, {"kind", "KIND_CPU"}, {"count", config.executors}}})}};
  if (batched) {
    json["dynamic_batching"] = batching_json(config);
  }
  if (own.version_policy) {
    json["version_policy"] = policy_json(*own.version_policy);
  }
  if (!own.default_model_filename.empty()) {
    json["default_model_filename"] = own.default_model_filename;
  }
  return dump_json(json);
}

std::string statistics_json(std::span<const OipStatistics> statistics) {
  Json list = Json::array();
  for (const OipStatistics& each : statistics) {
    list.push_back(statistics_of(each));
  }
  return dump_json(Json{{"model_stats", std::move(list)}});
}

}  // namespace onnxop
