#include "onnxop/batch/merge.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "onnxop/base/error.h"

namespace onnxop {
namespace {

void mix(std::uint64_t& hash, std::uint64_t value) {
  hash = (std::rotl(hash, 23) ^ value) * 0x9E3779B97F4A7C15U;
}

std::int64_t first_dimension(const Tensor& tensor) {
  return tensor.shape().empty() ? 0 : tensor.shape().front();
}

bool can_follow(const NamedTensor& a, const NamedTensor& b) {
  return a.name == b.name && a.tensor.dtype() == b.tensor.dtype() && !a.tensor.shape().empty() &&
         a.tensor.shape().size() == b.tensor.shape().size() &&
         std::equal(a.tensor.shape().begin() + 1, a.tensor.shape().end(),
                    b.tensor.shape().begin() + 1);
}

/// The input at `index` of all callers joined; `memory` is grown where it is too small.
Tensor join_input(std::span<const std::span<const NamedTensor>> callers, std::size_t index,
                  Tensor& memory) {
  const NamedTensor& first = callers.front()[index];
  Shape shape = first.tensor.shape();
  std::size_t bytes = 0;
  std::int64_t rows = 0;
  for (const auto& caller : callers) {
    if (caller.size() != callers.front().size() || !can_follow(first, caller[index]) ||
        dtype_size(first.tensor.dtype()) == 0) {
      fail(ErrorCode::kInvalidArgument,
           "input '{}' of two requests cannot be joined: {} {} and {} {}", first.name,
           dtype_name(first.tensor.dtype()), shape_text(shape),
           index < caller.size() ? dtype_name(caller[index].tensor.dtype()) : "nothing",
           index < caller.size() ? shape_text(caller[index].tensor.shape()) : "");
    }
    rows += first_dimension(caller[index].tensor);
    bytes += caller[index].tensor.bytes().size();
  }
  shape.front() = rows;
  if (memory.bytes().size() < bytes) {
    memory = Tensor(DType::kUint8, {static_cast<std::int64_t>(bytes + bytes / 2)});
  }
  auto to = memory.bytes().begin();
  for (const auto& caller : callers) {
    const auto from = caller[index].tensor.bytes();
    to = std::copy(from.begin(), from.end(), to);
  }
  return Tensor::view(first.tensor.dtype(), std::move(shape), memory.bytes().first(bytes));
}

}  // namespace

std::uint64_t shape_key(std::span<const NamedTensor> inputs) {
  std::uint64_t hash = inputs.size();
  for (const NamedTensor& input : inputs) {
    mix(hash, static_cast<std::uint64_t>(input.tensor.dtype()));
    const Shape& shape = input.tensor.shape();
    mix(hash, shape.size());
    for (std::size_t i = 1; i < shape.size(); ++i) {
      mix(hash, static_cast<std::uint64_t>(shape[i]));
    }
  }
  return hash;
}

std::int64_t batch_rows(std::span<const NamedTensor> inputs) {
  if (inputs.empty()) {
    return 0;
  }
  const std::int64_t rows = first_dimension(inputs.front().tensor);
  const bool same = std::all_of(inputs.begin(), inputs.end(), [rows](const NamedTensor& input) {
    return first_dimension(input.tensor) == rows;
  });
  return same ? rows : 0;
}

std::vector<NamedTensor> MergeBuffer::merge(std::span<const std::span<const NamedTensor>> callers) {
  std::vector<NamedTensor> merged;
  const std::size_t inputs = callers.front().size();
  memory_.resize(std::max(memory_.size(), inputs));
  for (std::size_t i = 0; i < inputs; ++i) {
    merged.push_back({callers.front()[i].name, join_input(callers, i, memory_[i])});
  }
  return merged;
}

std::vector<std::vector<NamedTensor>> split_rows(std::vector<NamedTensor> outputs,
                                                 std::span<const std::int64_t> rows) {
  std::int64_t total = 0;
  for (const std::int64_t count : rows) {
    total += count;
  }
  for (const NamedTensor& output : outputs) {
    if (first_dimension(output.tensor) != total || dtype_size(output.tensor.dtype()) == 0) {
      fail(ErrorCode::kInternal,
           "output '{}' of a batch of {} rows is {} {}: it cannot be cut into the callers' rows",
           output.name, total, dtype_name(output.tensor.dtype()),
           shape_text(output.tensor.shape()));
    }
  }
  const auto owner = std::make_shared<std::vector<NamedTensor>>(std::move(outputs));
  std::vector<std::vector<NamedTensor>> parts(rows.size());
  for (NamedTensor& output : *owner) {
    const std::size_t row_bytes =
        total == 0 ? 0 : output.tensor.bytes().size() / static_cast<std::size_t>(total);
    std::size_t offset = 0;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      Shape shape = output.tensor.shape();
      shape.front() = rows[i];
      const std::size_t size = row_bytes * static_cast<std::size_t>(rows[i]);
      parts[i].push_back(
          {output.name, Tensor::shared(output.tensor.dtype(), std::move(shape),
                                       output.tensor.bytes().subspan(offset, size), owner)});
      offset += size;
    }
  }
  return parts;
}

}  // namespace onnxop
