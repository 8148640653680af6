#pragma once
// ONNX model files: written, checked and described. The file format is protobuf (onnx.proto); a
// file with external data may only name files inside its own folder. Safe from any thread.

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "onnxop/base/file.h"
#include "onnxop/onnx/contract.h"
#include "onnxop/onnx/graph.h"

namespace onnxop {

/// The file's bytes; the same model gives the same bytes. Throws Error{kUnsupported} for an
/// initializer without a fixed element size, {kTooLarge} over 2 GiB.
Bytes serialize_model(const Model& model);

struct OperatorCount {
  std::string domain;  // "ai.onnx" for the default domain
  std::string op_type;
  std::int64_t count = 0;
  enum class Origin { kCore, kExperimental, kCustom } origin = Origin::kCore;
};

struct ModelDescription {
  std::string producer_name, producer_version, domain, doc_string, graph_name;
  std::int64_t ir_version = 0;
  std::int64_t model_version = 0;
  std::map<std::string, std::int64_t> opsets;  // by domain, "ai.onnx" for the default one
  std::map<std::string, std::string> metadata;
  std::vector<TensorInfo> inputs, outputs;  // graph inputs without those that are initializers
  std::vector<std::string> input_symbols;   // of inputs, for printing: "image: [N, 28, 28, 1]"
  std::vector<OperatorCount> operators;     // subgraphs included, sorted by domain and name
  std::int64_t parameters = 0;              // elements of all initializers
  // Of convolutions and matrix products in the main graph and its subgraphs (each counted once), a
  // multiply-add counting as two, biases left out; for a batch of one, a fixed batch being divided
  // out. None where a shape is not known.
  std::optional<double> flops_per_sample;
  std::uint64_t file_bytes = 0;  // external data included
  std::vector<std::string> external_files;
  std::optional<Contract> contract;   // from the metadata
  std::vector<std::string> problems;  // what the checker and shape inference object to
  std::vector<std::string> notes;     // e.g. "opset 21 is newer than this checker (17): not judged"
};

/// Reads and describes a model file. `problems` is filled, not thrown, where the file is readable.
/// Throws Error{kNotFound}; {kInvalidArgument} for a file that is no ONNX model or is truncated,
/// with the place; {kTooLarge} for a file over 2 GiB (external data apart, which is never read);
/// {kIo}.
ModelDescription describe_model(const std::filesystem::path& path);

/// Throws as describe_model does, and Error{kInvalidArgument} for a file that names external data
/// outside its folder, has a tensor without its data or a value of more than 2^31 elements, or
/// breaks ONNX's rules (structure; checker and strict shape inference with data propagation); what
/// this libonnx is too old to judge is left to the engine. libonnx runs in a child process, for a
/// moment, because some broken models crash it: that is an error too.
void check_model(const std::filesystem::path& path);

/// The metadata's contract, if there is one; throws as describe_model and contract_from_json do.
std::optional<Contract> read_contract(const std::filesystem::path& path);

/// Sets or replaces the contract in the metadata of the file's bytes; every other byte stays as it
/// is. Throws Error{kInvalidArgument} for bytes that are no model.
Bytes with_contract(const Bytes& model, const Contract& contract);

}  // namespace onnxop
