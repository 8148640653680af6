#pragma once
// A model's own configuration in a folder of models: Triton's config.pbtxt in NAME, and the files
// of labels that it names.

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "onnxop/base/clock.h"
#include "onnxop/serving/served_model.h"
#include "onnxop/triton/triton_config.h"

namespace onnxop {

inline constexpr std::string_view kConfigFile = "config.pbtxt";

struct ModelConfig {
  TritonConfig triton;
  std::map<std::string, std::vector<std::string>, std::less<>> labels;  // by output
  std::string fingerprint;  // of the files that it was read from
};

/// Looks at files as they are now.
class FileLook {
 public:
  /// A file counts as settled when it has not changed for `settle_seconds`; 0: always.
  FileLook(const Clock& clock, double settle_seconds)
      : clock_(clock), settle_seconds_(settle_seconds) {}

  /// A line that differs when the file does; "" where there is none. `settled` becomes false for a
  /// file that has just been changed, and stays as it is otherwise.
  std::string line(const std::filesystem::path& path, bool& settled) const;

 private:
  const Clock& clock_;
  double settle_seconds_;
};

/// One model's configuration, read again when its files change. What cannot be used leaves the last
/// good one in its place.
class ConfigReader {
 public:
  /// Looks at the files; logs, once for each change, what is wrong with them or does not apply.
  void look(const std::string& model, const std::filesystem::path& folder, const FileLook& files);

  /// The last good one; null: there is none, or no file.
  const std::shared_ptr<const ModelConfig>& config() const { return config_; }
  /// Why the files as they are cannot be used; "": they are.
  const std::string& problem() const { return problem_; }
  /// False: the files may still be being written, and were not read.
  bool settled() const { return settled_; }

 private:
  std::shared_ptr<const ModelConfig> config_;
  std::string problem_;
  std::string seen_;                      // the fingerprint of what was read last, good or not
  std::vector<std::string> label_files_;  // of what was read last
  bool settled_ = true;
};

/// The server's settings with what the configuration says of batches and queue.
QueueSettings configured_queue(QueueSettings settings, const TritonConfig& config);

}  // namespace onnxop
