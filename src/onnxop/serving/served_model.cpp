#include "onnxop/serving/served_model.h"

#include <utility>

#include "onnxop/base/error.h"
#include "onnxop/base/log.h"
#include "onnxop/base/sha256.h"
#include "onnxop/onnx/model_file.h"
#include "onnxop/preprocess/preprocess.h"
#include "onnxop/serving/configured_scorer.h"
#include "onnxop/serving/model_config.h"
#include "onnxop/serving/prediction.h"

namespace onnxop {
namespace {

std::string title(const ModelSource& source) {
  return source.version == 0 ? source.path.string() : format("{}:{}", source.name, source.version);
}

/// The model file's SHA-256, after all files were compared.
std::string checked_sha256(const ModelSource& source) {
  std::string of_model;
  for (const ExpectedFile& file : source.files) {
    const std::string got = sha256_file(file.path);
    if (got != file.sha256) {
      fail(ErrorCode::kDataLoss, "{}: {} has SHA-256 {}, expected {}", title(source),
           file.path.string(), got, file.sha256);
    }
    if (file.path == source.path) {
      of_model = got;
    }
  }
  return of_model.empty() ? sha256_file(source.path) : of_model;
}

DType image_input_dtype(const ModelSource& source, const Contract& contract, const Scorer& scorer) {
  for (const TensorInfo& input : scorer.inputs()) {
    if (input.name != contract.input.name) {
      continue;
    }
    if (input.dtype != DType::kFloat32 && input.dtype != DType::kUint8) {
      fail(ErrorCode::kInvalidArgument,
           "{}: input '{}' is {}, expected float32 or uint8 for images", title(source), input.name,
           dtype_name(input.dtype));
    }
    return input.dtype;
  }
  fail(ErrorCode::kInvalidArgument, "{}: the contract's input '{}' is none of the model's",
       title(source), contract.input.name);
}

/// The first run of a model is slow, and shows whether model and contract fit.
void warm_up(const ModelSource& source, const ServedModel& model) {
  const Contract& contract = *model.contract;
  try {
    std::vector<NamedTensor> inputs;
    inputs.push_back(
        {contract.input.name, Tensor(model.input_dtype, image_batch_shape(1, contract.input))});
    read_prediction(contract.output, model.scorer->run(inputs));
  } catch (const Error& e) {
    fail(ErrorCode::kInvalidArgument, "{}: the model cannot be run as its {}contract says: {}",
         title(source), model.contract_guessed ? "guessed " : "", e.what());
  }
}

void log_copy(const ServedModel& model, const ServingCopy& copy) {
  if (copy.freed) {
    log_info("model {}:{} is loaded with any number of rows; its file has {}", model.name,
             model.version, *copy.batch.fixed);
  }
  if (copy.widened > 0) {
    log_info("model {}:{} is loaded with the rank of its input for {} constants that scale it",
             model.name, model.version, copy.widened);
  }
}

/// The scorer, of a copy where one serves better; and what the graph says of joining.
BatchDimension load_engine(ServedModel& model, const LoadScorer& load_scorer,
                           const QueueSettings& settings) {
  const bool batched = settings.max_batch != 1;
  ServingCopy copy;
  try {
    copy = serving_copy(model.path, batched);
  } catch (const std::exception& e) {  // bad_alloc too: the file itself may fit
    copy.batch.reason = e.what();
  }
  if (!batched) {
    copy.batch = {};
  }
  if (copy.content.empty()) {
    model.scorer = load_scorer(model.path, {});
    return copy.batch;
  }
  try {
    model.scorer = load_scorer(model.path, copy.content);
    log_copy(model, copy);
    return copy.batch;
  } catch (const std::exception& e) {
    log_warning(
        "model {}:{} is loaded as its file is, since a copy that would serve better cannot be: {}",
        model.name, model.version, e.what());
    copy.content = {};
    model.scorer = load_scorer(model.path, {});
    return copy.freed ? BatchDimension{false, copy.batch.fixed, e.what()} : copy.batch;
  }
}

}  // namespace

ModelSource source_of(const Registry& registry, const ModelVersion& version) {
  ModelSource source{version.name, version.version, version.model_path, {}};
  const auto folder = version.model_path.parent_path();
  for (const ModelFile& file : registry.models().files(version.name, version.version)) {
    source.files.push_back({folder / file.path, file.sha256});
  }
  return source;
}

ModelSource source_of(const std::filesystem::path& file, std::string name) {
  return {name.empty() ? file.stem().string() : std::move(name), 0, file, {}};
}

ModelLease load_served_model(const ModelSource& source, const LoadScorer& load_scorer,
                             const QueueSettings& settings, std::shared_ptr<ModelStats> stats) {
  auto model = std::make_shared<ServedModel>();
  model->name = source.name;
  model->version = source.version;
  model->path = source.path;
  model->sha256 = checked_sha256(source);
  model->contract = read_contract(source.path);
  const BatchDimension rows = load_engine(*model, load_scorer, settings);
  if (source.config) {
    model->config = source.config;
    model->labels = source.config->labels;
    model->scorer = configured_scorer(model->scorer, source.config->triton, rows);
  }
  if (!model->contract) {
    model->contract = guess_contract(model->scorer->inputs(), model->scorer->outputs());
    model->contract_guessed = model->contract.has_value();
  }
  if (model->contract) {
    const auto labels = model->labels.find(model->contract->output.name);
    if (labels != model->labels.end()) {
      model->contract->output.labels = labels->second;
    }
    model->input_dtype = image_input_dtype(source, *model->contract, *model->scorer);
    warm_up(source, *model);
  }
  make_queue(*model, settings, rows, std::move(stats));
  return model;
}

}  // namespace onnxop
