#include "onnxop/server/client_stream.h"

#include <algorithm>
#include <array>
#include <utility>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/write.hpp>

namespace onnxop {
namespace {

namespace asio = boost::asio;
using ErrorCodeOfSystem = boost::system::error_code;
using std::chrono::milliseconds;

constexpr auto kNever = std::chrono::steady_clock::time_point::max();

}  // namespace

ClientStream::ClientStream(Socket socket)
    : socket_(std::move(socket)),
      timer_(socket_.get_executor()),
      self_(std::make_shared<ClientStream*>(this)) {
  ErrorCodeOfSystem ignored;
  socket_.non_blocking(true, ignored);
}

/// Deadlines mostly move away, and setting a timer is a system call: the timer stays, and looks at
/// the deadline when it rings.
void ClientStream::set_deadline(milliseconds timeout) {
  timed_out_ = false;
  deadline_ = std::chrono::steady_clock::now() + timeout;
  if (deadline_ < timer_rings_) {
    set_timer();
  }
}

void ClientStream::clear_deadline() {
  timed_out_ = false;
  deadline_ = kNever;
}

void ClientStream::set_timer() {
  timer_rings_ = deadline_;
  const std::uint64_t number = ++timer_number_;
  timer_.expires_at(deadline_);
  timer_.async_wait(
      [number, self = std::weak_ptr<ClientStream*>(self_)](const ErrorCodeOfSystem& error) {
        const auto alive = self.lock();
        if (!error && alive && number == (*alive)->timer_number_) {
          (*alive)->check_deadline();
        }
      });
}

void ClientStream::check_deadline() {
  timer_rings_ = kNever;
  if (deadline_ <= std::chrono::steady_clock::now()) {
    timed_out_ = true;
    cancel();
  } else if (deadline_ != kNever) {
    set_timer();
  }
}

ClientStream::Read ClientStream::outcome_of(const ErrorCodeOfSystem& error) const {
  if (timed_out_) {
    return Read::kTimeout;
  }
  return error ? Read::kEnd : Read::kData;
}

Awaitable<ClientStream::Read> ClientStream::wait_for_socket(Socket::wait_type what) {
  ErrorCodeOfSystem error;
  co_await socket_.async_wait(what, asio::redirect_error(kUseAwaitable, error));
  co_return outcome_of(error);
}

Awaitable<ClientStream::Read> ClientStream::wait() {
  return tls_ ? wait_tls() : wait_for_socket(Socket::wait_read);
}

void ClientStream::cancel() {
  ErrorCodeOfSystem ignored;
  socket_.cancel(ignored);
}

ClientStream::Read ClientStream::read_now(boost::beast::flat_buffer& to, std::size_t at_most) {
  const auto space = to.prepare(at_most);
  if (tls_) {
    const TlsSession::Moved read = tls_->read({static_cast<char*>(space.data()), space.size()});
    to.commit(read.bytes);
    return read.outcome == TlsSession::Outcome::kEnd ? Read::kEnd : Read::kData;
  }
  ErrorCodeOfSystem error;
  to.commit(socket_.read_some(space, error));
  return error && error != asio::error::would_block ? Read::kEnd : Read::kData;
}

Awaitable<ClientStream::Read> ClientStream::read(boost::beast::flat_buffer& to,
                                                 std::size_t at_most) {
  return tls_ ? read_tls(to, at_most) : read_socket(to, at_most);
}

Awaitable<ClientStream::Read> ClientStream::read_socket(boost::beast::flat_buffer& to,
                                                        std::size_t at_most) {
  ErrorCodeOfSystem error;
  const auto space = to.prepare(at_most);
  const std::size_t count =
      co_await socket_.async_read_some(space, asio::redirect_error(kUseAwaitable, error));
  to.commit(count);
  co_return outcome_of(error);
}

std::string ClientStream::remote_address() const {
  ErrorCodeOfSystem error;
  const auto endpoint = socket_.remote_endpoint(error);
  return error ? std::string("unknown") : endpoint.address().to_string();
}

bool ClientStream::has_input() const {
  ErrorCodeOfSystem ignored;
  return (tls_ && tls_->has_input()) || socket_.available(ignored) > 0;
}

std::size_t ClientStream::write_now(std::string_view bytes) {
  if (!tls_) {
    ErrorCodeOfSystem error;
    return socket_.write_some(asio::buffer(bytes), error);
  }
  std::size_t sent = 0;
  while (sent < bytes.size()) {
    const auto record = bytes.substr(sent, TlsSession::kLargestRecord);
    const TlsSession::Moved written = tls_->write(record);
    if (written.outcome != TlsSession::Outcome::kDone) {
      break;
    }
    sent += record.size();
  }
  return sent;
}

Awaitable<bool> ClientStream::write(std::string_view head, std::string_view body,
                                    milliseconds timeout) {
  const std::array<asio::const_buffer, 2> parts{asio::buffer(head), asio::buffer(body)};
  return tls_ ? write_tls({parts.begin(), parts.end()}, timeout) : write_socket(parts, timeout);
}

Awaitable<bool> ClientStream::write(std::vector<asio::const_buffer> parts, milliseconds timeout) {
  return tls_ ? write_tls(std::move(parts), timeout) : write_socket(std::move(parts), timeout);
}

template <typename Parts>
Awaitable<bool> ClientStream::write_socket(Parts parts, milliseconds timeout) {
  ErrorCodeOfSystem error;
  // Nearly always all of it goes at once.
  std::size_t sent = socket_.write_some(parts, error);
  if (error && error != asio::error::would_block) {
    co_return false;
  }
  if (sent == asio::buffer_size(parts)) {
    co_return true;
  }
  for (asio::const_buffer& part : parts) {
    const std::size_t of_part = std::min(sent, part.size());
    part += of_part;
    sent -= of_part;
  }
  set_deadline(timeout);
  co_await asio::async_write(socket_, parts, asio::redirect_error(kUseAwaitable, error));
  co_return !error && !timed_out_;
}

void ClientStream::watch(std::function<void()> on_gone) {
  on_gone_ = std::move(on_gone);
  ++watch_number_;
  continue_watch();
}

void ClientStream::continue_watch() {
  socket_.async_wait(Socket::wait_read,
                     [number = watch_number_,
                      self = std::weak_ptr<ClientStream*>(self_)](const ErrorCodeOfSystem& error) {
                       const auto alive = self.lock();
                       if (!error && alive && number == (*alive)->watch_number_) {
                         (*alive)->look_whether_gone();
                       }
                     });
}

void ClientStream::look_whether_gone() {
  if (!on_gone_) {
    return;
  }
  const auto look = tls_ ? tls_->look_for_input() : look_at_socket();
  if (look == TlsSession::Outcome::kNeedsInput) {
    continue_watch();  // a part of a record, or word of what was read before the watch began
  } else if (look == TlsSession::Outcome::kEnd) {
    std::exchange(on_gone_, nullptr)();
  }
}

TlsSession::Outcome ClientStream::look_at_socket() {
  char byte = 0;
  ErrorCodeOfSystem error;
  socket_.receive(asio::buffer(&byte, 1), Socket::message_peek, error);
  if (error == asio::error::would_block) {
    return TlsSession::Outcome::kNeedsInput;
  }
  return error ? TlsSession::Outcome::kEnd : TlsSession::Outcome::kDone;
}

void ClientStream::unwatch() {
  on_gone_ = nullptr;
}

Awaitable<void> ClientStream::close(bool linger, milliseconds timeout) {
  constexpr std::size_t kThrownAwayAtOnce = 16U << 10;
  ErrorCodeOfSystem ignored;
  linger = linger || has_input();
  if (tls_) {
    tls_->end();
  }
  socket_.shutdown(Socket::shutdown_send, ignored);
  if (linger) {
    set_deadline(timeout);
    boost::beast::flat_buffer thrown_away;
    Read outcome = Read::kData;
    while (outcome == Read::kData) {
      thrown_away.clear();
      outcome = co_await read_socket(thrown_away, kThrownAwayAtOnce);
    }
  }
  timer_.cancel();
  socket_.close(ignored);
}

void ClientStream::drop() {
  ErrorCodeOfSystem ignored;
  socket_.close(ignored);
}

}  // namespace onnxop
