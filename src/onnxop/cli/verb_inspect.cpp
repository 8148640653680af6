#include <memory>

#include "onnxop/base/error.h"
#include "onnxop/base/json_value.h"
#include "onnxop/cli/verbs.h"
#include "onnxop/onnx/description_json.h"
#include "onnxop/onnx/model_file.h"
#include "onnxop/workflow/model_ref.h"

namespace onnxop {
namespace {

std::string description_text(const ModelRef& model, const ModelDescription& d) {
  std::vector<std::vector<std::string>> rows;
  const auto row = [&rows](std::string name, std::string value) {
    rows.push_back({std::move(name), std::move(value)});
  };
  row("file", model.path.string());
  row("size", format("{} bytes", d.file_bytes));
  row("producer", format("{} {}", d.producer_name, d.producer_version));
  row("IR version", format("{}", d.ir_version));
  for (const auto& [domain, version] : d.opsets) {
    row("opset", format("{} {}", domain, version));
  }
  row("graph", d.graph_name);
  for (const auto& input : d.inputs) {
    row("input", format("{} {} {}", input.name, dtype_name(input.dtype), shape_text(input.shape)));
  }
  for (const auto& output : d.outputs) {
    row("output",
        format("{} {} {}", output.name, dtype_name(output.dtype), shape_text(output.shape)));
  }
  for (const auto& op : d.operators) {
    row("operator",
        format("{} x{} ({}, {})", op.op_type, op.count, op.domain, origin_name(op.origin)));
  }
  row("parameters", format("{}", d.parameters));
  row("FLOPs a sample", d.flops_per_sample ? format("{:.0f}", *d.flops_per_sample) : "not known");
  for (const auto& file : d.external_files) {
    row("external data", file);
  }
  for (const auto& [key, value] : d.metadata) {
    row("metadata", format("{} = {}", key, value));
  }
  for (const auto& note : d.notes) {
    row("note", note);
  }
  for (const auto& problem : d.problems) {
    row("PROBLEM", problem);
  }
  return table_text(rows);
}

}  // namespace

VerbAction declare_inspect(CLI::App& command) {
  struct Options {
    std::string model;
    bool json = false;
  };
  auto options = std::make_shared<Options>();
  set_example(command, "onnxop inspect mnist\n  onnxop inspect resnet50.onnx --json");
  command.add_option("MODEL", options->model, std::string(kModelRefHelp))->required();
  add_json_flag(command, options->json);
  return [options](const CliContext& context) {
    const ModelRef model = find_model(options->model, context.store);
    const ModelDescription description = describe_model(model.path);
    if (options->json) {
      print_json(description_json(model.path.string(), description));
    } else {
      print_text(description_text(model, description));
    }
    if (!description.problems.empty()) {
      fail(ErrorCode::kInvalidArgument, "{}: {} problem(s): {}", model.path.string(),
           description.problems.size(), description.problems.front());
    }
  };
}

}  // namespace onnxop
