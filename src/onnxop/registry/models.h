#pragma once
// The registered models of a store: versions with their files, aliases, tags, stages, and the
// history of it all. A version's files are complete and in place before the transaction that makes
// it visible. Belongs to its Registry: one thread at a time. Where nothing else is said, methods
// throw Error{kNotFound}, naming what there is, for a model, version or alias that is not there.

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "onnxop/registry/artifacts.h"
#include "onnxop/registry/run.h"
#include "onnxop/registry/search.h"

namespace onnxop {

struct RegistryCore;

/// One file of a version, as it was when it was published.
struct ModelFile {
  std::string path = {};  // relative to the version's folder: "model.onnx", a companion
  std::int64_t bytes = 0;
  std::string sha256 = {};
};

struct ModelVersion {
  std::string name = {};
  std::int64_t version = 0;
  std::string run_id = {};  // "": imported
  std::string source = {};  // where the files came from: a path, "run ID", an artifact's URI
  std::string sha256 = {};  // of model.onnx; "": it has none, and cannot be served
  std::int64_t created_ms = 0;
  std::int64_t updated_ms = 0;
  std::string description = {};  // notes
  std::string user_id = {};
  std::string stage = "None";        // MLflow's: "None", "Staging", "Production", "Archived"
  std::string logged_model_id = {};  // "": none
  std::string run_link = {};
  std::string contract = {};  // the contract's JSON; "": none
  std::map<std::string, double> metrics =
      {};  // measured of this version: "test_accuracy", "latency_ms"
  Texts tags = {};
  std::vector<std::string> aliases = {};
  std::filesystem::path model_path = {};  // absolute; of model.onnx, where `sha256` is set
};

struct RegisteredModel {
  std::string name = {};
  std::int64_t latest_version = 0;  // 0: none yet
  std::string description = {};
  std::int64_t created_ms = 0;
  std::int64_t updated_ms = 0;
  Texts tags = {};
  std::map<std::string, std::int64_t> aliases;
};

/// A version to be made.
struct NewVersion {
  std::string name = {};                  // made as a model where it is not there
  std::filesystem::path model_file = {};  // copied as model.onnx; "": none
  /// Files copied beside it, under these paths relative to model_file's folder.
  std::vector<std::filesystem::path> companions = {};
  /// Further files: the path in the version's folder, and where it is copied from.
  std::map<std::filesystem::path, std::filesystem::path> files = {};
  std::string run_id = {};
  std::string source = {};
  std::string description = {};
  std::string logged_model_id = {};
  std::string run_link = {};
  std::string contract = {};
  std::map<std::string, double> metrics = {};
  Texts tags = {};
};

/// A change of a model, in the order of happening.
struct ModelEvent {
  std::int64_t time_ms = 0;
  std::string actor = {};               // who: Registry::act_as
  std::string name = {};                // the model's name then
  std::optional<std::int64_t> version;  // of which version, if of one
  /// "model_created", "model_renamed", "model_deleted", "version_created", "version_deleted",
  /// "alias_set", "alias_rolled_back", "alias_deleted", "stage_changed", "description_changed",
  /// "tag_set", "tag_deleted", "metric_measured".
  std::string event = {};
  std::string key = {};     // the alias, the tag, the metric
  std::string before = {};  // "": there was none
  std::string after = {};   // "": there is none
};

/// What was in force at a time.
struct ModelState {
  std::map<std::string, std::int64_t> aliases;
  std::map<std::int64_t, std::string> stages;  // of versions whose stage was not "None"
  std::set<std::int64_t> versions;
};

class Models {
 public:
  explicit Models(RegistryCore& core) : core_(core) {}

  // Models. A name is 1 to 256 bytes of UTF-8 without control characters, '/', ':', '@' and '\\',
  // and neither "." nor ".."; else Error{kInvalidArgument}.
  RegisteredModel create(std::string_view name, std::string_view description = "",
                         const Texts& tags = {});  // kAlreadyExists
  RegisteredModel get(std::string_view name) const;
  std::vector<RegisteredModel> list() const;  // by name
  Page<RegisteredModel> search(const SearchOptions& options) const;
  RegisteredModel rename(std::string_view name, std::string_view new_name);  // kAlreadyExists
  RegisteredModel describe(std::string_view name, std::string_view description);
  void remove(std::string_view name);  // with all its versions and their files
  void set_tag(std::string_view name, std::string_view key, std::string_view value);
  void delete_tag(std::string_view name, std::string_view key);

  // Versions.
  ModelVersion publish(const NewVersion& version);
  std::vector<ModelVersion> versions(std::string_view name) const;  // newest first
  std::vector<ModelVersion> all_versions() const;  // of all models: by name, newest first
  ModelVersion version(std::string_view name, std::int64_t version) const;
  Page<ModelVersion> search_versions(const SearchOptions& options) const;
  /// The newest of each of `stages`, or of all stages when there are none; newest first.
  std::vector<ModelVersion> latest_versions(std::string_view name,
                                            const std::vector<std::string>& stages) const;
  ModelVersion describe_version(std::string_view name, std::int64_t version,
                                std::string_view description);
  void set_version_tag(std::string_view name, std::int64_t version, std::string_view key,
                       std::string_view value);
  void delete_version_tag(std::string_view name, std::int64_t version, std::string_view key);
  void log_version_metrics(std::string_view name, std::int64_t version,
                           const std::map<std::string, double>& metrics);
  /// `archive_existing`: other versions of that stage become "Archived". Throws
  /// Error{kInvalidArgument} for a stage that is none, and for archiving by another stage than
  /// "Staging" and "Production".
  ModelVersion set_stage(std::string_view name, std::int64_t version, std::string_view stage,
                         bool archive_existing);
  void remove_version(std::string_view name, std::int64_t version);
  std::vector<ModelFile> files(std::string_view name, std::int64_t version) const;  // by path
  std::filesystem::path version_dir(std::string_view name, std::int64_t version) const;
  /// Reads all files of the version again. Throws Error{kDataLoss} for one that is missing or not
  /// what was published.
  void verify(const ModelVersion& version) const;

  // Aliases: 1 to 128 letters, digits, '.', '_' or '-', a letter or digit first; neither "latest"
  // nor "v" with digits, in upper or lower case.
  void set_alias(std::string_view name, std::string_view alias, std::int64_t version);
  void delete_alias(std::string_view name, std::string_view alias);
  /// Sets the alias to the version that it pointed to before its last move, and returns that.
  /// Throws Error{kFailedPrecondition} when there is none, or it was deleted.
  ModelVersion rollback_alias(std::string_view name, std::string_view alias);
  /// "name" and "name@latest" (the newest that can be served), "name:3", "name@alias": these
  /// two whether it can be served or not.
  ModelVersion find(std::string_view reference) const;
  /// The same to be served. Throws Error{kFailedPrecondition} for a version that has no
  /// model.onnx.
  ModelVersion resolve(std::string_view reference) const;

  // History.
  /// Oldest first: of every model that had the name last, deleted ones too, its whole life; of one
  /// that was renamed, the time before.
  std::vector<ModelEvent> history(std::string_view name) const;
  /// Of the model that had the name at that time. Throws Error{kNotFound} when there was none.
  ModelState state_at(std::string_view name, std::int64_t time_ms) const;
  /// Grows with every change of any model: cheap to ask for.
  std::int64_t last_change() const;

 private:
  RegistryCore& core_;
};

}  // namespace onnxop
