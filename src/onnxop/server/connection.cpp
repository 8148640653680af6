#include "onnxop/server/connection.h"

#include <algorithm>
#include <array>
#include <thread>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/write.hpp>

#include "onnxop/base/clock.h"
#include "onnxop/base/error.h"
#include "onnxop/base/log.h"

namespace onnxop {
namespace {

namespace asio = boost::asio;
using ErrorCodeOfSystem = boost::system::error_code;
using std::chrono::milliseconds;

constexpr std::size_t kHeadRead = 4U << 10;
constexpr std::size_t kBodyRead = 64U << 10;
// What a connection keeps between requests.
constexpr std::size_t kKeptBuffer = 16U << 10;
constexpr std::size_t kKeptBody = 256U << 10;

constexpr auto kNever = std::chrono::steady_clock::time_point::max();

std::vector<asio::const_buffer> parts_of(std::string_view head, const Response& response) {
  std::vector<asio::const_buffer> parts{asio::buffer(head), asio::buffer(response.body)};
  for (const auto& part : response.tail) {
    parts.emplace_back(part.data(), part.size());
  }
  return parts;
}

double milliseconds_since(std::chrono::steady_clock::time_point start) {
  return 1e3 * seconds_between(start, std::chrono::steady_clock::now());
}

}  // namespace

Connection::Connection(Socket socket, const ConnectionContext& context, ConnectionSet& set)
    : socket_(std::move(socket)),
      timer_(socket_.get_executor()),
      answer_ready_(socket_.get_executor()),
      context_(context),
      set_(set),
      parser_(context.options.limits, request_) {
  ErrorCodeOfSystem ignored;
  socket_.non_blocking(true, ignored);
}

Connection::~Connection() {
  set_.open.erase(this);
  set_.on_closed();
}

Awaitable<void> Connection::serve(std::unique_ptr<Connection> self) {
  self->set_.open.insert(self.get());
  try {
    co_await self->serve_requests();
    co_await self->close();
  } catch (const std::exception& e) {
    log_error("a connection ended: {}", e.what());
  }
}

Awaitable<void> Connection::refuse(std::unique_ptr<Connection> self) {
  self->set_.open.insert(self.get());
  try {
    self->refuse_request(503, format("there are {} connections already, expected fewer",
                                     self->context_.options.limits.max_connections));
    self->response_.retry_after = 1;
    self->started_ = std::chrono::steady_clock::now();
    co_await self->respond();
    co_await self->close();
  } catch (const std::exception& e) {
    log_error("a connection ended: {}", e.what());
  }
}

void Connection::close_if_idle() {
  ErrorCodeOfSystem ignored;
  if (idle_ && socket_.available(ignored) == 0) {
    socket_.cancel(ignored);
  }
}

void Connection::drop() {
  ErrorCodeOfSystem ignored;
  socket_.close(ignored);
  if (pending_ && elsewhere_ && pending_->cancel()) {
    return;
  }
  elsewhere_.wait(true);
}

Awaitable<void> Connection::serve_requests() {
  const HttpLimits& limits = context_.options.limits;
  milliseconds wait = limits.header_timeout;  // for the first request
  while (keep_alive_) {
    const bool coming = co_await wait_for_request(wait);
    if (!coming) {
      co_return;
    }
    co_await read_head();
    if (!responded_) {
      match_ = context_.routes.match(request_.method, request_.target);
      const bool wanted = match_.route != nullptr;
      co_await read_body(wanted);
    }
    co_await respond();
    wait = limits.idle_timeout;
  }
}

/// False when the client has gone, or no request came in time.
Awaitable<bool> Connection::wait_for_request(milliseconds timeout) {
  parser_.reset();
  response_ = {};
  match_ = {};
  responded_ = false;
  if (request_.body.capacity() > kKeptBody) {
    request_.body = {};
  }
  if (buffer_.size() == 0 && buffer_.capacity() > kKeptBuffer) {
    buffer_ = {};
  }
  skip_empty_lines();
  set_deadline(timeout);
  while (buffer_.size() == 0) {
    ErrorCodeOfSystem ignored;
    if (context_.draining && socket_.available(ignored) == 0) {
      co_return false;
    }
    idle_ = true;
    const Read outcome = co_await read_more(kHeadRead);
    idle_ = false;
    if (outcome != Read::kData) {
      co_return false;
    }
    skip_empty_lines();
  }
  started_ = std::chrono::steady_clock::now();
  co_return true;
}

/// To the end of the head, or to a response that refuses it.
Awaitable<void> Connection::read_head() {
  const milliseconds timeout = context_.options.limits.header_timeout;
  for (bool first = true; !feed_parser(); first = false) {
    if (parser_.head_done()) {
      co_return;
    }
    if (first) {
      set_deadline(timeout);
    }
    const Read outcome = co_await read_more(kHeadRead);
    if (outcome != Read::kData) {
      take_problem(outcome, "the request's head", timeout);
      co_return;
    }
  }
}

/// To the end of the body, or to a response that refuses it. A body that nobody wants is read all
/// the same, so that the next request can be.
Awaitable<void> Connection::read_body(bool wanted) {
  const milliseconds timeout = context_.options.limits.body_timeout;
  if (!wanted) {
    parser_.discard_body();
  }
  if (parser_.expects_continue() && parser_.has_body()) {
    if (!wanted) {
      // The client waits for a word: this is it, and the body will not come, or not be looked at.
      keep_alive_ = false;
      linger_ = true;
      co_return;
    }
    const bool written = co_await write_all("HTTP/1.1 100 Continue\r\n\r\n", {});
    if (!written) {
      refuse_request(408, "the client is gone");
      co_return;
    }
  }
  if (parser_.done()) {
    co_return;
  }
  for (bool first = true; !feed_parser(); first = false) {
    if (parser_.done()) {
      co_return;
    }
    if (first) {
      set_deadline(timeout);
    }
    const Read outcome = co_await read_more(kBodyRead);
    if (outcome != Read::kData) {
      take_problem(outcome, "the request's body", timeout);
      co_return;
    }
  }
}

/// Answers and logs; afterwards keep_alive_ says whether another request may come.
Awaitable<void> Connection::respond() {
  if (!responded_) {
    keep_alive_ = keep_alive_ && parser_.keep_alive();
    if (match_.route == nullptr) {
      response_ = std::move(match_.refusal);
    } else if (match_.route->pending) {
      co_await run_model();
    } else if (match_.route->blocks) {
      co_await run_handler();
    } else {
      response_ = run_plain_handler();
    }
  }
  if (client_gone_) {
    keep_alive_ = false;
    co_return;
  }
  keep_alive_ = keep_alive_ && !context_.draining;
  const bool http10 = parser_.http10();
  head_ = response_head(response_, keep_alive_, http10);
  const std::string_view body = request_.method == "HEAD" ? std::string_view() : response_.body;
  const bool written = response_.tail.empty() || body.empty()
                           ? co_await write_all(head_, body)
                           : co_await write_parts(parts_of(head_, response_));
  if (!written) {
    keep_alive_ = false;
    linger_ = false;
  }
  context_.stats.count_response(response_.status);
  if (response_.model) {
    response_.model->stats->count_request(Protocol::kHttp, response_.status,
                                          milliseconds_since(started_) / 1e3);
  }
  if (context_.options.access_log) {
    log_access();
  }
}

/// For handlers that block.
Awaitable<void> Connection::run_handler() {
  clear_deadline();
  answer_ready_.expires_at(Timer::time_point::max());
  elsewhere_ = true;
  if (!context_.control.try_submit(*this)) {
    elsewhere_ = false;
    response_ = error_response(503, "too many requests of this kind wait already");
    response_.retry_after = 1;
    co_return;
  }
  // The message of the control thread cannot be handled before this thread waits for it.
  ErrorCodeOfSystem done;
  co_await answer_ready_.async_wait(asio::redirect_error(kUseAwaitable, done));
}

Response Connection::run_plain_handler() {
  return answer(request_, [this] {
    request_.path_values = std::move(match_.path_values);
    decode_body(request_, context_.options.max_decoded_bytes);
    Response response = match_.route->handler(request_);
    encode_body(response, accepted_encoding(request_.field("accept-encoding")));
    return response;
  });
}

void Connection::run() noexcept {
  response_ = run_plain_handler();
  asio::post(socket_.get_executor(), [this] { answer_ready_.cancel(); });
  ended_elsewhere();
}

/// For drop(), which may be waiting; nothing of the connection is touched afterwards.
void Connection::ended_elsewhere() {
  elsewhere_ = false;
  elsewhere_.notify_all();
}

/// Has a model answer. Where this is the only request of the thread, the model may run right here;
/// whoever has sent one too gets to be heard before.
Awaitable<void> Connection::run_model() {
  clear_deadline();
  int& in_flight = set_.in_flight;
  ++in_flight;
  bool alone = in_flight == 1;
  if (alone) {
    co_await asio::post(kUseAwaitable);
    alone = in_flight == 1;
  }
  if (start_model(alone)) {
    if (!ready_) {
      watch_client();
      answer_ready_.expires_at(Timer::time_point::max());
      ErrorCodeOfSystem done;
      while (!ready_ && !client_gone_) {
        co_await answer_ready_.async_wait(asio::redirect_error(kUseAwaitable, done));
      }
      watch_number_ = 0;
    }
    if (ready_) {
      response_ = answer(request_, [this] { return pending_->take(); });
      response_.model = pending_->model();
    }
  }
  pending_.reset();
  --in_flight;
}

/// False: it was refused, and the response says why.
bool Connection::start_model(bool run_here) {
  ready_ = false;
  bool started = false;
  Response refusal = answer(request_, [&] {
    request_.path_values = std::move(match_.path_values);
    decode_body(request_, context_.options.max_decoded_bytes);
    pending_ = match_.route->pending(request_);
    pending_->encoding = accepted_encoding(request_.field("accept-encoding"));
    elsewhere_ = true;
    pending_->start(run_here, [this, here = std::this_thread::get_id()] {
      if (std::this_thread::get_id() == here) {
        ready_ = true;
        elsewhere_ = false;
        return;
      }
      asio::post(socket_.get_executor(), [this] {
        ready_ = true;
        answer_ready_.cancel();
      });
      ended_elsewhere();
    });
    started = true;
    return Response();
  });
  if (!started) {
    elsewhere_ = false;
    refusal.model = pending_ ? pending_->model() : nullptr;
    response_ = std::move(refusal);
  }
  return started;
}

/// A client that goes away while its request waits needs no answer. What it may have sent already
/// for its next request tells nothing.
void Connection::watch_client() {
  const std::uint64_t number = ++set_.last_timer;
  watch_number_ = number;
  socket_.async_wait(Socket::wait_read,
                     [this, number, &open = set_.open](const ErrorCodeOfSystem& error) {
                       ErrorCodeOfSystem ignored;
                       if (error || !open.contains(this) || number != watch_number_ || ready_ ||
                           socket_.available(ignored) > 0 || !pending_->cancel()) {
                         return;
                       }
                       client_gone_ = true;
                       elsewhere_ = false;
                       answer_ready_.cancel();
                     });
}

Awaitable<Connection::Read> Connection::read_more(std::size_t at_most) {
  ErrorCodeOfSystem error;
  const auto space = buffer_.prepare(at_most);
  const std::size_t count =
      co_await socket_.async_read_some(space, asio::redirect_error(kUseAwaitable, error));
  buffer_.commit(count);
  if (timed_out_) {
    co_return Read::kTimeout;
  }
  co_return error ? Read::kEnd : Read::kData;
}

Awaitable<bool> Connection::write_all(std::string_view head, std::string_view body) {
  std::array<asio::const_buffer, 2> parts{asio::buffer(head), asio::buffer(body)};
  ErrorCodeOfSystem error;
  // Nearly always all of it goes at once.
  const std::size_t sent = socket_.write_some(parts, error);
  if (error && error != asio::error::would_block) {
    co_return false;
  }
  if (sent == head.size() + body.size()) {
    co_return true;
  }
  parts[0] += sent;
  parts[1] += sent - std::min(sent, head.size());
  set_deadline(context_.options.limits.write_timeout);
  co_await asio::async_write(socket_, parts, asio::redirect_error(kUseAwaitable, error));
  co_return !error && !timed_out_;
}

Awaitable<bool> Connection::write_parts(std::vector<asio::const_buffer> parts) {
  ErrorCodeOfSystem error;
  set_deadline(context_.options.limits.write_timeout);
  co_await asio::async_write(socket_, parts, asio::redirect_error(kUseAwaitable, error));
  co_return !error && !timed_out_;
}

/// A refused client may not have read its answer, and would lose it if data of it arrived at a
/// closed socket: it gets some time, while what it sends is thrown away.
Awaitable<void> Connection::close() {
  ErrorCodeOfSystem ignored;
  linger_ = linger_ || buffer_.size() > 0 || socket_.available(ignored) > 0;
  socket_.shutdown(Socket::shutdown_send, ignored);
  if (linger_) {
    set_deadline(context_.options.limits.linger_timeout);
    Read outcome = Read::kData;
    while (outcome == Read::kData) {
      buffer_.consume(buffer_.size());
      outcome = co_await read_more(kBodyRead);
    }
  }
  timer_.cancel();
  socket_.close(ignored);
}

/// Gives the parser what has come. True: it has refused it, and a response is made.
bool Connection::feed_parser() {
  const auto bytes = buffer_.cdata();
  const std::size_t used =
      parser_.feed(std::string_view(static_cast<const char*>(bytes.data()), bytes.size()));
  buffer_.consume(used);
  if (!parser_.problem()) {
    return false;
  }
  refuse_request(parser_.problem()->status, parser_.problem()->message);
  return true;
}

/// RFC 9112, section 2.2: some clients send one after a body.
void Connection::skip_empty_lines() {
  while (buffer_.size() > 0) {
    const char first = *static_cast<const char*>(buffer_.cdata().data());
    if (first != '\r' && first != '\n') {
      return;
    }
    buffer_.consume(1);
  }
}

void Connection::take_problem(Read outcome, std::string_view what, milliseconds timeout) {
  if (outcome == Read::kTimeout) {
    refuse_request(408, format("{} did not come within {} milliseconds", what, timeout.count()));
  } else {
    const HttpProblem problem = parser_.end_of_input();
    refuse_request(problem.status, problem.message);
  }
}

/// The answer to a request that cannot be understood; the connection ends with it.
void Connection::refuse_request(int status, std::string_view message) {
  response_ = error_response(status, message);
  responded_ = true;
  keep_alive_ = false;
  linger_ = true;
}

/// From now on; what waits longer is cancelled, and timed_out_ says so. Deadlines mostly move away,
/// and setting a timer is a system call: the timer stays, and looks at the deadline when it rings.
void Connection::set_deadline(milliseconds timeout) {
  timed_out_ = false;
  deadline_ = std::chrono::steady_clock::now() + timeout;
  if (deadline_ < timer_rings_) {
    set_timer();
  }
}

void Connection::clear_deadline() {
  timed_out_ = false;
  deadline_ = kNever;
}

void Connection::set_timer() {
  timer_rings_ = deadline_;
  const std::uint64_t number = ++set_.last_timer;
  timer_number_ = number;
  timer_.expires_at(deadline_);
  // The set knows whether the connection is still there when the message of an old wait comes.
  timer_.async_wait([this, number, &open = set_.open](const ErrorCodeOfSystem& error) {
    if (!error && open.contains(this) && number == timer_number_) {
      check_deadline();
    }
  });
}

void Connection::check_deadline() {
  timer_rings_ = kNever;
  if (deadline_ <= std::chrono::steady_clock::now()) {
    ErrorCodeOfSystem ignored;
    timed_out_ = true;
    socket_.cancel(ignored);
  } else if (deadline_ != kNever) {
    set_timer();
  }
}

void Connection::log_access() const {
  constexpr std::size_t kLongestPath = 256;
  const std::array<LogField, 7> fields{
      {{"method", std::string_view(request_.method)},
       {"path", std::string_view(request_.target).substr(0, kLongestPath)},
       {"status", static_cast<std::int64_t>(response_.status)},
       {"bytes", static_cast<std::int64_t>(response_.size())},
       {"milliseconds", milliseconds_since(started_)},
       {"model", response_.model ? std::string_view(response_.model->name) : std::string_view()},
       {"version", response_.model ? response_.model->version : 0}}};
  log_fields(LogLevel::kInfo, "request",
             std::span(fields.data(), response_.model ? fields.size() : fields.size() - 2));
}

}  // namespace onnxop
