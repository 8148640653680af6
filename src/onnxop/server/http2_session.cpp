#include "onnxop/server/http2_session.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include <nghttp2/nghttp2.h>

#include "onnxop/base/error.h"

namespace onnxop {
namespace {

std::string_view text_of(nghttp2_rcbuf* buffer) {
  const nghttp2_vec bytes = nghttp2_rcbuf_get_buf(buffer);
  return {reinterpret_cast<const char*>(bytes.base), bytes.len};
}

std::vector<nghttp2_nv> nv_of(std::span<const Http2Field> fields) {
  std::vector<nghttp2_nv> result;
  result.reserve(fields.size());
  for (const Http2Field& field : fields) {
    result.push_back({reinterpret_cast<std::uint8_t*>(const_cast<char*>(field.name.data())),
                      reinterpret_cast<std::uint8_t*>(const_cast<char*>(field.value.data())),
                      field.name.size(), field.value.size(), NGHTTP2_NV_FLAG_NONE});
  }
  return result;
}

bool begins_request(const nghttp2_frame& frame) {
  return frame.hd.type == NGHTTP2_HEADERS && frame.headers.cat == NGHTTP2_HCAT_REQUEST;
}

bool is_answer(const nghttp2_frame& frame) {
  return (frame.hd.flags & NGHTTP2_FLAG_ACK) != 0;
}

/// Memory is all that these calls can want for.
void check(int result, const char* what) {
  if (result != 0) {
    fail(ErrorCode::kInternal, "HTTP/2: {}: {}", what, nghttp2_strerror(result));
  }
}

}  // namespace

/// What nghttp2 calls; `self` is the session.
struct Http2Session::Callbacks {
  static Http2Session& of(void* self) { return *static_cast<Http2Session*>(self); }

  /// What is thrown must not pass through nghttp2: feed() or pull() throws it again.
  template <typename Tell>
  static int guarded(void* self, Tell tell) {
    Http2Session& session = of(self);
    try {
      tell(session);
      return 0;
    } catch (...) {
      session.thrown_ = std::current_exception();
      return NGHTTP2_ERR_CALLBACK_FAILURE;
    }
  }

  static int on_field(nghttp2_session*, const nghttp2_frame* frame, nghttp2_rcbuf* name,
                      nghttp2_rcbuf* value, std::uint8_t, void* self) {
    if (!begins_request(*frame)) {
      return 0;  // trailers of a request mean nothing here
    }
    return guarded(self, [&](Http2Session& session) {
      session.events_.on_field(frame->hd.stream_id, {text_of(name), text_of(value)});
    });
  }

  static int on_begin(nghttp2_session*, const nghttp2_frame* frame, void* self) {
    if (!begins_request(*frame)) {
      return 0;
    }
    return guarded(
        self, [&](Http2Session& session) { session.outgoing_.try_emplace(frame->hd.stream_id); });
  }

  static int on_frame(nghttp2_session*, const nghttp2_frame* frame, void* self) {
    return guarded(self, [&](Http2Session& session) { tell(*frame, session.events_); });
  }

  static void tell(const nghttp2_frame& frame, Http2Events& events) {
    switch (frame.hd.type) {
      case NGHTTP2_HEADERS:
        if (begins_request(frame)) {
          events.on_head(frame.hd.stream_id);
        }
        [[fallthrough]];
      case NGHTTP2_DATA:
        if ((frame.hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) {
          events.on_end(frame.hd.stream_id);
        }
        break;
      case NGHTTP2_SETTINGS:
        if (!is_answer(frame)) {
          events.on_settings();
        }
        break;
      case NGHTTP2_PING:
        is_answer(frame) ? events.on_ping_answered() : events.on_ping();
        break;
      default:
        break;
    }
  }

  static int on_data(nghttp2_session* session, std::uint8_t, std::int32_t stream,
                     const std::uint8_t* data, std::size_t size, void* self) {
    nghttp2_session_consume_connection(session, size);
    return guarded(self, [&](Http2Session& of_client) {
      of_client.events_.on_data(stream, {reinterpret_cast<const std::byte*>(data), size});
    });
  }

  static int on_closed(nghttp2_session*, std::int32_t stream, std::uint32_t, void* self) {
    return guarded(self, [&](Http2Session& session) {
      if (const auto found = session.outgoing_.find(stream); found != session.outgoing_.end()) {
        session.unsent_ -= found->second.unsent;
        session.outgoing_.erase(found);
        session.events_.on_closed(stream);
      }
    });
  }

  /// Who has its whole answer need not send the rest of its request.
  static int on_sent(nghttp2_session* session, const nghttp2_frame* frame, void*) {
    const bool answered =
        frame->hd.type == NGHTTP2_HEADERS && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    if (answered && nghttp2_session_get_stream_remote_close(session, frame->hd.stream_id) == 0) {
      nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, frame->hd.stream_id, NGHTTP2_NO_ERROR);
    }
    return 0;
  }

