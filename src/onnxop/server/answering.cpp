#include "onnxop/server/answering.h"

#include <thread>
#include <utility>

#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>

#include "onnxop/base/log.h"
#include "onnxop/server/compression.h"

namespace onnxop {
namespace {

namespace asio = boost::asio;
using ErrorCodeOfSystem = boost::system::error_code;

}  // namespace

Answering::Answering(ClientStream& stream, const ConnectionContext& context, ConnectionSet& set)
    : stream_(stream), context_(context), set_(set), wake_(stream.executor()) {}

void Answering::drop() {
  const bool waits = *elsewhere_ > 0 && exchange_ != nullptr && exchange_->pending;
  if (waits && exchange_->pending->cancel()) {
    ended_elsewhere(*elsewhere_);
  }
  for (int calls = *elsewhere_; calls > 0; calls = *elsewhere_) {
    elsewhere_->wait(calls);
  }
}

bool Answering::run_here(Exchange& exchange) {
  exchange_ = &exchange;
  const Route& route = *exchange.match.route;
  if (route.pending || route.lane != Lane::kIo) {
    return false;
  }
  exchange.response = call_handler();
  exchange_ = nullptr;
  return true;
}

Awaitable<bool> Answering::run_elsewhere() {
  return exchange_->match.route->pending ? run_model() : run_blocking();
}

Response Answering::call_handler() {
  Exchange& exchange = *exchange_;
  return answer(exchange.request, [&] {
    Request& request = exchange.request;
    request.path_values = std::move(exchange.match.path_values);
    if (!request.body_file) {
      decode_body(request, context_.options.max_decoded_bytes);
    }
    const Route& route = *exchange.match.route;
    Response response = route.handler(request);
    if (route.encodes && !response.file) {
      encode_body(response, accepted_encoding(request.field("accept-encoding")));
    }
    return response;
  });
}

Awaitable<bool> Answering::run_blocking() {
  std::function<void()> work = [this] { exchange_->response = call_handler(); };
  const bool done = co_await run_on(exchange_->match.route->lane, std::move(work));
  if (!done) {
    exchange_->response = error_response(503, "too many requests of this kind wait already",
                                         error_form(exchange_->request.target));
    exchange_->response.retry_after = 1;
  }
  exchange_ = nullptr;
  co_return true;
}

Awaitable<bool> Answering::run_on(Lane lane, std::function<void()> work) {
  stream_.clear_deadline();
  wake_.expires_at(Timer::time_point::max());
  work_ = std::move(work);
  if (!context_.lanes.of(lane).try_submit(*this)) {
    co_return false;
  }
  // The message of the lane's thread cannot be handled before this thread waits for it.
  ErrorCodeOfSystem done;
  co_await wake_.async_wait(asio::redirect_error(kUseAwaitable, done));
  co_return true;
}

void Answering::run() noexcept {
  try {
    work_();
  } catch (const std::exception& e) {
    log_error("work for a request ended: {}", e.what());
  }
  asio::post(stream_.executor(), [this] { wake_.cancel(); });
}

void Answering::on_ready() {
  ready_ = true;
  wake_.cancel();
}

/// For drop(), which may be waiting.
void Answering::ended_elsewhere(CallsElsewhere& calls) {
  --calls;
  calls.notify_all();
}

/// Where this is the only request of the thread, the model may run right here; whoever has sent one
/// too gets to be heard before.
Awaitable<bool> Answering::run_model() {
  stream_.clear_deadline();
  int& in_flight = set_.in_flight;
  ++in_flight;
  bool alone = in_flight == 1;
  if (alone && set_.open.size() > 1) {
    co_await asio::post(kUseAwaitable);
    alone = in_flight == 1;
  }
  if (start_model(alone)) {
    if (!ready_) {
      stream_.watch([this] { wait_no_longer(); });
      wake_.expires_at(Timer::time_point::max());
      ErrorCodeOfSystem done;
      while (!ready_ && !client_gone_) {
        co_await wake_.async_wait(asio::redirect_error(kUseAwaitable, done));
      }
      stream_.unwatch();
    }
    if (ready_) {
      exchange_->response =
          answer(exchange_->request, [this] { return exchange_->pending->take(); });
      exchange_->response.model = exchange_->pending->model();
      exchange_->times = exchange_->pending->times();
    }
  }
  exchange_->pending.reset();
  exchange_ = nullptr;
  --in_flight;
  co_return !client_gone_;
}

/// False: it was refused, and the response says why.
bool Answering::start_model(bool run_here) {
  Exchange& exchange = *exchange_;
  ready_ = false;
  bool counted = false;
  bool started = false;
  Response refusal = answer(exchange.request, [&] {
    exchange.request.path_values = std::move(exchange.match.path_values);
    decode_body(exchange.request, context_.options.max_decoded_bytes);
    exchange.pending = exchange.match.route->pending(exchange.request);
    exchange.pending->encoding = accepted_encoding(exchange.request.field("accept-encoding"));
    ++*elsewhere_;
    counted = true;
    exchange.pending->start(run_here,
                            [this, here = std::this_thread::get_id(), calls = elsewhere_] {
                              if (std::this_thread::get_id() == here) {
                                ready_ = true;
                              } else {
                                // From here on the connection may be gone at any moment.
                                set_.ready.add(*this, stream_.executor());
                              }
                              ended_elsewhere(*calls);
                            });
    started = true;
    return Response();
  });
  if (!started) {
    if (counted) {
      ended_elsewhere(*elsewhere_);
    }
    refusal.model = exchange.pending ? exchange.pending->model() : nullptr;
    exchange.response = std::move(refusal);
  }
  return started;
}

/// The client has gone away: it needs no answer, unless an executor is at it already.
void Answering::wait_no_longer() {
  if (ready_ || !exchange_->pending->cancel()) {
    return;
  }
  client_gone_ = true;
  ended_elsewhere(*elsewhere_);
  wake_.cancel();
}

}  // namespace onnxop
