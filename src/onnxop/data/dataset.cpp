#include "onnxop/data/dataset.h"

#include <cstdlib>

#include "onnxop/base/error.h"
#include "onnxop/base/file.h"
#include "onnxop/base/sha256.h"
#include "onnxop/data/content_hash.h"

namespace onnxop {

std::int64_t Dataset::size() const {
  return samples.shape().empty() ? 0 : samples.shape()[0];
}

Shape Dataset::sample_shape() const {
  return {samples.shape().begin() + 1, samples.shape().end()};
}

std::int64_t Dataset::outputs() const {
  return classes.empty() ? values.shape().at(1) : static_cast<std::int64_t>(labels.size());
}

std::string content_sha256(const Dataset& dataset) {
  Sha256 hash;
  const auto add_text = [&hash](const std::string& text) { hash.update(as_bytes(text)); };
  add_text(
      format("{} {}\n", dtype_name(dataset.samples.dtype()), shape_text(dataset.samples.shape())));
  hash.update(dataset.samples.bytes());
  for (const auto& label : dataset.labels) {
    add_text(format("{} {}\n", label.size(), label));
  }
  hash.update(std::as_bytes(std::span(dataset.classes)));
  if (dataset.values.dtype() != DType::kUndefined) {
    add_text(shape_text(dataset.values.shape()));
    hash.update(dataset.values.bytes());
  }
  return hash.hex_digest();
}

std::filesystem::path default_data_dir() {
  const auto variable = [](const char* name) {
    const char* value = std::getenv(name);
    return std::filesystem::path(value == nullptr ? "" : value);
  };
  if (const auto cache = variable("ONNXOP_CACHE"); !cache.empty()) {
    return cache / "data";
  }
  if (const auto cache = variable("XDG_CACHE_HOME"); !cache.empty()) {
    return cache / "onnxop" / "data";
  }
  const auto home = variable("HOME");
  return (home.empty() ? std::filesystem::path(".") : home) / ".cache" / "onnxop" / "data";
}

}  // namespace onnxop
