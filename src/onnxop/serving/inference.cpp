#include "onnxop/serving/inference.h"

#include <algorithm>
#include <atomic>
#include <utility>

#include "onnxop/base/error.h"
#include "onnxop/batch/merge.h"
#include "onnxop/image/codec.h"
#include "onnxop/preprocess/preprocess.h"
#include "onnxop/serving/traffic_ticket.h"

namespace onnxop {
namespace {

/// Runs longer than this lose nothing by a change of threads, and would hold up a thread that has
/// others to serve.
constexpr double kShortRunSeconds = 1e-3;
/// Decoding more than this would hold up those who share the batch.
constexpr std::size_t kLargeImages = 256U << 10;

/// A key that no other call has.
std::uint64_t unique_key() {
  static std::atomic<std::uint64_t> last{0};
  return ~++last;
}

/// The model's inputs in its order; the other inputs are left behind in `inputs`.
std::vector<NamedTensor> in_model_order(const ServedModel& model, std::vector<NamedTensor> inputs) {
  check_inputs(model.scorer->inputs(), inputs);
  std::vector<NamedTensor> ordered;
  for (const TensorInfo& declared : model.scorer->inputs()) {
    const auto found = std::find_if(inputs.begin(), inputs.end(), [&](const NamedTensor& input) {
      return input.name == declared.name;
    });
    ordered.push_back(std::move(*found));
  }
  return ordered;
}

void refuse_if_full(Submitted outcome, const InferenceCall& call) {
  const ModelQueueOptions& options = call.model()->queue->options();
  if (outcome == Submitted::kFull) {
    fail(ErrorCode::kResourceExhausted, "{} requests wait for {} already, expected fewer",
         options.max_queued, options.name);
  }
  if (outcome == Submitted::kStopped) {
    fail(ErrorCode::kUnavailable, "the server is shutting down");
  }
}

}  // namespace

void InferenceCall::succeed(std::vector<NamedTensor> outputs) noexcept {
  outputs_ = std::move(outputs);
  model_->stats->count_call(times, false);
  prepare();
}

void InferenceCall::fail(const Error& error) noexcept {
  error_ = error;
  model_->stats->count_call(times, true);
  prepare();
}

void InferenceCall::prepare() noexcept {
  if (ticket_) {
    ticket_->before_answer(*this);
  }
  if (on_answer_) {
    on_answer_();
  }
}

/// Whoever is told may destroy the call at once.
void InferenceCall::tell() noexcept {
  const auto on_end = std::move(on_end_);
  const auto ticket = ticket_;
  on_end();
  if (ticket) {
    ticket->after_answer();
  }
}

void InferenceCall::mark_fault() noexcept {
  if (ticket_) {
    ticket_->mark_fault();
  }
}

TensorCall::TensorCall(ModelLease model, std::vector<NamedTensor> inputs,
                       std::function<void()> on_end)
    : InferenceCall(std::move(model), std::move(on_end)),
      inputs_(in_model_order(*this->model(), std::move(inputs))) {
  const std::int64_t rows = batch_rows(inputs_);
  waiting.rows = std::max<std::int64_t>(rows, 1);
  if (!this->model()->batchable) {
    waiting.shape_key = unique_key();
    return;
  }
  if (rows == 0) {
    onnxop::fail(ErrorCode::kInvalidArgument,
                 "the inputs' first dimensions differ or are 0, expected the same number of rows");
  }
  waiting.shape_key = shape_key(inputs_);
}

std::unique_ptr<InferenceCall> TensorCall::again_with(ModelLease model) const {
  std::vector<NamedTensor> inputs;
  for (const NamedTensor& input : inputs_) {
    inputs.push_back({input.name, input.tensor.share()});
  }
  return std::make_unique<TensorCall>(std::move(model), std::move(inputs), nullptr);
}

std::size_t TensorCall::input_bytes() const {
  std::size_t bytes = 0;
  for (const NamedTensor& input : inputs_) {
    bytes += input.tensor.bytes().size();
  }
  return bytes;
}

ImageCall::ImageCall(ModelLease model, std::vector<std::span<const std::byte>> images,
                     std::int64_t max_pixels, std::function<void()> on_end)
    : InferenceCall(std::move(model), std::move(on_end)),
      images_(std::move(images)),
      max_pixels_(max_pixels) {
  const ServedModel& served = *this->model();
  if (!served.contract) {
    onnxop::fail(ErrorCode::kFailedPrecondition,
                 "model '{}' takes no images; a contract would say how they become its input",
                 served.name);
  }
  if (images_.empty() || (images_.size() > 1 && !served.batchable)) {
    onnxop::fail(ErrorCode::kInvalidArgument, "got {} images, expected {}", images_.size(),
                 served.batchable ? "at least one" : "one: this model takes one at a time");
  }
  std::size_t bytes = 0;
  for (const auto& image : images_) {
    if (image.empty()) {
      onnxop::fail(ErrorCode::kInvalidArgument,
                   "the body is empty, expected the bytes of an image");
    }
    bytes += image.size();
  }
  waiting.rows = static_cast<std::int64_t>(images_.size());
  waiting.shape_key =
      served.batchable && bytes <= kLargeImages ? served.image_shape_key : unique_key();
}

std::span<const NamedTensor> ImageCall::inputs() {
  const Contract& contract = *model()->contract;
  std::vector<Image> decoded;
  for (std::size_t i = 0; i < images_.size(); ++i) {
    try {
      decoded.push_back(decode_image(images_[i], DecodeLimits{.max_pixels = max_pixels_}));
    } catch (const Error& e) {
      if (images_.size() == 1) {
        throw;
      }
      onnxop::fail(e.code(), "image {} of {}: {}", i + 1, images_.size(), e.what());
    }
  }
  inputs_.clear();
  inputs_.push_back(
      {contract.input.name, images_to_tensor(decoded, contract.input, model()->input_dtype)});
  return inputs_;
}

std::unique_ptr<InferenceCall> ImageCall::again_with(ModelLease model) const {
  std::vector<std::vector<std::byte>> copies;
  for (const auto& image : images_) {
    copies.emplace_back(image.begin(), image.end());
  }
  auto again = std::make_unique<ImageCall>(
      std::move(model), std::vector<std::span<const std::byte>>(copies.begin(), copies.end()),
      max_pixels_, nullptr);
  again->own_images_ = std::move(copies);  // their bytes stay where they are
  return again;
}

std::size_t ImageCall::input_bytes() const {
  std::size_t bytes = 0;
  for (const auto& image : images_) {
    bytes += image.size();
  }
  return bytes;
}

/// Once the images were decoded, what fails is not the caller's fault.
void ImageCall::fail(const Error& error) noexcept {
  const bool engine = times.run_rows > 0 && error.code() == ErrorCode::kInvalidArgument;
  InferenceCall::fail(engine ? Error(ErrorCode::kInternal, error.what()) : error);
}

Prediction ImageCall::prediction(std::size_t index) {
  const ServedModel& served = *model();
  try {
    return read_prediction(served.contract->output, outputs(), index);
  } catch (const Error& e) {
    mark_fault();
    onnxop::fail(ErrorCode::kInternal, "model {}:{}: {}", served.name, served.version, e.what());
  }
}

void submit(Scheduler& scheduler, InferenceCall& call) {
  if (const auto timeout = call.model()->default_timeout_us) {
    call.waiting.deadline = std::min(call.waiting.deadline,
                                     SystemClock().steady() + std::chrono::microseconds(*timeout));
  }
  refuse_if_full(scheduler.submit(call.model()->queue, call), call);
}

bool submit_or_run(Scheduler& scheduler, InferenceCall& call) {
  const double usual = call.model()->queue->run_seconds();
  if (usual > 0 && usual * static_cast<double>(call.waiting.rows) < kShortRunSeconds &&
      scheduler.run_here(call.model()->queue, call)) {
    return true;
  }
  submit(scheduler, call);
  return false;
}

}  // namespace onnxop
