#pragma once
// The server's side of one HTTP/2 connection (RFC 9113), by nghttp2: bytes that came in, bytes to
// send out, and what they mean. It knows no sockets, waits for nothing, and is for one thread.

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

struct nghttp2_session;

namespace onnxop {

struct Http2Field {
  std::string_view name;  // lower case; ":path" and its like too
  std::string_view value;
};

/// Told of what comes, while the session is fed. May answer, but neither feed nor pull.
class Http2Events {
 public:
  virtual ~Http2Events() = default;

  virtual void on_field(std::int32_t stream, const Http2Field& field) = 0;
  /// All fields of the request are there.
  virtual void on_head(std::int32_t stream) = 0;
  virtual void on_data(std::int32_t stream, std::span<const std::byte> bytes) = 0;
  /// The client sends no more.
  virtual void on_end(std::int32_t stream) = 0;
  /// All of an answer's body that was given is on its way; told while bytes are pulled.
  virtual void on_drained(std::int32_t stream) = 0;
  /// After all else, whoever ended it; also of a stream of which only fields have come.
  virtual void on_closed(std::int32_t stream) = 0;
  virtual void on_settings() = 0;
  virtual void on_ping() = 0;
  virtual void on_ping_answered() = 0;
};

struct Http2Limits {
  std::uint32_t max_streams = 1000;       // at one time; more are refused
  std::uint32_t max_field_bytes = 16384;  // told to the client; who checks it is on_field()
  std::int32_t stream_window = 1 << 20;   // bytes that a client may send before they are consumed
  std::int32_t connection_window = 8 << 20;
};

class Http2Session {
 public:
  /// Settings are the first thing to be sent. `events` outlives it. Throws Error{kInternal} when
  /// there is no memory for it.
  Http2Session(Http2Events& events, const Http2Limits& limits);
  ~Http2Session();
  Http2Session(const Http2Session&) = delete;
  Http2Session& operator=(const Http2Session&) = delete;

  // feed() and pull() throw what the events throw; the connection is of no use then.

  /// What came from the client. False: it does not speak HTTP/2, or breaks its rules so that the
  /// connection has to end; what is there to be sent tells it why.
  bool feed(std::span<const std::byte> bytes);

  /// Appends what is to be sent, until `to` has that many bytes or some more. False: there was
  /// nothing.
  bool pull(std::string& to, std::size_t enough);

  /// Frames that wait to be sent. A client that does not read can make them many.
  std::size_t queued() const;

  /// The bytes of a stream that need no room any more. Those of the connection never wait.
  void consume(std::int32_t stream, std::size_t bytes);

  // Answers. On a stream that is gone they do nothing.

  /// Head, body and trailers in this order; body in any number of parts.
  void send_head(std::int32_t stream, std::span<const Http2Field> fields);
  void send_body(std::int32_t stream, std::string part);
  /// Bytes of the body that the client has not made room for, or the socket.
  std::size_t unsent(std::int32_t stream);
  void send_trailers(std::int32_t stream, std::span<const Http2Field> fields);
  /// All of an answer without a body.
  void send_head_only(std::int32_t stream, std::span<const Http2Field> fields);

  /// Some body waits for its client to make room.
  bool has_unsent() const { return unsent_ > 0; }
  /// Ends the streams whose bodies have waited for that since the last call of this.
  void reset_stuck();

  void send_ping();
  /// Asks the client to make no more requests; those that it has made already are taken.
  void begin_end();
  /// Requests that come from now on are not looked at; the client can make them elsewhere.
  void end();
  /// As end(), and why: the client has asked for too much.
  void end_calmly(std::string_view reason);

  /// Nothing will come or go any more.
  bool over() const;

 private:
  struct Outgoing {
    std::vector<std::string> parts;
    std::size_t next_part = 0;
    std::size_t sent_of_part = 0;
    std::size_t unsent = 0;  // bytes of all parts
    std::vector<std::pair<std::string, std::string>> trailers;
    bool ended = false;    // all of the body is in `parts`
    bool waiting = false;  // for more of it
    bool stuck = false;    // nothing was sent since reset_stuck() looked
  };
  struct Callbacks;
  struct Free {
    void operator()(nghttp2_session* session) const;
  };

  Outgoing* find(std::int32_t stream);
  void submit_trailers(std::int32_t stream, const Outgoing& outgoing);
  void resume(std::int32_t stream, Outgoing& outgoing);
  void throw_again();

  Http2Events& events_;
  std::exception_ptr thrown_;
  std::unordered_map<std::int32_t, Outgoing> outgoing_;
  std::size_t unsent_ = 0;  // bytes of all bodies
  std::unique_ptr<nghttp2_session, Free> session_;
};

}  // namespace onnxop
