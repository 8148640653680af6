#pragma once
// Many callers' tensors joined along their first dimension, and a result cut back into theirs.

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "onnxop/tensor/tensor.h"

namespace onnxop {

/// Equal where element types and all dimensions but the first are: tensors that may be joined.
std::uint64_t shape_key(std::span<const NamedTensor> inputs);

/// The first dimension that all of them share; 0 where one has none, or they differ.
std::int64_t batch_rows(std::span<const NamedTensor> inputs);

/// Memory that joined batches are built in, one after another: kept, and grown where needed.
class MergeBuffer {
 public:
  /// Input by input the rows of all callers, in order; the result looks into this buffer, and is
  /// good until the next call. Throws Error{kInvalidArgument} unless all callers have the same
  /// inputs in the same order, alike but for their first dimension, and none of texts.
  std::vector<NamedTensor> merge(std::span<const std::span<const NamedTensor>> callers);

 private:
  std::vector<Tensor> memory_;  // one an input
};

/// Each caller's rows of all outputs, without copying: they keep the memory of `outputs` alive.
/// Throws Error{kInternal} for an output whose first dimension is not the sum of `rows`.
std::vector<std::vector<NamedTensor>> split_rows(std::vector<NamedTensor> outputs,
                                                 std::span<const std::int64_t> rows);

}  // namespace onnxop
