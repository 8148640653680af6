#include <iostream>
#include <iterator>
#include <memory>

#include "onnxop/base/error.h"
#include "onnxop/base/file.h"
#include "onnxop/base/json_value.h"
#include "onnxop/cli/verbs.h"
#include "onnxop/image/codec.h"
#include "onnxop/serving/predict_image.h"
#include "onnxop/workflow/load_model.h"
#include "onnxop/workflow/model_ref.h"

namespace onnxop {
namespace {

constexpr std::uint64_t kMostImageBytes = std::uint64_t{64} << 20;

std::string image_bytes(const std::string& name) {
  if (name == "-") {
    return {std::istreambuf_iterator<char>(std::cin), std::istreambuf_iterator<char>()};
  }
  return read_text_file(name, kMostImageBytes);
}

Prediction score_named(const ServedModel& model, const std::string& name) {
  try {
    const std::string bytes = image_bytes(name);
    return predict_image(model, decode_image(as_bytes(bytes)));
  } catch (const Error& e) {
    const std::string message = e.what();
    throw Error(e.code(), message.starts_with(name + ":") ? message : name + ": " + message);
  }
}

}  // namespace

VerbAction declare_score(CLI::App& command) {
  struct Options {
    std::string model;
    std::vector<std::string> images;
    bool json = false;
  };
  auto options = std::make_shared<Options>();
  set_example(command,
              "onnxop score mnist digit.png\n  cat digit.png | onnxop score mnist - --json");
  command.add_option("MODEL", options->model, std::string(kModelRefHelp))->required();
  command.add_option("IMAGE", options->images, "Image files; - is standard input")->required();
  add_json_flag(command, options->json);
  return [options](const CliContext& context) {
    const ModelLease model = load_model(options->model, context.store);
    if (!model->contract) {
      fail(ErrorCode::kInvalidArgument,
           "{}: does not say how images become its input; import it with --contract "
           "(docs/contract.md)",
           model->path.string());
    }
    Json results = Json::array();
    for (const auto& name : options->images) {
      const Prediction prediction = score_named(*model, name);
      if (options->json) {
        results.push_back({{"image", name},
                           {"label", prediction.label},
                           {"confidence", prediction.confidence},
                           {"probabilities", prediction.values}});
      } else {
        print_text(format("{}\t{}\t{:.6f}\n", name, prediction.label, prediction.confidence));
      }
    }
    if (options->json) {
      print_json({{"model", model->name}, {"version", model->version}, {"results", results}});
    }
  };
}

}  // namespace onnxop
