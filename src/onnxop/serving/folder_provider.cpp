// Models in folders NAME/VERSION/model.onnx, each with its config.pbtxt where there is one.

#include <algorithm>
#include <charconv>
#include <system_error>
#include <utility>

#include "onnxop/base/error.h"
#include "onnxop/serving/model_config.h"
#include "onnxop/serving/model_provider.h"

namespace onnxop {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kModelFile = "model.onnx";

/// 0 for a name that is no version.
std::int64_t version_of(const std::string& name) {
  std::int64_t version = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), version);
  const bool whole = error == std::errc() && end == name.data() + name.size();
  return whole && version > 0 && name.front() != '0' ? version : 0;
}

std::vector<fs::path> folders_in(const fs::path& dir) {
  std::vector<fs::path> folders;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(dir, error)) {
    std::error_code ignored;
    if (entry.is_directory(ignored) && !entry.path().filename().string().starts_with('.')) {
      folders.push_back(entry.path());
    }
  }
  std::sort(folders.begin(), folders.end());
  return folders;
}

VersionPolicy policy_of(const TritonVersionPolicy& configured) {
  VersionPolicy policy;
  policy.kind = configured.kind == TritonVersionPolicy::Kind::kAll ? VersionPolicy::Kind::kAll
                : configured.kind == TritonVersionPolicy::Kind::kSpecific
                    ? VersionPolicy::Kind::kSpecific
                    : VersionPolicy::Kind::kLatest;
  policy.latest = configured.latest;
  policy.versions = configured.versions;
  return policy;
}

class FolderProvider : public ModelProvider {
 public:
  FolderProvider(fs::path dir, const Clock& clock, const QueueSettings& queue,
                 double settle_seconds)
      : dir_(std::move(dir)), queue_(queue), files_(clock, settle_seconds) {
    if (!fs::is_directory(dir_)) {
      fail(ErrorCode::kNotFound, "{}: there is no such folder of models", dir_.string());
    }
  }

  std::vector<ModelOffer> offers() override {
    if (!fs::is_directory(dir_)) {
      fail(ErrorCode::kIo, "{}: the folder of models is gone", dir_.string());
    }
    std::vector<ModelOffer> offers;
    std::map<std::string, ConfigReader> configs;
    for (const fs::path& folder : folders_in(dir_)) {
      const std::string name = folder.filename().string();
      ConfigReader& config = configs[name] = std::move(configs_[name]);
      config.look(name, folder, files_);
      ModelOffer offer = offer_of(name, folder, config);
      if (!offer.versions.empty()) {
        offers.push_back(std::move(offer));
      }
    }
    configs_ = std::move(configs);  // without those of models that are gone
    return offers;
  }

  ModelSource source(const std::string& name, std::int64_t version) override {
    const auto config = configs_[name].config();
    const fs::path path = dir_ / name / format("{}", version) / file_of(config.get());
    if (!fs::exists(path)) {
      fail(ErrorCode::kNotFound, "{}: the model file is gone", path.string());
    }
    return {name, version, path, {}, config};
  }

  std::vector<fs::path> watched() override {
    std::vector<fs::path> folders{dir_};
    for (const fs::path& model : folders_in(dir_)) {
      folders.push_back(model);
      const auto versions = folders_in(model);
      folders.insert(folders.end(), versions.begin(), versions.end());
    }
    return folders;
  }

  bool checked() const override { return false; }

 private:
  static fs::path file_of(const ModelConfig* config) {
    return config == nullptr || config->triton.default_model_filename.empty()
               ? fs::path(kModelFile)
               : fs::path(config->triton.default_model_filename);
  }

  ModelOffer offer_of(const std::string& name, const fs::path& folder,
                      const ConfigReader& reader) const {
    const ModelConfig* config = reader.config().get();
    ModelOffer offer;
    offer.name = name;
    offer.queue = queue_;
    if (config != nullptr) {
      offer.queue = configured_queue(queue_, config->triton);
      if (config->triton.version_policy) {
        offer.policy = policy_of(*config->triton.version_policy);
      }
    }
    (config != nullptr ? offer.notice : offer.problem) = reader.problem();
    for (const fs::path& version_folder : folders_in(folder)) {
      const std::int64_t version = version_of(version_folder.filename().string());
      // One that cannot be served anyway may have any file.
      if (version > 0 && (!offer.problem.empty() || fs::exists(version_folder / file_of(config)))) {
        offer.versions.push_back(look_at(version_folder, version, reader));
      }
    }
    std::sort(
        offer.versions.begin(), offer.versions.end(),
        [](const OfferedVersion& a, const OfferedVersion& b) { return a.version < b.version; });
    return offer;
  }

  /// All files of a version: external data, labels and golden samples lie beside the model.
  OfferedVersion look_at(const fs::path& folder, std::int64_t version,
                         const ConfigReader& reader) const {
    OfferedVersion offered{version, {}, reader.settled()};
    std::vector<std::string> lines;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(folder, error)) {
      lines.push_back(files_.line(entry.path(), offered.settled));
    }
    std::sort(lines.begin(), lines.end());
    if (reader.config()) {
      lines.push_back(reader.config()->fingerprint);
    }
    offered.fingerprint = format("{}", join(lines, "\n"));
    return offered;
  }

  fs::path dir_;
  QueueSettings queue_;
  FileLook files_;
  std::map<std::string, ConfigReader> configs_;  // by model
};

}  // namespace

std::unique_ptr<ModelProvider> folder_provider(const fs::path& dir, const Clock& clock,
                                               const QueueSettings& queue, double settle_seconds) {
  return std::make_unique<FolderProvider>(dir, clock, queue, settle_seconds);
}

}  // namespace onnxop
