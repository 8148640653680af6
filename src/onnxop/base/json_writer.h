#pragma once
// JSON written as it goes, into one string: for what is long or written for every request, of which
// no tree of values is built first. Who writes sees to it that keys stand in objects and that all
// that was opened is closed.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace onnxop {

class JsonWriter {
 public:
  JsonWriter() = default;
  /// Writes into this text's memory, in place of what it holds.
  explicit JsonWriter(std::string memory) : json_(std::move(memory)) { json_.clear(); }

  JsonWriter& open_object() { return open('{'); }
  JsonWriter& close_object() { return close('}'); }
  JsonWriter& open_array() { return open('['); }
  JsonWriter& close_array() { return close(']'); }
  JsonWriter& key(std::string_view name);

  /// Bytes that are no UTF-8 become U+FFFD.
  JsonWriter& text(std::string_view value);
  JsonWriter& integer(std::int64_t value);
  /// As short as reads back the same. What JSON has no number for is a text, as protobuf has it:
  /// "NaN", "Infinity", "-Infinity".
  JsonWriter& number(double value);
  JsonWriter& truth(bool value);

  JsonWriter& text(std::string_view name, std::string_view value) { return key(name).text(value); }
  JsonWriter& integer(std::string_view name, std::int64_t value) {
    return key(name).integer(value);
  }
  JsonWriter& number(std::string_view name, double value) { return key(name).number(value); }
  JsonWriter& truth(std::string_view name, bool value) { return key(name).truth(value); }

  void reserve(std::size_t bytes) { json_.reserve(bytes); }
  /// The text, once. The writer is of no use afterwards.
  std::string take() { return std::move(json_); }

 private:
  JsonWriter& open(char bracket);
  JsonWriter& close(char bracket);
  void separate();

  std::string json_;
  bool comma_ = false;  // before what comes next
};

}  // namespace onnxop
