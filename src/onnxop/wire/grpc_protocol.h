#pragma once
// gRPC over HTTP/2 as bytes (gRPC's PROTOCOL-HTTP2): statuses, messages with their prefix of five
// bytes, and the texts in header fields. Safe from any thread, an object of it from one at a time.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace google::protobuf {
class MessageLite;
}

namespace onnxop {

/// The codes that a call ends with, with gRPC's names and numbers.
enum class GrpcCode : int {
  kOk = 0,
  kCancelled = 1,
  kUnknown = 2,
  kInvalidArgument = 3,
  kDeadlineExceeded = 4,
  kNotFound = 5,
  kAlreadyExists = 6,
  kPermissionDenied = 7,
  kResourceExhausted = 8,
  kFailedPrecondition = 9,
  kAborted = 10,
  kOutOfRange = 11,
  kUnimplemented = 12,
  kInternal = 13,
  kUnavailable = 14,
  kDataLoss = 15,
  kUnauthenticated = 16
};

struct GrpcStatus {
  GrpcCode code = GrpcCode::kOk;
  std::string message = {};

  bool ok() const { return code == GrpcCode::kOk; }
};

/// "100m": at most eight digits and a unit of H, M, S, m, u, n. None for another text.
std::optional<std::chrono::nanoseconds> read_grpc_timeout(std::string_view text);

/// A status's message as the field grpc-message has it: what is not printable ASCII, and '%', as
/// %XX.
std::string grpc_message_field(std::string_view message);

/// A message, not compressed, with its prefix. Throws Error{kTooLarge} for more than a prefix can
/// say.
std::string grpc_frame(const google::protobuf::MessageLite& message);

/// The bytes of a message, somewhere in memory of its own: where its end is aligned to 16 bytes, so
/// that what a message ends with, raw tensors for one, can be used where it lies.
class GrpcMessage {
 public:
  GrpcMessage() = default;
  /// Of that size, to be appended.
  explicit GrpcMessage(std::size_t size);

  void append(std::span<const std::byte> bytes);
  std::string_view text() const { return std::string_view(storage_).substr(begin_); }
  std::span<std::byte> bytes() {
    return std::as_writable_bytes(std::span(storage_)).subspan(begin_);
  }
  std::size_t size() const { return storage_.size() - begin_; }

 private:
  std::string storage_;
  std::size_t begin_ = 0;
};

/// Takes messages out of the bytes of a call as they come.
class GrpcMessageReader {
 public:
  explicit GrpcMessageReader(std::size_t max_message_bytes) : max_bytes_(max_message_bytes) {}

  /// How many of the bytes were taken: all of them, or those up to the end of a message. Throws
  /// Error{kTooLarge} as soon as a prefix says so, {kInvalidArgument} for a flag that is none.
  std::size_t feed(std::span<const std::byte> bytes);

  /// A message is there.
  bool done() const { return has_prefix() && body_.size() == expected_; }
  bool compressed() const { return prefix_[0] == 1; }
  /// The message; another may come then.
  GrpcMessage take();
  /// In the middle of one.
  bool began() const { return prefix_size_ > 0; }
  /// Bytes of it that are there.
  std::size_t gathered() const { return body_.size(); }

 private:
  static constexpr std::size_t kPrefix = 5;
  bool has_prefix() const { return prefix_size_ == kPrefix; }
  void read_prefix();

  std::size_t max_bytes_;
  unsigned char prefix_[kPrefix] = {};
  std::size_t prefix_size_ = 0;
  std::size_t expected_ = 0;
  GrpcMessage body_;
};

}  // namespace onnxop
