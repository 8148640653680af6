#pragma once
// What the names in filters and orders mean: "params.lr", "created". Pure functions. No part of the
// room's interface.

#include <optional>
#include <string>
#include <string_view>

#include "onnxop/registry/filter.h"
#include "onnxop/registry/search_grammar.h"

namespace onnxop {

enum class NameUse { kFilter, kOrder };

struct NameMeaning {
  SearchEntity entity = SearchEntity::kAttribute;
  std::string key = {};  // without aliases
  ValueKind kind = ValueKind::kText;
  std::string problem = {};  // "": there is none; else the rest means nothing
};

/// `entity_word`: what stood before the first dot; none for an attribute by its mere name.
NameMeaning find_meaning(std::optional<std::string_view> entity_word, std::string_view key,
                         const SearchGrammar& grammar, NameUse use);

}  // namespace onnxop
