#pragma once
// MLflow's search grammar as plain values: `metrics.loss < 0.1 AND params."my key" LIKE 'a%'`, and
// `metrics.loss DESC` for orders. What attributes and entities there are depends on what is
// searched (search_grammar.h). Pure functions: no database, any thread.
//
//   filter     = [comparison {AND comparison}]
//   comparison = name comparator value | name [NOT] IN (string, …) | name IS [NOT] NULL
//   name       = [entity "."] key            without an entity: an attribute
//   key        = letters, digits, '_', '.' and what is not ASCII, or anything in `…` or "…"
//   value      = number | '…' | "…"          a quote is written twice inside its own kind
//
// AND, LIKE, ILIKE, IN, IS, NOT, NULL, ASC and DESC in any case; names are case-sensitive.

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "onnxop/registry/search.h"

namespace onnxop {

struct SearchGrammar;

enum class SearchEntity { kAttribute, kMetric, kParam, kTag, kDataset };
/// "attribute", "metric", "parameter", "tag", "dataset".
std::string_view search_entity_name(SearchEntity entity);

enum class Comparator {
  kEqual,
  kNotEqual,
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual,
  kLike,   // '%': any characters, '_': any one; case-sensitive
  kIlike,  // the same, not case-sensitive
  kIn,
  kNotIn,
  kIsNull,
  kIsNotNull,
};
std::string_view comparator_text(Comparator comparator);  // "!=", "NOT IN"

struct FilterClause {
  SearchEntity entity = SearchEntity::kAttribute;
  std::string key = {};  // of attributes without their aliases: "start_time" for "created"
  Comparator comparator = Comparator::kEqual;
  std::vector<std::string> texts = {};  // one; several of IN; none with a number or NULL
  double number = 0;                    // where the value is one
};

struct OrderTerm {
  SearchEntity entity = SearchEntity::kAttribute;
  std::string key = {};
  bool ascending = true;
  MetricDataset dataset = {};  // of metrics of logged models; without a name: any or none
};

/// Throws above these, so that no text costs more than its length.
struct FilterLimits {
  static constexpr std::size_t kBytes = 256 * 1024;
  static constexpr std::size_t kClauses = 100;
  static constexpr std::size_t kListValues = 5000;  // of all lists together
  static constexpr std::size_t kPatternBytes = 1024;
  static constexpr std::size_t kOrderTerms = 16;
};

/// The comparisons, all of which must hold. Throws Error{kInvalidArgument} that names what was got,
/// at which character, and what is allowed there; `what` names the text in messages.
std::vector<FilterClause> parse_filter(std::string_view text, const SearchGrammar& grammar,
                                       std::string_view what = "filter");

/// `datasets`: those of the terms with the same index, where there are so many. Throws
/// Error{kInvalidArgument} where one stands with anything but a metric.
std::vector<OrderTerm> parse_order_by(std::span<const std::string> order_by,
                                      const SearchGrammar& grammar,
                                      std::string_view what = "order_by",
                                      std::span<const MetricDataset> datasets = {});

}  // namespace onnxop
