#pragma once
// Carries out the serving plan: loads, checks and warms versions, and publishes them to the catalog
// as a whole; what fails is reported, and what served before goes on serving.

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "onnxop/serving/catalog.h"
#include "onnxop/serving/model_provider.h"
#include "onnxop/serving/model_unloader.h"
#include "onnxop/serving/serving_plan.h"
#include "onnxop/serving/traffic_board.h"

namespace onnxop {

enum class VersionState : std::uint8_t { kLoading, kReady, kUnavailable };
std::string_view version_state_name(VersionState state);  // "LOADING", "READY", "UNAVAILABLE"

struct VersionStatus {
  std::string name;
  std::int64_t version = 0;
  VersionState state = VersionState::kUnavailable;
  std::string reason;  // why it is not ready, or what else is wrong
};

struct LoadCounts {
  std::uint64_t loaded = 0, failed = 0, unloaded = 0;
};

struct ManagerOptions {
  ServingWishes wishes;
  int load_threads = 1;  // versions that are loaded at once
};

/// Any thread may call it; changes are carried out one after another.
class ModelManager {
 public:
  /// `check_file` is called for versions that no store has checked; it throws for a broken one.
  ModelManager(std::vector<std::unique_ptr<ModelProvider>> providers, ManagerOptions options,
               LoadScorer load_scorer, std::function<void(const std::filesystem::path&)> check_file,
               Catalog& catalog);

  /// Looks at what there is and brings the catalog in line; blocks until that is done. Nothing is
  /// thrown: what cannot be loaded is in the index, and in the log. True: a version was still being
  /// written, so that another look soon is worth it.
  bool refresh();

  /// The same for what has changed in one place that models come from (0 to places() - 1), and
  /// nothing when nothing has: cheap enough to be called often.
  bool refresh(std::size_t place);
  std::size_t places() const { return providers_.size(); }
  /// Folders of the place to watch for changes.
  std::vector<std::filesystem::path> watched(std::size_t place);
  /// How often to call refresh(place) at least; none: hardly ever.
  std::optional<std::chrono::milliseconds> poll_time(std::size_t place) const;

  /// Why references of the wishes are not met; empty when all are.
  std::vector<std::string> unmet() const;

  /// Serves a model again that was unloaded, and tries again what has failed. Throws
  /// Error{kNotFound} for a model that is not there, {kFailedPrecondition} with the reason when no
  /// version of it could be loaded.
  void load(const std::string& name);

  /// Takes a model out of service until load(). Throws Error{kNotFound}.
  void unload(const std::string& name);

  /// Splits and shadows what is asked of the model's name alone, from the moment when all that
  /// `plan` names is loaded; in one step, in place of what it had. Throws, and leaves all as it
  /// was, Error{kNotFound} for a model that is not there, {kInvalidArgument} for a plan that makes
  /// no sense or names what is not there, {kFailedPrecondition} with the reason for what cannot be
  /// loaded. With `or_without`, what cannot be loaded is left out for the time being.
  void set_traffic(const std::string& name, TrafficPlan plan, bool or_without = false);

  /// The name alone means again what it always does. Throws Error{kNotFound} where it has no
  /// traffic of its own.
  void clear_traffic(const std::string& name);

  /// All versions that there are, by name and version.
  std::vector<VersionStatus> index() const;
  LoadCounts counts() const;

 private:
  struct Found {
    ModelOffer offer;
    ModelProvider* provider = nullptr;
  };
  struct Failure {
    std::string fingerprint;
    std::string reason;
  };
  struct Loaded {
    ModelLease lease;
    std::string fingerprint;
    std::optional<QueueSettings> unprobed = {};  // batch sizes are tried out when it is used
  };

  struct Round {
    ServingPlan plan;
    bool settling = false;
  };

  Round bring_in_line(std::optional<std::size_t> place = {});
  void check_targets(const std::string& name, const TrafficPlan& traffic, const ServingPlan& plan,
                     bool or_without) const;
  std::vector<Found> look(std::optional<std::size_t> place);
  void look_at(std::size_t place);
  void note_trouble(std::size_t place, const std::string& what);
  void mark_known(ModelOffer& offer) const;
  bool load_missing(const ServingPlan& plan, const std::vector<Found>& found);
  Loaded load_one(const VersionKey& key, const Found& found, bool probe);
  void publish(const ServingPlan& plan);
  void probe_what_is_used();
  void take_status(const ServingPlan& plan);
  void set_status(const VersionKey& key, VersionState state, std::string reason);

  std::vector<std::unique_ptr<ModelProvider>> providers_;
  ManagerOptions options_;
  LoadScorer load_scorer_;
  std::function<void(const std::filesystem::path&)> check_file_;
  Catalog& catalog_;

  ModelUnloader unloader_;

  std::mutex work_;  // one change at a time; guards what is not guarded below
  std::map<VersionKey, Loaded> loaded_;
  std::map<VersionKey, Failure> failures_;
  std::map<VersionKey, std::shared_ptr<ModelStats>> stats_;
  std::vector<Found> last_found_;
  std::vector<std::vector<ModelOffer>> offers_;  // of each place, as it was last read
  std::vector<std::string> troubles_;  // of each place: why it could not be read; "": it could
  TrafficBoard traffic_;

  mutable std::mutex state_;  // guards the three below
  std::map<VersionKey, VersionStatus> status_;
  std::vector<std::string> unmet_;
  LoadCounts counts_;
};

}  // namespace onnxop
