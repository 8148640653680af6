// Models in folders NAME/VERSION/model.onnx.

#include <algorithm>
#include <charconv>
#include <system_error>

#include <sys/stat.h>

#include "onnxop/base/error.h"
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

class FolderProvider : public ModelProvider {
 public:
  FolderProvider(fs::path dir, const Clock& clock, const QueueSettings& queue,
                 double settle_seconds)
      : dir_(std::move(dir)), clock_(clock), queue_(queue), settle_seconds_(settle_seconds) {
    if (!fs::is_directory(dir_)) {
      fail(ErrorCode::kNotFound, "{}: there is no such folder of models", dir_.string());
    }
  }

  std::vector<ModelOffer> offers() override {
    if (!fs::is_directory(dir_)) {
      fail(ErrorCode::kIo, "{}: the folder of models is gone", dir_.string());
    }
    std::vector<ModelOffer> offers;
    for (const fs::path& folder : folders_in(dir_)) {
      ModelOffer offer;
      offer.name = folder.filename().string();
      offer.queue = queue_;
      for (const fs::path& version_folder : folders_in(folder)) {
        const std::int64_t version = version_of(version_folder.filename().string());
        if (version > 0 && fs::exists(version_folder / kModelFile)) {
          offer.versions.push_back(look_at(version_folder, version));
        }
      }
      std::sort(
          offer.versions.begin(), offer.versions.end(),
          [](const OfferedVersion& a, const OfferedVersion& b) { return a.version < b.version; });
      if (!offer.versions.empty()) {
        offers.push_back(std::move(offer));
      }
    }
    return offers;
  }

  ModelSource source(const std::string& name, std::int64_t version) override {
    const fs::path path = dir_ / name / format("{}", version) / kModelFile;
    if (!fs::exists(path)) {
      fail(ErrorCode::kNotFound, "{}: the model file is gone", path.string());
    }
    return {name, version, path, {}};
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
  /// All files of a version: external data, labels and golden samples lie beside the model.
  OfferedVersion look_at(const fs::path& folder, std::int64_t version) const {
    OfferedVersion offered{version, {}, true};
    std::vector<std::string> lines;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(folder, error)) {
      struct ::stat info {};
      if (::stat(entry.path().c_str(), &info) != 0) {
        continue;
      }
      const double changed = static_cast<double>(info.st_mtim.tv_sec) +
                             1e-9 * static_cast<double>(info.st_mtim.tv_nsec);
      const double now = std::chrono::duration<double>(clock_.wall().time_since_epoch()).count();
      // A time in the future is a clock that was set back, not a file that is being written.
      offered.settled = offered.settled && (now - changed >= settle_seconds_ || changed > now + 1 ||
                                            settle_seconds_ <= 0);
      lines.push_back(format("{} {} {} {}.{}", entry.path().filename().string(), info.st_ino,
                             info.st_size, info.st_mtim.tv_sec, info.st_mtim.tv_nsec));
    }
    std::sort(lines.begin(), lines.end());
    offered.fingerprint = format("{}", join(lines, "\n"));
    return offered;
  }

  fs::path dir_;
  const Clock& clock_;
  QueueSettings queue_;
  double settle_seconds_;
};

}  // namespace

std::unique_ptr<ModelProvider> folder_provider(const fs::path& dir, const Clock& clock,
                                               const QueueSettings& queue, double settle_seconds) {
  return std::make_unique<FolderProvider>(dir, clock, queue, settle_seconds);
}

}  // namespace onnxop
