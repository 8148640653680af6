#pragma once
// The plain image interface: an image in, JSON out. Its answers are what clients of the tutorial
// service read, so the triple nesting of `prediction` stays.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace onnxop {

struct ImageAnswer {
  std::span<const double> values = {};  // probabilities, or the outputs of a regression; finite
  bool classification = true;           // false: no label and no confidence
  std::string_view label = {};
  double confidence = 0;
  std::string_view model = {};
  std::int64_t version = 0;
};

/// {"prediction": [[[p0, …, p9]]], "label": "7", "confidence": 0.998, "model": "mnist", "version":
/// 1}; numbers read back as the same doubles.
std::string image_answer_json(const ImageAnswer& answer);

/// {"error": "…"}; bytes that are no UTF-8 become U+FFFD.
std::string error_json(std::string_view message);

/// {"status": "…"}
std::string status_json(std::string_view status);

}  // namespace onnxop
