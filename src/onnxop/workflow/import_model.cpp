#include "onnxop/workflow/import_model.h"

#include <algorithm>

#include "onnxop/base/error.h"
#include "onnxop/base/file.h"
#include "onnxop/base/folder.h"
#include "onnxop/base/json_value.h"
#include "onnxop/onnx/model_file.h"
#include "onnxop/preprocess/preprocess.h"
#include "onnxop/score/ort_scorer.h"
#include "onnxop/workflow/work_folder.h"

namespace onnxop {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMostContractBytes = 1 << 20;

const TensorInfo& find_tensor(const std::vector<TensorInfo>& tensors, const std::string& name,
                              std::string_view what, std::string_view key) {
  std::vector<std::string> names;
  for (const auto& tensor : tensors) {
    if (tensor.name == name) {
      return tensor;
    }
    names.push_back(tensor.name);
  }
  fail(ErrorCode::kInvalidArgument, "{}: {} is '{}', but the model has: {}", what, key, name,
       join(names, ", "));
}

void copy_with_contract(const fs::path& file, const Contract& contract,
                        const std::vector<fs::path>& companions, const fs::path& to) {
  for (const auto& companion : companions) {
    make_folders((to / companion).parent_path());
    copy_to_new_file(file.parent_path() / companion, to / companion);
  }
  write_file_atomically(to / "model.onnx", with_contract(read_file(file), contract));
}

}  // namespace

void check_contract_fits(const Contract& contract, const std::vector<TensorInfo>& inputs,
                         const std::vector<TensorInfo>& outputs, std::string_view what) {
  const ImageInput& image = contract.input;
  const TensorInfo& input = find_tensor(inputs, image.name, what, "input.name");
  const Shape fitting = image_batch_shape(-1, image);
  bool fits = input.shape.size() == fitting.size();
  for (std::size_t i = 1; fits && i < fitting.size(); ++i) {
    fits = input.shape[i] == -1 || input.shape[i] == fitting[i];
  }
  if (!fits) {
    fail(ErrorCode::kInvalidArgument,
         "{}: images of it have shape {}, but the model's input '{}' takes {}", what,
         shape_text(fitting), input.name, shape_text(input.shape));
  }
  if (inputs.size() != 1) {
    fail(ErrorCode::kInvalidArgument, "{}: the model has {} inputs, an image model has one", what,
         inputs.size());
  }
  const TensorInfo& output = find_tensor(outputs, contract.output.name, what, "output.name");
  const auto labels = static_cast<std::int64_t>(contract.output.labels.size());
  if (labels != 0 && !output.shape.empty() && output.shape.back() != -1 &&
      output.shape.back() != labels) {
    fail(ErrorCode::kInvalidArgument, "{}: {} labels, but the model's output '{}' has shape {}",
         what, labels, output.name, shape_text(output.shape));
  }
}

std::vector<fs::path> companions_of(const fs::path& file) {
  const ModelDescription description = describe_model(file);
  return {description.external_files.begin(), description.external_files.end()};
}

ImportableModel check_importable(const fs::path& file) {
  check_model(file);
  const auto scorer = load_ort_scorer(file);
  ImportableModel model{companions_of(file), read_contract(file)};
  if (model.contract) {
    check_contract_fits(*model.contract, scorer->inputs(), scorer->outputs(), file.string());
  } else {
    model.contract = guess_contract(scorer->inputs(), scorer->outputs());
  }
  return model;
}

ModelVersion import_model(const fs::path& file, std::string_view name,
                          const fs::path& contract_file, Registry& registry) {
  check_model(file);
  const ModelDescription description = describe_model(file);
  const auto scorer = load_ort_scorer(file);
  std::vector<fs::path> companions(description.external_files.begin(),
                                   description.external_files.end());
  const std::string source = fs::absolute(file).lexically_normal().string();
  if (contract_file.empty()) {
    if (description.contract) {
      check_contract_fits(*description.contract, scorer->inputs(), scorer->outputs(),
                          file.string());
    }
    return registry.models().publish({.name = std::string(name),
                                      .model_file = file,
                                      .companions = companions,
                                      .source = source});
  }
  const std::string text = read_text_file(contract_file, kMostContractBytes);
  const Contract contract =
      contract_from_json(parse_json(text, contract_file.string()), contract_file.string());
  check_contract_fits(contract, scorer->inputs(), scorer->outputs(), contract_file.string());
  const WorkFolder work(registry.dir());
  copy_with_contract(file, contract, companions, work.path());
  return registry.models().publish({.name = std::string(name),
                                    .model_file = work.path() / "model.onnx",
                                    .companions = companions,
                                    .source = source});
}

}  // namespace onnxop
