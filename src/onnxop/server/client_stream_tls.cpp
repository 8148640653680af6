// What a stream does over TLS: a step of the session, then a wait for what it needs.

#include <algorithm>
#include <string>
#include <utility>

#include <boost/asio/post.hpp>

#include "onnxop/server/client_stream.h"

namespace onnxop {
namespace {

using Outcome = TlsSession::Outcome;

/// Moves the first bytes of `parts` to `record`, as many as a record holds.
void fill_record(std::string& record, std::vector<boost::asio::const_buffer>& parts) {
  record.clear();
  for (auto& part : parts) {
    const std::size_t count = std::min(part.size(), TlsSession::kLargestRecord - record.size());
    record.append(static_cast<const char*>(part.data()), count);
    part += count;
  }
}

}  // namespace

/// The deadline has passed, or the socket is ready.
Awaitable<ClientStream::Read> ClientStream::wait_for(Outcome need) {
  return wait_for_socket(need == Outcome::kNeedsOutput ? Socket::wait_write : Socket::wait_read);
}

Awaitable<ClientStream::Read> ClientStream::start_tls(const TlsCredentials& credentials,
                                                      TlsProtocol protocol) {
  tls_ = std::make_unique<TlsSession>(credentials, protocol, socket_.native_handle());
  while (true) {
    const Outcome outcome = tls_->shake_hands();
    if (outcome == Outcome::kDone || outcome == Outcome::kEnd) {
      co_return outcome == Outcome::kDone ? Read::kData : Read::kEnd;
    }
    const Read waited = co_await wait_for(outcome);
    if (waited != Read::kData) {
      co_return waited;
    }
  }
}

bool ClientStream::fall_back_to_clear() {
  if (!tls_->is_plain_http()) {
    return false;
  }
  tls_.reset();
  return true;
}

Awaitable<ClientStream::Read> ClientStream::wait_tls() {
  for (bool first = true;; first = false) {
    const Outcome outcome = tls_->look_for_input();
    if (outcome == Outcome::kDone && first) {
      co_await boost::asio::post(kUseAwaitable);  // others get their turn
    }
    if (outcome == Outcome::kDone || outcome == Outcome::kEnd) {
      co_return outcome == Outcome::kDone ? Read::kData : Read::kEnd;
    }
    const Read waited = co_await wait_for(outcome);
    if (waited != Read::kData) {
      co_return waited;
    }
  }
}

Awaitable<ClientStream::Read> ClientStream::read_tls(boost::beast::flat_buffer& to,
                                                     std::size_t at_most) {
  const auto space = to.prepare(at_most);
  while (true) {
    const TlsSession::Moved read = tls_->read({static_cast<char*>(space.data()), space.size()});
    if (read.outcome == Outcome::kDone || read.outcome == Outcome::kEnd) {
      to.commit(read.bytes);
      co_return read.outcome == Outcome::kDone ? Read::kData : Read::kEnd;
    }
    const Read waited = co_await wait_for(read.outcome);
    if (waited != Read::kData) {
      co_return waited;
    }
  }
}

/// Head and body of a small answer go in one record.
Awaitable<bool> ClientStream::write_tls(std::vector<boost::asio::const_buffer> parts,
                                        std::chrono::milliseconds timeout) {
  std::string record;
  record.reserve(std::min(boost::asio::buffer_size(parts), TlsSession::kLargestRecord));
  set_deadline(timeout);
  for (fill_record(record, parts); !record.empty(); fill_record(record, parts)) {
    auto outcome = tls_->write(record).outcome;
    while (outcome != Outcome::kDone) {
      if (outcome == Outcome::kEnd) {
        co_return false;
      }
      const Read waited = co_await wait_for(outcome);
      if (waited != Read::kData) {
        co_return false;
      }
      outcome = tls_->write(record).outcome;
    }
  }
  co_return true;
}

}  // namespace onnxop
