#include "onnxop/serving/configured_scorer.h"

#include <algorithm>
#include <span>
#include <utility>

#include "onnxop/base/error.h"

namespace onnxop {
namespace {

/// One tensor, as clients and as the model see it; -1: free, the same sizes in the same order.
struct Declared {
  TensorInfo info;  // of the clients
  Shape own;        // of the model
  bool reshaped = false;
};

/// The shape with the sizes that are free in `from` put where they are free in `to`.
Shape shape_as(const Shape& shape, const Shape& from, const Shape& to) {
  Shape result = to;
  std::size_t next = 0;
  for (std::int64_t& size : result) {
    if (size < 0) {
      while (from[next] >= 0) {
        ++next;
      }
      size = shape[next++];
    }
  }
  return result;
}

Tensor with_shape(const Tensor& tensor, Shape shape) {
  if (tensor.dtype() == DType::kString) {
    const auto texts = tensor.strings();
    return Tensor::of_strings(std::move(shape), {texts.begin(), texts.end()});
  }
  // Inputs are looked at, and not written to.
  auto* data = const_cast<std::byte*>(tensor.bytes().data());
  return Tensor::view(tensor.dtype(), std::move(shape), {data, tensor.bytes().size()});
}

Tensor with_shape(Tensor&& tensor, Shape shape) {
  if (tensor.dtype() == DType::kString) {
    return with_shape(std::as_const(tensor), std::move(shape));
  }
  const DType dtype = tensor.dtype();
  const auto bytes = tensor.bytes();
  auto owner = std::make_shared<Tensor>(std::move(tensor));
  return Tensor::shared(dtype, std::move(shape), bytes, std::move(owner));
}

class ConfiguredScorer : public Scorer {
 public:
  ConfiguredScorer(std::shared_ptr<Scorer> inner, std::vector<Declared> inputs,
                   std::vector<Declared> outputs)
      : inner_(std::move(inner)), inputs_(std::move(inputs)), outputs_(std::move(outputs)) {
    for (const Declared& each : inputs_) {
      input_infos_.push_back(each.info);
    }
    for (const Declared& each : outputs_) {
      output_infos_.push_back(each.info);
    }
  }

  const std::vector<TensorInfo>& inputs() const override { return input_infos_; }
  const std::vector<TensorInfo>& outputs() const override { return output_infos_; }

  std::vector<NamedTensor> run(std::span<const NamedTensor> inputs) override {
    check_inputs(input_infos_, inputs);
    std::vector<NamedTensor> outputs;
    if (std::any_of(inputs_.begin(), inputs_.end(),
                    [](const auto& each) { return each.reshaped; })) {
      std::vector<NamedTensor> changed;
      for (const NamedTensor& input : inputs) {
        const Declared& declared =
            *std::find_if(inputs_.begin(), inputs_.end(),
                          [&](const Declared& each) { return each.info.name == input.name; });
        changed.push_back(
            {input.name, with_shape(input.tensor, shape_as(input.tensor.shape(),
                                                           declared.info.shape, declared.own))});
      }
      outputs = inner_->run(changed);
    } else {
      outputs = inner_->run(inputs);
    }
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      if (outputs_[i].reshaped) {
        Shape shape = seen_by_clients(outputs_[i], outputs[i]);
        outputs[i].tensor = with_shape(std::move(outputs[i].tensor), std::move(shape));
      }
    }
    return outputs;
  }

 private:
  static Shape seen_by_clients(const Declared& declared, const NamedTensor& output) {
    const Shape& got = output.tensor.shape();
    bool fits = got.size() == declared.own.size();
    for (std::size_t i = 0; fits && i < got.size(); ++i) {
      fits = declared.own[i] < 0 || declared.own[i] == got[i];
    }
    if (!fits) {
      fail(ErrorCode::kInternal, "output '{}': the model gave {}, its configuration says {}",
           output.name, shape_text(got), shape_text(declared.own));
    }
    return shape_as(got, declared.own, declared.info.shape);
  }

  std::shared_ptr<Scorer> inner_;
  std::vector<Declared> inputs_, outputs_;
  std::vector<TensorInfo> input_infos_, output_infos_;
};

/// Compares one list of tensors.
class Matcher {
 public:
  Matcher(const TritonConfig& config, const BatchDimension& rows) : config_(config), rows_(rows) {}

