#include "onnxop/wire/oip_grpc.h"

#include <string>

#include <open_inference.pb.h>

#include "onnxop/base/format.h"
#include "onnxop/wire/oip_datatype.h"
#include "onnxop/wire/raw_tensor.h"

namespace onnxop {
namespace {

void put(const StatDuration& from, inference::StatisticDuration& to) {
  to.set_count(from.count);
  to.set_ns(from.ns);
}

inference::DataType config_type(DType dtype) {
  inference::DataType type = inference::TYPE_INVALID;
  const std::string name =
      dtype == DType::kString ? "TYPE_STRING" : format("TYPE_{}", oip_datatype(dtype));
  inference::DataType_Parse(name, &type);
  return type;
}

template <typename List>
void put_tensors(std::span<const TensorInfo> tensors, bool batched, List& list) {
  for (const TensorInfo& tensor : tensors) {
    auto& added = *list.Add();
    added.set_name(tensor.name);
    added.set_data_type(config_type(tensor.dtype));
    for (std::size_t i = batched ? 1 : 0; i < tensor.shape.size(); ++i) {
      added.add_dims(tensor.shape[i]);
    }
  }
}

void put_policy(const TritonVersionPolicy& policy, inference::ModelVersionPolicy& message) {
  switch (policy.kind) {
    case TritonVersionPolicy::Kind::kLatest:
      message.mutable_latest()->set_num_versions(static_cast<std::uint32_t>(policy.latest));
      return;
    case TritonVersionPolicy::Kind::kAll:
      message.mutable_all();
      return;
    case TritonVersionPolicy::Kind::kSpecific:
      message.mutable_specific()->mutable_versions()->Assign(policy.versions.begin(),
                                                             policy.versions.end());
      return;
  }
}

/// What a configuration says of tensors besides names, types and shapes.
template <typename List>
void put_reshapes(std::span<const TritonTensor> own, List& list) {
  for (auto& tensor : list) {
    for (const TritonTensor& said : own) {
      if (said.name == tensor.name() && said.reshape) {
        tensor.mutable_reshape()->mutable_shape()->Assign(said.reshape->begin(),
                                                          said.reshape->end());
      }
    }
  }
}

void put_own(const TritonConfig& own, inference::ModelConfig& message) {
  put_reshapes(own.inputs, *message.mutable_input());
  put_reshapes(own.outputs, *message.mutable_output());
  for (auto& output : *message.mutable_output()) {
    for (const TritonTensor& said : own.outputs) {
      if (said.name == output.name()) {
        output.set_label_filename(said.label_filename);
      }
    }
  }
  if (own.version_policy) {
    put_policy(*own.version_policy, *message.mutable_version_policy());
  }
  message.set_default_model_filename(own.default_model_filename);
}

}  // namespace

void write_infer_response(const InferAnswer& answer, inference::ModelInferResponse& message) {
  message.set_model_name(answer.model_name);
  message.set_model_version(answer.model_version);
  message.set_id(answer.id);
  for (const NamedTensor& output : answer.outputs) {
    auto& added = *message.add_outputs();
    added.set_name(output.name);
    added.set_datatype(std::string(sendable_datatype(output.name, output.tensor.dtype())));
    for (const std::int64_t size : output.tensor.shape()) {
      added.add_shape(size);
    }
    if (output.tensor.dtype() == DType::kString) {
      const auto bytes = raw_strings(output.tensor);
      message.add_raw_output_contents(bytes.data(), bytes.size());
    } else {
      const auto bytes = output.tensor.bytes();
      message.add_raw_output_contents(bytes.data(), bytes.size());
    }
  }
}

void write_metadata(const OipModel& model, inference::ModelMetadataResponse& message) {
  message.set_name(model.name);
  for (const std::string& version : model.versions) {
    message.add_versions(version);
  }
  message.set_platform(std::string(kOipPlatform));
  const auto add = [](const TensorInfo& tensor, auto& added) {
    added.set_name(tensor.name);
    added.set_datatype(std::string(oip_datatype(tensor.dtype)));
    for (const std::int64_t size : tensor.shape) {
      added.add_shape(size);
    }
  };
  for (const TensorInfo& input : model.inputs) {
    add(input, *message.add_inputs());
  }
  for (const TensorInfo& output : model.outputs) {
    add(output, *message.add_outputs());
  }
}

void write_config(const OipModel& model, const OipConfig& config, inference::ModelConfig& message) {
  const bool batched = config.max_batch > 0;
  message.set_name(model.name);
  message.set_platform(std::string(kOipPlatform));
  message.set_backend("onnxruntime");
  message.set_max_batch_size(static_cast<std::int32_t>(config.max_batch));
  put_tensors(model.inputs, batched, *message.mutable_input());
  put_tensors(model.outputs, batched, *message.mutable_output());
  auto& group = *message.add_instance_group();
  group.set_name(model.name);
  group.set_kind(inference::ModelInstanceGroup::KIND_CPU);
  group.set_count(config.executors);
  if (batched) {
    auto& policy = *message.mutable_dynamic_batching()->mutable_default_queue_policy();
    policy.set_max_queue_size(static_cast<std::uint32_t>(config.max_queue));
    if (config.own != nullptr && config.own->default_timeout_us) {
      policy.set_default_timeout_microseconds(
          static_cast<std::uint64_t>(*config.own->default_timeout_us));
    }
  }
  if (config.own != nullptr) {
    put_own(*config.own, message);
  }
}

void write_statistics(const OipStatistics& statistics, inference::ModelStatistics& message) {
  message.set_name(statistics.name);
  message.set_version(statistics.version);
  message.set_last_inference(static_cast<std::uint64_t>(statistics.last_inference_ms));
  message.set_inference_count(statistics.inference_count);
  message.set_execution_count(statistics.execution_count);
  auto& stats = *message.mutable_inference_stats();
  put(statistics.success, *stats.mutable_success());
  put(statistics.fail, *stats.mutable_fail());
  put(statistics.queue, *stats.mutable_queue());
  put(statistics.compute_input, *stats.mutable_compute_input());
  put(statistics.compute_infer, *stats.mutable_compute_infer());
  put(statistics.compute_output, *stats.mutable_compute_output());
  put({}, *stats.mutable_cache_hit());
  put({}, *stats.mutable_cache_miss());
  for (const BatchStat& batch : statistics.batches) {
    auto& added = *message.add_batch_stats();
    added.set_batch_size(static_cast<std::uint64_t>(batch.batch_size));
    put(batch.compute_input, *added.mutable_compute_input());
    put(batch.compute_infer, *added.mutable_compute_infer());
    put(batch.compute_output, *added.mutable_compute_output());
  }
}

}  // namespace onnxop
