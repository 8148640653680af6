#include "onnxop/registry/filter_names.h"

#include <array>
#include <vector>

#include "onnxop/base/format.h"
#include "onnxop/base/nearest.h"
#include "onnxop/registry/filter_cursor.h"

namespace onnxop {
namespace {

struct EntityWord {
  std::string_view word;
  SearchEntity entity;
};
constexpr auto kEntityWords = std::to_array<EntityWord>({
    {"attributes", SearchEntity::kAttribute},
    {"attribute", SearchEntity::kAttribute},
    {"attr", SearchEntity::kAttribute},
    {"run", SearchEntity::kAttribute},
    {"metrics", SearchEntity::kMetric},
    {"metric", SearchEntity::kMetric},
    {"params", SearchEntity::kParam},
    {"param", SearchEntity::kParam},
    {"parameters", SearchEntity::kParam},
    {"parameter", SearchEntity::kParam},
    {"tags", SearchEntity::kTag},
    {"tag", SearchEntity::kTag},
    {"datasets", SearchEntity::kDataset},
    {"dataset", SearchEntity::kDataset},
});

bool may_order_by(SearchEntity entity, const SearchGrammar& grammar) {
  switch (entity) {
    case SearchEntity::kAttribute:
      return true;
    case SearchEntity::kMetric:
      return grammar.order_by_metrics;
    case SearchEntity::kParam:
    case SearchEntity::kTag:
      return grammar.order_by_texts;
    case SearchEntity::kDataset:
      return false;
  }
  return false;
}

bool may_filter_by(SearchEntity entity, const SearchGrammar& grammar) {
  switch (entity) {
    case SearchEntity::kAttribute:
      return true;
    case SearchEntity::kMetric:
      return grammar.metrics.has_value();
    case SearchEntity::kParam:
      return grammar.params.has_value();
    case SearchEntity::kTag:
      return grammar.tags.has_value();
    case SearchEntity::kDataset:
      return grammar.datasets;
  }
  return false;
}

bool may_use(SearchEntity entity, const SearchGrammar& grammar, NameUse use) {
  return use == NameUse::kFilter ? may_filter_by(entity, grammar) : may_order_by(entity, grammar);
}

std::string_view use_text(NameUse use) {
  return use == NameUse::kFilter ? "searched" : "ordered";
}

// "; known: …" with the nearest of them in front.
std::string known_text(std::string_view word, const std::vector<std::string_view>& known) {
  const auto near = nearest_word(word, known);
  return format("{}; known: {}", near ? format(", did you mean '{}'?", *near) : std::string(),
                join(known, ", "));
}

std::optional<SearchEntity> find_entity(std::string_view word, const SearchGrammar& grammar,
                                        NameUse use) {
  for (const EntityWord& known : kEntityWords) {
    if (known.word == word && may_use(known.entity, grammar, use)) {
      return known.entity;
    }
  }
  return std::nullopt;
}

std::string unknown_entity(std::string_view word, const SearchGrammar& grammar, NameUse use) {
  std::vector<std::string_view> words;
  for (const EntityWord& known : kEntityWords) {
    if (may_use(known.entity, grammar, use)) {
      words.push_back(known.word);
    }
  }
  return format("'{}' is nothing by which {} are {}{}", shown_part(word), grammar.what,
                use_text(use), known_text(word, words));
}

void find_attribute_meaning(NameMeaning& meaning, const SearchGrammar& grammar, NameUse use) {
  const bool of_dataset = meaning.entity == SearchEntity::kDataset;
  const auto attributes = of_dataset ? dataset_attributes() : grammar.attributes;
  const auto allowed =
      use == NameUse::kFilter ? &SearchAttribute::in_filter : &SearchAttribute::in_order;
  const SearchAttribute* found = find_attribute(attributes, meaning.key);
  if (found != nullptr && found->*allowed) {
    meaning.key = found->name;
    meaning.kind = found->kind;
    return;
  }
  std::vector<std::string_view> names;
  for (const SearchAttribute& attribute : attributes) {
    if (attribute.*allowed) {
      names.push_back(attribute.name);
    }
  }
  meaning.problem = format("'{}' is no attribute by which {} are {}{}", shown_part(meaning.key),
                           of_dataset ? "data sets" : grammar.what, use_text(use),
                           known_text(meaning.key, names));
}

}  // namespace

NameMeaning find_meaning(std::optional<std::string_view> entity_word, std::string_view key,
                         const SearchGrammar& grammar, NameUse use) {
  NameMeaning meaning{.key = std::string(key)};
  if (entity_word) {
    const auto entity = find_entity(*entity_word, grammar, use);
    if (!entity) {
      meaning.problem = unknown_entity(*entity_word, grammar, use);
      return meaning;
    }
    meaning.entity = *entity;
  } else if (grammar.bare_metrics) {
    meaning.entity = SearchEntity::kMetric;
  }
  switch (meaning.entity) {
    case SearchEntity::kMetric:
      meaning.kind = ValueKind::kNumber;
      break;
    case SearchEntity::kParam:
      meaning.kind = grammar.params.value_or(ValueKind::kText);
      break;
    case SearchEntity::kTag:
      meaning.kind = grammar.tags.value_or(ValueKind::kText);
      break;
    case SearchEntity::kAttribute:
    case SearchEntity::kDataset:
      find_attribute_meaning(meaning, grammar, use);
  }
  return meaning;
}

}  // namespace onnxop
