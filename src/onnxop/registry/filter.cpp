#include "onnxop/registry/filter.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <optional>

#include "onnxop/base/error.h"
#include "onnxop/registry/filter_cursor.h"
#include "onnxop/registry/filter_names.h"
#include "onnxop/registry/search_grammar.h"

namespace onnxop {
namespace {

struct ComparatorWord {
  Comparator comparator;
  std::string_view text;
};
// Words of several parts have one space between them here.
constexpr auto kComparatorWords = std::to_array<ComparatorWord>({
    {Comparator::kEqual, "="},
    {Comparator::kNotEqual, "!="},
    {Comparator::kLess, "<"},
    {Comparator::kLessEqual, "<="},
    {Comparator::kGreater, ">"},
    {Comparator::kGreaterEqual, ">="},
    {Comparator::kLike, "LIKE"},
    {Comparator::kIlike, "ILIKE"},
    {Comparator::kIn, "IN"},
    {Comparator::kNotIn, "NOT IN"},
    {Comparator::kIsNull, "IS NULL"},
    {Comparator::kIsNotNull, "IS NOT NULL"},
});

// A name as it was written, and what it means.
struct Target {
  NameMeaning meaning;
  std::string shown;
};

class Parser : private FilterCursor {
 public:
  Parser(std::string_view what, std::string_view text, const SearchGrammar& grammar)
      : FilterCursor(what, text), grammar_(grammar) {}

  std::vector<FilterClause> filter() {
    std::vector<FilterClause> clauses;
    skip_spaces();
    while (!at_end()) {
      if (!clauses.empty()) {
        expect_and();
      }
      if (clauses.size() == FilterLimits::kClauses) {
        refuse(at_, "more than {} comparisons", FilterLimits::kClauses);
      }
      clauses.push_back(comparison());
      skip_spaces();
    }
    return clauses;
  }

  OrderTerm order_term() {
    skip_spaces();
    const auto [meaning, shown] = name(NameUse::kOrder);
    OrderTerm term{.entity = meaning.entity, .key = meaning.key, .ascending = true};
    skip_spaces();
    if (take_word("DESC")) {
      term.ascending = false;
    } else {
      take_word("ASC");
    }
    skip_spaces();
    if (!at_end()) {
      refuse(at_, "expected ASC, DESC or the end after '{}', got {}", shown, rest_shown());
    }
    return term;
  }

 private:
  void expect_and() {
    if (!take_word("AND")) {
      refuse(at_, "expected AND or the end, got {}{}", rest_shown(),
             same_word(word_here(), "OR") ? " (there is no OR; several values of one attribute: IN)"
                                          : "");
    }
    skip_spaces();
    if (at_end()) {
      refuse(at_, "expected a comparison after AND, got the end");
    }
  }

  FilterClause comparison() {
    const Target target = name(NameUse::kFilter);
    FilterClause clause{.entity = target.meaning.entity, .key = target.meaning.key};
    skip_spaces();
    const std::size_t start = at_;
    clause.comparator = comparator(target);
    skip_spaces();
    switch (clause.comparator) {
      case Comparator::kIsNull:
      case Comparator::kIsNotNull:
        break;
      case Comparator::kIn:
      case Comparator::kNotIn:
        clause.texts = list(target);
        break;
      default:
        if (target.meaning.kind == ValueKind::kNumber) {
          clause.number = number(target);
        } else {
          clause.texts.push_back(text_value(target));
        }
    }
    const bool pattern =
        clause.comparator == Comparator::kLike || clause.comparator == Comparator::kIlike;
    if (pattern && clause.texts.front().size() > FilterLimits::kPatternBytes) {
      refuse(start, "a pattern of {} bytes is too long: at most {}", clause.texts.front().size(),
             FilterLimits::kPatternBytes);
    }
    return clause;
  }

  // [entity "."] key
  Target name(NameUse use) {
    const std::size_t start = at_;
    const std::string first = here() == '`' || here() == '"' ? quoted(here()) : plain_word();
    if (first.empty()) {
      refuse(start, "expected a name such as {}, got {}", example(), rest_shown());
    }
    Target target;
    if (here() == '.') {
      ++at_;
      target.meaning = find_meaning(first, key(), grammar_, use);
    } else {
      target.meaning = find_meaning({}, first, grammar_, use);
    }
    if (!target.meaning.problem.empty()) {
      refuse(start, "{}", target.meaning.problem);
    }
    target.shown = shown_part(text_.substr(start, at_ - start));
    return target;
  }

  std::string key() {
    const std::size_t start = at_;
    if (here() == '`' || here() == '"') {
      std::string text = quoted(here());
      if (text.empty()) {
        refuse(start, "expected a key, got an empty one");
      }
      return text;
    }
    while (!at_end() && (is_key_char(here()) || here() == '.')) {
      ++at_;
    }
    if (at_ == start) {
      refuse(at_, "expected a key after '.', got {}", rest_shown());
    }
    return std::string(text_.substr(start, at_ - start));
  }

  std::string example() const {
    return grammar_.bare_metrics ? "test_accuracy"
           : grammar_.metrics    ? "metrics.loss, params.`my key` or tags.owner"
                                 : "name or tags.owner";
  }

  Comparator comparator(const Target& target) {
    const std::size_t start = at_;
    const auto found = take_comparator();
    const auto allowed = comparators_of(target.meaning.kind);
    if (found && std::ranges::find(allowed, *found) != allowed.end()) {
      return *found;
    }
    std::vector<std::string_view> texts;
    for (const Comparator comparator : allowed) {
      texts.push_back(comparator_text(comparator));
    }
    at_ = start;
    const std::string got = found ? format("'{}'", comparator_text(*found)) : rest_shown();
    refuse(start, "expected one of {} after '{}', got {}{}", join(texts, ", "), target.shown, got,
           !found && start > 0 && !is_space(text_[start - 1]) && !at_end()
               ? " (a key with other than letters, digits, '_' and '.' is written in `…`)"
               : "");
  }

