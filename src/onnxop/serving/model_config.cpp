#include "onnxop/serving/model_config.h"

#include <algorithm>
#include <utility>

#include <sys/stat.h>

#include "onnxop/base/error.h"
#include "onnxop/base/file.h"
#include "onnxop/base/log.h"

namespace onnxop {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMostConfigBytes = 1 << 20;
constexpr std::uint64_t kMostLabelBytes = 16 << 20;

/// One label a line; an empty line at the end is none.
std::vector<std::string> read_labels(const fs::path& path) {
  const std::string text = read_text_file(path, kMostLabelBytes);
  std::vector<std::string> labels;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    std::string label = text.substr(at, end - at);
    if (label.ends_with('\r')) {
      label.pop_back();
    }
    labels.push_back(std::move(label));
    at = end + 1;
  }
  return labels;
}

std::vector<std::string> label_files_of(const TritonConfig& config) {
  std::vector<std::string> files;
  for (const TritonTensor& output : config.outputs) {
    if (!output.label_filename.empty()) {
      files.push_back(output.label_filename);
    }
  }
  return files;
}

/// Throws with the reason where it cannot be used.
void check_config(const TritonConfig& config, const std::string& model) {
  if (!config.name.empty() && config.name != model) {
    fail(ErrorCode::kInvalidArgument, "name: got '{}', expected the folder's, '{}'", config.name,
         model);
  }
  if (!config.problem.empty()) {
    fail(ErrorCode::kInvalidArgument, "{}", config.problem);
  }
}

}  // namespace

std::string FileLook::line(const fs::path& path, bool& settled) const {
  struct ::stat info {};
  if (::stat(path.c_str(), &info) != 0) {
    return "";
  }
  const double changed =
      static_cast<double>(info.st_mtim.tv_sec) + 1e-9 * static_cast<double>(info.st_mtim.tv_nsec);
  const double now = std::chrono::duration<double>(clock_.wall().time_since_epoch()).count();
  // A time in the future is a clock that was set back, not a file that is being written.
  settled =
      settled && (now - changed >= settle_seconds_ || changed > now + 1 || settle_seconds_ <= 0);
  return format("{} {} {} {}.{}", path.filename().string(), info.st_ino, info.st_size,
                info.st_mtim.tv_sec, info.st_mtim.tv_nsec);
}

void ConfigReader::look(const std::string& model, const fs::path& folder, const FileLook& files) {
  settled_ = true;
  const fs::path path = folder / kConfigFile;
  std::string now = files.line(path, settled_);
  if (now.empty()) {
    *this = {};
    return;
  }
  for (const std::string& name : label_files_) {
    now += "\n" + files.line(folder / name, settled_);
  }
  if (!settled_ || now == seen_) {
    return;
  }
  try {
    auto config = std::make_shared<ModelConfig>();
    config->triton = read_triton_config(read_text_file(path, kMostConfigBytes));
    check_config(config->triton, model);
    label_files_ = label_files_of(config->triton);
    seen_ = files.line(path, settled_);
    for (const std::string& name : label_files_) {
      seen_ += "\n" + files.line(folder / name, settled_);
    }
    for (const TritonTensor& output : config->triton.outputs) {
      if (!output.label_filename.empty()) {
        config->labels[output.name] = read_labels(folder / output.label_filename);
      }
    }
    config->fingerprint = seen_;
    for (const TritonRemark& remark : config->triton.remarks) {
      log_warning("{}:{}: {}: not applied: {}", path.string(), remark.line, remark.path,
                  remark.why);
    }
    config_ = std::move(config);
    problem_.clear();
  } catch (const Error& e) {
    seen_ = now;
    problem_ = format("{}: {}", kConfigFile, e.what());
    log_error("model {}: {}{}", model, problem_,
              config_ ? "; the configuration before it stays" : "");
  }
}

QueueSettings configured_queue(QueueSettings settings, const TritonConfig& config) {
  if (config.max_queue_size) {
    settings.max_queued = *config.max_queue_size;
  }
  settings.default_timeout_us = config.default_timeout_us;
  if (!config.max_batch_size) {
    return settings;
  }
  settings.most_rows = *config.max_batch_size;
  if (*config.max_batch_size <= 1) {
    settings.max_batch = 1;
  } else if (settings.max_batch > 1) {
    settings.max_batch = std::min(settings.max_batch, *config.max_batch_size);
  }
  settings.trust_batch_dimension =
      settings.trust_batch_dimension || (config.dynamic_batching && *config.max_batch_size > 1);
  return settings;
}

}  // namespace onnxop
