#include "onnxop/triton/config_text.h"

#include <cctype>
#include <optional>

#include <google/protobuf/io/tokenizer.h>

#include "onnxop/base/error.h"

namespace onnxop {
namespace {

constexpr int kDeepest = 64;  // messages in messages

bool is_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

/// The end of the text in quotes or comment that begins at `at`; `at` where none does.
std::size_t skip_quoted(std::string_view text, std::size_t at) {
  if (text[at] == '#') {
    return std::min(text.find('\n', at), text.size());
  }
  if (text[at] != '"' && text[at] != '\'') {
    return at;
  }
  std::size_t end = at + 1;
  while (end < text.size() && text[end] != text[at] && text[end] != '\n') {
    end += text[end] == '\\' ? 2 : 1;
  }
  return std::min(end + 1, text.size());
}

/// Protobuf reads "name [ … ]" as "name: [ … ]" for fields that it knows, but not where it skips
/// others. The colon takes the place of a space, so that the columns stay.
std::string with_colons_before_lists(std::string_view text) {
  std::string result;
  std::optional<std::size_t> word_end;  // in the result, where a word was the last thing
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t after = skip_quoted(text, at);
    if (after != at) {
      word_end = text[at] == '#' ? word_end : std::nullopt;
      result += text.substr(at, after - at);
      at = after;
      continue;
    }
    const char c = text[at++];
    if (c == '[' && word_end) {
      if (*word_end < result.size() && result[*word_end] == ' ') {
        result[*word_end] = ':';
      } else {
        result.insert(result.begin() + static_cast<std::ptrdiff_t>(*word_end), ':');
      }
    }
    result += c;
    if (is_word(c)) {
      word_end = result.size();
    } else if (std::isspace(static_cast<unsigned char>(c)) == 0) {
      word_end.reset();
    }
  }
  return result;
}

class Collector : public google::protobuf::io::ErrorCollector {
 public:
  void AddError(int line, google::protobuf::io::ColumnNumber column,
                const std::string& message) override {
    if (error_.empty()) {
      error_ = format("line {}, column {}: {}", line + 1, column + 1, message);
    }
  }

  /// `Message type "…" has no field named "name".`
  void AddWarning(int line, google::protobuf::io::ColumnNumber column,
                  const std::string& message) override {
    const auto end = message.rfind('"');
    const auto begin =
        end == std::string::npos || end == 0 ? std::string::npos : message.rfind('"', end - 1);
    unknown_.push_back(
        {line, column,
         begin == std::string::npos ? message : message.substr(begin + 1, end - begin - 1)});
  }

  const std::string& error() const { return error_; }
  std::vector<UnknownField>& unknown() { return unknown_; }

 private:
  std::string error_;
  std::vector<UnknownField> unknown_;
};

}  // namespace

std::unique_ptr<ConfigText> parse_config_text(std::string_view text) {
  auto parsed = std::make_unique<ConfigText>();
  Collector collector;
  google::protobuf::TextFormat::Parser parser;
  parser.AllowUnknownField(true);
  parser.AllowUnknownExtension(true);
  parser.SetRecursionLimit(kDeepest);
  parser.RecordErrorsTo(&collector);
  parser.WriteLocationsTo(&parsed->places);
  if (!parser.ParseFromString(with_colons_before_lists(text), &parsed->message)) {
    fail(ErrorCode::kInvalidArgument, "{}",
         collector.error().empty() ? "no configuration of a model" : collector.error());
  }
  parsed->unknown = std::move(collector.unknown());
  return parsed;
}

int line_of(const PlaceTree& places, const google::protobuf::Message& message,
            std::string_view field, int index) {
  const auto* descriptor = message.GetDescriptor()->FindFieldByName(std::string(field));
  const int own = places.GetLocation(descriptor, index).line;
  return (own < 0 && index > 0 ? places.GetLocation(descriptor, 0).line : own) + 1;
}

}  // namespace onnxop
