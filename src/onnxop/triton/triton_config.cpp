#include "onnxop/triton/triton_config.h"

#include <algorithm>
#include <filesystem>
#include <limits>
#include <set>
#include <span>

#include "onnxop/base/error.h"
#include "onnxop/triton/config_text.h"
#include "onnxop/triton/remarks.h"

namespace onnxop {
namespace {

constexpr std::string_view kPlatform = "onnxruntime_onnx";
constexpr std::string_view kBackend = "onnxruntime";

DType dtype_of(triton::DataType type) {
  switch (type) {
    case triton::TYPE_BOOL:
      return DType::kBool;
    case triton::TYPE_UINT8:
      return DType::kUint8;
    case triton::TYPE_UINT16:
      return DType::kUint16;
    case triton::TYPE_UINT32:
      return DType::kUint32;
    case triton::TYPE_UINT64:
      return DType::kUint64;
    case triton::TYPE_INT8:
      return DType::kInt8;
    case triton::TYPE_INT16:
      return DType::kInt16;
    case triton::TYPE_INT32:
      return DType::kInt32;
    case triton::TYPE_INT64:
      return DType::kInt64;
    case triton::TYPE_FP16:
      return DType::kFloat16;
    case triton::TYPE_FP32:
      return DType::kFloat32;
    case triton::TYPE_FP64:
      return DType::kFloat64;
    case triton::TYPE_STRING:
      return DType::kString;
    case triton::TYPE_BF16:
      return DType::kBfloat16;
    case triton::TYPE_INVALID:
      break;
  }
  return DType::kUndefined;
}

/// Whether a plain path stays in the folder that it is relative to.
bool stays_inside(const std::filesystem::path& path) {
  return path.is_relative() && std::none_of(path.begin(), path.end(), [](const auto& part) {
           return part == ".." || part == "." || part.empty();
         });
}

/// The first problem is kept.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(parse_config_text(text)) {}

  TritonConfig read() {
    config_.remarks = remarks_on(*text_);
    config_.name = message().name();
    read_engine();
    read_batching();
    for (int i = 0; i < message().input_size(); ++i) {
      config_.inputs.push_back(tensor_of(message().input(i), "input", i));
    }
    for (int i = 0; i < message().output_size(); ++i) {
      config_.outputs.push_back(tensor_of(message().output(i), "output", i));
      read_label_file(message().output(i), config_.outputs.back());
    }
    check_names(config_.inputs, "input");
    check_names(config_.outputs, "output");
    read_versions();
    return std::move(config_);
  }

 private:
  const triton::ModelConfig& message() const { return text_->message; }
  int line(std::string_view field) const { return line_of(text_->places, message(), field); }

  void refuse(int line, std::string_view path, const std::string& what) {
    if (config_.problem.empty()) {
      config_.problem = format("line {}: {}: {}", line, path, what);
    }
  }

  void read_engine() {
    if (message().has_platform() && !message().platform().empty() &&
        message().platform() != kPlatform) {
      refuse(line("platform"), "platform",
             format("got '{}', expected '{}': only ONNX models are served", message().platform(),
                    kPlatform));
    }
    if (message().has_backend() && !message().backend().empty() &&
        message().backend() != kBackend) {
      refuse(line("backend"), "backend",
             format("got '{}', expected '{}': only ONNX models are served", message().backend(),
                    kBackend));
    }
    if (message().has_ensemble_scheduling()) {
      refuse(line("ensemble_scheduling"), "ensemble_scheduling", "models are not run in chains");
    }
    if (message().has_sequence_batching()) {
      refuse(line("sequence_batching"), "sequence_batching",
             "no state is kept from one request to the next");
    }
    for (const std::string_view made : {"batch_input", "batch_output"}) {
      if (line_of(text_->places, message(), made, 0) > 0) {
        refuse(line_of(text_->places, message(), made, 0), made,
               "tensors about the batch are not made");
      }
    }
    config_.default_model_filename = message().default_model_filename();
    const std::filesystem::path file = config_.default_model_filename;
    if (!file.empty() && (!stays_inside(file) || file.has_parent_path())) {
      refuse(line("default_model_filename"), "default_model_filename",
             format("got '{}', expected the name of a file", file.string()));
    }
  }

