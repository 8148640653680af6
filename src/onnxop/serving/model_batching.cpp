// How the calls of a model are joined: whether they may be, and how many at a time.

#include <algorithm>
#include <utility>

#include "onnxop/base/error.h"
#include "onnxop/base/log.h"
#include "onnxop/batch/merge.h"
#include "onnxop/preprocess/preprocess.h"
#include "onnxop/serving/served_model.h"

namespace onnxop {
namespace {

constexpr std::int64_t kUnprobedBatch = 16;
constexpr std::int64_t kLargestBatch = 64;
constexpr std::size_t kLargestProbe = 64U << 20;  // bytes of the inputs

bool has_free_rows(const std::vector<TensorInfo>& infos) {
  return std::all_of(infos.begin(), infos.end(), [](const TensorInfo& info) {
    return !info.shape.empty() && info.shape.front() == -1 && dtype_size(info.dtype) > 0;
  });
}

/// Why requests may not be joined; "" where they may.
std::string reason_against(const ServedModel& model, const QueueSettings& settings,
                           const BatchDimension& rows) {
  if (settings.max_batch == 1) {
    return "batching is off";
  }
  if (!has_free_rows(model.scorer->inputs()) || !has_free_rows(model.scorer->outputs())) {
    return rows.fixed && !rows.proven
               ? format("the number of rows is fixed at {}, and cannot be proven free: {}",
                        *rows.fixed, rows.reason)
               : "the first dimension of an input or output is fixed, or holds texts";
  }
  return rows.proven || settings.trust_batch_dimension ? "" : rows.reason;
}

/// Black images, silence: zeros of the model's input shapes; none where a dimension other than the
/// rows is free, or they would be large.
std::vector<NamedTensor> zero_inputs(const Scorer& scorer, std::int64_t rows) {
  std::vector<NamedTensor> inputs;
  std::size_t bytes = 0;
  for (const TensorInfo& info : scorer.inputs()) {
    Shape shape = info.shape;
    shape.front() = rows;
    if (std::any_of(shape.begin(), shape.end(), [](std::int64_t size) { return size < 0; })) {
      return {};
    }
    bytes += static_cast<std::size_t>(element_count(shape)) * dtype_size(info.dtype);
    if (bytes > kLargestProbe) {
      return {};
    }
    inputs.push_back({info.name, Tensor(info.dtype, std::move(shape))});
  }
  return inputs;
}

/// Times runs of 1, 2, 4, … rows until the time is up.
std::vector<BatchTiming> probe(Scorer& scorer, double seconds) {
  const SystemClock clock;
  std::vector<BatchTiming> timings;
  const SteadyTime end = clock.steady() + std::chrono::duration_cast<SteadyTime::duration>(
                                              std::chrono::duration<double>(seconds));
  for (std::int64_t rows = 1; rows <= kLargestBatch && clock.steady() < end; rows *= 2) {
    const auto inputs = zero_inputs(scorer, rows);
    if (inputs.empty()) {
      return timings;
    }
    BatchTiming best{rows, 1e9};
    for (int repeat = 0; repeat < 3 && (repeat == 0 || clock.steady() < end); ++repeat) {
      const SteadyTime begun = clock.steady();
      scorer.run(inputs);
      best.seconds = std::min(best.seconds, seconds_between(begun, clock.steady()));
    }
    timings.push_back(best);
  }
  return timings;
}

std::int64_t limited(std::int64_t rows, const QueueSettings& settings) {
  return settings.most_rows > 0 ? std::min(rows, settings.most_rows) : rows;
}

}  // namespace

void probe_batch_size(const ServedModel& model, const QueueSettings& settings) {
  if (!model.batchable || settings.max_batch > 0 || settings.probe_seconds <= 0) {
    return;
  }
  try {
    const auto timings = probe(*model.scorer, settings.probe_seconds);
    if (timings.size() >= 2) {
      model.queue->set_max_rows(limited(best_batch_size(timings), settings));
    }
  } catch (const Error& e) {
    log_warning("model {}:{}: batch sizes could not be tried out: {}", model.name, model.version,
                e.what());
    model.queue->set_max_rows(1);
  }
}

void make_queue(ServedModel& model, const QueueSettings& settings, const BatchDimension& rows,
                std::shared_ptr<ModelStats> stats) {
  model.stats = stats ? std::move(stats) : std::make_shared<ModelStats>();
  model.not_batchable = reason_against(model, settings, rows);
  model.batchable = model.not_batchable.empty();
  if (!model.batchable && settings.max_batch != 1) {
    log_info("model {}:{} runs each request by itself: {}", model.name, model.version,
             model.not_batchable);
  }
  if (model.batchable && !rows.proven) {
    log_warning("model {}:{} joins requests because its configuration says so: {}", model.name,
                model.version, rows.reason);
  }
  if (model.contract) {
    const ImageInput& input = model.contract->input;
    std::vector<NamedTensor> one;
    one.push_back({input.name, Tensor(model.input_dtype, image_batch_shape(1, input))});
    model.image_shape_key = shape_key(one);
    model.labels[model.contract->output.name] = model.contract->output.labels;
  }
  ModelQueueOptions options;
  options.name = format("{}:{}", model.name, model.version);
  options.max_queued = settings.max_queued;
  const std::int64_t rows_at_once = settings.max_batch > 0 ? settings.max_batch : kUnprobedBatch;
  options.max_rows = model.batchable ? limited(rows_at_once, settings) : 1;
  model.default_timeout_us = settings.default_timeout_us;
  options.on_run = [kept = model.stats](const RunReport& report) {
    kept->count_run(report, SystemClock().wall());
  };
  model.queue = std::make_shared<ModelQueue>(model.scorer, std::move(options));
  probe_batch_size(model, settings);
}

}  // namespace onnxop
