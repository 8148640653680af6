#pragma once
// Where models come from: the store, or a folder. What it has now is a snapshot of plain values;
// deciding what of it is served is serving_plan.h's.

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "onnxop/registry/registry.h"
#include "onnxop/serving/served_model.h"

namespace onnxop {

/// Which versions of a model are served.
struct VersionPolicy {
  enum class Kind : std::uint8_t { kLatest, kAll, kSpecific };
  Kind kind = Kind::kLatest;
  std::int64_t latest = 1;             // of kLatest: how many
  std::vector<std::int64_t> versions;  // of kSpecific
};

struct OfferedVersion {
  std::int64_t version = 0;
  /// Differs when the files do: a version that could not be loaded is tried again then.
  std::string fingerprint;
  bool settled = true;      // false: its files may still be being written
  std::string broken = {};  // why it cannot be served, as far as that is known
};

struct ModelOffer {
  std::string name;
  std::vector<OfferedVersion> versions;  // ascending
  std::map<std::string, std::int64_t> aliases;
  std::optional<VersionPolicy> policy;  // of the model's own configuration
  QueueSettings queue;
  std::string problem;  // why none of it can be served; "": nothing
  std::string notice;   // what is wrong although it is served; "": nothing
};

/// One thread at a time.
class ModelProvider {
 public:
  virtual ~ModelProvider() = default;
  /// By name. Throws where the place as a whole cannot be read.
  virtual std::vector<ModelOffer> offers() = 0;
  /// Files and hashes of an offered version. Throws Error{kNotFound} when it is gone.
  virtual ModelSource source(const std::string& name, std::int64_t version) = 0;
  /// False: offers() would say what it said the last time. Throws as that does.
  virtual bool changed() { return true; }
  /// Folders in which a change may mean other offers.
  virtual std::vector<std::filesystem::path> watched() = 0;
  /// How often to ask changed() at least; none: where nothing is told of, hardly ever.
  virtual std::optional<std::chrono::milliseconds> poll_time() const { return std::nullopt; }
  /// True: its files were checked before they were published, and have hashes.
  virtual bool checked() const = 0;
};

/// The store's models, as far as versions of them have a model.onnx. Throws as Registry's
/// constructor does, for a store that must exist; later on it is opened again after an error.
std::unique_ptr<ModelProvider> store_provider(const StoreLocation& store, const Clock& clock,
                                              const QueueSettings& queue);

/// A folder laid out NAME/VERSION/model.onnx; a file config.pbtxt of Triton in NAME says more, and
/// what of it does not apply is logged. A version counts as settled when none of its files has
/// changed for `settle_seconds`. Throws Error{kNotFound} for a folder that is not there.
std::unique_ptr<ModelProvider> folder_provider(const std::filesystem::path& dir, const Clock& clock,
                                               const QueueSettings& queue,
                                               double settle_seconds = 1.0);

}  // namespace onnxop