  void read_batching() {
    if (message().has_max_batch_size()) {
      config_.max_batch_size = message().max_batch_size();
      if (message().max_batch_size() < 0) {
        refuse(line("max_batch_size"), "max_batch_size",
               format("got {}, expected 0 or more", message().max_batch_size()));
      }
    }
    config_.dynamic_batching = message().has_dynamic_batching();
    const triton::QueuePolicy& policy = message().dynamic_batching().default_queue_policy();
    if (policy.max_queue_size() > 0) {
      config_.max_queue_size = static_cast<int>(
          std::min<std::uint32_t>(policy.max_queue_size(), std::numeric_limits<int>::max()));
    }
    if (policy.default_timeout_microseconds() > 0) {
      constexpr std::uint64_t kLongest = 1'000'000ULL * 3600 * 24 * 365;
      config_.default_timeout_us =
          static_cast<std::int64_t>(std::min(policy.default_timeout_microseconds(), kLongest));
    }
  }

  template <typename Message>
  TritonTensor tensor_of(const Message& from, std::string_view field, int index) {
    TritonTensor tensor;
    tensor.line = line_of(text_->places, message(), field, index);
    tensor.name = from.name();
    tensor.dtype = dtype_of(from.data_type());
    tensor.dims = Shape(from.dims().begin(), from.dims().end());
    check_sizes(tensor.dims, tensor, format("{}.dims", field));
    if (from.has_reshape()) {
      tensor.reshape = Shape(from.reshape().shape().begin(), from.reshape().shape().end());
      check_sizes(*tensor.reshape, tensor, format("{}.reshape", field));
      check_reshape(tensor, field);
    }
    return tensor;
  }

  void check_sizes(const Shape& shape, const TritonTensor& tensor, const std::string& path) {
    for (const std::int64_t size : shape) {
      if (size < -1 || size > std::numeric_limits<std::int32_t>::max()) {
        refuse(tensor.line, path,
               format("'{}': got a dimension of {}, expected a size, or -1 for any", tensor.name,
                      size));
      }
    }
  }

  void check_reshape(const TritonTensor& tensor, std::string_view field) {
    const auto count = [](const Shape& shape) {
      double elements = 1;  // sizes may be too many to count otherwise
      for (const std::int64_t size : shape) {
        elements *= size < 0 ? 1.0 : static_cast<double>(size);
      }
      return elements;
    };
    const auto free = [](const Shape& shape) { return std::count(shape.begin(), shape.end(), -1); };
    if (count(tensor.dims) != count(*tensor.reshape) ||
        free(tensor.dims) != free(*tensor.reshape)) {
      refuse(tensor.line, format("{}.reshape", field),
             format("'{}': {} has other elements than {}", tensor.name, shape_text(*tensor.reshape),
                    shape_text(tensor.dims)));
    }
  }

  void read_label_file(const triton::Output& from, TritonTensor& tensor) {
    tensor.label_filename = from.label_filename();
    if (!tensor.label_filename.empty() && !stays_inside(tensor.label_filename)) {
      refuse(tensor.line, "output.label_filename",
             format("got '{}', expected a file in the model's folder", tensor.label_filename));
    }
  }

  void check_names(std::span<const TritonTensor> tensors, std::string_view field) {
    std::set<std::string_view> names;
    for (const TritonTensor& tensor : tensors) {
      if (tensor.name.empty()) {
        refuse(tensor.line, field, "it has no name");
      } else if (!names.insert(tensor.name).second) {
        refuse(tensor.line, field, format("'{}' is there twice", tensor.name));
      }
    }
  }

  void read_versions() {
    if (!message().has_version_policy()) {
      return;
    }
    const triton::VersionPolicy& from = message().version_policy();
    TritonVersionPolicy policy;
    if (from.has_all()) {
      policy.kind = TritonVersionPolicy::Kind::kAll;
    } else if (from.has_specific()) {
      policy.kind = TritonVersionPolicy::Kind::kSpecific;
      policy.versions.assign(from.specific().versions().begin(), from.specific().versions().end());
      if (policy.versions.empty()) {
        refuse(line("version_policy"), "version_policy.specific", "it names no version");
      }
    } else if (from.latest().num_versions() > 0) {
      policy.latest = from.latest().num_versions();
    }
    config_.version_policy = std::move(policy);
  }

  std::unique_ptr<ConfigText> text_;
  TritonConfig config_;
};

}  // namespace

TritonConfig read_triton_config(std::string_view text) {
  return Reader(text).read();
}

}  // namespace onnxop
