#include "onnxop/server/request_reader.h"

#include "onnxop/base/format.h"

namespace onnxop {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kBodyRead = 64U << 10;

void feed_parser(Exchange& exchange) {
  const auto bytes = exchange.input.cdata();
  const std::size_t used =
      exchange.parser.feed(std::string_view(static_cast<const char*>(bytes.data()), bytes.size()));
  exchange.input.consume(used);
  exchange.problem = exchange.parser.problem();
}

HttpProblem problem_of(ClientStream::Read outcome, const RequestParser& parser,
                       std::string_view what, milliseconds timeout) {
  if (outcome == ClientStream::Read::kTimeout) {
    return {408, format("{} did not come within {} milliseconds", what, timeout.count())};
  }
  return parser.end_of_input();
}

}  // namespace

void skip_empty_lines(Exchange& exchange) {
  while (exchange.input.size() > 0) {
    const char first = *static_cast<const char*>(exchange.input.cdata().data());
    if (first != '\r' && first != '\n') {
      return;
    }
    exchange.input.consume(1);
  }
}

bool parse_head(Exchange& exchange) {
  feed_parser(exchange);
  return exchange.problem || exchange.parser.head_done();
}

Awaitable<void> read_head(ClientStream& stream, const HttpLimits& limits, Exchange& exchange) {
  stream.set_deadline(limits.header_timeout);
  do {
    const auto outcome = co_await stream.read(exchange.input, kHeadRead);
    if (outcome != ClientStream::Read::kData) {
      exchange.problem =
          problem_of(outcome, exchange.parser, "the request's head", limits.header_timeout);
      co_return;
    }
  } while (!parse_head(exchange));
}

bool parse_body(Exchange& exchange) {
  if (!exchange.parser.done()) {
    feed_parser(exchange);
  }
  return exchange.problem || exchange.parser.done();
}

Awaitable<void> read_body(ClientStream& stream, const HttpLimits& limits, Exchange& exchange) {
  stream.set_deadline(limits.body_timeout);
  do {
    const auto outcome = co_await stream.read(exchange.input, kBodyRead);
    if (outcome != ClientStream::Read::kData) {
      exchange.problem =
          problem_of(outcome, exchange.parser, "the request's body", limits.body_timeout);
      co_return;
    }
  } while (!parse_body(exchange));
}

Awaitable<bool> read_body_piece(ClientStream& stream, const HttpLimits& limits, Exchange& exchange,
                                std::size_t bytes) {
  while (!parse_body(exchange) && exchange.request.content().size() < bytes) {
    const auto outcome = co_await stream.read(exchange.input, kBodyRead);
    if (outcome != ClientStream::Read::kData) {
      exchange.problem = problem_of(outcome, exchange.parser, "a piece of the request's body",
                                    limits.body_timeout);
      co_return true;
    }
  }
  co_return exchange.parser.done();
}

Awaitable<void> invite_body(ClientStream& stream, const HttpLimits& limits, Exchange& exchange) {
  const bool written =
      co_await stream.write("HTTP/1.1 100 Continue\r\n\r\n", {}, limits.write_timeout);
  if (!written) {
    exchange.problem = HttpProblem{408, "the client is gone"};
  }
}

}  // namespace onnxop
