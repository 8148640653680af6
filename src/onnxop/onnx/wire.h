#pragma once
// Protobuf's wire format, as far as it is needed to say where a file is damaged and to exchange one
// field of a message without touching the others. Pure functions of bytes; private to this room.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace google::protobuf {
class Descriptor;
}

namespace onnxop {

struct WireField {
  std::uint32_t number = 0;
  std::uint32_t type = 0;   // 0 varint, 1 eight bytes, 2 length-delimited, 5 four bytes
  std::size_t begin = 0;    // of the tag
  std::size_t payload = 0;  // of the value, after the tag and the length
  std::size_t end = 0;      // after the value
};

/// The fields of one message, one after another.
class WireReader {
 public:
  /// The message is bytes[begin, end).
  WireReader(std::span<const std::byte> bytes, std::size_t begin, std::size_t end)
      : bytes_(bytes), at_(begin), end_(end) {}
  explicit WireReader(std::span<const std::byte> bytes) : WireReader(bytes, 0, bytes.size()) {}

  /// None at the end, and where the bytes are no field: then problem() says what, at byte
  /// position().
  std::optional<WireField> next();
  const std::string& problem() const { return problem_; }
  std::size_t position() const { return at_; }

 private:
  std::optional<std::uint64_t> varint();
  std::optional<std::uint64_t> length_of(std::uint32_t type);

  std::span<const std::byte> bytes_;
  std::size_t at_;
  std::size_t end_;
  std::string problem_;
};

struct WireDamage {
  std::size_t position;  // in bytes from the start
  std::string path;      // of the message it is in: "graph.initializer[3]"
  std::string reason;
};

/// The first place where `bytes` are no message of this type; none when they are one.
std::optional<WireDamage> find_damage(std::span<const std::byte> bytes,
                                      const google::protobuf::Descriptor& type);

}  // namespace onnxop
