#include "onnxop/onnx/wire.h"

#include <map>

#include <google/protobuf/descriptor.h>

#include "onnxop/base/format.h"

namespace onnxop {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

constexpr std::uint32_t kVarint = 0;
constexpr std::uint32_t kEightBytes = 1;
constexpr std::uint32_t kDelimited = 2;
constexpr std::uint32_t kFourBytes = 5;
constexpr int kDeepest = 100;  // protobuf's own limit

std::optional<WireDamage> find_in(std::span<const std::byte> bytes, std::size_t begin,
                                  std::size_t end, const Descriptor& type, const std::string& path,
                                  int depth) {
  if (depth > kDeepest) {
    return WireDamage{begin, path, format("messages are nested deeper than {} levels", kDeepest)};
  }
  WireReader reader(bytes, begin, end);
  std::map<std::uint32_t, int> counts;
  while (const auto field = reader.next()) {
    const FieldDescriptor* known = type.FindFieldByNumber(static_cast<int>(field->number));
    if (known == nullptr || known->type() != FieldDescriptor::TYPE_MESSAGE ||
        field->type != kDelimited) {
      continue;
    }
    std::string inner = path.empty() ? known->name() : path + "." + known->name();
    if (known->is_repeated()) {
      inner += format("[{}]", counts[field->number]++);
    }
    auto damage =
        find_in(bytes, field->payload, field->end, *known->message_type(), inner, depth + 1);
    if (damage) {
      return damage;
    }
  }
  if (!reader.problem().empty()) {
    return WireDamage{reader.position(), path, reader.problem()};
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::uint64_t> WireReader::varint() {
  constexpr int kMostBytes = 10;
  std::uint64_t value = 0;
  const std::size_t begin = at_;
  for (int i = 0; i < kMostBytes; ++i) {
    if (begin + static_cast<std::size_t>(i) >= end_) {
      problem_ = "ends inside a number";
      return std::nullopt;
    }
    const auto byte = std::to_integer<std::uint64_t>(bytes_[begin + static_cast<std::size_t>(i)]);
    value |= (byte & 0x7F) << (7 * i);
    if ((byte & 0x80) == 0) {
      at_ = begin + static_cast<std::size_t>(i) + 1;
      return value;
    }
  }
  problem_ = format("a number is longer than {} bytes", kMostBytes);
  return std::nullopt;
}

std::optional<std::uint64_t> WireReader::length_of(std::uint32_t type) {
  switch (type) {
    case kEightBytes:
      return 8;
    case kFourBytes:
      return 4;
    case kDelimited:
      return varint();
    default:
      problem_ = format("unknown wire type {}", type);
      return std::nullopt;
  }
}

std::optional<WireField> WireReader::next() {
  if (at_ == end_ || !problem_.empty()) {
    return std::nullopt;
  }
  WireField field;
  field.begin = at_;
  const auto tag = varint();
  const auto refuse = [&]() -> std::optional<WireField> {
    at_ = field.begin;
    return std::nullopt;
  };
  if (!tag) {
    return refuse();
  }
  field.number = static_cast<std::uint32_t>(*tag >> 3);
  field.type = static_cast<std::uint32_t>(*tag & 7);
  if (field.number == 0 || *tag > UINT32_MAX) {
    problem_ = format("{} is no field's tag", *tag);
    return refuse();
  }
  if (field.type == kVarint) {
    field.payload = at_;
    if (!varint()) {
      return refuse();
    }
    field.end = at_;
    return field;
  }
  const auto length = length_of(field.type);
  if (!length) {
    return refuse();
  }
  if (*length > end_ - at_) {
    problem_ =
        format("field {} needs {} bytes, but {} are left", field.number, *length, end_ - at_);
    return refuse();
  }
  field.payload = at_;
  at_ += static_cast<std::size_t>(*length);
  field.end = at_;
  return field;
}

std::optional<WireDamage> find_damage(std::span<const std::byte> bytes, const Descriptor& type) {
  return find_in(bytes, 0, bytes.size(), type, "", 0);
}

}  // namespace onnxop