  /// What nghttp2 finds too large is not sent, and its stream would stay open.
  static int on_not_sent(nghttp2_session* session, const nghttp2_frame* frame, int, void*) {
    if (frame->hd.type == NGHTTP2_HEADERS) {
      nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, frame->hd.stream_id,
                                NGHTTP2_INTERNAL_ERROR);
    }
    return 0;
  }

  static ssize_t read_body(nghttp2_session*, std::int32_t stream, std::uint8_t* to,
                           std::size_t room, std::uint32_t* flags, nghttp2_data_source* source,
                           void* self) {
    Outgoing& outgoing = *static_cast<Outgoing*>(source->ptr);
    const std::size_t size = take_body(outgoing, {to, room});
    of(self).unsent_ -= size;
    if (!outgoing.parts.empty()) {
      return static_cast<ssize_t>(size);
    }
    if (!outgoing.ended && size == 0) {
      outgoing.waiting = true;
      return NGHTTP2_ERR_DEFERRED;
    }
    const int told = guarded(self, [&](Http2Session& session) {
      if (outgoing.ended) {
        *flags |= NGHTTP2_DATA_FLAG_EOF | NGHTTP2_DATA_FLAG_NO_END_STREAM;
        session.submit_trailers(stream, outgoing);
      } else {
        session.events_.on_drained(stream);
      }
    });
    if (told != 0) {
      return NGHTTP2_ERR_CALLBACK_FAILURE;
    }
    return static_cast<ssize_t>(size);
  }

  /// As much of it as there is room for: how many bytes.
  static std::size_t take_body(Outgoing& outgoing, std::span<std::uint8_t> to) {
    std::size_t size = 0;
    while (size < to.size() && outgoing.next_part < outgoing.parts.size()) {
      const std::string& part = outgoing.parts[outgoing.next_part];
      const std::size_t count = std::min(to.size() - size, part.size() - outgoing.sent_of_part);
      std::memcpy(to.data() + size, part.data() + outgoing.sent_of_part, count);
      size += count;
      outgoing.sent_of_part += count;
      if (outgoing.sent_of_part == part.size()) {
        outgoing.parts[outgoing.next_part++] = {};
        outgoing.sent_of_part = 0;
      }
    }
    if (outgoing.next_part == outgoing.parts.size()) {
      outgoing.parts.clear();
      outgoing.next_part = 0;
    }
    outgoing.unsent -= size;
    outgoing.stuck = false;
    return size;
  }

  static nghttp2_session_callbacks* all() {
    static nghttp2_session_callbacks* const made = [] {
      nghttp2_session_callbacks* callbacks = nullptr;
      check(nghttp2_session_callbacks_new(&callbacks), "its callbacks");
      nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin);
      nghttp2_session_callbacks_set_on_header_callback2(callbacks, on_field);
      nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
      nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
      nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_closed);
      nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, on_sent);
      nghttp2_session_callbacks_set_on_frame_not_send_callback(callbacks, on_not_sent);
      return callbacks;
    }();
    return made;
  }

  static const nghttp2_option* options() {
    static const nghttp2_option* const made = [] {
      nghttp2_option* option = nullptr;
      check(nghttp2_option_new(&option), "its options");
      nghttp2_option_set_no_auto_window_update(option, 1);
      nghttp2_option_set_no_closed_streams(option, 1);
      return option;
    }();
    return made;
  }
};

void Http2Session::Free::operator()(nghttp2_session* session) const {
  nghttp2_session_del(session);
}

Http2Session::Http2Session(Http2Events& events, const Http2Limits& limits) : events_(events) {
  nghttp2_session* made = nullptr;
  check(nghttp2_session_server_new2(&made, Callbacks::all(), this, Callbacks::options()),
        "a session");
  session_.reset(made);
  const std::array<nghttp2_settings_entry, 3> settings{
      {{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, limits.max_streams},
       {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, static_cast<std::uint32_t>(limits.stream_window)},
       {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, limits.max_field_bytes}}};
  check(nghttp2_submit_settings(made, NGHTTP2_FLAG_NONE, settings.data(), settings.size()),
        "settings");
  check(nghttp2_session_set_local_window_size(made, NGHTTP2_FLAG_NONE, 0, limits.connection_window),
        "its window");
}

/// nghttp2 tells of no stream while it goes.
Http2Session::~Http2Session() = default;

