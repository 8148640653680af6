#pragma once
// Has the requests of one connection answered, each where its route wants it: on the I/O thread, on
// a control thread, or by a model on an executor.

#include <atomic>
#include <memory>

#include "onnxop/server/client_stream.h"
#include "onnxop/server/connection_context.h"
#include "onnxop/server/connection_set.h"
#include "onnxop/serving/executors.h"

namespace onnxop {

/// On the connection's I/O thread, which it outlives only in drop().
class Answering : private Job, private AnswerWaiter {
 public:
  Answering(ClientStream& stream, const ConnectionContext& context, ConnectionSet& set);
  Answering(const Answering&) = delete;
  Answering& operator=(const Answering&) = delete;

  /// To exchange.response, by the route that matched: here, if that is quick (true), else by
  /// run_elsewhere().
  bool run_here(Exchange& exchange);
  /// False: the client went away meanwhile, and there is nobody to answer.
  Awaitable<bool> run_elsewhere();

  /// On a thread of `lane`, while this coroutine waits; what it throws is nobody's. False: too many
  /// wait there already, and it is not done.
  Awaitable<bool> run_on(Lane lane, std::function<void()> work);

  /// After the I/O thread and the lanes have ended: waits for what an executor does for the
  /// exchange.
  void drop();

 private:
  void run() noexcept override;  // on a lane's thread
  void on_ready() override;

  Response call_handler();
  Awaitable<bool> run_blocking();
  Awaitable<bool> run_model();
  bool start_model(bool run_here);
  void wait_no_longer();

  /// How many calls of this connection executors are at: one, and those before it that have told
  /// of their answer but not come to their end. It outlives the connection, which may be gone then.
  using CallsElsewhere = std::atomic<int>;
  static void ended_elsewhere(CallsElsewhere& calls);

  ClientStream& stream_;
  const ConnectionContext& context_;
  ConnectionSet& set_;
  Exchange* exchange_ = nullptr;  // of the request that is being answered; null: none is
  std::function<void()> work_;    // for a lane
  Timer wake_;                    // cancelled when the answer is ready
  bool ready_ = false;            // the pending answer can be taken
  bool client_gone_ = false;
  std::shared_ptr<CallsElsewhere> elsewhere_ = std::make_shared<CallsElsewhere>(0);
};

}  // namespace onnxop