  std::optional<Comparator> take_comparator() {
    std::string text;
    if (is_key_char(here())) {
      text = take_comparator_words();
    } else {
      while (!at_end() && std::string_view("<>=!~").find(here()) != std::string_view::npos) {
        text += text_[at_++];
      }
    }
    for (const ComparatorWord& known : kComparatorWords) {
      if (same_word(known.text, text)) {
        return known.comparator;
      }
    }
    return std::nullopt;
  }

  // "IS NOT NULL" and the like, with one space between the words.
  std::string take_comparator_words() {
    std::string text = plain_word();
    const auto append = [&](std::string_view word) {
      skip_spaces();
      if (take_word(word)) {
        text += ' ';
        text += word;
      }
    };
    if (same_word(text, "NOT")) {
      append("IN");
    } else if (same_word(text, "IS")) {
      append("NOT");
      append("NULL");
    }
    return text;
  }

  double number(const Target& target) {
    const std::size_t start = at_;
    std::size_t end = at_;
    while (end < text_.size() && (is_key_char(text_[end]) || text_[end] == '.' ||
                                  text_[end] == '-' || text_[end] == '+')) {
      ++end;
    }
    const std::string_view word = text_.substr(start, end - start);
    const bool starts = !word.empty() && (is_digit(word[0]) || word[0] == '-' || word[0] == '.');
    double value = 0;
    const auto [rest, error] = std::from_chars(word.data(), word.data() + word.size(), value);
    const bool letters = word.find_first_of("nNiI") != std::string_view::npos;  // "nan", "inf"
    if (!starts || letters || error != std::errc() || rest != word.data() + word.size()) {
      refuse(start, "expected a number to compare '{}' with, got {}", target.shown, rest_shown());
    }
    at_ = end;
    return value;
  }

  std::string text_value(const Target& target) {
    const std::size_t start = at_;
    if (here() != '\'' && here() != '"') {
      refuse(start, "expected a text in '…' or \"…\" to compare '{}' with, got {}", target.shown,
             rest_shown());
    }
    std::string text = quoted(here());
    if (target.meaning.kind == ValueKind::kIdentifier) {
      std::int64_t id = 0;
      const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), id);
      if (error != std::errc() || rest != text.data() + text.size() || text.empty()) {
        refuse(start, "'{}' is no {}: expected a whole number in quotes", shown_part(text),
               target.meaning.key);
      }
    }
    return text;
  }

  std::vector<std::string> list(const Target& target) {
    if (here() != '(') {
      refuse(at_, "expected a list such as ('a', 'b'), got {}", rest_shown());
    }
    ++at_;
    skip_spaces();
    std::vector<std::string> texts;
    while (here() != ')' || texts.empty()) {
      if (++list_values_ > FilterLimits::kListValues) {
        refuse(at_, "more than {} values in lists", FilterLimits::kListValues);
      }
      texts.push_back(text_value(target));
      skip_spaces();
      if (here() == ',') {
        ++at_;
        skip_spaces();
      } else if (here() != ')') {
        refuse(at_, "expected ',' or ')' in a list, got {}", rest_shown());
      }
    }
    ++at_;
    return texts;
  }

  const SearchGrammar& grammar_;
  std::size_t list_values_ = 0;
};

}  // namespace

std::string_view search_entity_name(SearchEntity entity) {
  switch (entity) {
    case SearchEntity::kAttribute:
      return "attribute";
    case SearchEntity::kMetric:
      return "metric";
    case SearchEntity::kParam:
      return "parameter";
    case SearchEntity::kTag:
      return "tag";
    case SearchEntity::kDataset:
      return "dataset";
  }
  return "";
}

std::string_view comparator_text(Comparator comparator) {
  return std::ranges::find(kComparatorWords, comparator, &ComparatorWord::comparator)->text;
}

std::vector<FilterClause> parse_filter(std::string_view text, const SearchGrammar& grammar,
                                       std::string_view what) {
  return Parser(what, text, grammar).filter();
}

std::vector<OrderTerm> parse_order_by(std::span<const std::string> order_by,
                                      const SearchGrammar& grammar, std::string_view what,
                                      std::span<const MetricDataset> datasets) {
  if (order_by.size() > FilterLimits::kOrderTerms) {
    fail(ErrorCode::kInvalidArgument, "{}: {} terms are too many: at most {}", what,
         order_by.size(), FilterLimits::kOrderTerms);
  }
  std::vector<OrderTerm> terms;
  for (const std::string& text : order_by) {
    OrderTerm term = Parser(what, text, grammar).order_term();
    if (terms.size() < datasets.size()) {
      term.dataset = datasets[terms.size()];
    }
    if (!term.dataset.name.empty() && term.entity != SearchEntity::kMetric) {
      fail(ErrorCode::kInvalidArgument,
           "{}: the {} '{}' on the data set '{}': only metrics are of data sets", what,
           search_entity_name(term.entity), term.key, term.dataset.name);
    }
    for (const OrderTerm& before : terms) {
      if (before.entity == term.entity && before.key == term.key &&
          before.dataset == term.dataset) {
        fail(ErrorCode::kInvalidArgument, "{}: the {} '{}' stands there twice", what,
             search_entity_name(term.entity), term.key);
      }
    }
    terms.push_back(std::move(term));
  }
  return terms;
}

}  // namespace onnxop
