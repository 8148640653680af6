#include "onnxop/workflow/publish_artifacts.h"

#include <algorithm>
#include <filesystem>
#include <utility>
#include <vector>

#include "onnxop/base/error.h"
#include "onnxop/base/file.h"
#include "onnxop/base/folder.h"
#include "onnxop/base/json_value.h"
#include "onnxop/base/log.h"
#include "onnxop/workflow/import_model.h"
#include "onnxop/workflow/work_folder.h"

namespace onnxop {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMostMlmodelBytes = 1U << 20;
constexpr const char* kNotServed = "onnxop.not_served";
constexpr std::size_t kMostReasonBytes = 1000;

/// The files of a folder by their paths below it.
class Files {
 public:
  Files(Registry& registry, std::string_view folder)
      : artifacts_(registry.artifacts()), folder_(folder), all_(artifacts_.tree(folder)) {}

  /// Null where it is not there.
  const Artifact* find(const std::string& below) const {
    const std::string path = folder_.empty() ? below : folder_ + "/" + below;
    const auto found =
        std::find_if(all_.begin(), all_.end(), [&](const auto& each) { return each.path == path; });
    return found == all_.end() ? nullptr : &*found;
  }

  /// Directly in the folder, with that ending.
  std::vector<std::string> ending_with(std::string_view end) const {
    std::vector<std::string> names;
    for (const Artifact& artifact : all_) {
      const std::string name = artifact.path.substr(folder_.empty() ? 0 : folder_.size() + 1);
      if (name.find('/') == std::string::npos && name.ends_with(end)) {
        names.push_back(name);
      }
    }
    return names;
  }

  fs::path local(const Artifact& artifact) const { return artifacts_.file(artifact); }

  /// As `to`, without a copy where the file system lets it have two names.
  void link(const std::string& below, const fs::path& to) const {
    const Artifact* const artifact = find(below);
    if (artifact == nullptr) {
      fail(ErrorCode::kInvalidArgument, "there is no '{}' among the artifacts in '{}'", below,
           folder_);
    }
    make_folders(to.parent_path());
    std::error_code refused;
    fs::create_hard_link(local(*artifact), to, refused);
    if (refused) {
      copy_to_new_file(local(*artifact), to);
    }
  }

 private:
  Artifacts& artifacts_;
  std::string folder_;
  std::vector<Artifact> all_;
};

/// "" where there is none.
std::string onnx_file_in(const Files& files) {
  if (const Artifact* const mlmodel = files.find("MLmodel")) {
    const auto data = onnx_data_of(read_text_file(files.local(*mlmodel), kMostMlmodelBytes));
    return data ? check_artifact_path(*data) : std::string();
  }
  const std::vector<std::string> names = files.ending_with(".onnx");
  if (names.size() > 1) {
    fail(ErrorCode::kInvalidArgument, "there is no MLmodel, and there are {} files *.onnx: {}",
         names.size(), join(names, ", "));
  }
  return names.empty() ? std::string() : names.front();
}

/// The model file with what belongs to it, in `work`, if there is one.
void take_model(const Files& files, const fs::path& work, NewVersion& version) {
  const std::string name = onnx_file_in(files);
  if (name.empty()) {
    return;
  }
  const fs::path folder = fs::path(name).parent_path();
  const fs::path model = work / name;
  files.link(name, model);
  for (const fs::path& companion : companions_of(model)) {
    files.link((folder / companion).lexically_normal().string(), model.parent_path() / companion);
  }
  const ImportableModel importable = check_importable(model);
  version.model_file = model;
  version.companions = importable.companions;
  if (importable.contract) {
    version.contract = dump_json(contract_to_json(*importable.contract));
  }
}

/// What is not the model's fault is an error, not a version without a model.
bool is_the_models_fault(ErrorCode code) {
  return code != ErrorCode::kIo && code != ErrorCode::kUnavailable &&
         code != ErrorCode::kResourceExhausted;
}

std::size_t indent_of(std::string_view line) {
  return std::min(line.find_first_not_of(' '), line.size());
}

/// "data: model.onnx" -> "model.onnx" for the key "data"; none for another line.
std::optional<std::string> value_of(std::string_view line, std::string_view key) {
  line.remove_prefix(indent_of(line));
  if (!line.starts_with(key) || line.substr(key.size(), 1) != ":") {
    return std::nullopt;
  }
  line.remove_prefix(key.size() + 1);
  constexpr std::string_view kAround = " \t\r'\"";
  const auto first = std::min(line.find_first_not_of(kAround), line.size());
  return std::string(line.substr(first, line.find_last_not_of(kAround) + 1 - first));
}

}  // namespace

std::optional<std::string> onnx_data_of(std::string_view mlmodel) {
  constexpr std::size_t kNone = std::string_view::npos;
  bool in_flavors = false;
  std::size_t flavor = kNone;  // how far the flavor's name is indented, within it
  while (!mlmodel.empty()) {
    const std::string_view line = mlmodel.substr(0, mlmodel.find('\n'));
    mlmodel.remove_prefix(std::min(mlmodel.size(), line.size() + 1));
    const std::size_t indent = indent_of(line);
    if (indent == line.size()) {
      continue;
    }
    if (indent == 0) {
      in_flavors = value_of(line, "flavors").has_value();
      flavor = kNone;
    } else if (in_flavors && (flavor == kNone || indent <= flavor)) {
      flavor = value_of(line, "onnx") ? indent : kNone;
    } else if (in_flavors) {
      if (auto data = value_of(line, "data"); data && !data->empty()) {
        return data;
      }
    }
  }
  return std::nullopt;
}

ModelVersion publish_from_artifacts(Registry& registry, NewVersion version,
                                    std::string_view folder) {
  const WorkFolder work(registry.dir());
  try {
    take_model(Files(registry, folder), work.path(), version);
  } catch (const Error& e) {
    if (!is_the_models_fault(e.code())) {
      throw;
    }
    log_fields(LogLevel::kWarning, "a registered version cannot be served",
               {{"model", version.name}, {"source", version.source}, {"reason", e.what()}});
    version.model_file.clear();
    version.companions.clear();
    version.tags[kNotServed] = std::string(e.what()).substr(0, kMostReasonBytes);
  }
  return registry.models().publish(version);
}

}  // namespace onnxop
