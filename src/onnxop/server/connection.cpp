#include "onnxop/server/connection.h"

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include "onnxop/base/clock.h"
#include "onnxop/base/error.h"
#include "onnxop/base/log.h"
#include "onnxop/server/http_access.h"
#include "onnxop/server/request_log.h"
#include "onnxop/server/request_reader.h"

namespace onnxop {
namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;

std::vector<asio::const_buffer> parts_of(std::string_view head, const Response& response) {
  std::vector<asio::const_buffer> parts{asio::buffer(head), asio::buffer(response.body)};
  for (const auto& part : response.tail) {
    parts.emplace_back(part.data(), part.size());
  }
  return parts;
}

bool lets_origin_in(const ResponseFields& fields) {
  return std::any_of(fields.begin(), fields.end(), [](const auto& field) {
    return field.first == "Access-Control-Allow-Origin";
  });
}

/// All of the request is there.
void take_trace(Exchange& exchange) {
  exchange.read = std::chrono::steady_clock::now();
  if (const auto field = exchange.request.field("traceparent"); !field.empty()) {
    exchange.trace = read_traceparent(field);
  }
}

}  // namespace

Connection::Connection(Socket socket, const ConnectionContext& context, ConnectionSet& set)
    : stream_(std::move(socket)), context_(context), set_(set), answering_(stream_, context, set) {}

Connection::~Connection() {
  set_.open.erase(this);
  set_.on_closed();
}

Awaitable<void> Connection::serve(std::unique_ptr<Connection> self) {
  self->set_.open.insert(self.get());
  try {
    const bool understood = co_await self->shake_hands();
    if (understood) {
      co_await self->serve_requests();
    }
    co_await self->close();
  } catch (const std::exception& e) {
    log_error("a connection ended: {}", e.what());
  }
}

Awaitable<void> Connection::refuse(std::unique_ptr<Connection> self) {
  self->set_.open.insert(self.get());
  try {
    const bool understood = co_await self->shake_hands();
    if (understood) {
      self->refuse_request({503, format("there are {} connections already, expected fewer",
                                        self->context_.options.limits.max_connections)});
      self->exchange_->response.retry_after = 1;
      co_await self->respond();
    }
    co_await self->close();
  } catch (const std::exception& e) {
    log_error("a connection ended: {}", e.what());
  }
}

void Connection::close_if_idle() {
  if (idle_ && !stream_.has_input()) {
    stream_.cancel();
  }
}

void Connection::drop() {
  stream_.drop();
  answering_.drop();
}

/// True when requests can come: at once where TLS is not asked for. A client that speaks plain HTTP
/// to a server with TLS is told so.
Awaitable<bool> Connection::shake_hands() {
  if (!context_.options.tls) {
    co_return true;
  }
  const milliseconds timeout = context_.options.limits.handshake_timeout;
  stream_.set_deadline(timeout);
  const auto outcome =
      co_await stream_.start_tls(*context_.options.tls->current(), TlsProtocol::kHttp1);
  if (outcome == ClientStream::Read::kData) {
    co_return true;
  }
  ++context_.stats.tls_failures;
  const std::string problem = outcome == ClientStream::Read::kTimeout
                                  ? format("it took more than {} milliseconds", timeout.count())
                                  : stream_.tls_problem();
  if (context_.options.access_log && !problem.empty()) {
    log_fields(LogLevel::kInfo, "a TLS handshake failed",
               {{"client", stream_.remote_address()}, {"reason", problem}});
  }
  linger_ = outcome == ClientStream::Read::kEnd;  // it may be about to read why
  if (stream_.fall_back_to_clear()) {
    refuse_request({400, "this port speaks TLS: expected https:// instead of http://"});
    co_await respond();
  }
  co_return false;
}

Awaitable<void> Connection::serve_requests() {
  const HttpLimits& limits = context_.options.limits;
  milliseconds wait = limits.header_timeout;  // for the first request
  while (keep_alive_) {
    const bool coming = co_await wait_for_request(wait);
    if (!coming) {
      co_return;
    }
    co_await read_request();
    take_trace(*exchange_);
    co_await respond();
    wait = limits.idle_timeout;
  }
}

/// False when the client has gone, or no request came in time. Meanwhile the exchange is where
/// others can use it.
Awaitable<bool> Connection::wait_for_request(milliseconds timeout) {
  if (exchange_) {
    exchange_->reset();
    give_back_if_empty();
  }
  stream_.set_deadline(timeout);
  while (!exchange_) {
    if (context_.draining && !stream_.has_input()) {
      co_return false;
    }
    idle_ = true;
    auto outcome = co_await stream_.wait();
    idle_ = false;
    if (outcome == ClientStream::Read::kData) {
      exchange_ = set_.exchanges.take(context_.options.limits);
      outcome = stream_.read_now(exchange_->input, kHeadRead);
    }
    if (outcome != ClientStream::Read::kData) {
      co_return false;
    }
    give_back_if_empty();
  }
  exchange_->started = set_.last_request = std::chrono::steady_clock::now();
  co_return true;
}

void Connection::give_back_if_empty() {
  skip_empty_lines(*exchange_);
  if (exchange_->input.size() == 0) {
    set_.exchanges.give_back(std::move(exchange_));
  }
}