bool Http2Session::feed(std::span<const std::byte> bytes) {
  const auto taken = nghttp2_session_mem_recv(
      session_.get(), reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  throw_again();
  return taken == static_cast<ssize_t>(bytes.size());
}

bool Http2Session::pull(std::string& to, std::size_t enough) {
  const std::size_t before = to.size();
  while (to.size() < enough) {
    const std::uint8_t* bytes = nullptr;
    const auto size = nghttp2_session_mem_send(session_.get(), &bytes);
    throw_again();
    if (size <= 0) {
      break;
    }
    to.append(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
  }
  return to.size() > before;
}

void Http2Session::throw_again() {
  if (const auto thrown = std::exchange(thrown_, nullptr)) {
    std::rethrow_exception(thrown);
  }
}

std::size_t Http2Session::queued() const {
  return nghttp2_session_get_outbound_queue_size(session_.get());
}

void Http2Session::reset_stuck() {
  for (auto& [stream, outgoing] : outgoing_) {
    if (outgoing.unsent == 0) {
      continue;
    }
    if (std::exchange(outgoing.stuck, true)) {
      nghttp2_submit_rst_stream(session_.get(), NGHTTP2_FLAG_NONE, stream, NGHTTP2_CANCEL);
    }
  }
}

void Http2Session::consume(std::int32_t stream, std::size_t bytes) {
  nghttp2_session_consume_stream(session_.get(), stream, bytes);
}

Http2Session::Outgoing* Http2Session::find(std::int32_t stream) {
  const auto found = outgoing_.find(stream);
  return found == outgoing_.end() ? nullptr : &found->second;
}

void Http2Session::send_head(std::int32_t stream, std::span<const Http2Field> fields) {
  if (Outgoing* const outgoing = find(stream)) {
    nghttp2_data_provider body{};
    body.source.ptr = outgoing;  // of a map's node, which stays where it is
    body.read_callback = Callbacks::read_body;
    check(
        nghttp2_submit_response(session_.get(), stream, nv_of(fields).data(), fields.size(), &body),
        "an answer");
  }
}

void Http2Session::send_body(std::int32_t stream, std::string part) {
  Outgoing* const outgoing = find(stream);
  if (outgoing != nullptr && !part.empty()) {
    outgoing->unsent += part.size();
    unsent_ += part.size();
    outgoing->parts.push_back(std::move(part));
    resume(stream, *outgoing);
  }
}

std::size_t Http2Session::unsent(std::int32_t stream) {
  const Outgoing* const outgoing = find(stream);
  return outgoing == nullptr ? 0 : outgoing->unsent;
}

void Http2Session::send_trailers(std::int32_t stream, std::span<const Http2Field> fields) {
  if (Outgoing* const outgoing = find(stream)) {
    for (const Http2Field& field : fields) {
      outgoing->trailers.emplace_back(field.name, field.value);
    }
    outgoing->ended = true;
    resume(stream, *outgoing);
  }
}

void Http2Session::submit_trailers(std::int32_t stream, const Outgoing& outgoing) {
  std::vector<Http2Field> fields;
  for (const auto& [name, value] : outgoing.trailers) {
    fields.push_back({name, value});
  }
  check(nghttp2_submit_trailer(session_.get(), stream, nv_of(fields).data(), fields.size()),
        "trailers");
}

void Http2Session::resume(std::int32_t stream, Outgoing& outgoing) {
  if (std::exchange(outgoing.waiting, false)) {
    nghttp2_session_resume_data(session_.get(), stream);
  }
}

void Http2Session::send_head_only(std::int32_t stream, std::span<const Http2Field> fields) {
  if (find(stream) != nullptr) {
    check(nghttp2_submit_response(session_.get(), stream, nv_of(fields).data(), fields.size(),
                                  nullptr),
          "an answer");
  }
}

void Http2Session::send_ping() {
  check(nghttp2_submit_ping(session_.get(), NGHTTP2_FLAG_NONE, nullptr), "a ping");
}

void Http2Session::begin_end() {
  check(nghttp2_submit_shutdown_notice(session_.get()), "a notice of its end");
}

void Http2Session::end() {
  check(nghttp2_submit_goaway(session_.get(), NGHTTP2_FLAG_NONE,
                              nghttp2_session_get_last_proc_stream_id(session_.get()),
                              NGHTTP2_NO_ERROR, nullptr, 0),
        "its end");
}

void Http2Session::end_calmly(std::string_view reason) {
  check(nghttp2_submit_goaway(session_.get(), NGHTTP2_FLAG_NONE,
                              nghttp2_session_get_last_proc_stream_id(session_.get()),
                              NGHTTP2_ENHANCE_YOUR_CALM,
                              reinterpret_cast<const std::uint8_t*>(reason.data()), reason.size()),
        "its end");
}

bool Http2Session::over() const {
  return nghttp2_session_want_read(session_.get()) == 0 &&
         nghttp2_session_want_write(session_.get()) == 0;
}

}  // namespace onnxop
