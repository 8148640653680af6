#include "onnxop/onnx/batch_reshape.h"

#include <algorithm>
#include <utility>

namespace onnxop {
namespace {

using Kind = ShapeNumber::Kind;

/// One size of the target. A size that is copied from the input and not known keeps its place, so
/// that it can be told to be the same as there.
struct TargetSize {
  ShapeNumber number;
  std::optional<std::size_t> copied_from;  // dimension of the input
  bool fills = false;                      // -1: what is left
};

class Reshape {
 public:
  Reshape(const RuleNode& node, const BatchValue& data, const BatchValue& target)
      : node_(node), data_(data) {
    const bool zero_is_zero = node.integer("allowzero", 0) != 0;
    for (const ShapeNumber& number : *target.numbers) {
      TargetSize size{.number = number, .copied_from = std::nullopt};
      if (number.is_known(0)) {
        if (zero_is_zero || sizes_.size() >= data.rank()) {
          zeros_ = true;
        } else {
          size.copied_from = sizes_.size();
          size.number = number_of(sizes_.size());
        }
      } else if (number.is_known(-1)) {
        size.fills = true;
        size.number = ShapeNumber::other();
        ++fills_;
      }
      constant_ = constant_ && number.kind == Kind::kKnown;
      sizes_.push_back(size);
    }
    for (const ShapeNumber& each : *target.numbers) {
      literals_.push_back(each.value);
    }
  }

  RuleResult apply() {
    if (zeros_ || fills_ > 1) {
      return not_shown("its target has zeros or more than one -1");
    }
    if (!data_.is_batched()) {
      return of_constant();
    }
    for (std::size_t at = 0; at < sizes_.size(); ++at) {
      if (same_product(at)) {
        if (auto result = with_batch_at(at)) {
          return {std::move(*result)};
        }
      }
    }
    return not_shown("it mixes the batch dimension with others, as far as the sizes are known");
  }

 private:
  ShapeNumber number_of(std::size_t dimension) const {
    if (data_.is_batched() && dimension == data_.axis) {
      return ShapeNumber::batch();
    }
    const std::int64_t size = (*data_.dims)[dimension];
    return size >= 0 ? ShapeNumber::known(size) : ShapeNumber::other();
  }

  bool depends_on_batch() const {
    return std::any_of(sizes_.begin(), sizes_.end(),
                       [](const TargetSize& each) { return each.number.depends_on_batch(); });
  }

  RuleResult of_constant() {
    if (depends_on_batch()) {
      return not_shown("it gives a constant the number of rows");
    }
    const auto all = known_product(*data_.dims, 0, data_.rank());
    return {BatchValue::constant(sizes_with(all, sizes_.size()))};
  }

  /// Whether sizes_[from, to) and the input's dimensions [input_from, input_to) multiply to the
  /// same for all inputs.
  bool same(std::size_t from, std::size_t to, std::size_t input_from, std::size_t input_to) const {
    std::vector<std::size_t> left;  // dimensions of the input of sizes not known
    std::int64_t known = 1;
    std::int64_t wanted = 1;
    for (std::size_t i = input_from; i < input_to; ++i) {
      const std::int64_t size = (*data_.dims)[i];
      if (size < 0) {
        left.push_back(i);
      } else if (__builtin_mul_overflow(wanted, size, &wanted)) {
        return false;
      }
    }
    for (std::size_t i = from; i < to; ++i) {
      const TargetSize& size = sizes_[i];
      if (size.number.kind == Kind::kKnown && size.number.value > 0) {
        if (__builtin_mul_overflow(known, size.number.value, &known)) {
          return false;
        }
      } else if (!size.copied_from || std::erase(left, *size.copied_from) != 1) {
        return false;
      }
    }
    return left.empty() && known == wanted;
  }

  bool same_product(std::size_t at) const { return same(0, at, 0, data_.axis); }

