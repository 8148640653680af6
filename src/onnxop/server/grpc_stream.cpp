// ModelStreamInfer: many inferences at once, their answers in order.

#include <deque>
#include <memory>
#include <mutex>
#include <utility>

#include "onnxop/server/grpc_access.h"
#include "onnxop/server/grpc_call.h"
#include "onnxop/server/grpc_service.h"

namespace onnxop {
namespace {

using inference::ModelInferRequest;
using inference::ModelStreamInferResponse;

class StreamReactor : public grpc::ServerBidiReactor<ModelInferRequest, ModelStreamInferResponse> {
 public:
  StreamReactor(const grpc::CallbackServerContext& context, const GrpcOptions& options,
                const ServingCore& core)
      : context_(context), options_(options), core_(core) {
    StartRead(&incoming_);
  }

  void OnReadDone(bool ok) override {
    if (!ok) {
      std::unique_lock lock(mutex_);
      reading_ended_ = true;
      go_on(lock);
      return;
    }
    auto entry = std::make_shared<Entry>();
    entry->request.Swap(&incoming_);
    entry->inference.emplace(options_, core_, [this, held = entry.get()] { ended(*held); });
    bool alone = false;
    {
      const std::lock_guard lock(mutex_);
      entries_.push_back(entry);
      alone = entries_.size() == 1;
      reading_ = false;
    }
    // Each by itself: the token may have been taken away meanwhile.
    const grpc::Status admitted = admit(options_, context_, "ModelStreamInfer");
    const grpc::Status status =
        admitted.ok() ? entry->inference->start(entry->request, context_, SteadyTime::max(), alone)
                      : admitted;
    if (admitted.ok() && !status.ok()) {
      entry->inference->log(status);
    }
    std::unique_lock lock(mutex_);
    if (!status.ok()) {
      put_error(*entry, status);
      entry->ready = true;
    } else {
      entry->started = true;
      if (broken_) {
        cancel(*entry);
      }
    }
    go_on(lock);
  }

  void OnWriteDone(bool ok) override {
    std::unique_lock lock(mutex_);
    entries_.pop_front();
    writing_ = false;
    broken_ = broken_ || !ok;
    go_on(lock);
  }

  void OnCancel() override {
    std::unique_lock lock(mutex_);
    broken_ = true;
    reading_ended_ = true;
    for (const auto& entry : entries_) {
      cancel(*entry);
    }
    go_on(lock);
  }

  void OnDone() override { delete this; }

 private:
  struct Entry {
    ModelInferRequest request;
    std::optional<GrpcInference> inference;
    ModelStreamInferResponse response;
    bool started = false;  // its inference has, as far as OnReadDone() has come
    bool ready = false;
  };

  /// With the lock. An inference that is being started is its starter's to cancel, and one that was
  /// refused has nothing to cancel.
  static void cancel(Entry& entry) {
    if (entry.started && !entry.ready && entry.inference->cancel()) {
      entry.ready = true;
    }
  }

  static void put_error(Entry& entry, const grpc::Status& status) {
    entry.response.set_error_message(status.error_message());
    entry.response.mutable_infer_response()->set_id(entry.request.id());
  }

  /// On an executor.
  void ended(Entry& entry) {
    const grpc::Status status = entry.inference->finish(*entry.response.mutable_infer_response());
    entry.inference->log(status);
    std::unique_lock lock(mutex_);
    if (!status.ok()) {
      put_error(entry, status);
    }
    entry.ready = true;
    go_on(lock);
  }

  /// Begins whatever can be begun now. Finishing may destroy this, so it comes last and unlocked.
  void go_on(std::unique_lock<std::mutex>& lock) {
    if (finished_) {
      return;
    }
    while (broken_ && !writing_ && !entries_.empty() && entries_.front()->ready) {
      entries_.pop_front();
    }
    if (!writing_ && !entries_.empty() && entries_.front()->ready) {
      writing_ = true;
      StartWrite(&entries_.front()->response);
    }
    if (!reading_ && !reading_ended_ &&
        entries_.size() < static_cast<std::size_t>(options_.max_stream_inferences)) {
      reading_ = true;
      StartRead(&incoming_);
    }
    if (reading_ended_ && entries_.empty()) {
      finished_ = true;
      lock.unlock();
      Finish(grpc::Status::OK);
    }
  }

  const grpc::CallbackServerContext& context_;
  const GrpcOptions& options_;
  const ServingCore& core_;
  std::mutex mutex_;
  ModelInferRequest incoming_;
  std::deque<std::shared_ptr<Entry>> entries_;  // in the order in which they came
  bool reading_ = true;
  bool reading_ended_ = false;
  bool writing_ = false;
  bool broken_ = false;  // the client is gone: nothing is written any more
  bool finished_ = false;
};

}  // namespace

grpc::ServerBidiReactor<ModelInferRequest, ModelStreamInferResponse>* serve_stream(
    grpc::CallbackServerContext& context, const GrpcOptions& options, const ServingCore& core) {
  return new StreamReactor(context, options, core);
}

}  // namespace onnxop
