#include "onnxop/onnx/judge.h"

#include <algorithm>
#include <array>
#include <limits>
#include <string_view>
#include <unordered_map>

#include <onnx/checker.h>
#include <onnx/onnx_pb.h>
#include <onnx/shape_inference/implementation.h>

#include "onnxop/base/format.h"
#include "onnxop/base/json_value.h"
#include "onnxop/onnx/flops.h"
#include "onnxop/onnx/isolate.h"
#include "onnxop/onnx/proto_file.h"
#include "onnxop/onnx/tensor_check.h"
#include "onnxop/onnx/walk.h"

namespace onnxop {
namespace {

using Versions = std::unordered_map<std::string, int>;

/// As libonnx keys it: "" is the default domain.
std::string library_domain(const std::string& domain) {
  return domain == "ai.onnx" ? std::string() : domain;
}

Versions imports_of(const onnx::ModelProto& model) {
  Versions versions;
  for (const auto& import : model.opset_import()) {
    constexpr std::int64_t kMost = std::numeric_limits<int>::max();
    versions[library_domain(import.domain())] =
        static_cast<int>(std::min<std::int64_t>(import.version(), kMost));
  }
  return versions;
}

const auto& known_versions() {
  return onnx::OpSchemaRegistry::DomainToVersionRange::Instance().Map();
}

/// Why this libonnx cannot judge the model; empty when it can.
std::vector<std::string> too_new(const onnx::ModelProto& model, const Versions& versions) {
  std::vector<std::string> reasons;
  const auto check = [&](const std::string& domain, std::int64_t version) {
    const auto known = known_versions().find(domain);
    if (known != known_versions().end() && version > known->second.second) {
      reasons.push_back(format("opset {} of {} is newer than this checker ({}): not judged",
                               version, domain_name(domain), known->second.second));
    }
  };
  for (const auto& [domain, version] : versions) {
    check(domain, version);
  }
  for (const auto& function : model.functions()) {
    for (const auto& import : function.opset_import()) {
      check(library_domain(import.domain()), import.version());
    }
  }
  if (model.ir_version() > onnx::IR_VERSION) {
    reasons.push_back(format("IR version {} is newer than this checker ({}): not judged",
                             model.ir_version(), static_cast<int>(onnx::IR_VERSION)));
  }
  std::sort(reasons.begin(), reasons.end());
  reasons.erase(std::unique(reasons.begin(), reasons.end()), reasons.end());
  return reasons;
}

bool is_function_of(const onnx::ModelProto& model, const onnx::NodeProto& node) {
  return std::any_of(model.functions().begin(), model.functions().end(), [&](const auto& each) {
    return each.domain() == node.domain() && each.name() == node.op_type();
  });
}

/// Operators that a known domain does not have, in the versions that the model imports.
std::vector<std::string> unknown_operators(const onnx::ModelProto& model,
                                           const Versions& versions) {
  std::vector<std::string> problems;
  for_each_node(model, [&](const onnx::NodeProto& node, bool) {
    const std::string domain = library_domain(node.domain());
    const auto known = known_versions().find(domain);
    const auto version = versions.find(domain);
    if (known == known_versions().end() || version == versions.end() ||
        version->second > known->second.second || is_function_of(model, node)) {
      return;
    }
    if (onnx::OpSchemaRegistry::Schema(node.op_type(), version->second, domain) == nullptr) {
      problems.push_back(format("{}: {} has no operator '{}' in opset {}", node_title(node),
                                domain_name(domain), node.op_type(), version->second));
    }
  });
  return problems;
}

/// True where a domain is none of ONNX's own and the model does not define it: shapes behind such
/// nodes are not known.
bool has_custom_operators(const onnx::ModelProto& model) {
  bool found = false;
  for_each_node(model, [&](const onnx::NodeProto& node, bool) {
    found = found || !known_versions().contains(library_domain(node.domain()));
  });
  return found;
}

/// libonnx's messages take several lines.
std::string one_line(std::string_view message) {
  constexpr std::size_t kMost = 1000;
  std::string line;
  for (const char c : message.substr(0, kMost)) {
    const bool blank = c == '\n' || c == '\r' || c == '\t' || c == ' ';
    if (!blank) {
      line += c;
    } else if (!line.empty() && line.back() != ' ') {
      line += ' ';
    }
  }
  while (!line.empty() && line.back() == ' ') {
    line.pop_back();
  }
  return line;
}

std::optional<std::string> check(const onnx::ModelProto& model, const Versions& versions,
                                 const std::filesystem::path& folder) {
  onnx::checker::CheckerContext context;
  context.set_ir_version(static_cast<int>(model.ir_version()));
  context.set_opset_imports(versions);
  context.set_model_dir(folder.string());
  try {
    const onnx::checker::LexicalScopeContext scope;
    onnx::checker::check_graph(model.graph(), context, scope);
    if (!model.functions().empty()) {
      onnx::checker::check_model_local_functions(model, context, scope);
    }
  } catch (const std::exception& e) {
    return format("checker: {}", one_line(e.what()));
  }
  return std::nullopt;
}

std::optional<std::string> infer(onnx::ModelProto& model, bool strict) {
  constexpr bool kPropagateData = true;
  try {
    onnx::shape_inference::InferShapes(
        model, onnx::OpSchemaRegistry::Instance(),
        onnx::ShapeInferenceOptions(strict, strict ? 1 : 0, kPropagateData));
  } catch (const std::exception& e) {
    return format("shape inference: {}", one_line(e.what()));
  }
  return std::nullopt;
}

/// Of what shape inference found.
std::optional<std::string> absurd_value(const onnx::ModelProto& model) {
  std::optional<std::string> problem;
  for_each_graph(model.graph(), [&](const onnx::GraphProto& graph) {
    for (const auto* values : {&graph.value_info(), &graph.output()}) {
      for (const auto& value : *values) {
        problem = problem ? problem : value_problem(value);
      }
    }
  });
  return problem;
}

/// In the child process, which may change its copy of the model.
Judgement judge_here(onnx::ModelProto& model, const std::filesystem::path& folder,
                     bool with_flops) {
  const Versions versions = imports_of(model);
  Judgement judgement;
  judgement.problems = unknown_operators(model, versions);
  judgement.notes = too_new(model, versions);
  if (judgement.problems.empty() && judgement.notes.empty()) {
    const bool custom = has_custom_operators(model);
    if (custom) {
      judgement.notes.emplace_back(
          "it has custom operators: their inputs and shapes are not judged");
    }
    auto problem = check(model, versions, folder);
    if (!problem) {
      problem = infer(model, !custom);
      problem = custom ? std::nullopt : problem;
      problem = problem ? problem : absurd_value(model);
    }
    if (problem) {
      judgement.problems.push_back(*problem);
    }
  }
  if (with_flops && judgement.problems.empty()) {
    judgement.flops_per_sample = flops_per_sample(model);
  }
  return judgement;
}

std::string to_text(const Judgement& judgement) {
  Json json = {{"problems", judgement.problems}, {"notes", judgement.notes}};
  if (judgement.flops_per_sample) {
    json["flops"] = *judgement.flops_per_sample;
  }
  return dump_json(json);
}

Judgement from_text(const std::string& text) {
  const Json json = parse_json(text, "the checker's answer");
  Judgement judgement;
  judgement.problems = json.at("problems").get<std::vector<std::string>>();
  judgement.notes = json.at("notes").get<std::vector<std::string>>();
  if (json.contains("flops")) {
    judgement.flops_per_sample = json.at("flops").get<double>();
  }
  return judgement;
}

}  // namespace

Judgement judge(const onnx::ModelProto& model, const std::filesystem::path& folder,
                bool with_flops) {
  // Registers all operators here, so that the child finds them, and no other thread can be at it
  // during the fork.
  onnx::OpSchemaRegistry::Schema("Relu");
  const auto result = run_isolated([&] {
    try {
      return to_text(judge_here(const_cast<onnx::ModelProto&>(model), folder, with_flops));
    } catch (const std::exception& e) {
      return to_text({{format("checker: {}", e.what())}, {}, {}});
    }
  });
  if (!result.text) {
    return {{format("checker and shape inference: they crashed on it: {}", result.ending)}, {}, {}};
  }
  return from_text(*result.text);
}

void infer_what_is_possible(onnx::ModelProto& model) {
  infer(model, false);
}

OperatorCount::Origin operator_origin(const std::string& domain, const std::string& op_type) {
  // Operators of the default domain's early days that were never released, but that files still
  // have.
  constexpr std::array<std::string_view, 11> kExperimental{"ATen",
                                                           "Affine",
                                                           "ConstantFill",
                                                           "Crop",
                                                           "DynamicSlice",
                                                           "GRUUnit",
                                                           "GivenTensorFill",
                                                           "ImageScaler",
                                                           "ParametricSoftplus",
                                                           "Scale",
                                                           "ScaledTanh"};
  const std::string name = domain_name(domain);
  if (name == "ai.onnx" &&
      std::find(kExperimental.begin(), kExperimental.end(), op_type) != kExperimental.end()) {
    return OperatorCount::Origin::kExperimental;
  }
  if (name.starts_with("ai.onnx.preview")) {
    return OperatorCount::Origin::kExperimental;
  }
  const bool core = name == "ai.onnx" || name == "ai.onnx.ml" || name == "ai.onnx.training";
  return core ? OperatorCount::Origin::kCore : OperatorCount::Origin::kCustom;
}

}  // namespace onnxop
