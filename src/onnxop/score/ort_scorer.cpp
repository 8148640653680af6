#include "onnxop/score/ort_scorer.h"

// The library's function table is fetched when the first model is loaded, not before main().
#define ORT_API_MANUAL_INIT
#include <algorithm>
#include <functional>
#include <system_error>
#include <utility>

#include <onnxruntime_cxx_api.h>
#include <onnxruntime_session_options_config_keys.h>
#include <stdlib.h>

#include "onnxop/base/error.h"
#include "onnxop/base/log.h"
#include "onnxop/score/ort_memory.h"

namespace onnxop {
namespace {

void ORT_API_CALL log_message(void*, OrtLoggingLevel severity, const char* category, const char*,
                              const char* code_location, const char* message) {
  const LogLevel level = severity >= ORT_LOGGING_LEVEL_ERROR     ? LogLevel::kError
                         : severity == ORT_LOGGING_LEVEL_WARNING ? LogLevel::kWarning
                         : severity == ORT_LOGGING_LEVEL_INFO    ? LogLevel::kInfo
                                                                 : LogLevel::kDebug;
  log_fields(level, format("ONNX Runtime: {}", message),
             {{"category", std::string_view(category)}, {"at", std::string_view(code_location)}});
}

/// One for the process. It is never destroyed: models may be released, and log, until the very end.
Ort::Env& environment() {
  static Ort::Env* const env = [] {
    ::setenv("ORT_DISABLE_TELEMETRY", "1", 1);
    Ort::InitApi();
    if (Ort::Global<void>::api_ == nullptr) {
      fail(ErrorCode::kUnsupported, "ONNX Runtime {} is too old: expected 1.{} or later",
           ort_version(), ORT_API_VERSION);
    }
    auto made =
        std::make_unique<Ort::Env>(ORT_LOGGING_LEVEL_WARNING, "onnxop", log_message, nullptr);
    made->DisableTelemetryEvents();
    register_run_memory(*made);
    return made.release();
  }();
  return *env;
}

Ort::SessionOptions session_options(const OrtOptions& options) {
  if (options.threads < 1) {
    fail(ErrorCode::kInvalidArgument, "ONNX Runtime threads: got {}, expected at least 1",
         options.threads);
  }
  Ort::SessionOptions result;
  result.SetIntraOpNumThreads(options.threads);
  result.SetInterOpNumThreads(1);
  result.SetExecutionMode(ORT_SEQUENTIAL);
  result.SetGraphOptimizationLevel(ORT_ENABLE_ALL);
  // A plan of memory would be kept for each batch size that ever came, and makes no run faster.
  result.DisableMemPattern();
  // An arena would be the model's own, as large as its largest batch needed, and never smaller.
  result.AddConfigEntry(kOrtSessionOptionsConfigUseEnvAllocators, "1");
  result.AddConfigEntry(kOrtSessionOptionsUseDeviceAllocatorForInitializers, "1");
  result.AddConfigEntry(kOrtSessionOptionsConfigAllowIntraOpSpinning, "0");
  result.AddConfigEntry(kOrtSessionOptionsConfigAllowInterOpSpinning, "0");
  return result;
}

std::string_view type_kind(ONNXType type) {
  switch (type) {
    case ONNX_TYPE_SEQUENCE:
      return "a sequence";
    case ONNX_TYPE_MAP:
      return "a map";
    case ONNX_TYPE_OPTIONAL:
      return "an optional value";
    case ONNX_TYPE_SPARSETENSOR:
      return "a sparse tensor";
    default:
      return "no tensor";
  }
}

/// ONNX Runtime numbers element types as ONNX does; its newer ones (8 bits and less) have no DType.
DType dtype_of(ONNXTensorElementDataType type) {
  return type <= ONNX_TENSOR_ELEMENT_DATA_TYPE_BFLOAT16 ? static_cast<DType>(type)
                                                        : DType::kUndefined;
}

std::shared_ptr<Ort::Session> open_session(const std::filesystem::path& path,
                                           std::span<const std::byte> content,
                                           const OrtOptions& options) {
  Ort::Env& env = environment();  // first: nothing else of the library may be called before
  Ort::SessionOptions session = session_options(options);
  if (content.empty()) {
    return std::make_shared<Ort::Session>(env, path.c_str(), session);
  }
  const auto folder = std::filesystem::absolute(path).parent_path().string();
  session.AddConfigEntry(kOrtSessionOptionsModelExternalInitializersFileFolderPath, folder.c_str());
  return std::make_shared<Ort::Session>(env, content.data(), content.size(), session);
}

Ort::MemoryInfo cpu_memory() {
  return Ort::MemoryInfo::CreateCpu(OrtArenaAllocator, OrtMemTypeDefault);
}

class OrtScorer : public Scorer {
 public:
  OrtScorer(const std::filesystem::path& path, std::span<const std::byte> content,
            const OrtOptions& options)
      : path_(path.string()),
        session_(open_session(path, content, options)),
        memory_(cpu_memory()) {
    read_inputs();
    read_outputs();
  }

