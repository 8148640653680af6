#include "onnxop/server/grpc_connection.h"

#include <algorithm>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>

#include "onnxop/base/error.h"
#include "onnxop/base/log.h"
#include "onnxop/server/grpc_inference.h"

namespace onnxop {
namespace {

namespace asio = boost::asio;

constexpr std::size_t kReadAtOnce = 64U << 10;
constexpr int kReads = 4;                    // then others get their turn
constexpr std::size_t kMostQueued = 20'000;  // frames; those of a thousand calls are some thousands
constexpr std::size_t kWriteAtOnce = 64U << 10;

Http2Limits http2_limits(const GrpcLimits& limits) {
  Http2Limits result;
  result.max_streams = static_cast<std::uint32_t>(limits.max_calls);
  result.max_field_bytes = static_cast<std::uint32_t>(limits.max_metadata_bytes);
  return result;
}

}  // namespace

GrpcConnection::GrpcConnection(Socket socket, GrpcConnections& all,
                               std::chrono::milliseconds max_age)
    : stream_(std::move(socket)),
      all_(all),
      times_(all.options.limits, max_age, std::chrono::steady_clock::now()),
      timer_(stream_.executor()),
      session_(*this, http2_limits(all.options.limits)) {
  all_.open.insert(this);
}

GrpcConnection::~GrpcConnection() {
  streams_.clear();
  all_.open.erase(this);
  all_.on_closed();
}

Awaitable<void> GrpcConnection::serve(std::shared_ptr<GrpcConnection> self) {
  try {
    self->set_timer();
    const bool understood = co_await self->shake_hands();
    if (understood) {
      co_await self->read_all();
    }
    const bool cut = !self->open_;
    self->end();
    if (cut) {
      self->stream_.drop();
    } else {
      constexpr std::chrono::milliseconds kLinger{2'000};
      co_await self->stream_.close(understood, kLinger);  // the client may be reading why it ends
    }
  } catch (const std::exception& e) {
    log_warning("a connection of gRPC ended: {}", e.what());
    self->end();
    self->stream_.drop();
  }
}

/// At most as long as the timer lets it: that cancels what waits.
Awaitable<bool> GrpcConnection::shake_hands() {
  if (!all_.options.tls) {
    co_return true;
  }
  const auto outcome =
      co_await stream_.start_tls(*all_.options.tls->current(), TlsProtocol::kHttp2);
  if (outcome == ClientStream::Read::kData) {
    co_return true;
  }
  if (all_.options.access_log && !stream_.tls_problem().empty()) {
    log_fields(LogLevel::kInfo, "a TLS handshake failed",
               {{"client", stream_.remote_address()}, {"reason", stream_.tls_problem()}});
  }
  co_return false;
}

Awaitable<void> GrpcConnection::read_all() {
  serving_ = true;
  flush();
  while (open_ && !is_over()) {
    const auto outcome = co_await stream_.wait();
    turn_is_due_ = true;  // below
    if (outcome != ClientStream::Read::kData || !feed_what_came()) {
      break;
    }
    // Who comes at the same time is heard before a model runs on this thread.
    if (!fresh_.empty() && all_.open.size() > 1) {
      co_await asio::post(kUseAwaitable);
    }
    take_turn();
  }
  flush();  // the client may be told why
}

/// False: nothing more will come that could be understood.
bool GrpcConnection::feed_what_came() {
  const SteadyTime now = std::chrono::steady_clock::now();
  times_.on_input(now);
  auto& input = all_.input;
  for (int i = 0; i < kReads && (i == 0 || input.size() == kReadAtOnce); ++i) {
    input.clear();
    const auto outcome = stream_.read_now(input, kReadAtOnce);
    const auto bytes = input.data();
    const bool fed = input.size() == 0 ||
                     session_.feed({static_cast<const std::byte*>(bytes.data()), input.size()});
    if (session_.queued() > kMostQueued) {
      open_ = false;  // it asks, and reads nothing
    }
    if (!open_ || !fed || outcome == ClientStream::Read::kEnd) {
      return false;
    }
  }
  return true;
}

/// Where this is the only inference of the thread, the model may run right here.
void GrpcConnection::begin_fresh() {
  const auto fresh = std::exchange(fresh_, {});  // what comes meanwhile has a turn of its own
  const bool alone = fresh.size() == 1 && all_.thread.activity.in_flight == 0;
  for (const Fresh& each : fresh) {
    each.inference->begin(alone);
    if (const auto found = streams_.find(each.stream); found != streams_.end()) {
      found->second->on_begun();
    }
  }
}

void GrpcConnection::take_turn() {
  turn_is_due_ = false;
  begin_fresh();
  flush();
}

/// Nothing will come or go any more.
bool GrpcConnection::is_over() const {
  return session_.over() && !writing_;
}

/// Sends what is there, as far as the socket takes it at once.
void GrpcConnection::flush() {
  while (open_ && serving_ && !writing_ && session_.pull(output_, kWriteAtOnce)) {
    const std::size_t sent = stream_.write_now(output_);
    if (sent == output_.size()) {
      output_.clear();
      continue;
    }
    output_.erase(0, sent);
    writing_ = true;
    asio::co_spawn(stream_.executor(), write_rest(shared_from_this()), asio::detached);
  }
  if (look_for_stuck_ == SteadyTime::max() && session_.has_unsent()) {
    // It is looked at twice: not before the second time is a body stuck.
    look_for_stuck_ = std::chrono::steady_clock::now() + all_.options.limits.write_timeout;
  }
  log_answered();
  read_on();
  if (is_over()) {
    stream_.cancel();  // there is nothing to wait for
  }
  set_timer();
}

Awaitable<void> GrpcConnection::write_rest(std::shared_ptr<GrpcConnection> self) {
  const bool written =
      co_await self->stream_.write(self->output_, {}, self->all_.options.limits.write_timeout);
  self->stream_.clear_deadline();
  self->output_.clear();
  self->writing_ = false;
  if (written) {
    self->flush();
  } else {
    self->open_ = false;
    self->stream_.cancel();
  }
}

void GrpcConnection::flush_soon() {
  if (!std::exchange(turn_is_due_, true)) {
    asio::post(stream_.executor(), [self = shared_from_this()] {
      if (self->turn_is_due_) {
        self->take_turn();
      }
    });
  }
}

void GrpcConnection::begin_soon(std::int32_t stream, std::shared_ptr<GrpcInference> inference) {
  fresh_.push_back({stream, std::move(inference)});
  flush_soon();
}

void GrpcConnection::log_soon(std::shared_ptr<GrpcInference> inference) {
  answered_.push_back(std::move(inference));
}

void GrpcConnection::log_answered() {
  for (const auto& inference : answered_) {
    inference->log();
  }
  answered_.clear();
}

/// Whose answers are on their way is asked for more.
void GrpcConnection::read_on() {
  for (const std::int32_t number : std::exchange(drained_, {})) {
    if (const auto found = streams_.find(number); found != streams_.end()) {
      found->second->read_on();
    }
  }
}

/// Nobody is answered any more.
void GrpcConnection::end() {
  open_ = false;
  timer_.cancel();
  fresh_.clear();
  streams_.clear();
}

void GrpcConnection::tell_drain() {
  for (const auto& [number, stream] : streams_) {
    stream->on_drain();
  }
}

void GrpcConnection::retire() {
  if (std::exchange(retiring_, true)) {
    return;
  }
  if (!serving_ || !times_.greeted()) {
    open_ = false;
    stream_.cancel();
    return;
  }
  times_.on_retired(std::chrono::steady_clock::now());
  session_.begin_end();
  session_.send_ping();  // when it is answered, the client has read so
  for (const auto& [number, stream] : streams_) {
    stream->on_retire();
  }
  flush_soon();
}

/// Times mostly move away, and setting a timer is a system call: where it rings too early, it is
/// set again.
void GrpcConnection::set_timer() {
  const SteadyTime next = std::min(times_.next(), look_for_stuck_);
  if (!open_ || next >= timer_rings_) {
    return;
  }
  timer_rings_ = next;
  timer_.expires_at(next);
  timer_.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
    const auto self = weak.lock();
    if (error || !self || !self->open_) {
      return;
    }
    self->timer_rings_ = SteadyTime::max();
    const SteadyTime now = std::chrono::steady_clock::now();
    if (self->look_for_stuck_ <= now) {
      self->session_.reset_stuck();
      self->look_for_stuck_ = SteadyTime::max();
    }
    self->act(self->times_.due(now));
    self->flush();
  });
}

