#include "onnxop/train/spec_node.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "onnxop/base/error.h"
#include "onnxop/base/nearest.h"
#include "onnxop/train/spec.h"

namespace onnxop {
namespace {

template <typename T>
bool parse_all(std::string_view text, T& value) {
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  return error == std::errc() && stop == end;
}

bool parse_number(std::string_view text, double& value) {
  const auto slash = text.find('/');
  if (slash == std::string_view::npos) {
    return parse_all(text, value) && std::isfinite(value);
  }
  double below = 0;
  if (!parse_all(text.substr(0, slash), value) || !parse_all(text.substr(slash + 1), below)) {
    return false;
  }
  value /= below;
  return std::isfinite(value);
}

[[noreturn]] void fail_value(const SpecNode& node, const std::string& path,
                             const std::string& expected) {
  fail(ErrorCode::kInvalidArgument, "{}: {}: expected {}, got {}", node.where, path, expected,
       describe_node(node));
}

}  // namespace

const SpecNode* SpecNode::find(std::string_view key) const {
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (keys[i] == key) {
      return &items[i];
    }
  }
  return nullptr;
}

SpecNode* SpecNode::find(std::string_view key) {
  return const_cast<SpecNode*>(std::as_const(*this).find(key));
}

std::string describe_node(const SpecNode& node) {
  switch (node.kind) {
    case SpecNode::Kind::kNull:
      return "nothing";
    case SpecNode::Kind::kScalar:
      return node.quoted ? format("the text \"{}\"", node.text) : format("'{}'", node.text);
    case SpecNode::Kind::kList:
      return format("a list of {}", node.items.size());
    case SpecNode::Kind::kMap:
      return "a map";
  }
  return "";
}

void fail_unknown(const std::string& where, std::string_view what, std::string_view word,
                  const std::vector<std::string_view>& known) {
  const auto nearest = nearest_word(word, known);
  fail(ErrorCode::kInvalidArgument, "{}: {} '{}' is not known here;{} known: {}", where, what, word,
       nearest ? format(" did you mean '{}'?", *nearest) : "", join(known, ", "));
}

std::int64_t node_integer(const SpecNode& node, const std::string& path, std::int64_t low,
                          std::int64_t high) {
  std::int64_t value = 0;
  if (node.kind != SpecNode::Kind::kScalar || node.quoted || !parse_all(node.text, value) ||
      value < low || value > high) {
    fail_value(node, path, format("a whole number from {} to {}", low, high));
  }
  return value;
}

double node_number(const SpecNode& node, const std::string& path, double low, double high) {
  double value = 0;
  if (node.kind != SpecNode::Kind::kScalar || node.quoted || !parse_number(node.text, value) ||
      value < low || value > high) {
    fail_value(node, path, format("a number from {} to {}", low, high));
  }
  return value;
}

std::string node_text(const SpecNode& node, const std::string& path) {
  if (node.kind != SpecNode::Kind::kScalar || node.text.empty()) {
    fail_value(node, path, "text");
  }
  return node.text;
}

SpecMap::SpecMap(const SpecNode& node, std::string_view section, std::string path)
    : node_(node), path_(std::move(path)) {
  if (node.kind != SpecNode::Kind::kMap && node.kind != SpecNode::Kind::kNull) {
    fail_value(node, path_, format("a map with keys of: {}", join(spec_keys(section), ", ")));
  }
  const auto& known = spec_keys(section);
  for (std::size_t i = 0; i < node.keys.size(); ++i) {
    if (std::find(known.begin(), known.end(), node.keys[i]) == known.end()) {
      if (known.empty()) {
        fail(ErrorCode::kInvalidArgument, "{}: key '{}' is not known here; {} has no keys",
             node.keys_where[i], node.keys[i], path_);
      }
      fail_unknown(node.keys_where[i], "key", node.keys[i], known);
    }
  }
}

std::string SpecMap::path_of(std::string_view key) const {
  if (path_.empty()) {
    return std::string(key);
  }
  return path_.find(' ') == std::string::npos ? format("{}.{}", path_, key)
                                              : format("{}: {}", path_, key);
}

const SpecNode* SpecMap::find(std::string_view key) const {
  return node_.find(key);
}

const SpecNode& SpecMap::require(std::string_view key) const {
  const SpecNode* value = find(key);
  if (value == nullptr) {
    fail(ErrorCode::kInvalidArgument, "{}: key '{}' is missing{}", node_.where, key,
         path_.empty() ? "" : format(" in {}", path_));
  }
  return *value;
}

std::int64_t SpecMap::integer(std::string_view key, std::int64_t otherwise, std::int64_t low,
                              std::int64_t high) const {
  const SpecNode* value = find(key);
  return value == nullptr ? otherwise : node_integer(*value, path_of(key), low, high);
}

std::int64_t SpecMap::require_integer(std::string_view key, std::int64_t low,
                                      std::int64_t high) const {
  return node_integer(require(key), path_of(key), low, high);
}

double SpecMap::number(std::string_view key, double otherwise, double low, double high) const {
  const SpecNode* value = find(key);
  return value == nullptr ? otherwise : node_number(*value, path_of(key), low, high);
}

bool SpecMap::flag(std::string_view key, bool otherwise) const {
  const SpecNode* value = find(key);
  if (value == nullptr) {
    return otherwise;
  }
  if (value->kind == SpecNode::Kind::kScalar && !value->quoted) {
    if (value->text == "true" || value->text == "True") {
      return true;
    }
    if (value->text == "false" || value->text == "False") {
      return false;
    }
  }
  fail_value(*value, path_of(key), "true or false");
}

std::string SpecMap::require_text(std::string_view key) const {
  return node_text(require(key), path_of(key));
}

std::array<std::int64_t, 2> SpecMap::pair(const SpecNode& node, std::string_view key,
                                          std::int64_t low, std::int64_t high) const {
  const std::string path = path_of(key);
  if (node.kind == SpecNode::Kind::kList) {
    if (node.items.size() != 2) {
      fail_value(node, path, "one whole number or a list of two: [height, width]");
    }
    return {node_integer(node.items[0], path, low, high),
            node_integer(node.items[1], path, low, high)};
  }
  const std::int64_t value = node_integer(node, path, low, high);
  return {value, value};
}

std::size_t SpecMap::choose(const SpecNode& node, std::string_view key,
                            const std::vector<std::string_view>& names) const {
  const std::string word = node_text(node, path_of(key));
  const auto at = std::find(names.begin(), names.end(), word);
  if (at == names.end()) {
    fail_unknown(node.where, path_of(key), word, names);
  }
  return static_cast<std::size_t>(at - names.begin());
}

}  // namespace onnxop
