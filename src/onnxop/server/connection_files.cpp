// Bodies that are files: a piece at a time, so that none is ever in memory whole.

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "onnxop/server/connection.h"
#include "onnxop/server/request_reader.h"

namespace onnxop {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kFilePiece = 256U << 10;  // of a file that is received or sent

/// What has come of the body goes into the file; what goes wrong is the response.
Response append_to_file(Exchange& exchange) {
  Request& request = exchange.request;
  return answer(request, [&] {
    if (!request.body_file) {
      request.body_file = exchange.match.route->body_file();
    }
    request.body_file->append(request.content());
    return Response();
  });
}

}  // namespace

/// The body into a file, a piece at a time: each is written before the next is read. What goes
/// wrong with the file is an answer, and the rest of the body is not waited for.
Awaitable<void> Connection::receive_file() {
  Exchange& exchange = *exchange_;
  Request& request = exchange.request;
  const HttpLimits& limits = context_.options.limits;
  Response problem;
  bool ended = false;
  while (!ended) {
    stream_.set_deadline(limits.body_timeout);
    ended = co_await read_body_piece(stream_, limits, exchange, kFilePiece);
    if (exchange.problem) {
      request.body_file.reset();
      co_return;
    }
    std::function<void()> work = [&] { problem = append_to_file(exchange); };
    const bool done = co_await answering_.run_on(Lane::kFiles, std::move(work));
    if (!done) {
      problem = error_response(503, "too many files are on their way already",
                               error_form(request.target));
      problem.retry_after = 1;
    }
    if (problem.status != 200) {
      request.body_file.reset();
      exchange.match.route = nullptr;
      exchange.match.refusal = std::move(problem);
      keep_alive_ = keep_alive_ && ended;
      linger_ = !ended;
      co_return;
    }
    request.body.resize(request.body_padding);
  }
}

/// The head, and the file behind it, a piece at a time: each is read when the one before is
/// written.
Awaitable<bool> Connection::write_file() {
  const FileBody& file = *exchange_->response.file;
  std::string_view head = exchange_->head;
  std::vector<std::byte> piece;
  std::uint64_t at = 0;
  do {
    piece.resize(std::min<std::uint64_t>(kFilePiece, file.bytes - at));
    bool read = piece.empty();
    if (!read) {
      std::function<void()> work = [&] {
        file.read(at, piece);
        read = true;
      };
      const bool done = co_await answering_.run_on(Lane::kFiles, std::move(work));
      if (!done || !read) {
        co_return false;  // the client sees that bytes are missing
      }
    }
    const std::string_view bytes(reinterpret_cast<const char*>(piece.data()), piece.size());
    const bool written = co_await stream_.write(head, bytes, context_.options.limits.write_timeout);
    if (!written) {
      co_return false;
    }
    head = {};
    at += piece.size();
  } while (at < file.bytes);
  co_return true;
}

}  // namespace onnxop