void GrpcConnection::act(GrpcTimes::Action action) {
  switch (action) {
    case GrpcTimes::Action::kNone:
      break;
    case GrpcTimes::Action::kPing:
      session_.send_ping();
      break;
    case GrpcTimes::Action::kRetire:
      retire();
      break;
    case GrpcTimes::Action::kCut:
      open_ = false;
      stream_.cancel();
      break;
  }
}

void GrpcConnection::on_field(std::int32_t stream, const Http2Field& field) {
  auto& entry = streams_[stream];
  if (!entry) {
    entry = std::make_unique<GrpcStream>(stream, all_.options, all_.methods, session_,
                                         static_cast<GrpcStreamOwner&>(*this));
    times_.on_calls(streams_.size(), std::chrono::steady_clock::now());
  }
  entry->on_field(field);
}

void GrpcConnection::on_head(std::int32_t stream) {
  all_.thread.activity.last_request = std::chrono::steady_clock::now();
  streams_.at(stream)->on_head();
}

void GrpcConnection::on_data(std::int32_t stream, std::span<const std::byte> bytes) {
  streams_.at(stream)->on_data(bytes);
}

void GrpcConnection::on_end(std::int32_t stream) {
  streams_.at(stream)->on_end();
}

void GrpcConnection::on_drained(std::int32_t stream) {
  drained_.push_back(stream);
}

void GrpcConnection::on_closed(std::int32_t stream) {
  streams_.erase(stream);
  times_.on_calls(streams_.size(), std::chrono::steady_clock::now());
}

void GrpcConnection::on_settings() {
  times_.on_settings();
}

void GrpcConnection::on_ping() {
  const SteadyTime now = std::chrono::steady_clock::now();
  if (!times_.on_ping(now) && !std::exchange(ended_, true)) {
    session_.end_calmly("too_many_pings");
    times_.on_retired(now);
  }
}

void GrpcConnection::on_ping_answered() {
  if (retiring_ && !std::exchange(ended_, true)) {
    session_.end();
    flush_soon();
  }
}

}  // namespace onnxop
