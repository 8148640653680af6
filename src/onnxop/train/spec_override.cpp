#include <charconv>

#include "onnxop/base/error.h"
#include "onnxop/train/spec.h"
#include "onnxop/train/spec_node.h"
#include "onnxop/train/spec_words.h"

namespace onnxop {
namespace {

std::vector<std::string> split_path(std::string_view path) {
  std::vector<std::string> steps(1);
  for (const char c : path) {
    if (c == '.') {
      steps.emplace_back();
    } else {
      steps.back() += c;
    }
  }
  return steps;
}

/// Whether the node at this path is written as `Name` or `{Name: {key: value}}`.
bool is_named_form(const std::vector<std::string>& steps, std::size_t depth) {
  return depth == 2 && (steps[0] == "layers" || (steps[0] == "train" && steps[1] == "optimizer"));
}

/// From `Name` or `{Name: …}` to what is inside, unless the path names it itself. Where no
/// optimizer is given, it is the default one.
SpecNode* enter_named(SpecNode* node, const std::string& next_step) {
  if (node->kind == SpecNode::Kind::kNull && spec_keys(next_step).empty()) {
    node->kind = SpecNode::Kind::kScalar;
    node->text = word_of(kOptimizers, OptimizerSpec().kind);
  }
  if (node->kind == SpecNode::Kind::kScalar) {
    SpecNode inside;
    inside.where = node->where;
    node->kind = SpecNode::Kind::kMap;
    node->keys = {node->text};
    node->keys_where = {node->where};
    node->items = {std::move(inside)};
  }
  const bool one_name = node->kind == SpecNode::Kind::kMap && node->keys.size() == 1;
  return one_name && node->keys[0] != next_step ? &node->items[0] : node;
}

SpecNode* list_item(SpecNode* list, const std::string& step, const std::string& where) {
  std::size_t index = 0;
  const char* end = step.data() + step.size();
  const auto [stop, error] = std::from_chars(step.data(), end, index);
  if (error != std::errc() || stop != end || index >= list->items.size()) {
    fail(ErrorCode::kInvalidArgument, "{}: '{}' is no index of this list of {}, which count from 0",
         where, step, list->items.size());
  }
  return &list->items[index];
}

SpecNode* map_item(SpecNode* map, const std::string& step, const std::string& where) {
  if (map->kind == SpecNode::Kind::kScalar) {
    fail(ErrorCode::kInvalidArgument, "{}: there is nothing called '{}' inside {}", where, step,
         describe_node(*map));
  }
  map->kind = SpecNode::Kind::kMap;
  if (SpecNode* found = map->find(step)) {
    return found;
  }
  map->keys.push_back(step);
  map->keys_where.push_back(where);
  SpecNode made;
  made.where = where;
  map->items.push_back(std::move(made));
  return &map->items.back();
}

}  // namespace

void apply_override(SpecNode& root, const std::string& override_text) {
  const std::string where = "--set " + override_text;
  const auto equals = override_text.find('=');
  if (equals == std::string::npos || equals == 0) {
    fail(ErrorCode::kInvalidArgument, "{}: expected key=value, as in train.epochs=3", where);
  }
  const auto steps = split_path(std::string_view(override_text).substr(0, equals));
  SpecNode* node = &root;
  for (std::size_t depth = 0; depth < steps.size(); ++depth) {
    if (is_named_form(steps, depth)) {
      node = enter_named(node, steps[depth]);
    }
    node = node->kind == SpecNode::Kind::kList ? list_item(node, steps[depth], where)
                                               : map_item(node, steps[depth], where);
  }
  *node = parse_yaml(std::string_view(override_text).substr(equals + 1), where, true);
}

}  // namespace onnxop
