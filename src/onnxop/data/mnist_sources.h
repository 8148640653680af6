#pragma once
// Where MNIST's files come from. Private to this room.

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace onnxop {

struct MnistFile {
  std::string_view name;
  std::string_view sha256;
};

/// The four files, as their authors published them (unpacked).
const std::vector<MnistFile>& mnist_files();

/// A place to fetch from. `fetch` puts the file (any of the four, under its own name) into the
/// folder and returns "", or says what went wrong.
struct MnistSource {
  std::string name;
  std::function<std::string(const MnistFile& file, const std::filesystem::path& folder)> fetch;
};

/// Files packed by gzip under `url`, which ends with a slash.
MnistSource mirror(const std::string& url);

/// Makes sure that `dir` holds the files, as fetch_mnist says, from these sources in their order;
/// one that had a file is asked first for the next.
bool fetch_files(std::vector<MnistSource> sources, const std::vector<MnistFile>& files,
                 const std::filesystem::path& dir);

}  // namespace onnxop