  const std::vector<TensorInfo>& inputs() const override { return inputs_; }
  const std::vector<TensorInfo>& outputs() const override { return outputs_; }

  std::vector<NamedTensor> run(std::span<const NamedTensor> inputs) override {
    check_inputs(inputs_, inputs);
    try {
      return run_checked(inputs);
    } catch (const Ort::Exception& e) {
      fail(e.GetOrtErrorCode() == ORT_INVALID_ARGUMENT ? ErrorCode::kInvalidArgument
                                                       : ErrorCode::kInternal,
           "{}: ONNX Runtime could not run the model: {}", path_, e.what());
    }
  }

 private:
  /// The memory of a returned tensor, and the session that its allocator belongs to.
  struct Held {
    std::shared_ptr<Ort::Session> session;
    Ort::Value value;
  };

  std::vector<NamedTensor> run_checked(std::span<const NamedTensor> inputs) {
    std::vector<const char*> names;
    std::vector<Ort::Value> values;
    for (const NamedTensor& input : inputs) {
      names.push_back(input.name.c_str());
      values.push_back(wrap(input));
    }
    auto results = session_->Run(Ort::RunOptions{nullptr}, names.data(), values.data(),
                                 values.size(), output_names_.data(), output_names_.size());
    std::vector<NamedTensor> outputs;
    for (std::size_t i = 0; i < results.size(); ++i) {
      outputs.push_back({outputs_[i].name, take(std::move(results[i]), outputs_[i].name, inputs)});
    }
    return outputs;
  }

  void read_inputs() {
    Ort::AllocatorWithDefaultOptions allocator;
    for (std::size_t i = 0; i < session_->GetInputCount(); ++i) {
      const std::string name = session_->GetInputNameAllocated(i, allocator).get();
      const Ort::TypeInfo type = session_->GetInputTypeInfo(i);
      if (type.GetONNXType() != ONNX_TYPE_TENSOR) {
        fail(ErrorCode::kUnsupported, "{}: input '{}' is {}, expected a tensor", path_, name,
             type_kind(type.GetONNXType()));
      }
      inputs_.push_back(info_of(name, type));
    }
  }

  /// Outputs that are not tensors of a fixed element size are not asked for, as long as another one
  /// is there.
  void read_outputs() {
    Ort::AllocatorWithDefaultOptions allocator;
    std::string left_out;
    for (std::size_t i = 0; i < session_->GetOutputCount(); ++i) {
      const std::string name = session_->GetOutputNameAllocated(i, allocator).get();
      const Ort::TypeInfo type = session_->GetOutputTypeInfo(i);
      if (type.GetONNXType() != ONNX_TYPE_TENSOR) {
        left_out += format("{}'{}' is {}", left_out.empty() ? "" : ", ", name,
                           type_kind(type.GetONNXType()));
        continue;
      }
      TensorInfo info = info_of(name, type);
      if (dtype_size(info.dtype) == 0 && info.dtype != DType::kString) {
        left_out += format("{}'{}' is a tensor of {}", left_out.empty() ? "" : ", ", name,
                           dtype_name(info.dtype));
        continue;
      }
      outputs_.push_back(std::move(info));
    }
    if (outputs_.empty()) {
      fail(ErrorCode::kUnsupported, "{}: no output is a tensor of numbers or texts: {}", path_,
           left_out);
    }
    if (!left_out.empty()) {
      log_warning("{}: outputs that are not tensors of numbers or texts are left out: {}", path_,
                  left_out);
    }
    for (const TensorInfo& info : outputs_) {
      output_names_.push_back(info.name.c_str());
    }
  }

  static TensorInfo info_of(const std::string& name, const Ort::TypeInfo& type) {
    const auto tensor = type.GetTensorTypeAndShapeInfo();
    Shape shape = tensor.GetShape();
    std::replace_if(
        shape.begin(), shape.end(), [](std::int64_t size) { return size < 0; }, -1);
    return {name, dtype_of(tensor.GetElementType()), std::move(shape)};
  }

