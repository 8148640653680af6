#pragma once
// Inferences on their way through a served model, whatever the protocol: tensors as they came, or
// the bytes of images. What a server does: resolve a lease, make a call, submit it, and answer when
// it is told that the call has ended.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "onnxop/batch/scheduler.h"
#include "onnxop/serving/prediction.h"
#include "onnxop/serving/served_model.h"

namespace onnxop {

class TrafficTicket;

/// Keeps its model loaded. Not to be changed between submission and the end.
class InferenceCall : public BatchCall {
 public:
  /// `on_end` is called once, on an executor's thread (or on that of submit_or_run()), when the
  /// call has ended; it must not throw, and may destroy the call as its last act.
  InferenceCall(ModelLease model, std::function<void()> on_end)
      : model_(std::move(model)), on_end_(std::move(on_end)) {}

  const ModelLease& model() const { return model_; }

  /// Before submission: who is told of the end; null for a model without traffic of its own.
  void set_ticket(std::shared_ptr<TrafficTicket> ticket) { ticket_ = std::move(ticket); }

  /// Before submission: what is to be done with the answer on the thread that has it, before
  /// `on_end` and without waiting for anything; it must not throw.
  void set_on_answer(std::function<void()> on_answer) { on_answer_ = std::move(on_answer); }

  /// The same question to another model, with memory of its own, to be run by itself. May be asked
  /// until the end is told. Throws as the constructors do.
  virtual std::unique_ptr<InferenceCall> again_with(ModelLease model) const = 0;
  virtual std::size_t input_bytes() const = 0;

  // Once there is an answer.
  const std::optional<Error>& error() const { return error_; }
  std::vector<NamedTensor>& outputs() { return outputs_; }

  void succeed(std::vector<NamedTensor> outputs) noexcept override;
  void fail(const Error& error) noexcept override;
  void tell() noexcept override;

 protected:
  /// The outputs cannot be what the model should give.
  void mark_fault() noexcept;

 private:
  void prepare() noexcept;

  ModelLease model_;
  std::function<void()> on_answer_;
  std::function<void()> on_end_;
  std::optional<Error> error_;
  std::vector<NamedTensor> outputs_;
  std::shared_ptr<TrafficTicket> ticket_;
};

/// Tensors of the caller.
class TensorCall : public InferenceCall {
 public:
  /// Brings the inputs into the model's order. Throws Error{kInvalidArgument} for inputs that are
  /// not the model's, in name, type or shape, or that have different numbers of rows where the
  /// model takes batches.
  TensorCall(ModelLease model, std::vector<NamedTensor> inputs, std::function<void()> on_end);

  std::span<const NamedTensor> inputs() override { return inputs_; }
  std::unique_ptr<InferenceCall> again_with(ModelLease model) const override;
  std::size_t input_bytes() const override;

 private:
  std::vector<NamedTensor> inputs_;
};

/// The bytes of images in a known format, decoded on the executor.
class ImageCall : public InferenceCall {
 public:
  /// The bytes must outlive the call. Throws Error{kFailedPrecondition} for a model that takes no
  /// images, {kInvalidArgument} for no images, an empty one, or several where the model takes one.
  ImageCall(ModelLease model, std::vector<std::span<const std::byte>> images,
            std::int64_t max_pixels, std::function<void()> on_end);

  std::span<const NamedTensor> inputs() override;
  std::unique_ptr<InferenceCall> again_with(ModelLease model) const override;
  std::size_t input_bytes() const override;
  void fail(const Error& error) noexcept override;

  /// After a good end: what the model says of the image at `index`.
  Prediction prediction(std::size_t index);
  std::size_t images() const { return images_.size(); }

 private:
  std::vector<std::span<const std::byte>> images_;
  std::int64_t max_pixels_;
  std::vector<NamedTensor> inputs_;
  std::vector<std::vector<std::byte>> own_images_;  // what images_ look at, in a call made again
};

/// Throws Error{kResourceExhausted} when the model's queue is full, {kUnavailable} when the server
/// stops; the call has not ended then, and never will.
void submit(Scheduler& scheduler, InferenceCall& call);

/// The same, but runs the call on this thread where nothing else is going on and the model's runs
/// are short. True: it has ended.
bool submit_or_run(Scheduler& scheduler, InferenceCall& call);

}  // namespace onnxop
