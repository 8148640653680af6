#pragma once
// A place in the text of a filter: words, quoted texts, and errors that say where they are. No part
// of the room's interface.

#include <cstddef>
#include <string>
#include <string_view>

#include "onnxop/base/error.h"

namespace onnxop {

class FilterCursor {
 public:
  /// `what` names the text in messages: "filter", "order_by". Throws Error{kInvalidArgument} for a
  /// text over FilterLimits::kBytes, with a NUL in it, or that is no UTF-8.
  FilterCursor(std::string_view what, std::string_view text);

 protected:
  bool at_end() const { return at_ == text_.size(); }
  char here() const { return at_end() ? '\0' : text_[at_]; }
  void skip_spaces();

  /// The word that begins here, without taking it; may be empty.
  std::string_view word_here() const;
  std::string plain_word();               // takes it
  bool take_word(std::string_view word);  // in any case; false: another stands here

  /// Text in quotes, which are taken off; inside, a quote is written twice.
  std::string quoted(char quote);

  /// What stands here, for a message.
  std::string rest_shown() const;

  template <typename... Args>
  [[noreturn]] void refuse(std::size_t at, FormatString<Args...> problem, Args&&... args) const {
    refuse_with(at, format(problem, std::forward<Args>(args)...));
  }

  std::string_view text_;
  std::size_t at_ = 0;

 private:
  [[noreturn]] void refuse_with(std::size_t at, const std::string& problem) const;

  std::string_view what_;
};

bool is_space(char c);
bool is_digit(char c);
bool is_key_char(char c);  // a letter, a digit, '_', or a byte of what is not ASCII
bool same_word(std::string_view a, std::string_view b);

/// What a message shows of a text.
std::string_view shown_part(std::string_view text);

}  // namespace onnxop
