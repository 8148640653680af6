#include <set>
#include <sstream>

#include <yaml-cpp/eventhandler.h>
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

/// Walks through a text without keeping anything. The library's own reader of several documents
/// goes round for ever, taking memory, on some broken texts (a comma where a document begins), and
/// its reader of one leaves out what follows it.
class Scout : public YAML::EventHandler {
 public:
  struct TooMuch {
    YAML::Mark mark;
    bool is_document;
  };

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ > 1) {
      throw TooMuch{mark, true};
    }
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t) override { count(mark); }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override { count(mark); }
  void OnScalar(const YAML::Mark& mark, const std::string&, YAML::anchor_t,
                const std::string&) override {
    count(mark);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {
    count(mark);
  }
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t,
                  YAML::EmitterStyle::value) override {
    count(mark);
  }
  void OnMapEnd() override {}

 private:
  void count(const YAML::Mark& mark) {
    if (++values_ > kMaxNodes) {
      throw TooMuch{mark, false};
    }
  }

  int documents_ = 0;
  int values_ = 0;
};

/// Throws what the library throws, and for more than one document or too many values.
void check_document(const std::string& text, const Converter& converter) {
  std::istringstream stream(text);
  YAML::Parser parser(stream);
  Scout scout;
  try {
    while (parser.HandleNextDocument(scout)) {
    }
  } catch (const Scout::TooMuch& much) {
    fail(ErrorCode::kInvalidArgument, "{}: {}", converter.place(much.mark),
         much.is_document
             ? std::string(
                   "this does not belong to what stands before it; expected one YAML document")
             : format("more than {} values: no spec looks like this", kMaxNodes));
  }
}

}  // namespace

SpecNode parse_yaml(std::string_view text, const std::string& where, bool is_override) {
  Converter converter(where, is_override);
  YAML::Node document;
  try {
    check_document(std::string(text), converter);
    document = YAML::Load(std::string(text));
  } catch (const YAML::Exception& error) {
    fail(ErrorCode::kInvalidArgument, "{}: broken YAML: {}", converter.place(error.mark),
         error.msg);
  }
  SpecNode root = converter.convert(document, 0);
  if (root.kind == SpecNode::Kind::kNull) {
    root.where = where;
  }
  return root;
}

}  // namespace onnxop
