#include "onnxop/load/server_times.h"

#include "onnxop/base/error.h"
#include "onnxop/base/json_value.h"

namespace onnxop {
namespace {

std::int64_t number_at(const Json& stats, const char* part, const char* which) {
  const auto at = stats.find(part);
  if (at == stats.end() || !at->is_object() || !at->contains(which) ||
      !at->at(which).is_number_integer()) {
    fail(ErrorCode::kInvalidArgument,
         "model statistics: no number inference_stats.{}.{}: expected Triton's statistics", part,
         which);
  }
  return at->at(which).get<std::int64_t>();
}

}  // namespace

ServerTimes parse_server_times(std::string_view body) {
  const Json json = parse_json(body, "model statistics");
  const auto models = json.find("model_stats");
  if (!json.is_object() || models == json.end() || !models->is_array()) {
    fail(ErrorCode::kInvalidArgument,
         "model statistics: no array model_stats: expected Triton's statistics");
  }
  ServerTimes times;
  for (const Json& model : *models) {
    const auto stats = model.is_object() ? model.find("inference_stats") : model.end();
    if (!model.is_object() || stats == model.end() || !stats->is_object()) {
      fail(ErrorCode::kInvalidArgument,
           "model statistics: a model without inference_stats: expected Triton's statistics");
    }
    times.requests += number_at(*stats, "success", "count");
    times.queue_ns += number_at(*stats, "queue", "ns");
    times.compute_input_ns += number_at(*stats, "compute_input", "ns");
    times.compute_infer_ns += number_at(*stats, "compute_infer", "ns");
    times.compute_output_ns += number_at(*stats, "compute_output", "ns");
  }
  return times;
}

ServerTimes difference(const ServerTimes& before, const ServerTimes& after) {
  return {.requests = after.requests - before.requests,
          .queue_ns = after.queue_ns - before.queue_ns,
          .compute_input_ns = after.compute_input_ns - before.compute_input_ns,
          .compute_infer_ns = after.compute_infer_ns - before.compute_infer_ns,
          .compute_output_ns = after.compute_output_ns - before.compute_output_ns};
}

ServerSplit split_of(const ServerTimes& times) {
  ServerSplit split;
  split.requests = times.requests;
  if (times.requests <= 0) {
    return split;
  }
  const auto mean_ms = [&](std::int64_t ns) {
    return static_cast<double>(ns) / 1e6 / static_cast<double>(times.requests);
  };
  split.queue_ms = mean_ms(times.queue_ns);
  split.compute_input_ms = mean_ms(times.compute_input_ns);
  split.compute_infer_ms = mean_ms(times.compute_infer_ns);
  split.compute_output_ms = mean_ms(times.compute_output_ns);
  split.compute_ms = split.compute_input_ms + split.compute_infer_ms + split.compute_output_ms;
  return split;
}

}  // namespace onnxop
