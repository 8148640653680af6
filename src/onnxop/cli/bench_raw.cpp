#include "onnxop/cli/bench_raw.h"

#include <algorithm>
#include <string>
#include <thread>

#include "onnxop/base/error.h"
#include "onnxop/load/call_load.h"
#include "onnxop/wire/oip_metadata.h"
#include "onnxop/wire/oip_request.h"

namespace onnxop {
namespace {

/// Random tensors and the bytes that they look at.
struct RandomInputs {
  std::string bytes;
  InferRequest request;
};

bool has_free_rows(const TensorInfo& info) {
  return !info.shape.empty() && info.shape.front() < 0;
}

RandomInputs random_inputs(const Scorer& scorer, std::int64_t batch, InputShapes shapes) {
  OipModel model;
  model.name = "model";
  model.inputs = scorer.inputs();
  for (const TensorInfo& info : model.inputs) {
    if (has_free_rows(info)) {
      auto& shape = shapes.try_emplace(info.name, info.shape).first->second;
      std::replace(shape.begin(), shape.end(), std::int64_t{-1}, std::int64_t{1});
      shape.front() = batch;
    } else if (!info.shape.empty() && info.shape.front() != batch) {
      fail(ErrorCode::kInvalidArgument, "batch {}: input '{}' has the shape {}", batch, info.name,
           shape_text(info.shape));
    }
  }
  InferBody body = random_infer_body(model_metadata_json(model), shapes, 1);
  RandomInputs inputs;
  inputs.bytes = std::move(body.bytes);
  inputs.request = parse_infer_request(
      std::as_writable_bytes(std::span(inputs.bytes.data(), inputs.bytes.size())), body.header_size,
      {});
  return inputs;
}

}  // namespace

RawRow measure_raw(Scorer& scorer, std::int64_t batch, int threads, const InputShapes& shapes,
                   const WindowRule& windows) {
  const RandomInputs inputs = random_inputs(scorer, batch, shapes);
  scorer.run(inputs.request.inputs);  // what is done once is not measured
  RawRow row{.threads = threads, .batch = batch, .report = {}};
  row.report = run_call_load([&] { scorer.run(inputs.request.inputs); }, threads, windows);
  row.rows_per_second = row.report.figures.per_second * static_cast<double>(batch);
  return row;
}

std::vector<std::int64_t> possible_batches(const Scorer& scorer, const std::vector<int>& wanted) {
  const auto fixed = std::find_if(
      scorer.inputs().begin(), scorer.inputs().end(),
      [](const TensorInfo& info) { return !info.shape.empty() && info.shape.front() >= 0; });
  if (fixed != scorer.inputs().end()) {
    return {fixed->shape.front()};
  }
  return {wanted.begin(), wanted.end()};
}

std::vector<int> thread_counts() {
  const int cores = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  std::vector<int> counts;
  for (int count = 1; count < cores; count *= 2) {
    counts.push_back(count);
  }
  counts.push_back(cores);
  return counts;
}

const RawRow* best_of(const std::vector<RawRow>& rows) {
  const auto best = std::max_element(
      rows.begin(), rows.end(),
      [](const RawRow& a, const RawRow& b) { return a.rows_per_second < b.rows_per_second; });
  return best == rows.end() ? nullptr : &*best;
}

}  // namespace onnxop
