#include <set>

#include <yaml-cpp/yaml.h>

#include "onnxop/base/error.h"
#include "onnxop/train/spec_node.h"

namespace onnxop {
namespace {

constexpr int kMaxDepth = 32;
constexpr int kMaxNodes = 100'000;  // aliases can make a short file endless

class Converter {
 public:
  Converter(const std::string& where, bool is_override)
      : where_(where), is_override_(is_override) {}

  SpecNode convert(const YAML::Node& from, int depth) {
    SpecNode node;
    node.where = place(from.Mark());
    if (depth > kMaxDepth || ++nodes_ > kMaxNodes) {
      fail(ErrorCode::kInvalidArgument,
           "{}: more than {} levels or {} values: no spec looks like this", node.where, kMaxDepth,
           kMaxNodes);
    }
    if (from.IsScalar()) {
      node.kind = SpecNode::Kind::kScalar;
      node.text = from.Scalar();
      node.quoted = from.Tag() == "!";
    } else if (from.IsSequence()) {
      node.kind = SpecNode::Kind::kList;
      for (const auto& item : from) {
        node.items.push_back(convert(item, depth + 1));
      }
    } else if (from.IsMap()) {
      convert_map(from, depth, node);
    }
    return node;
  }

  std::string place(const YAML::Mark& mark) const {
    return is_override_ || mark.is_null()
               ? where_
               : format("{}:{}:{}", where_, mark.line + 1, mark.column + 1);
  }

 private:
  void convert_map(const YAML::Node& from, int depth, SpecNode& node) {
    node.kind = SpecNode::Kind::kMap;
    std::set<std::string> seen;
    for (const auto& entry : from) {
      const std::string key_where = place(entry.first.Mark());
      if (!entry.first.IsScalar()) {
        fail(ErrorCode::kInvalidArgument, "{}: a key must be a word, not a list or a map",
             key_where);
      }
      if (!seen.insert(entry.first.Scalar()).second) {
        fail(ErrorCode::kInvalidArgument, "{}: key '{}' is there twice", key_where,
             entry.first.Scalar());
      }
      node.keys.push_back(entry.first.Scalar());
      node.keys_where.push_back(key_where);
      node.items.push_back(convert(entry.second, depth + 1));
    }
  }

  const std::string& where_;
  bool is_override_;
  int nodes_ = 0;
};

}  // namespace

SpecNode parse_yaml(std::string_view text, const std::string& where, bool is_override) {
  Converter converter(where, is_override);
  std::vector<YAML::Node> documents;
  try {
    documents = YAML::LoadAll(std::string(text));
  } catch (const YAML::Exception& error) {
    fail(ErrorCode::kInvalidArgument, "{}: broken YAML: {}", converter.place(error.mark),
         error.msg);
  }
  if (documents.size() > 1) {
    fail(ErrorCode::kInvalidArgument, "{}: {} YAML documents in one file, expected one", where,
         documents.size());
  }
  if (documents.empty()) {
    SpecNode empty;
    empty.where = where;
    return empty;
  }
  return converter.convert(documents.front(), 0);
}

}  // namespace onnxop
