#include "onnxop/registry/filter_cursor.h"

#include <algorithm>

#include "onnxop/base/utf8.h"
#include "onnxop/registry/filter.h"

namespace onnxop {
namespace {

char upper(char c) {
  return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}

}  // namespace

bool is_space(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_key_char(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

bool same_word(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return upper(x) == upper(y); });
}

std::string_view shown_part(std::string_view text) {
  constexpr std::size_t kBytes = 40;
  return utf8_prefix(text, kBytes);
}

FilterCursor::FilterCursor(std::string_view what, std::string_view text)
    : text_(text), what_(what) {
  if (text.size() > FilterLimits::kBytes) {
    fail(ErrorCode::kInvalidArgument, "{}: {} bytes are too many: at most {}", what, text.size(),
         FilterLimits::kBytes);
  }
  if (!is_utf8(text) || text.find('\0') != std::string_view::npos) {
    fail(ErrorCode::kInvalidArgument, "{}: the text is not UTF-8, or has a NUL in it", what);
  }
}

void FilterCursor::skip_spaces() {
  while (!at_end() && is_space(text_[at_])) {
    ++at_;
  }
}

std::string_view FilterCursor::word_here() const {
  std::size_t end = at_;
  while (end < text_.size() && is_key_char(text_[end])) {
    ++end;
  }
  return text_.substr(at_, end - at_);
}

std::string FilterCursor::plain_word() {
  const std::string_view word = word_here();
  at_ += word.size();
  return std::string(word);
}

bool FilterCursor::take_word(std::string_view word) {
  if (!same_word(word_here(), word)) {
    return false;
  }
  at_ += word.size();
  return true;
}

std::string FilterCursor::quoted(char quote) {
  const std::size_t start = at_++;
  std::string text;
  while (!at_end()) {
    const char c = text_[at_++];
    if (c != quote) {
      text += c;
    } else if (here() == quote) {
      text += c;
      ++at_;
    } else {
      return text;
    }
  }
  refuse(start, "the {} that opens here is not closed", quote);
}

std::string FilterCursor::rest_shown() const {
  std::size_t start = at_;
  while (start < text_.size() && is_space(text_[start])) {
    ++start;
  }
  if (start == text_.size()) {
    return "the end";
  }
  std::size_t end = start + 1;
  while (end < text_.size() && !is_space(text_[end])) {
    ++end;
  }
  return format("'{}'", shown_part(text_.substr(start, end - start)));
}

void FilterCursor::refuse_with(std::size_t at, const std::string& problem) const {
  const std::size_t before = count_utf8_characters(text_.substr(0, at)).value_or(at);
  fail(ErrorCode::kInvalidArgument, "{}: at character {}: {}", what_, before + 1, problem);
}

}  // namespace onnxop
