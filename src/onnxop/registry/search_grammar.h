#pragma once
// What can be searched and ordered by, for each kind of thing: MLflow's names and aliases, and
// which comparators go with which. Tables only.

#include <optional>
#include <span>
#include <string_view>

#include "onnxop/registry/filter.h"

namespace onnxop {

enum class ValueKind {
  kText,        // '…': = != LIKE ILIKE
  kTextOrList,  // IN, NOT IN too
  kTextOrNull,  // IS NULL, IS NOT NULL too, no lists
  kIdentifier,  // '12', a whole number in quotes: = != IN NOT IN
  kNumber,      // 12, 1.5: = != < <= > >=
};
std::span<const Comparator> comparators_of(ValueKind kind);

struct SearchAttribute {
  std::string_view name;
  ValueKind kind;
  std::string_view column;  // SQL, on the tables that the search names
  bool in_filter = true;
  bool in_order = true;
  bool nullable = false;
  std::span<const std::string_view> aliases = {};
};

struct SearchGrammar {
  std::string_view what;  // for messages: "runs"
  std::span<const SearchAttribute> attributes;
  /// None: there is no such entity here.
  std::optional<ValueKind> metrics = {};
  std::optional<ValueKind> params = {};
  std::optional<ValueKind> tags = {};
  bool datasets = false;
  /// Entities to order by beside attributes.
  bool order_by_metrics = false;
  bool order_by_texts = false;  // params and tags
  /// A name without an entity is a metric's, and there are no attributes.
  bool bare_metrics = false;
};

const SearchGrammar& experiment_grammar();
const SearchGrammar& run_grammar();
const SearchGrammar& logged_model_grammar();
const SearchGrammar& model_grammar();
const SearchGrammar& version_grammar();
/// Conditions on measured values: "test_accuracy >= 0.99 AND latency_ms < 1".
const SearchGrammar& measurement_grammar();

/// The attributes of data sets: name, digest, context.
std::span<const SearchAttribute> dataset_attributes();

/// By name or alias.
const SearchAttribute* find_attribute(std::span<const SearchAttribute> attributes,
                                      std::string_view name);

}  // namespace onnxop
