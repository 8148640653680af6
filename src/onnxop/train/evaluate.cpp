#include "onnxop/train/evaluate.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace onnxop {
namespace {

constexpr double kSmallestProbability = 1e-7;

/// Sums over the samples seen so far.
class Tally {
 public:
  explicit Tally(std::size_t outputs) : outputs_(outputs) {}
  virtual ~Tally() = default;
  virtual void add(std::span<const float> outputs, std::span<const float> targets) = 0;
  virtual void finish(Evaluation& evaluation) const = 0;

  void add_batch(std::span<const float> outputs, const Batch& batch) {
    for (std::size_t i = 0; i < static_cast<std::size_t>(batch.n); ++i) {
      add(outputs.subspan(i * outputs_, outputs_),
          std::span(batch.targets).subspan(i * outputs_, outputs_));
    }
    samples_ += batch.n;
  }

 protected:
  std::size_t outputs_;
  std::int64_t samples_ = 0;
  double loss_ = 0;
};

class ClassTally : public Tally {
 public:
  explicit ClassTally(const Dataset& data)
      : Tally(data.labels.size()),
        labels_(data.labels),
        confusion_(outputs_, std::vector<std::int64_t>(outputs_)) {}

  void add(std::span<const float> outputs, std::span<const float> targets) override {
    const auto truth = static_cast<std::size_t>(std::max_element(targets.begin(), targets.end()) -
                                                targets.begin());
    const auto guess = static_cast<std::size_t>(std::max_element(outputs.begin(), outputs.end()) -
                                                outputs.begin());
    ++confusion_[truth][guess];
    loss_ -= std::log(std::clamp(static_cast<double>(outputs[truth]), kSmallestProbability, 1.0));
  }

  void finish(Evaluation& evaluation) const override {
    std::int64_t correct = 0;
    for (std::size_t c = 0; c < outputs_; ++c) {
      std::int64_t predicted = 0;
      for (const auto& row : confusion_) {
        predicted += row[c];
      }
      const std::int64_t actual =
          std::accumulate(confusion_[c].begin(), confusion_[c].end(), std::int64_t{0});
      const std::int64_t both = confusion_[c][c];
      correct += both;
      evaluation.classes.push_back(
          {labels_[c], actual, share(both, predicted), share(both, actual)});
    }
    evaluation.samples = samples_;
    evaluation.loss = loss_ / static_cast<double>(samples_);
    evaluation.accuracy = share(correct, samples_);
    evaluation.confusion = confusion_;
  }

 private:
  static double share(std::int64_t part, std::int64_t whole) {
    return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
  }

  const std::vector<std::string>& labels_;
  std::vector<std::vector<std::int64_t>> confusion_;
};

class ValueTally : public Tally {
 public:
  using Tally::Tally;

  void add(std::span<const float> outputs, std::span<const float> targets) override {
    for (std::size_t i = 0; i < outputs_; ++i) {
      const double off = static_cast<double>(outputs[i]) - static_cast<double>(targets[i]);
      loss_ += off * off / static_cast<double>(outputs_);
      absolute_ += std::abs(off) / static_cast<double>(outputs_);
    }
  }

  void finish(Evaluation& evaluation) const override {
    evaluation.samples = samples_;
    evaluation.loss = loss_ / static_cast<double>(samples_);
    evaluation.mean_absolute_error = absolute_ / static_cast<double>(samples_);
  }

 private:
  double absolute_ = 0;
};

Evaluation run(Tally& tally, std::size_t output_size, BatchReader& reader, const Predict& predict) {
  std::vector<float> outputs;
  while (const auto batch = reader.next()) {
    outputs.resize(static_cast<std::size_t>(batch->n) * output_size);
    predict(batch->inputs, batch->n, outputs);
    tally.add_batch(outputs, *batch);
  }
  Evaluation evaluation;
  tally.finish(evaluation);
  return evaluation;
}

}  // namespace

Evaluation evaluate(const Predict& predict, const Dataset& data, std::vector<std::uint32_t> indices,
                    const BatchReader::Convert& convert, std::int64_t batch) {
  BatchOptions options;
  options.batch = batch;
  BatchReader reader(data, std::move(indices), options, convert);
  const auto outputs = static_cast<std::size_t>(data.outputs());
  if (data.classes.empty()) {
    ValueTally tally(outputs);
    return run(tally, outputs, reader, predict);
  }
  ClassTally tally(data);
  return run(tally, outputs, reader, predict);
}

Evaluation evaluate(const Predict& predict, const Dataset& data,
                    const BatchReader::Convert& convert, std::int64_t batch) {
  std::vector<std::uint32_t> all(static_cast<std::size_t>(data.size()));
  std::iota(all.begin(), all.end(), 0U);
  return evaluate(predict, data, std::move(all), convert, batch);
}

}  // namespace onnxop
