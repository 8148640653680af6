#pragma once
// What the benchmarks of the service ask, and of which models.

#include <cstdint>
#include <filesystem>
#include <string>

#include "onnxop/load/http_load.h"
#include "onnxop/score/scorer.h"

namespace onnxop::bench {

/// The first test digit of MNIST as a PNG file of 28x28 pixels.
std::string digit_png();

/// A residual network in the manner of ResNet-18 (He et al., "Deep residual learning for image
/// recognition", 2015), with random weights and batch normalization folded into the convolutions:
/// image float32 [N,3,112,112] to scores float32 [N,1000], about 0.9 GFLOP and 47 MB.
void write_residual_network(const std::filesystem::path& file);

/// A request for one row of `model`, with the binary tensor extension, at the server's port.
HttpTarget binary_target(const Scorer& scorer, const std::string& model, std::uint16_t port);

/// A digit for POST /api/classify_digit.
HttpTarget png_target(std::uint16_t port);

}  // namespace onnxop::bench