  /// The output where its dimension `at`, before which all is as in the input, is the batch; none
  /// where it is not.
  std::optional<BatchValue> with_batch_at(std::size_t at) {
    const TargetSize& size = sizes_[at];
    for (std::size_t i = 0; i < sizes_.size(); ++i) {
      if (i != at && sizes_[i].number.depends_on_batch()) {
        return std::nullopt;
      }
    }
    const bool rest_same = same(at + 1, sizes_.size(), data_.axis + 1, data_.rank());
    const bool is_batch = size.number.kind == Kind::kBatch;
    if (!is_batch && !(size.fills && rest_same) && !rewritten(at, rest_same)) {
      return std::nullopt;
    }
    const auto row = known_product(*data_.dims, data_.axis + 1, data_.rank());
    const auto before = known_product(*data_.dims, 0, data_.axis);
    std::optional<std::int64_t> all;
    if (row && before) {
      all = *row * *before;
    }
    return BatchValue::batched(at, sizes_with(all, at));
  }

  /// Puts the batch where the target says the number of a fixed one.
  bool rewritten(std::size_t at, bool rest_same) {
    const auto fixed = node_.fixed_batch();
    if (!fixed || !sizes_[at].number.is_known(*fixed) || sizes_[at].copied_from || !constant_ ||
        node_.integer("allowzero", 0) != 0) {
      return false;
    }
    if (at != data_.axis && (fills_ > 0 || !rest_same)) {
      return false;
    }
    node_.new_shape = literals_;
    (*node_.new_shape)[at] = at == data_.axis ? 0 : -1;
    return true;
  }

  /// The sizes, -1 filled in where `all`, their product without the batch at `batch`, is known.
  Shape sizes_with(std::optional<std::int64_t> all, std::size_t batch) const {
    Shape dims;
    Shape others;
    for (std::size_t i = 0; i < sizes_.size(); ++i) {
      const ShapeNumber& number = sizes_[i].number;
      const bool known = number.kind == Kind::kKnown && i != batch;
      dims.push_back(known ? number.value : -1);
      if (i != batch && !sizes_[i].fills) {
        others.push_back(dims.back());
      }
    }
    const std::int64_t divisor = known_product(others, 0, others.size()).value_or(0);
    for (std::size_t i = 0; i < sizes_.size(); ++i) {
      if (sizes_[i].fills && i != batch && all && divisor > 0 && *all % divisor == 0) {
        dims[i] = *all / divisor;
      }
    }
    return dims;
  }

  const RuleNode& node_;
  const BatchValue& data_;
  std::vector<TargetSize> sizes_;
  std::vector<std::int64_t> literals_;
  bool zeros_ = false;
  bool constant_ = true;
  int fills_ = 0;
};

/// A shape of one number that becomes a scalar or a vector of one, or stays a vector.
std::optional<BatchValue> reshaped_numbers(const BatchValue& data, const BatchValue& target) {
  if (!data.numbers || target.numbers->size() > 1) {
    return std::nullopt;
  }
  const auto count = static_cast<std::int64_t>(data.numbers->size());
  const bool scalar = target.numbers->empty();
  if (scalar ? count != 1
             : !target.numbers->front().is_known(-1) && !target.numbers->front().is_known(count)) {
    return std::nullopt;
  }
  BatchValue made = BatchValue::of_numbers(*data.numbers, scalar);
  made.fractions = data.fractions;
  return made;
}

}  // namespace

RuleResult reshape_rule(const RuleNode& node) {
  const BatchValue* data = node.input(0);
  const BatchValue* target = node.input(1);
  if (data == nullptr || !data->dims || target == nullptr || !target->numbers ||
      target->rank() != 1 || target->fractions) {
    return not_shown("its target's numbers are not known");
  }
  if (auto numbers = reshaped_numbers(*data, *target)) {
    return {std::move(*numbers)};
  }
  if (data->kind == BatchValue::Kind::kCounts) {
    return not_shown("it makes a matrix of a shape");
  }
  return Reshape(node, *data, *target).apply();
}

}  // namespace onnxop
