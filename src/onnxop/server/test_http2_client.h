#pragma once
// For tests: the client's side of HTTP/2, by nghttp2, as bytes and over a socket. Unlike gRPC's own
// client it can do what is wrong, and ThreadSanitizer sees all of it.

#include <algorithm>
#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nghttp2/nghttp2.h>

#include "onnxop/base/format.h"
#include "onnxop/server/test_http_client.h"

namespace onnxop::testing_server {

using Http2Fields = std::vector<std::pair<std::string, std::string>>;

/// What came back on one stream.
struct Http2Answer {
  std::map<std::string, std::string> fields;  // of head and trailers
  std::string body;
  bool closed = false;
  std::uint32_t error = 0;  // with which it was closed

  int grpc_status() const {
    const auto found = fields.find("grpc-status");
    return found == fields.end() ? -1 : std::stoi(found->second);
  }
  /// Without their prefixes.
  std::vector<std::string> messages() const {
    std::vector<std::string> result;
    std::size_t at = 0;
    while (at + 5 <= body.size()) {
      std::size_t size = 0;
      for (std::size_t i = 1; i < 5; ++i) {
        size = size << 8U | static_cast<unsigned char>(body[at + i]);
      }
      result.push_back(body.substr(at + 5, size));
      at += 5 + size;
    }
    return result;
  }
};

/// A message as a call has it.
inline std::string framed(std::string_view message, char flag = '\0') {
  std::string bytes{flag};
  for (const unsigned shift : {24U, 16U, 8U, 0U}) {
    bytes += static_cast<char>(message.size() >> shift);
  }
  return bytes + std::string(message);
}

class Http2Peer {
 public:
  /// `window`: bytes of an answer's body that it takes before it is asked for more by
  /// open_window().
  explicit Http2Peer(std::uint32_t window = 1U << 20) {
    nghttp2_session_callbacks* callbacks = nullptr;
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_field);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_option* option = nullptr;
    nghttp2_option_new(&option);
    nghttp2_option_set_no_auto_window_update(option, 1);
    nghttp2_session_client_new2(&session_, callbacks, this, option);
    nghttp2_option_del(option);
    nghttp2_session_callbacks_del(callbacks);
    const nghttp2_settings_entry entry{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, window};
    nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, &entry, 1);
  }
  virtual ~Http2Peer() { nghttp2_session_del(session_); }
  Http2Peer(const Http2Peer&) = delete;
  Http2Peer& operator=(const Http2Peer&) = delete;

  /// A request whose body follows by send_body().
  std::int32_t begin(const Http2Fields& fields) {
    std::vector<nghttp2_nv> nv;
    for (const auto& [name, value] : fields) {
      nv.push_back({reinterpret_cast<std::uint8_t*>(const_cast<char*>(name.data())),
                    reinterpret_cast<std::uint8_t*>(const_cast<char*>(value.data())), name.size(),
                    value.size(), NGHTTP2_NV_FLAG_NONE});
    }
    nghttp2_data_provider provider{};
    provider.read_callback = read_body;
    const std::int32_t stream =
        nghttp2_submit_request(session_, nullptr, nv.data(), nv.size(), &provider, nullptr);
    answers_[stream];
    return stream;
  }
  /// A call of gRPC.
  std::int32_t begin_call(const std::string& path, const Http2Fields& more = {}) {
    Http2Fields fields{{":method", "POST"}, {":scheme", "http"},
                       {":path", path},     {":authority", "test"},
                       {"te", "trailers"},  {"content-type", "application/grpc"}};
    fields.insert(fields.end(), more.begin(), more.end());
    return begin(fields);
  }
  void send_body(std::int32_t stream, std::string_view bytes, bool last) {
    Out& out = out_[stream];
    out.bytes += bytes;
    out.last = last;
    nghttp2_session_resume_data(session_, stream);
  }
  void reset(std::int32_t stream) {
    nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, stream, NGHTTP2_CANCEL);
  }
  void ping() { nghttp2_submit_ping(session_, NGHTTP2_FLAG_NONE, nullptr); }
  /// More of the answers' bodies may come.
  void open_window(std::int32_t stream, int bytes) {
    nghttp2_submit_window_update(session_, NGHTTP2_FLAG_NONE, stream, bytes);
    nghttp2_submit_window_update(session_, NGHTTP2_FLAG_NONE, 0, bytes);
  }

  std::string output() {
    std::string bytes;
    const std::uint8_t* data = nullptr;
    for (auto size = nghttp2_session_mem_send(session_, &data); size > 0;
         size = nghttp2_session_mem_send(session_, &data)) {
      bytes.append(reinterpret_cast<const char*>(data), static_cast<std::size_t>(size));
    }
    return bytes;
  }
  void feed(std::string_view bytes) {
    const auto taken = nghttp2_session_mem_recv(
        session_, reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
    if (taken != static_cast<ssize_t>(bytes.size())) {
      throw std::runtime_error("the server breaks the rules of HTTP/2");
    }
  }

  const Http2Answer& answer(std::int32_t stream) { return answers_[stream]; }
  /// The server asked it to make no more requests: why, and the last that it takes.
  bool was_told_to_go() const { return told_to_go_; }
  std::uint32_t reason_to_go() const { return reason_to_go_; }
  int pings_answered() const { return pings_answered_; }

 private:
  struct Out {
    std::string bytes;
    bool last = false;
  };
  static Http2Peer& of(void* self) { return *static_cast<Http2Peer*>(self); }

  static int on_field(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name,
                      std::size_t name_size, const std::uint8_t* value, std::size_t value_size,
                      std::uint8_t, void* self) {
    of(self)
        .answers_[frame->hd.stream_id]
        .fields[{reinterpret_cast<const char*>(name), name_size}] = {
        reinterpret_cast<const char*>(value), value_size};
    return 0;
  }
  static int on_data(nghttp2_session*, std::uint8_t, std::int32_t stream, const std::uint8_t* data,
                     std::size_t size, void* self) {
    of(self).answers_[stream].body.append(reinterpret_cast<const char*>(data), size);
    return 0;
  }
  static int on_close(nghttp2_session*, std::int32_t stream, std::uint32_t error, void* self) {
    of(self).answers_[stream].closed = true;
    of(self).answers_[stream].error = error;
    return 0;
  }
  static int on_frame(nghttp2_session*, const nghttp2_frame* frame, void* self) {
    if (frame->hd.type == NGHTTP2_GOAWAY) {
      of(self).told_to_go_ = true;
      of(self).reason_to_go_ = frame->goaway.error_code;
    }
    if (frame->hd.type == NGHTTP2_PING && (frame->hd.flags & NGHTTP2_FLAG_ACK) != 0) {
      ++of(self).pings_answered_;
    }
    return 0;
  }
  static ssize_t read_body(nghttp2_session*, std::int32_t stream, std::uint8_t* to,
                           std::size_t room, std::uint32_t* flags, nghttp2_data_source*,
                           void* self) {
    Out& out = of(self).out_[stream];
    const std::size_t size = std::min(room, out.bytes.size());
    std::copy_n(out.bytes.begin(), size, to);
    out.bytes.erase(0, size);
    if (out.bytes.empty() && out.last) {
      *flags |= NGHTTP2_DATA_FLAG_EOF;
    } else if (size == 0) {
      return NGHTTP2_ERR_DEFERRED;
    }
    return static_cast<ssize_t>(size);
  }

  nghttp2_session* session_ = nullptr;
  std::map<std::int32_t, Out> out_;
  std::map<std::int32_t, Http2Answer> answers_;
  bool told_to_go_ = false;
  std::uint32_t reason_to_go_ = 0;
  int pings_answered_ = 0;
};

