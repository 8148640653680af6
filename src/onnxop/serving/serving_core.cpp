#include "onnxop/serving/serving_core.h"

#include <algorithm>
#include <cctype>
#include <vector>

#include "onnxop/base/error.h"

namespace onnxop {

ModelManager& manager_of(const ServingCore& core) {
  if (core.manager == nullptr) {
    fail(ErrorCode::kUnsupported, "this server has a fixed set of models");
  }
  return *core.manager;
}

ModelLease resolve_model(const ServingSet& set, std::string_view name, std::string_view version) {
  if (!version.empty() && name.find('@') != std::string_view::npos) {
    fail(ErrorCode::kInvalidArgument, "model '{}': got version '{}' too, expected one of the two",
         name, version);
  }
  const bool is_number = std::all_of(version.begin(), version.end(), [](char c) {
    return std::isdigit(static_cast<unsigned char>(c)) != 0;
  });
  if (!is_number || version.size() > 18) {
    fail(ErrorCode::kInvalidArgument, "model '{}': version '{}' is no number from 1", name,
         version);
  }
  ModelLease model = version.empty() ? set.find(name) : set.find(format("{}:{}", name, version));
  if (model) {
    return model;
  }
  std::vector<std::string> known;
  for (const ModelLease& each : set.models()) {
    known.push_back(format("{}:{}", each->name, each->version));
  }
  fail(ErrorCode::kNotFound, "model '{}{}{}' is not served; served: {}", name,
       version.empty() ? "" : ":", version,
       known.empty() ? "none" : format("{}", join(known, ", ")));
}

}  // namespace onnxop
