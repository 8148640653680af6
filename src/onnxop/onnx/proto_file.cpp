#include "onnxop/onnx/proto_file.h"

#include <cerrno>
#include <limits>
#include <system_error>

#include <fcntl.h>
#include <google/protobuf/io/zero_copy_stream_impl.h>
#include <onnx/onnx_pb.h>

#include "onnxop/base/error.h"
#include "onnxop/base/file.h"
#include "onnxop/onnx/wire.h"

namespace onnxop {
namespace {

constexpr std::uint64_t kMostBytes = std::numeric_limits<int>::max();

void check_kind_and_size(const std::filesystem::path& path) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (status.type() == std::filesystem::file_type::not_found) {
    fail(ErrorCode::kNotFound, "{}: no such model file", path.string());
  }
  if (error) {
    fail(ErrorCode::kIo, "{}: {}", path.string(), error.message());
  }
  if (!std::filesystem::is_regular_file(status)) {
    fail(ErrorCode::kInvalidArgument, "{}: got {}, expected an ONNX model file", path.string(),
         std::filesystem::is_directory(status) ? "a folder" : "something that is no regular file");
  }
  const std::uint64_t size = std::filesystem::file_size(path, error);
  if (error) {
    fail(ErrorCode::kIo, "{}: {}", path.string(), error.message());
  }
  if (size == 0) {
    fail(ErrorCode::kInvalidArgument, "{}: got an empty file, expected an ONNX model",
         path.string());
  }
  if (size > kMostBytes) {
    fail(ErrorCode::kTooLarge,
         "{}: got {} bytes, expected at most {}: a larger model keeps its tensors in files of "
         "external data",
         path.string(), size, kMostBytes);
  }
}

bool parse_file(const std::filesystem::path& path, onnx::ModelProto& model) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) {
    fail(ErrorCode::kIo, "{}: {}", path.string(), std::generic_category().message(errno));
  }
  google::protobuf::io::FileInputStream stream(descriptor);
  stream.SetCloseOnDelete(true);
  const bool parsed = model.ParseFromZeroCopyStream(&stream);
  if (stream.GetErrno() != 0) {
    fail(ErrorCode::kIo, "{}: {}", path.string(),
         std::generic_category().message(stream.GetErrno()));
  }
  return parsed;
}

/// A file that was a model begins with a plausible ir_version, which every known producer writes
/// first.
bool begins_like_a_model(std::span<const std::byte> bytes) {
  const auto first = WireReader(bytes).next();
  return first && first->number == onnx::ModelProto::kIrVersionFieldNumber && first->type == 0 &&
         first->end - first->payload == 1;
}

[[noreturn]] void refuse_damaged(const std::filesystem::path& path) {
  const Bytes bytes = read_file(path, kMostBytes);
  const auto damage = find_damage(bytes, *onnx::ModelProto::descriptor());
  if (!begins_like_a_model(bytes)) {
    fail(ErrorCode::kInvalidArgument, "{}: no ONNX model: at byte {} of {}: {}", path.string(),
         damage ? damage->position : 0, bytes.size(),
         damage ? damage->reason : "not the fields of a model");
  }
  if (!damage) {
    fail(ErrorCode::kInvalidArgument, "{}: damaged: its fields are not those of an ONNX model",
         path.string());
  }
  fail(ErrorCode::kInvalidArgument, "{}: truncated or damaged at byte {} of {}, in {}: {}",
       path.string(), damage->position, bytes.size(),
       damage->path.empty() ? "the model" : damage->path, damage->reason);
}

}  // namespace

std::unique_ptr<onnx::ModelProto> read_model_proto(const std::filesystem::path& path) {
  check_kind_and_size(path);
  auto model = std::make_unique<onnx::ModelProto>();
  if (!parse_file(path, *model)) {
    refuse_damaged(path);
  }
  const char* missing = !model->has_ir_version()        ? "ir_version"
                        : !model->has_graph()           ? "graph"
                        : model->opset_import().empty() ? "opset_import"
                                                        : nullptr;
  if (missing != nullptr) {
    fail(ErrorCode::kInvalidArgument, "{}: no ONNX model, or a truncated one: it has no {}",
         path.string(), missing);
  }
  return model;
}

std::string domain_name(const std::string& domain) {
  return domain.empty() ? "ai.onnx" : domain;
}

}  // namespace onnxop
