#include <memory>

#include "onnxop/base/clock.h"
#include "onnxop/base/format.h"
#include "onnxop/base/json_value.h"
#include "onnxop/cli/models_verbs.h"
#include "onnxop/workflow/compare_versions.h"

namespace onnxop {
namespace {

struct Options {
  std::string name;
  std::string a;
  std::string b;
  std::string data;
  bool json = false;
};

Json text_json(const std::optional<std::string>& text) {
  return text ? Json(*text) : Json();
}

double share(const AnswerDifference& answers) {
  return answers.samples == 0
             ? 0
             : static_cast<double>(answers.different) / static_cast<double>(answers.samples);
}

Json answers_json(const AnswerDifference& answers, const std::string& data) {
  Json first = Json::array();
  for (const DisagreedSample& sample : answers.first) {
    first.push_back({{"sample", sample.sample}, {"a", sample.a}, {"b", sample.b}});
  }
  return {{"data", data},
          {"samples", answers.samples},
          {"different", answers.different},
          {"share", share(answers)},
          {"accuracy", {answers.accuracy_a, answers.accuracy_b}},
          {"first", first}};
}

Json comparison_json(const VersionComparison& comparison, const std::string& data) {
  Json differences = Json::array();
  for (const ValueDifference& difference : comparison.differences) {
    differences.push_back({{"section", difference.section},
                           {"key", difference.key},
                           {"a", text_json(difference.a)},
                           {"b", text_json(difference.b)}});
  }
  return {{"name", comparison.a.name},
          {"versions", {comparison.a.version, comparison.b.version}},
          {"same_bytes", comparison.same_bytes},
          {"differences", differences},
          {"answers", comparison.answers ? answers_json(*comparison.answers, data) : Json()}};
}

std::string answers_text(const AnswerDifference& answers, const std::string& data) {
  std::string text =
      format("\n{}: {} of {} answers differ ({:.2f} %); accuracy {:.2f} % and {:.2f} %\n", data,
             answers.different, answers.samples, 100 * share(answers), 100 * answers.accuracy_a,
             100 * answers.accuracy_b);
  for (const DisagreedSample& sample : answers.first) {
    text += format("  sample {}: {} and {}\n", sample.sample, sample.a, sample.b);
  }
  return text;
}

std::string comparison_text(const VersionComparison& comparison, const std::string& data) {
  std::vector<std::vector<std::string>> rows{
      {"", "", format("{}", comparison.a.version), format("{}", comparison.b.version)}};
  for (const ValueDifference& difference : comparison.differences) {
    rows.push_back({difference.section, difference.key, difference.a.value_or("-"),
                    difference.b.value_or("-")});
  }
  std::string text = comparison.same_bytes ? "model.onnx is the same, byte for byte\n" : "";
  text += rows.size() > 1 ? table_text(rows) : "";
  return comparison.answers ? text + answers_text(*comparison.answers, data) : text;
}

}  // namespace

VerbAction declare_models_diff(CLI::App& command) {
  auto options = std::make_shared<Options>();
  set_example(command,
              "onnxop models diff mnist 2 3 --data mnist:test\n"
              "  onnxop models diff mnist @champion latest");
  command.add_option("NAME", options->name, "The model")->required();
  command.add_option("A", options->a, "A version: a number, @alias or latest")->required();
  command.add_option("B", options->b, "Another")->required();
  command.add_option("--data", options->data,
                     "Compare their answers on this data: mnist:test, mnist:train or folder:DIR");
  add_json_flag(command, options->json);
  return [options](const CliContext& context) {
    const SystemClock clock;
    const Registry registry(context.store, clock, /*must_exist=*/true);
    const VersionComparison comparison = compare_versions(
        registry, options->name, find_version(registry, options->name, options->a).version,
        find_version(registry, options->name, options->b).version, options->data);
    if (options->json) {
      print_json(comparison_json(comparison, options->data));
    } else {
      print_text(comparison_text(comparison, options->data));
    }
  };
}

}  // namespace onnxop
