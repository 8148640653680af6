#include "onnxop/wire/classification.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>
#include <vector>

#include "onnxop/base/error.h"

namespace onnxop {
namespace {

template <typename T>
bool comes_before(T a, T b) {
  if constexpr (std::is_floating_point_v<T>) {
    if (std::isnan(a) || std::isnan(b)) {
      return !std::isnan(a) && std::isnan(b);
    }
  }
  return a > b;
}

template <typename T>
std::vector<std::string> classify(std::span<const T> values, std::size_t classes, std::size_t count,
                                  std::span<const std::string> labels) {
  std::vector<std::string> texts;
  if (values.empty()) {
    return texts;
  }
  std::vector<std::size_t> order(classes);
  for (std::size_t row = 0; row < values.size(); row += classes) {
    const auto of_row = values.subspan(row, classes);
    std::iota(order.begin(), order.end(), 0);
    std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(count),
                      order.end(), [&](std::size_t a, std::size_t b) {
                        return comes_before(of_row[a], of_row[b]) ||
                               (!comes_before(of_row[b], of_row[a]) && a < b);
                      });
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t index = order[i];
      texts.push_back(index < labels.size() && !labels[index].empty()
                          ? format("{}:{}:{}", +of_row[index], index, labels[index])
                          : format("{}:{}", +of_row[index], index));
    }
  }
  return texts;
}

std::vector<std::string> classify(const Tensor& tensor, std::size_t classes, std::size_t count,
                                  std::span<const std::string> labels) {
  switch (tensor.dtype()) {
    case DType::kFloat32:
      return classify(tensor.values<float>(), classes, count, labels);
    case DType::kFloat64:
      return classify(tensor.values<double>(), classes, count, labels);
    case DType::kInt8:
      return classify(tensor.values<std::int8_t>(), classes, count, labels);
    case DType::kUint8:
      return classify(tensor.values<std::uint8_t>(), classes, count, labels);
    case DType::kInt16:
      return classify(tensor.values<std::int16_t>(), classes, count, labels);
    case DType::kUint16:
      return classify(tensor.values<std::uint16_t>(), classes, count, labels);
    case DType::kInt32:
      return classify(tensor.values<std::int32_t>(), classes, count, labels);
    case DType::kUint32:
      return classify(tensor.values<std::uint32_t>(), classes, count, labels);
    case DType::kInt64:
      return classify(tensor.values<std::int64_t>(), classes, count, labels);
    case DType::kUint64:
      return classify(tensor.values<std::uint64_t>(), classes, count, labels);
    default:
      fail(ErrorCode::kInvalidArgument, "a classification of {} values is not possible",
           dtype_name(tensor.dtype()));
  }
}

}  // namespace

Tensor classify_rows(const Tensor& tensor, std::int64_t count,
                     std::span<const std::string> labels) {
  if (tensor.shape().empty()) {
    fail(ErrorCode::kInvalidArgument, "a classification of a single value is not possible");
  }
  const bool many = tensor.shape().size() > 1;
  const std::int64_t rows = many ? tensor.shape().front() : 1;
  const std::int64_t classes = element_count(
      many ? Shape(tensor.shape().begin() + 1, tensor.shape().end()) : tensor.shape());
  const std::int64_t kept = std::min(count, classes);
  std::vector<std::string> texts =
      classify(tensor, static_cast<std::size_t>(classes), static_cast<std::size_t>(kept), labels);
  return Tensor::of_strings(many ? Shape{rows, kept} : Shape{kept}, std::move(texts));
}

}  // namespace onnxop
