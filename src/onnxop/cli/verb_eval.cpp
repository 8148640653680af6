#include <memory>

#include "onnxop/base/format.h"
#include "onnxop/base/json_value.h"
#include "onnxop/cli/verbs.h"
#include "onnxop/workflow/evaluate_model.h"
#include "onnxop/workflow/load_model.h"
#include "onnxop/workflow/model_ref.h"

namespace onnxop {
namespace {

Json evaluation_json(const ServedModel& model, const std::string& data,
                     const Evaluation& evaluation) {
  Json classes = Json::array();
  for (const auto& one : evaluation.classes) {
    classes.push_back({{"label", one.label},
                       {"samples", one.samples},
                       {"precision", one.precision},
                       {"recall", one.recall}});
  }
  return {{"model", model.name},
          {"version", model.version},
          {"data", data},
          {"samples", evaluation.samples},
          {"accuracy", evaluation.accuracy.value_or(0)},
          {"loss", evaluation.loss},
          {"confusion_matrix", evaluation.confusion},
          {"classes", classes}};
}

std::string evaluation_text(const Evaluation& evaluation) {
  std::string text = format("{} samples, accuracy {:.2f} %, loss {:.5f}\n\n", evaluation.samples,
                            100 * evaluation.accuracy.value_or(0), evaluation.loss);
  std::vector<std::vector<std::string>> rows{{"true \\ predicted"}};
  for (const auto& one : evaluation.classes) {
    rows[0].push_back(one.label);
  }
  rows[0].insert(rows[0].end(), {"precision", "recall"});
  for (std::size_t i = 0; i < evaluation.classes.size(); ++i) {
    std::vector<std::string> row{evaluation.classes[i].label};
    for (const auto count : evaluation.confusion[i]) {
      row.push_back(format("{}", count));
    }
    row.push_back(format("{:.2f} %", 100 * evaluation.classes[i].precision));
    row.push_back(format("{:.2f} %", 100 * evaluation.classes[i].recall));
    rows.push_back(std::move(row));
  }
  return text + table_text(rows);
}

}  // namespace

VerbAction declare_eval(CLI::App& command) {
  struct Options {
    std::string model;
    std::string data;
    bool json = false;
  };
  auto options = std::make_shared<Options>();
  set_example(command, "onnxop eval mnist --data mnist:test");
  command.add_option("MODEL", options->model, std::string(kModelRefHelp))->required();
  command.add_option("--data", options->data, "mnist:test, mnist:train or folder:DIR")->required();
  add_json_flag(command, options->json);
  return [options](const CliContext& context) {
    const ModelLease model = load_model(options->model, context.store);
    const Evaluation evaluation = evaluate_model(*model, options->data);
    if (options->json) {
      print_json(evaluation_json(*model, options->data, evaluation));
    } else {
      print_text(evaluation_text(evaluation));
    }
  };
}

}  // namespace onnxop
