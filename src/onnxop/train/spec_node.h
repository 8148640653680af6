#pragma once
// The tree of a spec file with the place each part came from, and typed reading of it. The YAML
// library stays behind parse_yaml. All errors are Error{kInvalidArgument} that begins with the
// place.

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace onnxop {

struct SpecNode {
  enum class Kind { kNull, kScalar, kList, kMap };

  Kind kind = Kind::kNull;
  std::string where;                    // "mnist.yaml:9:5" or "--set train.epochs=3"
  std::string text;                     // of a scalar
  bool quoted = false;                  // a scalar in quotes is text, never a number
  std::vector<SpecNode> items;          // of a list, or the values of a map
  std::vector<std::string> keys;        // of a map
  std::vector<std::string> keys_where;  // of a map

  SpecNode* find(std::string_view key);
  const SpecNode* find(std::string_view key) const;
};

/// One document. `where` is the file's name; with `is_override` it stands as it is for every place.
SpecNode parse_yaml(std::string_view text, const std::string& where, bool is_override = false);

/// Applies one "path=value" of --set. A path step is a key or an index from 0; the step of a
/// layer's or the optimizer's own name may be left out.
void apply_override(SpecNode& root, const std::string& override_text);

/// What a node holds, for messages: "'abc'", "a list", "a map", "nothing".
std::string describe_node(const SpecNode& node);

/// Reads a map; `section` names its known keys (spec_keys), `path` how messages call it ("train",
/// "layer 5 Conv2D").
class SpecMap {
 public:
  /// A null node is an empty map. Unknown keys are errors at once.
  SpecMap(const SpecNode& node, std::string_view section, std::string path);

  const SpecNode* find(std::string_view key) const;
  /// Throws when the key is not there.
  const SpecNode& require(std::string_view key) const;

  std::int64_t integer(std::string_view key, std::int64_t otherwise, std::int64_t low,
                       std::int64_t high) const;
  std::int64_t require_integer(std::string_view key, std::int64_t low, std::int64_t high) const;
  /// Inclusive bounds.
  double number(std::string_view key, double otherwise, double low, double high) const;
  bool flag(std::string_view key, bool otherwise) const;
  std::string require_text(std::string_view key) const;
  /// One whole number for both, or a list of two.
  std::array<std::int64_t, 2> pair(const SpecNode& node, std::string_view key, std::int64_t low,
                                   std::int64_t high) const;
  template <typename T>
  using Choices = std::vector<std::pair<std::string_view, T>>;
  template <typename T>
  T choice(std::string_view key, T otherwise, const Choices<T>& choices) const;

  std::string path_of(std::string_view key) const;
  const SpecNode& node() const { return node_; }

 private:
  std::size_t choose(const SpecNode& node, std::string_view key,
                     const std::vector<std::string_view>& names) const;

  const SpecNode& node_;
  std::string path_;
};

std::int64_t node_integer(const SpecNode& node, const std::string& path, std::int64_t low,
                          std::int64_t high);
/// Takes "1/255" too.
double node_number(const SpecNode& node, const std::string& path, double low, double high);
std::string node_text(const SpecNode& node, const std::string& path);

/// Throws: "where: what 'word' is not known here; did you mean 'x'? known: …".
[[noreturn]] void fail_unknown(const std::string& where, std::string_view what,
                               std::string_view word, const std::vector<std::string_view>& known);

template <typename T>
T SpecMap::choice(std::string_view key, T otherwise, const Choices<T>& choices) const {
  const SpecNode* value = find(key);
  if (value == nullptr) {
    return otherwise;
  }
  std::vector<std::string_view> names;
  for (const auto& [name, ignored] : choices) {
    names.push_back(name);
  }
  return choices[choose(*value, key, names)].second;
}

}  // namespace onnxop
