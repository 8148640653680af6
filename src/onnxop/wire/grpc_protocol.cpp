#include "onnxop/wire/grpc_protocol.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <limits>
#include <utility>

#include <google/protobuf/message_lite.h>

#include "onnxop/base/error.h"

namespace onnxop {
namespace {

constexpr std::size_t kPrefixBytes = 5;
constexpr std::size_t kAligned = 16;  // as memory is that is allocated
/// What a client says of a message's size is believed so far: room for more is made as it comes.
constexpr std::size_t kBelievedBytes = 64U << 10;

}  // namespace

std::optional<std::chrono::nanoseconds> read_grpc_timeout(std::string_view text) {
  using std::chrono::nanoseconds;
  constexpr std::size_t kMostDigits = 8;
  constexpr std::array<std::pair<char, nanoseconds>, 6> kUnits{{{'H', std::chrono::hours(1)},
                                                                {'M', std::chrono::minutes(1)},
                                                                {'S', std::chrono::seconds(1)},
                                                                {'m', std::chrono::milliseconds(1)},
                                                                {'u', std::chrono::microseconds(1)},
                                                                {'n', nanoseconds(1)}}};
  if (text.size() < 2 || text.size() > kMostDigits + 1) {
    return std::nullopt;
  }
  std::uint32_t number = 0;
  const char* const end = text.data() + text.size() - 1;
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || stop != end) {
    return std::nullopt;
  }
  for (const auto& [letter, unit] : kUnits) {
    if (letter == text.back()) {
      // 99,999,999 hours are more nanoseconds than there are.
      const auto most = static_cast<std::uint64_t>(nanoseconds::max().count() / unit.count());
      return number > most ? nanoseconds::max() : nanoseconds(unit.count() * number);
    }
  }
  return std::nullopt;
}

std::string grpc_message_field(std::string_view message) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string field;
  field.reserve(message.size());
  for (const char c : message) {
    if (c >= ' ' && c <= '~' && c != '%') {
      field += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      field += {'%', kHex[byte >> 4U], kHex[byte & 15U]};
    }
  }
  return field;
}

std::string grpc_frame(const google::protobuf::MessageLite& message) {
  const std::size_t size = message.ByteSizeLong();
  if (size > static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max())) {
    fail(ErrorCode::kTooLarge, "the answer has {} bytes, expected less than 2 GiB", size);
  }
  std::string frame(kPrefixBytes + size, '\0');
  for (std::size_t i = 0; i < 4; ++i) {
    frame[1 + i] = static_cast<char>(size >> (24 - 8 * i));
  }
  message.SerializeWithCachedSizesToArray(
      reinterpret_cast<std::uint8_t*>(frame.data() + kPrefixBytes));
  return frame;
}

GrpcMessage::GrpcMessage(std::size_t size) : begin_((kAligned - size % kAligned) % kAligned) {
  storage_.reserve(begin_ + std::min(size, kBelievedBytes));
  storage_.resize(begin_);
}

void GrpcMessage::append(std::span<const std::byte> bytes) {
  storage_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

std::size_t GrpcMessageReader::feed(std::span<const std::byte> bytes) {
  std::size_t taken = 0;
  if (!has_prefix()) {
    taken = std::min(bytes.size(), kPrefix - prefix_size_);
    std::memcpy(prefix_ + prefix_size_, bytes.data(), taken);
    prefix_size_ += taken;
    if (!has_prefix()) {
      return taken;
    }
    read_prefix();
  }
  const std::size_t of_body = std::min(bytes.size() - taken, expected_ - body_.size());
  body_.append(bytes.subspan(taken, of_body));
  return taken + of_body;
}

void GrpcMessageReader::read_prefix() {
  if (prefix_[0] > 1) {
    fail(ErrorCode::kInvalidArgument, "a message's first byte is {}, expected 0, or 1 (compressed)",
         prefix_[0]);
  }
  expected_ = std::size_t{prefix_[1]} << 24U | std::size_t{prefix_[2]} << 16U |
              std::size_t{prefix_[3]} << 8U | prefix_[4];
  if (expected_ > max_bytes_) {
    fail(ErrorCode::kTooLarge, "a message has {} bytes, expected at most {}", expected_,
         max_bytes_);
  }
  body_ = GrpcMessage(expected_);
}

GrpcMessage GrpcMessageReader::take() {
  prefix_size_ = 0;
  return std::exchange(body_, {});
}

}  // namespace onnxop