/// The route that the request is for, or why there is none; and how large its body may be.
void Connection::find_route() {
  Exchange& exchange = *exchange_;
  const ServerOptions& options = context_.options;
  exchange.match = context_.routes.match(exchange.request.method, exchange.request.target);
  RouteTable::Match& match = exchange.match;
  if (options.gate) {
    admit(
        *options.gate, exchange.request, [this] { return stream_.remote_address(); }, match);
  }
  check_host(context_.hosts, exchange.request, lets_origin_in(match.fields), match);
  if (match.route == nullptr) {
    return;
  }
  if (match.route->lane != Lane::kIo) {
    exchange.request.actor = match.token.empty() ? "http " + stream_.remote_address() : match.token;
  }
  exchange.parser.limit_body(match.route->body_file ? options.max_artifact_bytes
                                                    : options.limits.max_body_bytes);
  exchange.problem = exchange.parser.problem();
}

/// To its end, or to a response that refuses it. A body that nobody wants is read all the same, so
/// that the next request can be, unless it is a large one.
Awaitable<void> Connection::read_request() {
  Exchange& exchange = *exchange_;
  RequestParser& parser = exchange.parser;
  const HttpLimits& limits = context_.options.limits;
  if (!parse_head(exchange)) {
    co_await read_head(stream_, limits, exchange);
  }
  if (!exchange.problem) {
    find_route();
  }
  if (!exchange.problem) {
    const bool wanted = exchange.match.route != nullptr;
    const bool client_waits = parser.expects_continue() && parser.has_body();
    if (!wanted) {
      parser.discard_body();
    }
    if (!wanted && (client_waits || parser.body_length() > limits.max_body_bytes)) {
      // A client that waits does so for this answer, and the body will not come, or not be looked
      // at.
      keep_alive_ = false;
      linger_ = true;
      co_return;
    }
    if (client_waits) {
      co_await invite_body(stream_, limits, exchange);
    }
    if (wanted && exchange.match.route->body_file && !exchange.problem) {
      co_await receive_file();
    } else if (!exchange.problem && !parse_body(exchange)) {
      co_await read_body(stream_, limits, exchange);
    }
  }
  if (exchange.problem) {
    refuse_request(*exchange.problem);
  }
}

/// Answers and logs; afterwards keep_alive_ says whether another request may come.
Awaitable<void> Connection::respond() {
  Exchange& exchange = *exchange_;
  if (!responded_) {
    keep_alive_ = keep_alive_ && exchange.parser.keep_alive();
    if (exchange.match.route == nullptr) {
      exchange.response = std::move(exchange.match.refusal);
    } else if (!answering_.run_here(exchange)) {
      const bool client_is_there = co_await answering_.run_elsewhere();
      if (!client_is_there) {
        keep_alive_ = false;
        co_return;
      }
    }
  }
  const ResponseFields& fields = exchange.match.fields;
  exchange.response.fields.insert(exchange.response.fields.end(), fields.begin(), fields.end());
  const std::int64_t most = context_.options.limits.max_requests;
  keep_alive_ = keep_alive_ && !context_.unready && (most == 0 || ++answered_ < most);
  if (exchange.trace) {
    exchange.response.fields.emplace_back("traceparent", exchange.trace->traceparent());
  }
  const bool written = co_await write_response();
  if (!written) {
    keep_alive_ = false;
    linger_ = false;
  }
  account();
}

Awaitable<bool> Connection::write_response() {
  Exchange& exchange = *exchange_;
  const Response& response = exchange.response;
  const milliseconds timeout = context_.options.limits.write_timeout;
  exchange.head = response_head(response, keep_alive_, exchange.parser.http10());
  if (response.file && exchange.request.method != "HEAD") {
    return write_file();
  }
  const std::string_view body =
      exchange.request.method == "HEAD" ? std::string_view() : response.body;
  return response.tail.empty() || body.empty()
             ? stream_.write(exchange.head, body, timeout)
             : stream_.write(parts_of(exchange.head, response), timeout);
}

/// The answer to a request that cannot be understood; the connection ends with it.
void Connection::refuse_request(const HttpProblem& problem) {
  if (!exchange_) {
    exchange_ = set_.exchanges.take(context_.options.limits);
    exchange_->started = exchange_->read = std::chrono::steady_clock::now();
  }
  exchange_->response =
      error_response(problem.status, problem.message, error_form(exchange_->request.target));
  responded_ = true;
  keep_alive_ = false;
  linger_ = true;
}

Awaitable<void> Connection::close() {
  const bool unread = exchange_ && exchange_->input.size() > 0;
  if (exchange_) {
    exchange_->input.clear();
    exchange_->reset();
    set_.exchanges.give_back(std::move(exchange_));
  }
  co_await stream_.close(linger_ || unread, context_.options.limits.linger_timeout);
}

/// In statistics and log, once it was answered.
void Connection::account() const {
  const Exchange& exchange = *exchange_;
  const Response& response = exchange.response;
  const SteadyTime now = std::chrono::steady_clock::now();
  context_.stats.count_response(response.status);
  if (response.model) {
    response.model->stats->count_request(Protocol::kHttp, response.status,
                                         seconds_between(exchange.started, now));
  }
  log_request({context_.options.access_log, context_.options.slow_request_ms},
              {.protocol = "http",
               .method = exchange.request.method,
               .path = exchange.request.target,
               .status = response.status,
               .bytes = static_cast<std::int64_t>(response.size()),
               .model = response.model.get(),
               .trace = exchange.trace ? &*exchange.trace : nullptr,
               .begun = exchange.started,
               .read = exchange.read,
               .times = exchange.times,
               .answered = now});
}

}  // namespace onnxop
