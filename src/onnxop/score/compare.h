#pragma once
// How far two results of the same model lie apart. Pure functions.

#include <span>
#include <string>

#include "onnxop/tensor/tensor.h"

namespace onnxop {

struct OutputDifference {
  double largest = 0;  // of |a - b| over all elements; infinite where only one is a number
  std::string
      where;  // "output 'probabilities', element 7: 0.9 and 0.1"; "" where there is no difference
};

/// Compares by name, type, shape and element (bool counts as 0 and 1; two NaN, or two equal
/// infinities, are the same). Throws Error{kInternal} where names, types or shapes differ;
/// {kUnsupported} for complex and string elements.
OutputDifference compare_outputs(std::span<const NamedTensor> a, std::span<const NamedTensor> b);

/// The same type and shape, and for every element |a - b| <= absolute + relative * |a|; texts are
/// equal. Throws Error{kUnsupported} for complex elements.
bool all_close(const Tensor& a, const Tensor& b, double absolute, double relative);

}  // namespace onnxop
