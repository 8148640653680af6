#include "onnxop/workflow/compare_versions.h"

#include <algorithm>
#include <map>

#include "onnxop/base/error.h"
#include "onnxop/base/json_value.h"
#include "onnxop/onnx/model_file.h"
#include "onnxop/workflow/evaluate_model.h"
#include "onnxop/workflow/load_model.h"

namespace onnxop {
namespace {

constexpr std::size_t kShownSamples = 10;

using Values = std::map<std::string, std::string>;

void append_differences(std::string_view section, const Values& a, const Values& b,
                        std::vector<ValueDifference>& differences) {
  Values keys = a;
  keys.insert(b.begin(), b.end());
  const auto find = [](const Values& values, const std::string& key) {
    const auto at = values.find(key);
    return at == values.end() ? std::nullopt : std::optional(at->second);
  };
  for (const auto& [key, value] : keys) {
    const auto of_a = find(a, key);
    const auto of_b = find(b, key);
    if (of_a != of_b) {
      differences.push_back({std::string(section), key, of_a, of_b});
    }
  }
}

Values graph_values(const ModelDescription& description) {
  Values values{{"IR version", format("{}", description.ir_version)},
                {"producer", description.producer_name + " " + description.producer_version},
                {"parameters", format("{}", description.parameters)},
                {"FLOPs a sample", description.flops_per_sample
                                       ? format("{:.0f}", *description.flops_per_sample)
                                       : "not known"},
                {"bytes", format("{}", description.file_bytes)}};
  for (const auto& [domain, version] : description.opsets) {
    values["opset " + domain] = format("{}", version);
  }
  for (const OperatorCount& count : description.operators) {
    values[format("operator {}{}", count.domain == "ai.onnx" ? "" : count.domain + ".",
                  count.op_type)] = format("{}", count.count);
  }
  const auto append = [&](std::string_view what, const std::vector<TensorInfo>& tensors) {
    for (const TensorInfo& tensor : tensors) {
      values[format("{} {}", what, tensor.name)] =
          format("{} {}", dtype_name(tensor.dtype), shape_text(tensor.shape));
    }
  };
  append("input", description.inputs);
  append("output", description.outputs);
  return values;
}

Values contract_values(const ModelDescription& description) {
  Values values;
  if (description.contract) {
    const Json flat = contract_to_json(*description.contract).flatten();
    for (const auto& [pointer, value] : flat.items()) {
      values[pointer] = value.is_string() ? value.get<std::string>() : dump_json(value);
    }
  }
  return values;
}

// The run's metrics, and over them those measured of the version itself.
Values metric_values(const Run& run, const ModelVersion& version) {
  Values values;
  for (const auto& [key, metric] : run.metrics) {
    values[key] = format("{}", metric.value);
  }
  for (const auto& [key, value] : version.metrics) {
    values[key] = format("{}", value);
  }
  return values;
}

// An empty one where the version was imported, or its run is gone.
Run find_run(const Registry& registry, const ModelVersion& version) {
  try {
    return version.run_id.empty() ? Run{} : registry.runs().get(version.run_id);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kNotFound) {
      throw;
    }
    return {};
  }
}

struct Answers {
  std::vector<std::int32_t> classes;
  std::vector<std::string> labels;
  double accuracy = 0;

  std::string label(std::size_t sample) const {
    const auto at = static_cast<std::size_t>(classes[sample]);
    return at < labels.size() ? labels[at] : format("{}", at);
  }
};

Answers answers_of(const Registry& registry, const ModelVersion& version,
                   std::string_view dataset) {
  const ModelLease model =
      load_model(format("{}:{}", version.name, version.version), registry.location());
  Answers answers;
  const Evaluation evaluation =
      evaluate_model(*model, dataset, [&](std::span<const float> rows, std::int64_t samples) {
        const auto size = static_cast<std::ptrdiff_t>(rows.size()) / samples;
        for (auto row = rows.begin(); row != rows.end(); row += size) {
          answers.classes.push_back(
              static_cast<std::int32_t>(std::max_element(row, row + size) - row));
        }
      });
  answers.accuracy = evaluation.accuracy.value_or(0);
  answers.labels = model->contract->output.labels;
  return answers;
}

AnswerDifference compare_answers_on(const Registry& registry, const VersionComparison& versions,
                                    std::string_view dataset) {
  const Answers a = answers_of(registry, versions.a, dataset);
  const Answers b = answers_of(registry, versions.b, dataset);
  AnswerDifference difference{.samples = static_cast<std::int64_t>(a.classes.size()),
                              .accuracy_a = a.accuracy,
                              .accuracy_b = b.accuracy};
  for (std::size_t i = 0; i < a.classes.size(); ++i) {
    if (a.label(i) == b.label(i)) {
      continue;
    }
    ++difference.different;
    if (difference.first.size() < kShownSamples) {
      difference.first.push_back({static_cast<std::int64_t>(i), a.label(i), b.label(i)});
    }
  }
  return difference;
}

ModelDescription description_of(const ModelVersion& version) {
  if (version.sha256.empty()) {
    fail(ErrorCode::kFailedPrecondition, "{}:{} has no model.onnx to compare", version.name,
         version.version);
  }
  return describe_model(version.model_path);
}

}  // namespace

VersionComparison compare_versions(const Registry& registry, std::string_view name, std::int64_t a,
                                   std::int64_t b, std::string_view dataset) {
  VersionComparison comparison{.a = registry.models().version(name, a),
                               .b = registry.models().version(name, b),
                               .same_bytes = false,
                               .differences = {},
                               .answers = {}};
  comparison.same_bytes = comparison.a.sha256 == comparison.b.sha256;
  const ModelDescription description_a = description_of(comparison.a);
  const ModelDescription description_b = description_of(comparison.b);
  const Run run_a = find_run(registry, comparison.a);
  const Run run_b = find_run(registry, comparison.b);
  auto& differences = comparison.differences;
  append_differences("graph", graph_values(description_a), graph_values(description_b),
                     differences);
  append_differences("params", run_a.params, run_b.params, differences);
  append_differences("metrics", metric_values(run_a, comparison.a),
                     metric_values(run_b, comparison.b), differences);
  append_differences("contract", contract_values(description_a), contract_values(description_b),
                     differences);
  if (!dataset.empty()) {
    comparison.answers = compare_answers_on(registry, comparison, dataset);
  }
  return comparison;
}

}  // namespace onnxop
