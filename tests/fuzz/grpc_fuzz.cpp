// A connection's bytes over HTTP/2 as far as a call of gRPC: frames, fields, messages with their
// prefixes, and what is read from them. The client's preface is there already. The first byte says
// how large the pieces are in which the rest comes, the second how much of it the answers take.

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <open_inference.pb.h>

#include "fuzz/fuzz.h"
#include "fuzz/tensors.h"
#include "onnxop/server/compression.h"
#include "onnxop/server/http2_session.h"
#include "onnxop/wire/grpc_protocol.h"
#include "onnxop/wire/grpc_reflection.h"
#include "onnxop/wire/oip_grpc.h"

namespace onnxop {
namespace {

using fuzz::require;

constexpr std::string_view kPreface{"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0", 33};
constexpr std::size_t kMostBytes = 64U << 10;
constexpr std::size_t kMostFields = 4U << 10;

InferLimits small_limits() {
  InferLimits limits;
  limits.max_elements = 1U << 16;
  return limits;
}

/// Does with what comes what the server does, and answers each call.
class Calls : public Http2Events {
 public:
  explicit Calls(bool answers) : answers_(answers), session_(*this, {.max_streams = 8}) {}

  bool feed(std::string_view bytes) { return session_.feed(std::as_bytes(std::span(bytes))); }

  void drain() {
    for (std::string out; session_.pull(out, kMostBytes); out.clear()) {
    }
  }

  void on_field(std::int32_t stream, const Http2Field& field) override {
    Call& call = calls_[stream];
    require(calls_.size() <= 8);
    call.field_bytes += field.name.size() + field.value.size();
    if (call.field_bytes > kMostFields) {
      return;
    }
    const std::string printable = grpc_message_field(field.value);
    require(std::ranges::all_of(printable, [](char c) { return c >= ' ' && c <= '~'; }));
    if (field.name == "grpc-timeout") {
      const auto timeout = read_grpc_timeout(field.value);
      require(!timeout || timeout->count() >= 0);
    }
  }
  void on_head(std::int32_t stream) override { require(calls_.contains(stream)); }
  void on_data(std::int32_t stream, std::span<const std::byte> bytes) override {
    Call& call = calls_.at(stream);
    require(!call.ended);
    session_.consume(stream, bytes.size());
    while (!bytes.empty() && !call.failed) {
      call.failed = true;
      fuzz::allow({ErrorCode::kInvalidArgument, ErrorCode::kTooLarge, ErrorCode::kUnsupported},
                  [&] {
                    bytes = bytes.subspan(call.reader.feed(bytes));
                    if (call.reader.done()) {
                      const bool compressed = call.reader.compressed();
                      read(call.reader.take(), compressed);
                    }
                    call.failed = false;
                  });
    }
  }
  void on_end(std::int32_t stream) override {
    Call& call = calls_.at(stream);
    require(!call.ended);
    call.ended = true;
    if (answers_) {
      const Http2Field head[]{{":status", "200"}};
      const Http2Field trailers[]{{"grpc-status", "0"}};
      session_.send_head(stream, head);
      session_.send_body(stream, std::string(100, 'x'));
      session_.send_trailers(stream, trailers);
    }
  }
  void on_drained(std::int32_t stream) override { require(calls_.contains(stream)); }
  void on_closed(std::int32_t stream) override { calls_.erase(stream); }
  void on_settings() override {}
  void on_ping() override {}
  void on_ping_answered() override {}

 private:
  struct Call {
    GrpcMessageReader reader{kMostBytes};
    std::size_t field_bytes = 0;
    bool ended = false;
    bool failed = false;
  };

  static void read(GrpcMessage message, bool compressed) {
    if (compressed) {
      const auto bytes = decompressed(message.bytes(), 0, kMostBytes, "message");
      require(bytes.size() <= kMostBytes);
      message = GrpcMessage(bytes.size());
      message.append(bytes);
    }
    fuzz::allow({ErrorCode::kInvalidArgument}, [&] { answer_reflection(message.text()); });
    const InferLimits limits = small_limits();
    inference::ModelInferRequest request;
    const RawContents raw = parse_infer_request(message.bytes(), limits, request);
    fuzz::require_sound(read_infer_request(request, raw, limits), limits);
  }

  const bool answers_;
  std::map<std::int32_t, Call> calls_;
  Http2Session session_;
};

void fuzz_grpc(std::string_view bytes) {
  if (bytes.size() < 2) {
    return;
  }
  const std::size_t piece = 1 + static_cast<unsigned char>(bytes[0]);
  Calls calls((bytes[1] & 1) != 0);
  bytes.remove_prefix(2);
  require(calls.feed(kPreface));
  for (bool going_on = true; going_on && !bytes.empty();) {
    const std::string_view next = bytes.substr(0, piece);
    bytes.remove_prefix(next.size());
    going_on = calls.feed(next);
    calls.drain();
  }
}

}  // namespace
}  // namespace onnxop

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  onnxop::fuzz_grpc({reinterpret_cast<const char*>(data), size});
  return 0;
}
