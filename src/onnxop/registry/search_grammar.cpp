#include "onnxop/registry/search_grammar.h"

#include <algorithm>
#include <array>

namespace onnxop {
namespace {

using enum Comparator;

constexpr std::array kTextComparators{kEqual, kNotEqual, kLike, kIlike};
constexpr std::array kListComparators{kEqual, kNotEqual, kLike, kIlike, kIn, kNotIn};
constexpr std::array kNullComparators{kEqual, kNotEqual, kLike, kIlike, kIsNull, kIsNotNull};
constexpr std::array kIdentifierComparators{kEqual, kNotEqual, kIn, kNotIn};
constexpr std::array kNumberComparators{kEqual,     kNotEqual, kLess,
                                        kLessEqual, kGreater,  kGreaterEqual};

using Names = std::string_view;
constexpr std::array<Names, 2> kCreatedAliases{"created", "Created"};
constexpr std::array<Names, 3> kRunNameAliases{"run name", "Run name", "Run Name"};
constexpr std::array<Names, 2> kCreationAliases{"creation_time", "creation_timestamp_ms"};
constexpr std::array<Names, 2> kUpdateAliases{"last_updated_timestamp_ms", "last_update_time"};
constexpr std::array<Names, 1> kTimestampAlias{"timestamp"};

constexpr auto kExperimentAttributes = std::to_array<SearchAttribute>({
    {.name = "name", .kind = ValueKind::kText, .column = "e.name"},
    {.name = "experiment_id", .kind = ValueKind::kIdentifier, .column = "e.experiment_id"},
    {.name = "creation_time", .kind = ValueKind::kNumber, .column = "e.created_ms"},
    {.name = "last_update_time", .kind = ValueKind::kNumber, .column = "e.updated_ms"},
});

constexpr auto kRunAttributes = std::to_array<SearchAttribute>({
    {.name = "run_id", .kind = ValueKind::kTextOrList, .column = "r.run_id"},
    {.name = "run_name", .kind = ValueKind::kText, .column = "r.name", .aliases = kRunNameAliases},
    {.name = "user_id", .kind = ValueKind::kText, .column = "r.user_id"},
    {.name = "status", .kind = ValueKind::kText, .column = "r.status"},
    {.name = "start_time",
     .kind = ValueKind::kNumber,
     .column = "r.start_time_ms",
     .aliases = kCreatedAliases},
    {.name = "end_time", .kind = ValueKind::kNumber, .column = "r.end_time_ms", .nullable = true},
    {.name = "artifact_uri",
     .kind = ValueKind::kText,
     .column = "((SELECT 'mlflow-artifacts:/' || e.artifact_location || '/' FROM experiments e "
               "WHERE e.experiment_id = r.experiment_id) || r.run_id || '/artifacts')"},
});

constexpr auto kDatasetAttributes = std::to_array<SearchAttribute>({
    {.name = "name", .kind = ValueKind::kTextOrList, .column = "d.name"},
    {.name = "digest", .kind = ValueKind::kTextOrList, .column = "d.digest"},
    {.name = "context", .kind = ValueKind::kTextOrList, .column = "t.value"},
});

constexpr auto kLoggedModelAttributes = std::to_array<SearchAttribute>({
    {.name = "name", .kind = ValueKind::kTextOrList, .column = "m.name"},
    {.name = "model_id", .kind = ValueKind::kTextOrList, .column = "m.model_id"},
    {.name = "model_type", .kind = ValueKind::kTextOrList, .column = "m.model_type"},
    {.name = "status", .kind = ValueKind::kTextOrList, .column = "m.status"},
    {.name = "source_run_id", .kind = ValueKind::kTextOrList, .column = "m.source_run_id"},
    {.name = "experiment_id", .kind = ValueKind::kIdentifier, .column = "m.experiment_id"},
    {.name = "creation_timestamp",
     .kind = ValueKind::kNumber,
     .column = "m.created_ms",
     .aliases = kCreationAliases},
    {.name = "last_updated_timestamp",
     .kind = ValueKind::kNumber,
     .column = "m.updated_ms",
     .aliases = kUpdateAliases},
});

constexpr auto kModelAttributes = std::to_array<SearchAttribute>({
    {.name = "name", .kind = ValueKind::kTextOrList, .column = "m.name"},
    {.name = "creation_timestamp",
     .kind = ValueKind::kNumber,
     .column = "m.created_ms",
     .in_filter = false},
    {.name = "last_updated_timestamp",
     .kind = ValueKind::kNumber,
     .column = "m.updated_ms",
     .in_filter = false,
     .aliases = kTimestampAlias},
});

constexpr auto kVersionAttributes = std::to_array<SearchAttribute>({
    {.name = "name", .kind = ValueKind::kTextOrList, .column = "m.name"},
    {.name = "run_id", .kind = ValueKind::kTextOrList, .column = "v.run_id", .in_order = false},
    {.name = "source_path", .kind = ValueKind::kText, .column = "v.source", .in_order = false},
    {.name = "version_number", .kind = ValueKind::kNumber, .column = "v.version"},
    {.name = "creation_timestamp",
     .kind = ValueKind::kNumber,
     .column = "v.created_ms",
     .in_filter = false},
    {.name = "last_updated_timestamp",
     .kind = ValueKind::kNumber,
     .column = "v.updated_ms",
     .in_filter = false},
});

}  // namespace

std::span<const Comparator> comparators_of(ValueKind kind) {
  switch (kind) {
    case ValueKind::kText:
      return kTextComparators;
    case ValueKind::kTextOrList:
      return kListComparators;
    case ValueKind::kTextOrNull:
      return kNullComparators;
    case ValueKind::kIdentifier:
      return kIdentifierComparators;
    case ValueKind::kNumber:
      return kNumberComparators;
  }
  return {};
}

const SearchGrammar& experiment_grammar() {
  static constexpr SearchGrammar kGrammar{
      .what = "experiments", .attributes = kExperimentAttributes, .tags = ValueKind::kTextOrNull};
  return kGrammar;
}

const SearchGrammar& run_grammar() {
  static constexpr SearchGrammar kGrammar{.what = "runs",
                                          .attributes = kRunAttributes,
                                          .metrics = ValueKind::kNumber,
                                          .params = ValueKind::kTextOrNull,
                                          .tags = ValueKind::kTextOrNull,
                                          .datasets = true,
                                          .order_by_metrics = true,
                                          .order_by_texts = true};
  return kGrammar;
}

const SearchGrammar& logged_model_grammar() {
  static constexpr SearchGrammar kGrammar{.what = "logged models",
                                          .attributes = kLoggedModelAttributes,
                                          .metrics = ValueKind::kNumber,
                                          .params = ValueKind::kTextOrList,
                                          .tags = ValueKind::kTextOrList,
                                          .order_by_metrics = true};
  return kGrammar;
}

const SearchGrammar& model_grammar() {
  static constexpr SearchGrammar kGrammar{
      .what = "registered models", .attributes = kModelAttributes, .tags = ValueKind::kText};
  return kGrammar;
}

const SearchGrammar& version_grammar() {
  static constexpr SearchGrammar kGrammar{
      .what = "model versions", .attributes = kVersionAttributes, .tags = ValueKind::kText};
  return kGrammar;
}

const SearchGrammar& measurement_grammar() {
  static constexpr SearchGrammar kGrammar{.what = "measurements",
                                          .attributes = {},
                                          .metrics = ValueKind::kNumber,
                                          .bare_metrics = true};
  return kGrammar;
}

std::span<const SearchAttribute> dataset_attributes() {
  return kDatasetAttributes;
}

const SearchAttribute* find_attribute(std::span<const SearchAttribute> attributes,
                                      std::string_view name) {
  const auto found =
      std::find_if(attributes.begin(), attributes.end(), [&](const SearchAttribute& attribute) {
        return attribute.name == name ||
               std::ranges::find(attribute.aliases, name) != attribute.aliases.end();
      });
  return found == attributes.end() ? nullptr : &*found;
}

}  // namespace onnxop
