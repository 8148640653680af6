#pragma once
// A call of gRPC between its stream, which reads and writes, and its method, which answers. All of
// it on one I/O thread.

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "onnxop/base/clock.h"
#include "onnxop/base/error.h"
#include "onnxop/server/asio_types.h"
#include "onnxop/server/io_activity.h"
#include "onnxop/server/ready_answers.h"
#include "onnxop/wire/grpc_protocol.h"

namespace onnxop {

class GrpcInference;

/// What a client says of a call before its messages.
struct GrpcHead {
  std::string path;
  std::vector<std::pair<std::string, std::string>> metadata;  // without gRPC's own fields
  std::string encoding;                                       // of compressed messages
  SteadyTime deadline = SteadyTime::max();
  std::function<std::string()> address;  // the client's

  /// The first of that name; null: none. Names are in lower case.
  const std::string* find(std::string_view name) const {
    for (const auto& [each, value] : metadata) {
      if (each == name) {
        return &value;
      }
    }
    return nullptr;
  }
};

/// What another thread does for a call.
class GrpcWork : public AnswerWaiter {
 public:
  /// When the I/O threads have ended: whoever has not begun it will not.
  virtual void give_up() = 0;
};

/// What the calls of one I/O thread share.
struct GrpcThread {
  IoActivity activity = {};
  ReadyAnswers ready = {};
  IoExecutor executor;
  /// What other threads are at: it is kept, whoever goes, until it is told of its end here.
  std::unordered_set<std::shared_ptr<GrpcWork>> elsewhere = {};
  /// How many of these have not told of it. Who tells does so when all else may be gone.
  std::shared_ptr<std::atomic<int>> at_work = std::make_shared<std::atomic<int>>(0);

  void work_begins() { ++*at_work; }
  static void work_ended(std::atomic<int>& work) {
    --work;
    work.notify_all();
  }
};

/// The way back to the client. Outlives its call.
class GrpcReply {
 public:
  virtual ~GrpcReply() = default;

  virtual GrpcThread& thread() = 0;
  /// Before all else: initial metadata.
  virtual void add_metadata(std::string name, std::string value) = 0;
  /// A message with its prefix.
  virtual void send(std::string frame) = 0;
  /// The last word; once.
  virtual void finish(const GrpcStatus& status) = 0;
  /// The call wants more messages again.
  virtual void read_on() = 0;
  /// Begins it when all is read that has come, so that those who come together run together.
  virtual void begin_soon(std::shared_ptr<GrpcInference> inference) = 0;
  /// Logs it when its answer is on its way.
  virtual void log_soon(std::shared_ptr<GrpcInference> inference) = 0;
};

/// Goes when its client is gone, or has all of its answer.
class GrpcCall {
 public:
  GrpcCall() = default;
  virtual ~GrpcCall() = default;
  GrpcCall(const GrpcCall&) = delete;
  GrpcCall& operator=(const GrpcCall&) = delete;

  // May throw an Error, with which the call ends.

  virtual void on_message(GrpcMessage message) = 0;
  /// The client sends no more.
  virtual void on_end() = 0;

  /// False: messages wait, at last at the client, until GrpcReply::read_on().
  virtual bool wants_more() const { return true; }
  /// The server has begun to end.
  virtual void on_drain() {}
  /// Its connection takes no new calls, and ends when none is left.
  virtual void on_retire() {}
};

/// A call of one message.
class GrpcUnaryCall : public GrpcCall {
 public:
  explicit GrpcUnaryCall(GrpcReply& reply) : reply_(reply) {}

  void on_message(GrpcMessage message) final {
    if (message_) {
      fail(ErrorCode::kInvalidArgument, "got a second message, expected one");
    }
    message_ = std::move(message);
  }
  void on_end() final {
    if (!message_) {
      fail(ErrorCode::kInvalidArgument, "got no message, expected one");
    }
    answer(std::move(*message_));
  }

 protected:
  GrpcReply& reply() { return reply_; }
  virtual void answer(GrpcMessage message) = 0;

 private:
  GrpcReply& reply_;
  std::optional<GrpcMessage> message_;
};

}  // namespace onnxop