/// A connection. Everything waits for the server a minute at most, and then throws.
class Http2Client : public Client, public Http2Peer {
 public:
  explicit Http2Client(std::uint16_t port, std::uint32_t window = 1U << 20)
      : Client(port), Http2Peer(window) {}

  /// Sends what is to be sent.
  bool flush() { return send(output()); }

  /// Until something has come. False: the server has closed the connection.
  bool step() {
    flush();
    char bytes[16384];
    const auto count = read_some(bytes, sizeof bytes);
    if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
      throw std::runtime_error("nothing came within a minute");
    }
    if (count <= 0) {
      return false;
    }
    feed({bytes, static_cast<std::size_t>(count)});
    flush();
    return true;
  }

  /// The whole answer.
  const Http2Answer& wait_for(std::int32_t stream) {
    while (!answer(stream).closed) {
      if (!step()) {
        throw std::runtime_error("the connection ended instead of an answer");
      }
    }
    return answer(stream);
  }
  /// Until the server has closed the connection.
  void wait_for_end() {
    while (step()) {
    }
  }

  /// A call with one message.
  const Http2Answer& call(const std::string& path, std::string_view message,
                          const Http2Fields& more = {}) {
    const std::int32_t stream = begin_call(path, more);
    send_body(stream, framed(message), true);
    return wait_for(stream);
  }
};

}  // namespace onnxop::testing_server
