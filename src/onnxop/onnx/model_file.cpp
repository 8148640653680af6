#include "onnxop/onnx/model_file.h"

#include <google/protobuf/io/coded_stream.h>
#include <onnx/onnx_pb.h>

#include "onnxop/base/error.h"
#include "onnxop/base/json_value.h"
#include "onnxop/onnx/external_data.h"
#include "onnxop/onnx/judge.h"
#include "onnxop/onnx/proto_file.h"
#include "onnxop/onnx/structure.h"
#include "onnxop/onnx/wire.h"

namespace onnxop {
namespace {

[[noreturn]] void refuse(const std::filesystem::path& path,
                         const std::vector<std::string>& problems) {
  constexpr std::size_t kShown = 5;
  const std::size_t shown = std::min(kShown, problems.size());
  const std::string more =
      problems.size() > shown ? format("; and {} more", problems.size() - shown) : "";
  fail(ErrorCode::kInvalidArgument, "{}: {}{}", path.string(),
       join(problems.begin(), problems.begin() + static_cast<std::ptrdiff_t>(shown), "; "), more);
}

bool is_contract_entry(std::span<const std::byte> model, const WireField& field) {
  if (field.number != onnx::ModelProto::kMetadataPropsFieldNumber || field.type != 2) {
    return false;
  }
  onnx::StringStringEntryProto entry;
  return entry.ParseFromArray(model.data() + field.payload,
                              static_cast<int>(field.end - field.payload)) &&
         entry.key() == kContractKey;
}

/// The metadata_props field, tag and length included.
Bytes contract_field(const Contract& contract) {
  onnx::ModelProto holder;
  auto* entry = holder.add_metadata_props();
  entry->set_key(std::string(kContractKey));
  entry->set_value(dump_json(contract_to_json(contract)));
  const std::string text = holder.SerializeAsString();
  const auto bytes = as_bytes(text);
  return {bytes.begin(), bytes.end()};
}

}  // namespace

void check_model(const std::filesystem::path& path) {
  const auto model = read_model_proto(path);
  const auto folder = model_folder(path);
  if (const auto problems = structural_problems(*model, folder); !problems.empty()) {
    refuse(path, problems);
  }
  if (const auto judgement = judge(*model, folder, false); !judgement.problems.empty()) {
    refuse(path, judgement.problems);
  }
}

std::optional<Contract> read_contract(const std::filesystem::path& path) {
  const auto model = read_model_proto(path);
  for (const auto& entry : model->metadata_props()) {
    if (entry.key() == kContractKey) {
      const std::string what = format("{}: {}", path.string(), kContractKey);
      return contract_from_json(parse_json(entry.value(), what), what);
    }
  }
  return std::nullopt;
}

Bytes with_contract(const Bytes& model, const Contract& contract) {
  const Bytes replacement = contract_field(contract);
  Bytes result;
  result.reserve(model.size() + replacement.size());
  const auto append = [&](std::size_t begin, std::size_t end) {
    result.insert(result.end(), model.begin() + static_cast<std::ptrdiff_t>(begin),
                  model.begin() + static_cast<std::ptrdiff_t>(end));
  };
  bool written = false;
  bool has_graph = false;
  WireReader reader(model);
  while (const auto field = reader.next()) {
    has_graph = has_graph || field->number == onnx::ModelProto::kGraphFieldNumber;
    if (!is_contract_entry(model, *field)) {
      append(field->begin, field->end);
    } else if (!written) {
      result.insert(result.end(), replacement.begin(), replacement.end());
      written = true;
    }
  }
  if (!reader.problem().empty() || !has_graph) {
    fail(ErrorCode::kInvalidArgument, "no ONNX model: at byte {} of {}: {}", reader.position(),
         model.size(), reader.problem().empty() ? "there is no graph" : reader.problem());
  }
  if (!written) {
    result.insert(result.end(), replacement.begin(), replacement.end());
  }
  return result;
}

}  // namespace onnxop