  std::vector<Declared> match(const std::vector<TensorInfo>& infos,
                              std::span<const TritonTensor> tensors, std::string_view kind) const {
    std::vector<Declared> all;
    for (const TensorInfo& info : infos) {
      all.push_back({info, info.shape, false});
    }
    std::vector<std::string_view> names;
    for (const TensorInfo& info : infos) {
      names.push_back(info.name);
    }
    for (const TritonTensor& tensor : tensors) {
      const auto found = std::find_if(all.begin(), all.end(), [&](const Declared& each) {
        return each.info.name == tensor.name;
      });
      if (found == all.end()) {
        fail(ErrorCode::kFailedPrecondition,
             "config.pbtxt, line {}: the model has no {} '{}', it has: {}", tensor.line, kind,
             tensor.name, join(names, ", "));
      }
      *found = declare(found->info, tensor, kind);
    }
    return all;
  }

  bool rows_left_out() const { return config_.max_batch_size.value_or(0) > 0; }

 private:
  Declared declare(const TensorInfo& info, const TritonTensor& tensor,
                   std::string_view kind) const {
    if (tensor.dtype != DType::kUndefined && tensor.dtype != info.dtype) {
      fail(ErrorCode::kFailedPrecondition,
           "config.pbtxt, line {}: {} '{}': got {}, the model has {}", tensor.line, kind,
           tensor.name, dtype_name(tensor.dtype), dtype_name(info.dtype));
    }
    if (tensor.dims.empty()) {
      return {info, info.shape, false};
    }
    Declared declared{info, tensor.reshape.value_or(tensor.dims), tensor.reshape.has_value()};
    declared.info.shape = tensor.dims;
    if (rows_left_out()) {
      check_rows(info, tensor, kind);
      declared.own.insert(declared.own.begin(), info.shape.front());
      declared.info.shape.insert(declared.info.shape.begin(), info.shape.front());
    } else if (!config_.max_batch_size && !tensor.reshape && !info.shape.empty() &&
               info.shape.front() == -1) {
      declared.own.front() = declared.info.shape.front() = -1;  // it says nothing of batches
    }
    bool fits = declared.own.size() == info.shape.size();
    for (std::size_t i = 0; fits && i < info.shape.size(); ++i) {
      fits = info.shape[i] == -1 || info.shape[i] == declared.own[i];
    }
    if (!fits) {
      fail(ErrorCode::kFailedPrecondition,
           "config.pbtxt, line {}: {} '{}': got {}{}, the model has {}", tensor.line, kind,
           tensor.name, shape_text(tensor.reshape.value_or(tensor.dims)),
           rows_left_out() ? " behind the rows" : "", shape_text(info.shape));
    }
    return declared;
  }

  void check_rows(const TensorInfo& info, const TritonTensor& tensor, std::string_view kind) const {
    if (info.shape.empty()) {
      fail(ErrorCode::kFailedPrecondition,
           "config.pbtxt, line {}: {} '{}' has no rows, but max_batch_size is {}", tensor.line,
           kind, tensor.name, *config_.max_batch_size);
    }
    if (info.shape.front() != -1 && info.shape.front() != *config_.max_batch_size) {
      fail(ErrorCode::kFailedPrecondition,
           "config.pbtxt, line {}: {} '{}' has {} rows, but max_batch_size is {}{}{}", tensor.line,
           kind, tensor.name, info.shape.front(), *config_.max_batch_size,
           rows_.reason.empty() ? "" : "; they cannot be proven free: ", rows_.reason);
    }
  }

  const TritonConfig& config_;
  const BatchDimension& rows_;
};

bool says_more(std::span<const Declared> declared, const std::vector<TensorInfo>& infos) {
  for (std::size_t i = 0; i < infos.size(); ++i) {
    if (declared[i].reshaped || declared[i].info.shape != infos[i].shape) {
      return true;
    }
  }
  return false;
}

}  // namespace

std::shared_ptr<Scorer> configured_scorer(std::shared_ptr<Scorer> inner, const TritonConfig& config,
                                          const BatchDimension& rows) {
  if (!config.inputs.empty()) {
    for (const TensorInfo& info : inner->inputs()) {
      if (std::none_of(config.inputs.begin(), config.inputs.end(),
                       [&](const TritonTensor& each) { return each.name == info.name; })) {
        fail(ErrorCode::kFailedPrecondition, "config.pbtxt: the model's input '{}' is not there",
             info.name);
      }
    }
  }
  const Matcher matcher(config, rows);
  auto inputs = matcher.match(inner->inputs(), config.inputs, "input");
  auto outputs = matcher.match(inner->outputs(), config.outputs, "output");
  if (!says_more(inputs, inner->inputs()) && !says_more(outputs, inner->outputs())) {
    return inner;
  }
  return std::make_shared<ConfiguredScorer>(std::move(inner), std::move(inputs),
                                            std::move(outputs));
}

}  // namespace onnxop
