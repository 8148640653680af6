// ModelInfer and ModelStreamInfer.

#include <deque>
#include <utility>

#include "onnxop/server/grpc_inference.h"
#include "onnxop/server/grpc_methods.h"

namespace onnxop {
namespace {

class InferCall : public GrpcUnaryCall {
 public:
  InferCall(const GrpcContext& context, const GrpcHead& head, GrpcReply& reply)
      : GrpcUnaryCall(reply), context_(context), head_(head) {}
  ~InferCall() override {
    if (inference_) {
      inference_->abandon();
    }
  }

 private:
  void answer(GrpcMessage message) override {
    inference_ = std::make_shared<GrpcInference>(context_.options, context_.core, reply().thread(),
                                                 head_, std::move(message), [this] { done(); });
    if (const std::string* const field = head_.find("traceparent")) {
      if (const auto trace = read_traceparent(*field)) {
        reply().add_metadata("traceparent", trace->traceparent());
        inference_->set_trace(trace);
      }
    }
    reply().begin_soon(inference_);
  }

  void done() {
    if (inference_->status().ok()) {
      reply().send(inference_->take_answer());
    }
    reply().finish(inference_->status());
    reply().log_soon(inference_);
  }

  const GrpcContext& context_;
  const GrpcHead& head_;
  std::shared_ptr<GrpcInference> inference_;
};

class StreamInferCall : public GrpcCall {
 public:
  StreamInferCall(const GrpcContext& context, const GrpcHead& head, GrpcReply& reply)
      : context_(context), head_(head), reply_(reply) {}
  ~StreamInferCall() override {
    for (const Entry& entry : entries_) {
      entry.inference->abandon();
    }
  }

  void on_message(GrpcMessage message) override {
    Entry& entry = entries_.emplace_back();
    entry.inference =
        std::make_shared<GrpcInference>(context_.options, context_.core, reply_.thread(), head_,
                                        std::move(message), [this, &entry] { done(entry); });
    entry.inference->set_streamed();
    // Each by itself: the token may have been taken away meanwhile.
    entry.admitted =
        admit(context_.options, head_, "ModelStreamInfer", Permission::kInfer, GrpcAsks::kCall);
    if (!entry.admitted.ok()) {
      entry.inference->refuse(entry.admitted);
    }
    reply_.begin_soon(entry.inference);
  }

  void on_end() override {
    reading_ended_ = true;
    go_on();
  }

  bool wants_more() const override {
    return entries_.size() < static_cast<std::size_t>(context_.options.max_stream_inferences);
  }

 private:
  struct Entry {
    std::shared_ptr<GrpcInference> inference;
    GrpcStatus admitted;
    bool done = false;
  };

  void done(Entry& entry) {
    entry.done = true;
    go_on();
  }

  void go_on() {
    const bool was_full = !wants_more();
    while (!entries_.empty() && entries_.front().done) {
      const Entry entry = std::move(entries_.front());
      entries_.pop_front();
      reply_.send(entry.inference->take_answer());
      if (entry.admitted.ok()) {
        reply_.log_soon(entry.inference);
      }
    }
    if (reading_ended_ && entries_.empty()) {
      reply_.finish({});
    } else if (was_full && wants_more()) {
      reply_.read_on();
    }
  }

  const GrpcContext& context_;
  const GrpcHead& head_;
  GrpcReply& reply_;
  std::deque<Entry> entries_;  // in the order in which they came
  bool reading_ended_ = false;
};

}  // namespace

std::unique_ptr<GrpcCall> infer_call(const GrpcContext& context, const GrpcHead& head,
                                     GrpcReply& reply) {
  return std::make_unique<InferCall>(context, head, reply);
}

std::unique_ptr<GrpcCall> stream_infer_call(const GrpcContext& context, const GrpcHead& head,
                                            GrpcReply& reply) {
  return std::make_unique<StreamInferCall>(context, head, reply);
}

}  // namespace onnxop
