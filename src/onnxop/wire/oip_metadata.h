#pragma once
// The Open Inference Protocol's descriptions over REST: of the server, of models, of what is ready;
// and Triton's repository index, configuration and statistics.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "onnxop/tensor/tensor.h"
#include "onnxop/triton/triton_config.h"

namespace onnxop {

struct OipModel {
  std::string name;
  std::vector<std::string> versions;  // those that are served
  std::vector<TensorInfo> inputs;
  std::vector<TensorInfo> outputs;
};

inline constexpr std::string_view kOipPlatform = "onnxruntime_onnx";

/// Which extensions of the protocol are served.
std::vector<std::string> oip_extensions();

std::string server_metadata_json(std::string_view version);
std::string model_metadata_json(const OipModel& model);
/// {"live": …, "ready": …}: one answer that suits clients of either path.
std::string health_json(bool live, bool ready);
std::string model_ready_json(std::string_view name, bool ready);

struct IndexedVersion {
  std::string name;
  std::int64_t version = 0;
  std::string_view state;  // "READY", "UNAVAILABLE", "LOADING"
  std::string reason;
};
std::string repository_index_json(std::span<const IndexedVersion> versions);

/// Triton's model configuration, as far as it means something here.
struct OipConfig {
  std::int64_t max_batch = 0;  // 0: requests are not joined, and the shapes hold all dimensions
  int executors = 1;
  int max_queue = 0;                  // requests that wait; 0: it is not said
  const TritonConfig* own = nullptr;  // what config.pbtxt says besides; null: there is none
};
std::string model_config_json(const OipModel& model, const OipConfig& config);

struct StatDuration {
  std::uint64_t count = 0;
  std::uint64_t ns = 0;
};
struct BatchStat {
  std::int64_t batch_size = 0;
  StatDuration compute_input, compute_infer, compute_output;
};
/// Of one version, named as Triton's statistics extension does.
struct OipStatistics {
  std::string name;
  std::string version;
  std::int64_t last_inference_ms = 0;
  std::uint64_t inference_count = 0;
  std::uint64_t execution_count = 0;
  StatDuration success, fail, queue, compute_input, compute_infer, compute_output;
  std::vector<BatchStat> batches;
};
std::string statistics_json(std::span<const OipStatistics> statistics);

}  // namespace onnxop
