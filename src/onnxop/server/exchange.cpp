#include "onnxop/server/exchange.h"

#include <utility>

namespace onnxop {
namespace {

constexpr std::size_t kMostHeld = 16U << 20;  // by the spare exchanges of a thread
// What an exchange keeps from one request to the next.
constexpr std::size_t kKeptInput = 16U << 10;
constexpr std::size_t kKeptBody = 256U << 10;

}  // namespace

void Exchange::reset() {
  parser.reset();
  problem.reset();
  match = {};
  pending.reset();
  response = {};
  trace.reset();
  times.reset();
  if (request.body.capacity() > kKeptBody) {
    request.body = {};
  }
  if (input.size() == 0 && input.capacity() > kKeptInput) {
    input = {};
  }
}

std::size_t Exchange::held_bytes() const {
  return sizeof(Exchange) + input.capacity() + request.body.capacity() +
         request.fields.capacity() * sizeof(HeaderField) + head.capacity();
}

std::unique_ptr<Exchange> ExchangePool::take(const HttpLimits& limits) {
  if (spare_.empty()) {
    return std::make_unique<Exchange>(limits);
  }
  std::unique_ptr<Exchange> exchange = std::move(spare_.back());
  spare_.pop_back();
  held_bytes_ -= exchange->held_bytes();
  return exchange;
}

void ExchangePool::give_back(std::unique_ptr<Exchange> exchange) {
  const std::size_t bytes = exchange->held_bytes();
  if (held_bytes_ + bytes <= kMostHeld) {
    held_bytes_ += bytes;
    spare_.push_back(std::move(exchange));
  }
}

}  // namespace onnxop