  Ort::Value wrap(const NamedTensor& input) const {
    const Tensor& tensor = input.tensor;
    if (tensor.dtype() == DType::kString) {
      return wrap_strings(tensor);
    }
    if (dtype_size(tensor.dtype()) == 0) {
      fail(ErrorCode::kUnsupported, "{}: input '{}' is a tensor of {}, expected numbers or texts",
           path_, input.name, dtype_name(tensor.dtype()));
    }
    // ONNX Runtime takes inputs as mutable, but never writes to them.
    auto* data = const_cast<std::byte*>(tensor.bytes().data());
    return Ort::Value::CreateTensor(memory_, data, tensor.bytes().size(), tensor.shape().data(),
                                    tensor.shape().size(),
                                    static_cast<ONNXTensorElementDataType>(tensor.dtype()));
  }

  static Ort::Value wrap_strings(const Tensor& tensor) {
    Ort::AllocatorWithDefaultOptions allocator;
    auto value = Ort::Value::CreateTensor(allocator, tensor.shape().data(), tensor.shape().size(),
                                          ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING);
    for (std::size_t i = 0; const std::string& text : tensor.strings()) {
      std::copy(text.begin(), text.end(),
                value.GetResizedStringTensorElementBuffer(i, text.size()));
      ++i;
    }
    return value;
  }

  static Tensor take_strings(const Ort::Value& value, Shape shape) {
    std::vector<std::string> texts;
    const auto count = static_cast<std::size_t>(element_count(shape));
    for (std::size_t i = 0; i < count; ++i) {
      texts.push_back(value.GetStringTensorElement(i));
    }
    return Tensor::of_strings(std::move(shape), std::move(texts));
  }

  /// Without a copy, unless the model hands an input straight through.
  Tensor take(Ort::Value value, const std::string& name,
              std::span<const NamedTensor> inputs) const {
    if (!value.HasValue()) {
      fail(ErrorCode::kInternal, "{}: output '{}' was left empty by ONNX Runtime", path_, name);
    }
    const auto info = value.GetTensorTypeAndShapeInfo();
    const DType dtype = dtype_of(info.GetElementType());
    const Shape shape = info.GetShape();
    if (dtype == DType::kString) {
      return take_strings(value, shape);
    }
    const std::size_t size = info.GetElementCount() * dtype_size(dtype);
    auto* data = static_cast<std::byte*>(value.GetTensorMutableRawData());
    const auto overlaps = [&](const NamedTensor& input) {
      const auto bytes = input.tensor.bytes();
      const std::less<const std::byte*> before;
      return size > 0 && !bytes.empty() && before(data, bytes.data() + bytes.size()) &&
             before(bytes.data(), data + size);
    };
    if (std::any_of(inputs.begin(), inputs.end(), overlaps)) {
      return Tensor::view(dtype, shape, {data, size}).clone();
    }
    auto held = std::make_shared<Held>(Held{session_, std::move(value)});
    return Tensor::shared(dtype, shape, {data, size}, std::move(held));
  }

  std::string path_;
  std::shared_ptr<Ort::Session> session_;
  Ort::MemoryInfo memory_;
  std::vector<TensorInfo> inputs_;
  std::vector<TensorInfo> outputs_;
  std::vector<const char*> output_names_;  // of outputs_
};

std::unique_ptr<Scorer> load(const std::filesystem::path& path, std::span<const std::byte> content,
                             const OrtOptions& options) {
  try {
    return std::make_unique<OrtScorer>(path, content, options);
  } catch (const Ort::Exception& e) {
    fail(ErrorCode::kInvalidArgument, "{}: ONNX Runtime cannot load the model: {}", path.string(),
         e.what());
  }
}

}  // namespace

std::unique_ptr<Scorer> load_ort_scorer(const std::filesystem::path& path,
                                        const OrtOptions& options) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (!std::filesystem::exists(status)) {
    fail(ErrorCode::kNotFound, "{}: no such model file", path.string());
  }
  if (!std::filesystem::is_regular_file(status)) {
    fail(ErrorCode::kInvalidArgument, "{}: got {}, expected a model file", path.string(),
         std::filesystem::is_directory(status) ? "a folder" : "something that is no regular file");
  }
  return load(path, {}, options);
}

std::unique_ptr<Scorer> load_ort_scorer(std::span<const std::byte> content,
                                        const std::filesystem::path& path,
                                        const OrtOptions& options) {
  if (content.empty()) {
    fail(ErrorCode::kInvalidArgument, "{}: got no bytes, expected a model", path.string());
  }
  return load(path, content, options);
}

std::string ort_version() {
  return OrtGetApiBase()->GetVersionString();
}

}  // namespace onnxop
