#pragma once
// What cleaning up removes for good, and what it leaves for the sake of registered versions.

#include <string>
#include <vector>

namespace onnxop {

/// A deleted run or logged model among whose artifacts the only files of registered versions lie.
struct NeededByVersions {
  std::string id = {};
  std::vector<std::string> versions = {};  // "digits:3", by name and number
};

struct RemovedForGood {
  std::vector<std::string> ids = {};
  std::vector<NeededByVersions> kept = {};
};

}  // namespace onnxop
