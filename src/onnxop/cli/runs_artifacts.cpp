#include <filesystem>
#include <memory>

#include "onnxop/base/clock.h"
#include "onnxop/base/error.h"
#include "onnxop/base/format.h"
#include "onnxop/base/json_value.h"
#include "onnxop/cli/runs_verbs.h"

namespace onnxop {
namespace {

namespace fs = std::filesystem;

struct Options {
  std::string run;
  std::string path;
  std::string to;
  bool json = false;
};

// Below the run's root.
std::string relative(const std::string& path, const std::string& root) {
  return path.substr(root.size() + 1);
}

// The file at `path`, or all files below it.
std::vector<Artifact> find_artifacts(const Registry& registry, const std::string& path) {
  if (const auto file = registry.artifacts().find(path)) {
    return {*file};
  }
  return registry.artifacts().tree(path);
}

void list_artifacts(const Registry& registry, const std::string& root, const std::string& path,
                    bool json) {
  Json list = Json::array();
  std::vector<std::vector<std::string>> rows{{"path", "bytes", "sha256"}};
  for (const Artifact& artifact : find_artifacts(registry, path)) {
    const std::string name = relative(artifact.path, root);
    list.push_back({{"path", name}, {"bytes", artifact.bytes}, {"sha256", artifact.sha256}});
    rows.push_back({name, format("{}", artifact.bytes), artifact.sha256.substr(0, 12)});
  }
  if (json) {
    print_json({{"artifacts", list}});
  } else {
    print_text(table_text(rows));
  }
}

// To a temporary name first, so that a file that is there is whole.
void copy_out(const fs::path& from, const fs::path& to) {
  std::error_code error;
  fs::create_directories(to.parent_path(), error);
  const fs::path staged = to.string() + ".part";
  if (!error) {
    fs::copy_file(from, staged, fs::copy_options::overwrite_existing, error);
  }
  if (!error) {
    fs::rename(staged, to, error);
  }
  if (error) {
    std::error_code ignored;
    fs::remove(staged, ignored);
    fail(ErrorCode::kIo, "{}: cannot be written: {}", to.native(), error.message());
  }
}

void copy_artifacts(const Registry& registry, const std::string& root, const std::string& path,
                    const Options& options) {
  // What is asked for keeps its own name: of "model/a.txt", "a.txt".
  const fs::path above = options.path.empty() ? fs::path(root) : fs::path(path).parent_path();
  Json files = Json::array();
  for (const Artifact& artifact : find_artifacts(registry, path)) {
    const fs::path to = fs::path(options.to) / fs::path(artifact.path).lexically_relative(above);
    copy_out(registry.artifacts().file(artifact), to);
    files.push_back(to.string());
  }
  if (options.json) {
    print_json({{"files", files}});
  } else {
    print_text(format("{} files in {}\n", files.size(), options.to));
  }
}

}  // namespace

VerbAction declare_runs_artifacts(CLI::App& command) {
  auto options = std::make_shared<Options>();
  set_example(command,
              "onnxop runs artifacts 3f2a91c0\n"
              "  onnxop runs artifacts 3f2a91c0 plots --to /tmp/plots");
  command.add_option("RUN", options->run, "A run's id, or its first digits")->required();
  command.add_option("PATH", options->path, "A file or folder among them (default: all)");
  command.add_option("--to", options->to, "Copy them into this folder");
  add_json_flag(command, options->json);
  return [options](const CliContext& context) {
    const SystemClock clock;
    const Registry registry(context.store, clock, /*must_exist=*/true);
    const Run run = registry.runs().get(options->run);
    const std::string root = run_artifact_root(run);
    const std::string path =
        options->path.empty() ? root : check_artifact_path(root + "/" + options->path);
    if (!options->path.empty() && find_artifacts(registry, path).empty()) {
      fail(ErrorCode::kNotFound, "run {} has no artifact '{}'", run.run_id, options->path);
    }
    if (options->to.empty()) {
      list_artifacts(registry, root, path, options->json);
    } else {
      copy_artifacts(registry, root, path, *options);
    }
  };
}

}  // namespace onnxop
