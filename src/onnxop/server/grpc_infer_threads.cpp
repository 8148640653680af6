#include "onnxop/server/grpc_infer_threads.h"

#include <algorithm>
#include <optional>
#include <thread>
#include <utility>

#include <grpcpp/grpcpp.h>

#include "onnxop/server/grpc_access.h"
#include "onnxop/server/grpc_call.h"

namespace onnxop {
namespace {

constexpr int kWaitingForCalls = 16;  // of a thread, at a time
constexpr std::size_t kMostAtOnce = 64;
constexpr unsigned kLoneCalls = 8;

}  // namespace

/// One call, from the request for one to its end: when it was answered here, its answer is sent and
/// it is over, in whatever order.
class GrpcInferThreads::Call {
 public:
  /// What its queue tells, by the address of one of these.
  struct Event {
    Call& call;
    void (Call::*handle)(bool ok);
  };

  Call(GrpcInferThreads& all, Thread& thread, grpc::ServerCompletionQueue& queue)
      : all_(all), thread_(thread) {
    context_.AsyncNotifyWhenDone(&over_);
    all_.service_.RequestModelInfer(&context_, &request_, &writer_, &queue, &queue, &came_);
  }
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  /// `run_here`: this thread may run the model.
  void begin(bool run_here) {
    grpc::Status admitted;
    const grpc::Status asked =
        status_of([&] { admitted = admit(all_.options_, context_, "ModelInfer"); });
    if (!asked.ok() || !admitted.ok()) {
      answer(asked.ok() ? admitted : asked);
      return;
    }
    inference_.emplace(all_.options_, all_.core_,
                       [this] { answer(inference_->finish(response_)); });
    inference_->set_trace(take_trace(context_));
    started_ = is_logged_ = true;
    const grpc::Status status =
        inference_->start(request_, context_, deadline_of(context_), run_here);
    if (!status.ok()) {
      started_ = false;
      answer(status);
    }
  }

 private:
  void came(bool ok);
  void over(bool) {
    if (started_ && context_.IsCancelled() && inference_->cancel()) {
      is_logged_ = false;
      answer({grpc::StatusCode::CANCELLED, "the client went away"});
    }
    release();
  }
  void sent(bool) { release(); }

  /// Once, on any thread.
  void answer(const grpc::Status& status) {
    const auto unanswered = all_.unanswered_;
    status.ok() ? writer_.Finish(response_, status, &sent_)
                : writer_.FinishWithError(status, &sent_);
    if (is_logged_) {
      inference_->log(status);  // the caller does not wait for it
    }
    release();
    // All else may be gone now.
    --*unanswered;
    unanswered->notify_all();
  }

  void release() {
    if (--ends_ == 0) {
      delete this;
    }
  }

  GrpcInferThreads& all_;
  Thread& thread_;
  grpc::ServerContext context_;
  inference::ModelInferRequest request_;
  inference::ModelInferResponse response_;
  grpc::ServerAsyncResponseWriter<inference::ModelInferResponse> writer_{&context_};
  std::optional<GrpcInference> inference_;
  Event came_{*this, &Call::came}, over_{*this, &Call::over}, sent_{*this, &Call::sent};
  bool started_ = false;
  bool is_logged_ = false;
  std::atomic<int> ends_{3};  // that are still to come
};

class GrpcInferThreads::Thread {
 public:
  Thread(GrpcInferThreads& all, std::unique_ptr<grpc::ServerCompletionQueue> queue)
      : all_(all), queue_(std::move(queue)) {}

  void start() {
    for (int i = 0; i < kWaitingForCalls; ++i) {
      ask();
    }
    thread_ = std::thread([this] { run(); });
  }

  void shut_down() { queue_->Shutdown(); }

  void join() {
    if (thread_.joinable()) {
      thread_.join();
      return;
    }
    Told told;
    while (queue_->Next(&told.tag, &told.ok)) {
    }
  }

  /// A call has come: it begins when all are there that have.
  void add(Call& call) {
    if (!all_.stopping_) {
      ask();
    }
    fresh_.push_back(&call);
  }

 private:
  struct Told {
    void* tag = nullptr;
    bool ok = false;
  };

  /// The call deletes itself when it has come to its end.
  void ask() { new Call(all_, *this, *queue_); }

  void run() {
    Told told;
    while (queue_->Next(&told.tag, &told.ok)) {
      handle(told);
      if (fresh_.empty()) {
        continue;
      }
      std::size_t handled = 1;
      while (!is_lone() && handled < kMostAtOnce &&
             look(told) == grpc::CompletionQueue::GOT_EVENT) {
        handle(told);
        ++handled;
      }
      begin_fresh();
    }
  }

  static void handle(const Told& told) {
    const Call::Event event = *static_cast<Call::Event*>(told.tag);
    (event.call.*event.handle)(told.ok);
  }

  /// To look for more takes longer than to read a call. Where the last calls were each alone, there
  /// is a look at one in some.
  bool is_lone() const {
    return is_alone() && lone_calls_ >= kLoneCalls && lone_calls_ % kLoneCalls != 0;
  }
  bool is_alone() const { return fresh_.size() == 1 && *all_.unanswered_ == 1; }

  /// Whoever is alone may run here; who is not gets to be in a batch.
  void begin_fresh() {
    const bool alone = is_alone();
    lone_calls_ = alone ? lone_calls_ + 1 : 0;
    for (Call* call : fresh_) {
      call->begin(alone);
    }
    fresh_.clear();
  }

  grpc::CompletionQueue::NextStatus look(Told& told) {
    return queue_->AsyncNext(&told.tag, &told.ok, gpr_inf_past(GPR_CLOCK_MONOTONIC));
  }

  GrpcInferThreads& all_;
  std::unique_ptr<grpc::ServerCompletionQueue> queue_;
  std::vector<Call*> fresh_;
  unsigned lone_calls_ = 0;  // one after the other
  std::thread thread_;
};

void GrpcInferThreads::Call::came(bool ok) {
  if (!ok) {
    delete this;  // the server ends; of a call that never was nothing else is told
    return;
  }
  ++*all_.unanswered_;
  thread_.add(*this);
}

GrpcInferThreads::GrpcInferThreads(const GrpcOptions& options, const ServingCore& core,
                                   GrpcService& service, grpc::ServerBuilder& builder)
    : options_(options), core_(core), service_(service) {
  for (int i = 0; i < std::max(options_.threads, 1); ++i) {
    threads_.push_back(std::make_unique<Thread>(*this, builder.AddCompletionQueue()));
  }
}

GrpcInferThreads::~GrpcInferThreads() {
  stop();
}

void GrpcInferThreads::start() {
  for (const auto& thread : threads_) {
    thread->start();
  }
}

void GrpcInferThreads::stop() {
  // A queue must not be shut down while an executor still answers into it.
  for (int left = *unanswered_; left > 0; left = *unanswered_) {
    unanswered_->wait(left);
  }
  for (const auto& thread : threads_) {
    thread->shut_down();
  }
  for (const auto& thread : threads_) {
    thread->join();
  }
  threads_.clear();
}

}  // namespace onnxop
