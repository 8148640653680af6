#pragma once
// One model, loaded and ready: its scorer, its contract and where it came from. A ServedModel does
// not change after it is made; whoever holds a lease keeps it loaded.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "onnxop/batch/model_queue.h"
#include "onnxop/onnx/batch_dimension.h"
#include "onnxop/onnx/contract.h"
#include "onnxop/registry/registry.h"
#include "onnxop/score/scorer.h"
#include "onnxop/serving/model_stats.h"

namespace onnxop {

struct ModelConfig;

struct ServedModel {
  std::string name;
  std::int64_t version = 0;  // 0: a plain file
  /// How images become its input; none: it is no image model, and served by nothing yet.
  std::optional<Contract> contract;
  bool contract_guessed = false;          // from the shapes: the file has none
  DType input_dtype = DType::kUndefined;  // of the contract's input
  std::shared_ptr<Scorer> scorer;
  std::filesystem::path path;
  std::string sha256;  // of the model file
  // Of the names that clients may ask class labels of; one list an output, empty: none.
  std::map<std::string, std::vector<std::string>, std::less<>> labels;

  /// Requests may be joined along the first dimension of all inputs and outputs.
  bool batchable = false;
  std::string not_batchable;                       // why not, for people
  std::uint64_t image_shape_key = 0;               // of the contract's input
  std::optional<std::int64_t> default_timeout_us;  // a request waits no longer; none: it may
  std::shared_ptr<const ModelConfig> config;       // its own; null: none
  std::shared_ptr<ModelQueue> queue;
  std::shared_ptr<ModelStats> stats;
};

/// How a model is queued and batched.
struct QueueSettings {
  int max_queued = 256;  // requests that wait; more are refused
  /// Rows of a joined batch: 0: where the model's throughput stops growing; 1: requests are never
  /// joined.
  std::int64_t max_batch = 0;
  std::int64_t most_rows = 0;          // of a joined batch, whatever its best size; 0: no limit
  bool trust_batch_dimension = false;  // join even where the graph does not prove that it may be
  std::optional<std::int64_t> default_timeout_us = {};  // a request waits no longer; none: it may
  double probe_seconds = 0.05;  // at most so long are batch sizes tried out; 0: not at all
};

/// Keeps a model loaded while it is used.
using ModelLease = std::shared_ptr<const ServedModel>;

/// A file that must have this content.
struct ExpectedFile {
  std::filesystem::path path;
  std::string sha256;
};

/// Where a model is loaded from.
struct ModelSource {
  std::string name;
  std::int64_t version = 0;  // 0: a plain file
  std::filesystem::path path;
  std::vector<ExpectedFile> files;  // compared before anything is loaded; empty for a plain file
  std::shared_ptr<const ModelConfig> config = {};  // the model's own; null: none
};

/// A version of the store, with all its files.
ModelSource source_of(const Registry& registry, const ModelVersion& version);

/// A plain file, named by its stem where `name` is empty.
ModelSource source_of(const std::filesystem::path& file, std::string name = {});

/// How a file becomes a Scorer: load_ort_scorer, a wrapper around it, or a fake. `rewritten`, where
/// it is not empty, is to be loaded instead of the file's own content.
using LoadScorer = std::function<std::shared_ptr<Scorer>(const std::filesystem::path& path,
                                                         std::span<const std::byte> rewritten)>;

/// Gives the model, which is complete otherwise, its queue and statistics; `rows` is what its graph
/// says of joining, `stats` are those of an earlier load of the same version, or null.
void make_queue(ServedModel& model, const QueueSettings& settings,
                const BatchDimension& rows = {.proven = true},
                std::shared_ptr<ModelStats> stats = nullptr);

/// Tries out batch sizes, for at most `probe_seconds`, and sets the model's limit; nothing where
/// the settings say the limit, or requests are not joined. Any thread, while the model is served.
void probe_batch_size(const ServedModel& model, const QueueSettings& settings);

/// Compares the hashes, loads the scorer, takes the contract from the metadata (or guesses it) and,
/// for an image model, runs it once on a black image. Where the file has a fixed number of rows
/// that is proven to be free, and requests may be joined, a copy with a free one is loaded. Throws
/// Error{kNotFound}; {kDataLoss} for a file that is not what was published; {kInvalidArgument} for
/// a model that cannot be loaded or that does not do what its contract says.
ModelLease load_served_model(const ModelSource& source, const LoadScorer& load_scorer,
                             const QueueSettings& settings = {},
                             std::shared_ptr<ModelStats> stats = nullptr);

}  // namespace onnxop
