#pragma once
// A call of gRPC as a stream of HTTP/2: header fields and messages in, messages and a status out.

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "onnxop/server/grpc_call.h"
#include "onnxop/server/grpc_methods.h"
#include "onnxop/server/http2_session.h"

namespace onnxop {

/// What a stream asks of its connection.
class GrpcStreamOwner {
 public:
  virtual ~GrpcStreamOwner() = default;
  virtual GrpcThread& thread() = 0;
  virtual std::string address() = 0;
  /// Something is to be sent.
  virtual void flush_soon() = 0;
  /// Bytes of messages that have come and have not begun, over all streams.
  virtual std::size_t& gathering() = 0;
  /// Then the stream is told that it has.
  virtual void begin_soon(std::int32_t stream, std::shared_ptr<GrpcInference> inference) = 0;
  virtual void log_soon(std::shared_ptr<GrpcInference> inference) = 0;
};

/// On its connection's thread.
class GrpcStream : private GrpcReply {
 public:
  /// What it is given outlives it.
  GrpcStream(std::int32_t number, const GrpcOptions& options, const GrpcMethods& methods,
             Http2Session& session, GrpcStreamOwner& owner);
  ~GrpcStream() override;

  void on_field(const Http2Field& field);
  void on_head();
  void on_data(std::span<const std::byte> bytes);
  void on_end();
  void on_drain();
  void on_retire();
  /// Its inferences have: of what has come, there is only a part of the next.
  void on_begun();
  /// What was held back may be read now.
  void read_on() override;

 private:
  GrpcThread& thread() override { return owner_.thread(); }
  void add_metadata(std::string name, std::string value) override;
  void send(std::string frame) override;
  void finish(const GrpcStatus& status) override;
  void begin_soon(std::shared_ptr<GrpcInference> inference) override;
  void log_soon(std::shared_ptr<GrpcInference> inference) override;

  GrpcStatus begin_call();
  bool wants_more();
  void charge(std::size_t bytes);
  void charge_only(std::size_t bytes);
  void guarded(const std::function<void()>& work);
  std::size_t read(std::span<const std::byte> bytes);
  void take_message();
  void refuse_http(std::string_view status);

  const std::int32_t number_;
  const GrpcOptions& options_;
  const GrpcMethods& methods_;
  Http2Session& session_;
  GrpcStreamOwner& owner_;
  GrpcHead head_;
  std::string http_method_;
  std::string content_type_;
  std::string timeout_;
  std::size_t metadata_bytes_ = 0;
  std::size_t metadata_fields_ = 0;
  std::size_t max_message_bytes_;
  GrpcMessageReader reader_;
  bool charges_ = false;     // its messages may be large
  std::size_t charged_ = 0;  // of the owner's gathering()
  std::unique_ptr<GrpcCall> call_;
  std::vector<std::pair<std::string, std::string>> initial_metadata_;
  std::vector<std::byte> held_;  // came while no more was wanted
  std::size_t held_begin_ = 0;   // of what is left of it
  bool ended_ = false;           // the client sends no more
  bool head_sent_ = false;
  bool finished_ = false;
};

}  // namespace onnxop
