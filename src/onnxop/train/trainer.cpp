#include "onnxop/train/trainer.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <thread>

#include "onnxop/base/error.h"
#include "onnxop/base/json_value.h"
#include "onnxop/base/random.h"
#include "onnxop/base/thread_pool.h"
#include "onnxop/nn/network.h"
#include "onnxop/train/build_graph.h"
#include "onnxop/train/checkpoint.h"
#include "onnxop/train/load_data.h"
#include "onnxop/train/optimizer.h"
#include "onnxop/train/schedule.h"

namespace onnxop {
namespace {

constexpr std::int64_t kMostExampleElements = 1 << 16;
constexpr std::int64_t kPredictBatch = 1000;  // samples; of validation and test

/// Seeds of the parts that draw at random, so that no two draw the same numbers.
enum class Purpose : std::uint64_t { kShuffle = 1, kDropout = 2 };

std::uint64_t seed_for(std::uint64_t seed, Purpose purpose) {
  Random random(seed, static_cast<std::uint64_t>(purpose) << 48U);
  return std::uint64_t{random.next_u32()} << 32U | random.next_u32();
}

int thread_count(const TrainSpec& spec, const TrainOptions& options) {
  const int wanted = options.threads > 0 ? options.threads : spec.train.threads;
  return wanted > 0 ? wanted : std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

NetworkOptions network_options(const TrainSpec& spec, std::int64_t batch) {
  NetworkOptions options;
  options.batch = batch;
  options.precision = spec.train.precision;
  options.loss = spec.train.loss;
  options.seed = seed_for(spec.train.seed, Purpose::kDropout);
  return options;
}

void check_precision(Precision precision) {
  std::string reason;
  if (!supports_precision(precision, &reason)) {
    fail(ErrorCode::kUnsupported, "train.precision: bf16 is not possible here: {}; use float32",
         reason);
  }
}

template <typename From, typename To>
void copy_values(const From& from, To&& to) {
  std::copy(from.begin(), from.end(), to.begin());
}

class Training {
 public:
  Training(const TrainSpec& spec, const TrainOptions& options, TrainObserver& observer)
      : spec_(spec),
        options_(options),
        observer_(observer),
        clock_(options.clock == nullptr ? system_clock_ : *options.clock),
        pool_(thread_count(spec, options)),
        data_(load_train_data(spec, options.data_dir)),
        convert_(input_converter(spec)),
        batch_(std::min<std::int64_t>(spec.train.batch_size, std::ssize(data_.training))),
        batches_((std::ssize(data_.training) + batch_ - 1) / batch_),
        network_(build_graph(spec, network_ends(spec, data_)), network_options(spec, batch_),
                 pool_),
        optimizer_(spec.train.optimizer, std::ssize(network_.parameters()), pool_) {
    last_.spec_sha256 = spec_sha256(spec);
    last_.data_sha256 = data_.sha256;
    if (options.resume) {
      resume();
    }
  }

  TrainOutcome run() {
    TrainOutcome outcome;
    outcome.summary = summary();
    observer_.on_start(outcome.summary);
    while (!finished()) {
      if (!run_epoch()) {
        outcome.interrupted = true;
        break;
      }
    }
    outcome.epochs = last_.epochs;
    outcome.best_epoch = best_epoch(last_.epochs);
    outcome.images_per_second = images_per_second();
    outcome.spec_sha256 = last_.spec_sha256;
    outcome.data_sha256 = last_.data_sha256;
    if (!outcome.interrupted) {
      export_best(outcome);
    }
    return outcome;
  }

 private:
  bool stopped() const { return options_.stop != nullptr && options_.stop->load(); }
  bool classes() const { return spec_.train.loss == LossKind::kCategoricalCrossentropy; }
  std::filesystem::path checkpoint_path() const {
    return options_.checkpoint_dir / kCheckpointName;
  }

  bool finished() const {
    return std::ssize(last_.epochs) >= spec_.train.epochs ||
           (spec_.train.early_stopping &&
            out_of_patience(*spec_.train.early_stopping, last_.epochs));
  }

  TrainSummary summary() const {
    TrainSummary summary;
    for (const auto& parameter : network_.parameter_layout()) {
      summary.parameters += parameter.size;
    }
    summary.forward_flops = network_.forward_flops();
    summary.train_flops = network_.train_flops();
    summary.training_samples = std::ssize(data_.training);
    summary.validation_samples = std::ssize(data_.validation);
    summary.test_samples = data_.test.size();
    summary.batches = batches_;
    summary.epochs = spec_.train.epochs;
    summary.finished = last_.epochs;
    summary.train_sha256 = data_.train.sha256;
    summary.test_sha256 = data_.test.sha256;
    summary.threads = pool_.threads();
    return summary;
  }

  void resume() {
    auto saved = load_checkpoint(checkpoint_path());
    if (!saved) {
      return;
    }
    const std::string path = checkpoint_path().string();
    if (saved->spec_sha256 != last_.spec_sha256) {
      fail(ErrorCode::kFailedPrecondition,
           "{}: belongs to another spec (SHA-256 {}, this one has {})", path, saved->spec_sha256,
           last_.spec_sha256);
    }
    if (saved->data_sha256 != last_.data_sha256) {
      fail(ErrorCode::kFailedPrecondition,
           "{}: was trained on other data (SHA-256 {}, these have {})", path, saved->data_sha256,
           last_.data_sha256);
    }
    if (saved->parameters.size() != network_.parameters().size() ||
        saved->state.size() != network_.state().size()) {
      fail(ErrorCode::kDataLoss,
           "{}: holds {} parameters and {} running statistics, the network has {} and {}", path,
           saved->parameters.size(), saved->state.size(), network_.parameters().size(),
           network_.state().size());
    }
    last_ = std::move(*saved);
    load_weights(last_.parameters, last_.state);
    optimizer_.restore(last_.optimizer_state, last_.optimizer_steps);
  }

  void load_weights(const std::vector<float>& parameters, const std::vector<float>& state) {
    copy_values(parameters, network_.parameters());
    copy_values(state, network_.state());
    network_.parameters_changed();
  }

  /// False when stopped; then nothing of the epoch is kept.
  bool run_epoch() {
    const SteadyTime start = clock_.steady();
    EpochResult result;
    result.epoch = std::ssize(last_.epochs) + 1;
    if (!train_epoch(result, start)) {
      return false;
    }
    result.train_seconds = seconds_between(start, clock_.steady());
    const Evaluation validation = validate();
    result.val_loss = validation.loss;
    result.val_accuracy = validation.accuracy;
    if (!std::isfinite(result.val_loss)) {
      fail(ErrorCode::kFailedPrecondition, "epoch {}: the validation loss is {}; {}", result.epoch,
           result.val_loss, kAdvice);
    }
    result.seconds = seconds_between(start, clock_.steady());
    keep(result);
    observer_.on_epoch(result);
    return true;
  }

  bool train_epoch(EpochResult& result, SteadyTime start) {
    BatchReader reader(data_.train, data_.training, batch_options(result.epoch), convert_);
    double loss = 0;
    std::int64_t seen = 0, correct = 0, number = 0;
    while (const auto batch = reader.next()) {
      if (stopped()) {
        return false;
      }
      result.learning_rate =
          learning_rate_at(spec_.train.schedule, spec_.train.optimizer.learning_rate,
                           optimizer_.steps(), batches_, spec_.train.epochs);
      const BatchResult one = network_.train_batch(batch->inputs, batch->targets, batch->n,
                                                   static_cast<std::uint64_t>(optimizer_.steps()));
      ++number;
      if (!std::isfinite(one.loss_sum)) {
        fail(ErrorCode::kFailedPrecondition, "epoch {}, batch {} of {}: the loss is {}; {}",
             result.epoch, number, batches_, one.loss_sum, kAdvice);
      }
      optimizer_.step(network_.parameters(), network_.gradients(), result.learning_rate);
      network_.parameters_changed();
      loss += one.loss_sum;
      correct += one.correct;
      seen += batch->n;
      result.train_loss = loss / static_cast<double>(seen);
      if (classes()) {
        result.train_accuracy = static_cast<double>(correct) / static_cast<double>(seen);
      }
      report(result, {number, seen, batch->n, one}, seconds_between(start, clock_.steady()));
    }
    return true;
  }

  BatchOptions batch_options(std::int64_t epoch) const {
    BatchOptions options;
    options.batch = batch_;
    options.shuffle = true;
    options.seed = seed_for(spec_.train.seed, Purpose::kShuffle);
    options.epoch = static_cast<std::uint64_t>(epoch);
    const AugmentSpec& augment = spec_.train.augment;
    options.augment = {augment.shift, augment.rotate, augment.zoom};
    return options;
  }

  struct FinishedBatch {
    std::int64_t number = 0;  // in the epoch, from 1
    std::int64_t seen = 0;    // samples of the epoch so far
    std::int64_t n = 0;       // samples of the batch
    BatchResult result;
  };

  void report(const EpochResult& result, const FinishedBatch& batch, double seconds) {
    BatchProgress progress;
    progress.epoch = result.epoch;
    progress.epochs = spec_.train.epochs;
    progress.batch = batch.number;
    progress.batches = batches_;
    progress.step = (result.epoch - 1) * batches_ + batch.number;
    progress.loss = result.train_loss;
    progress.accuracy = result.train_accuracy;
    progress.batch_loss = batch.result.loss_sum / static_cast<double>(batch.n);
    if (classes()) {
      progress.batch_accuracy =
          static_cast<double>(batch.result.correct) / static_cast<double>(batch.n);
    }
    progress.learning_rate = result.learning_rate;
    if (seconds > 0) {
      const auto left =
          static_cast<double>((spec_.train.epochs - result.epoch + 1) * batches_ - batch.number);
      progress.images_per_second = static_cast<double>(batch.seen) / seconds;
      progress.seconds_left = seconds / static_cast<double>(batch.number) * left;
    }
    observer_.on_batch(progress);
  }

  /// The epoch is finished: remembers it, and writes it down.
  void keep(const EpochResult& result) {
    last_.epochs.push_back(result);
    last_.optimizer_steps = optimizer_.steps();
    last_.optimizer_state.assign(optimizer_.state().begin(), optimizer_.state().end());
    last_.parameters.assign(network_.parameters().begin(), network_.parameters().end());
    last_.state.assign(network_.state().begin(), network_.state().end());
    if (best_epoch(last_.epochs) == result.epoch) {
      last_.best_parameters = last_.parameters;
      last_.best_state = last_.state;
    }
    if (!options_.checkpoint_dir.empty()) {
      write_checkpoint();
    }
  }

  void write_checkpoint() const {
    try {
      save_checkpoint(checkpoint_path(), last_);
    } catch (const Error& error) {
      if (!options_.on_checkpoint_error) {
        throw;
      }
      options_.on_checkpoint_error(error);
    }
  }

  Evaluation validate() {
    const Predict predict = [this](std::span<const float> inputs, std::int64_t n,
                                   std::span<float> outputs) {
      network_.predict(inputs, n, outputs);
    };
    return evaluate(predict, data_.train, data_.validation, convert_, kPredictBatch);
  }

  Evaluation evaluate_on_test(Network& network) const {
    const Predict predict = [&](std::span<const float> inputs, std::int64_t n,
                                std::span<float> outputs) {
      network.predict(inputs, n, outputs);
      observer_.on_test_outputs(outputs);
    };
    return evaluate(predict, data_.test, convert_, kPredictBatch);
  }

  void export_best(TrainOutcome& outcome) {
    load_weights(last_.best_parameters, last_.best_state);
    Graph graph = network_.trained_graph();
    if (spec_.train.precision == Precision::kFloat32) {
      outcome.test = evaluate_on_test(network_);
    } else {
      NetworkOptions float32 = network_options(spec_, batch_);
      float32.precision = Precision::kFloat32;
      Network exact(graph, float32, pool_);
      outcome.test = evaluate_on_test(exact);
    }
    Model model;
    model.producer_version = options_.producer_version;
    model.doc_string = graph.doc_string;
    if (spec_.data.images()) {
      model.metadata[std::string(kContractKey)] =
          dump_json(contract_to_json(contract(*outcome.test)));
    }
    model.graph = without_dropout(graph);
    outcome.examples = examples(model.graph.inputs.front());
    outcome.model = std::move(model);
  }

  Tensor examples(const GraphValue& input) const {
    Shape shape;
    for (const GraphDim& dim : input.shape) {
      shape.push_back(dim.size);
    }
    shape.front() = 1;
    shape.front() =
        std::min({kMostExamples, data_.test.size(),
                  std::max<std::int64_t>(
                      1, kMostExampleElements / std::max<std::int64_t>(1, element_count(shape)))});
    std::vector<std::uint32_t> indices(static_cast<std::size_t>(shape.front()));
    std::iota(indices.begin(), indices.end(), 0U);
    BatchOptions options;
    options.batch = shape.front();
    const auto batch = BatchReader(data_.test, std::move(indices), options, convert_).next();
    return Tensor::of<float>(std::move(shape), batch->inputs);
  }

  Contract contract(const Evaluation& test) const {
    Contract contract;
    contract.input = image_input(spec_);
    contract.output.name = "probabilities";
    contract.output.labels = data_.train.labels;
    contract.training =
        ContractTraining{last_.spec_sha256, last_.data_sha256, test.accuracy, test.loss};
    return contract;
  }

  double images_per_second() const {
    double seconds = 0;
    for (const auto& epoch : last_.epochs) {
      seconds += epoch.train_seconds;
    }
    const auto samples = static_cast<double>(std::ssize(last_.epochs) * std::ssize(data_.training));
    return seconds > 0 ? samples / seconds : 0;
  }

  static constexpr std::string_view kAdvice =
      "the training has diverged: a lower train.optimizer.learning_rate or a warm-up may help";

  const TrainSpec& spec_;
  const TrainOptions& options_;
  TrainObserver& observer_;
  SystemClock system_clock_;
  const Clock& clock_;
  ThreadPool pool_;
  TrainData data_;
  BatchReader::Convert convert_;
  std::int64_t batch_;
  std::int64_t batches_;
  Network network_;
  Optimizer optimizer_;
  Checkpoint last_;  // of the last finished epoch
};

}  // namespace

TrainOutcome train(const TrainSpec& spec, const TrainOptions& options, TrainObserver& observer) {
  check_precision(spec.train.precision);
  return Training(spec, options, observer).run();
}

}  // namespace onnxop
