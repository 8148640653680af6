#include "onnxop/train/trainer.h"

#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "onnxop/base/error.h"
#include "onnxop/base/json_value.h"
#include "onnxop/base/test_error.h"
#include "onnxop/base/test_source_dir.h"
#include "onnxop/data/mnist.h"
#include "onnxop/nn/network.h"
#include "onnxop/onnx/model_file.h"
#include "onnxop/train/checkpoint.h"
#include "onnxop/train/test_fixture.h"

namespace onnxop {
namespace {

using testing::HasSubstr;

const std::filesystem::path kExamples = source_dir() / "examples";

/// Raises a stop flag after so many batches, counted over the whole run.
class StopAfter : public TrainObserver {
 public:
  explicit StopAfter(int batches) : left_(batches) {}
  void on_batch(const BatchProgress&) override {
    if (--left_ == 0) {
      stop = true;
    }
  }
  std::atomic<bool> stop = false;

 private:
  int left_;
};

class TrainerTest : public TrainFixture {
 protected:
  static Bytes bytes_of(const TrainOutcome& outcome) {
    return serialize_model(outcome.model.value());
  }

  static TrainOutcome run(const TrainSpec& spec, TrainOptions options = {}) {
    TrainObserver quiet;
    if (options.threads == 0) {
      options.threads = 2;
    }
    return train(spec, options, quiet);
  }

  static std::string message_of(const TrainSpec& spec, const TrainOptions& options,
                                ErrorCode code) {
    try {
      run(spec, options);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), code);
      return error.what();
    }
    return "no error";
  }
};

TEST_F(TrainerTest, LearnsAndExports) {
  TrainOptions options;
  options.producer_version = "1.2.3";
  const TrainOutcome outcome = run(quarters(), options);
  EXPECT_FALSE(outcome.interrupted);
  ASSERT_EQ(outcome.epochs.size(), 4U);
  EXPECT_LT(outcome.epochs.back().train_loss, outcome.epochs.front().train_loss);
  EXPECT_EQ(outcome.best_epoch, best_epoch(outcome.epochs));
  EXPECT_GT(outcome.test.value().accuracy.value(), 0.95);
  EXPECT_EQ(outcome.test->samples, 100);
  EXPECT_GT(outcome.images_per_second, 0);
  const Model& model = outcome.model.value();
  EXPECT_EQ(model.producer_version, "1.2.3");
  EXPECT_EQ(model.graph.outputs[0].name, "probabilities");
  for (const auto& node : model.graph.nodes) {
    EXPECT_NE(node.op_type, "Dropout");
  }
  const auto path = folder_ / "model.onnx";
  write_file_atomically(path, bytes_of(outcome));
  EXPECT_NO_THROW(check_model(path));
  const Contract contract = read_contract(path).value();
  EXPECT_EQ(contract.input.name, "image");
  EXPECT_EQ(contract.input.width, 8);
  EXPECT_EQ(contract.output.labels.size(), 4U);
  ASSERT_TRUE(contract.training.has_value());
  EXPECT_EQ(contract.training->spec_sha256, outcome.spec_sha256);
  EXPECT_EQ(contract.training->data_sha256, outcome.data_sha256);
  EXPECT_EQ(contract.training->test_accuracy, outcome.test->accuracy);
}

TEST_F(TrainerTest, SameBytesForAnyNumberOfThreads) {
  TrainOptions options;
  options.threads = 1;
  const Bytes one = bytes_of(run(quarters(), options));
  for (const int threads : {1, 2, 3}) {
    options.threads = threads;
    EXPECT_EQ(bytes_of(run(quarters(), options)), one) << threads;
  }
  EXPECT_NE(bytes_of(run(quarters({"train.seed=2"}), options)), one);
}

TEST_F(TrainerTest, InterruptedAnywhereEndsWithTheSameBytes) {
  const std::vector<std::string> overrides = {"train.augment={shift: 0.1}",
                                              "train.schedule={kind: cosine, warmup_epochs: 0.5}"};
  const TrainOutcome whole = run(quarters(overrides));
  for (const int batches : {1, 8, 11, 16, 31}) {
    TrainOptions options;
    options.checkpoint_dir = make_folder(format("stopped_{}", batches));
    StopAfter stopper(batches);
    options.stop = &stopper.stop;
    const TrainOutcome first = train(quarters(overrides), options, stopper);
    EXPECT_TRUE(first.interrupted);
    EXPECT_FALSE(first.model.has_value());
    EXPECT_EQ(std::ssize(first.epochs), batches / 8) << batches;
    options.stop = nullptr;
    options.resume = true;
    const TrainOutcome second = run(quarters(overrides), options);
    EXPECT_EQ(std::ssize(second.summary.finished), batches / 8);
    EXPECT_EQ(bytes_of(second), bytes_of(whole)) << batches;
    EXPECT_EQ(second.epochs.size(), 4U);
    for (std::size_t i = 0; i < 4; ++i) {
      EXPECT_EQ(second.epochs[i].train_loss, whole.epochs[i].train_loss);
      EXPECT_EQ(second.epochs[i].val_loss, whole.epochs[i].val_loss);
    }
  }
}

TEST_F(TrainerTest, EachBatchIsReportedWithItsStepAndItsOwnFigures) {
  struct Steps : TrainObserver {
    void on_batch(const BatchProgress& progress) override { batches.push_back(progress); }
    std::vector<BatchProgress> batches;
  } steps;
  const TrainOutcome outcome = train(quarters({"train.epochs=2"}), {}, steps);
  ASSERT_EQ(std::ssize(steps.batches), 2 * outcome.summary.batches);
  double correct = 0;
  for (std::size_t i = 0; i < steps.batches.size(); ++i) {
    const BatchProgress& batch = steps.batches[i];
    EXPECT_EQ(batch.step, std::ssize(std::span(steps.batches).first(i)) + 1);
    EXPECT_GT(batch.learning_rate, 0);
    correct += i < steps.batches.size() / 2 ? *batch.batch_accuracy : 0;
  }
  EXPECT_EQ(steps.batches.front().batch_loss, steps.batches.front().loss);
  EXPECT_NE(steps.batches[1].batch_loss, steps.batches[1].loss);
  EXPECT_NEAR(correct / static_cast<double>(outcome.summary.batches),
              *outcome.epochs.front().train_accuracy, 0.05);
}

TEST_F(TrainerTest, ACheckpointThatCannotBeWrittenEndsTheTrainingOrIsTold) {
  TrainOptions options;
  options.checkpoint_dir = make_folder("nowhere") / "gone";
  EXPECT_EQ(code_of([&] { run(quarters(), options); }), ErrorCode::kNotFound)
      << "there is no such folder";
  std::vector<std::string> told;
  options.on_checkpoint_error = [&](const Error& error) { told.emplace_back(error.what()); };
  EXPECT_EQ(bytes_of(run(quarters(), options)), bytes_of(run(quarters())));
  EXPECT_EQ(told.size(), 4U) << "once each epoch";
}

TEST_F(TrainerTest, EveryOptimizerResumesToTheSameBytes) {
  for (const std::string optimizer :
       {"{SGD: {momentum: 0.9, nesterov: true}}", "RMSprop", "AdamW", "Adadelta"}) {
    const std::vector<std::string> overrides = {"train.optimizer=" + optimizer, "train.epochs=2"};
    TrainOptions options;
    options.checkpoint_dir = make_folder("one");
    StopAfter stopper(10);
    options.stop = &stopper.stop;
    train(quarters(overrides), options, stopper);
    options.stop = nullptr;
    options.resume = true;
    EXPECT_EQ(bytes_of(run(quarters(overrides), options)), bytes_of(run(quarters(overrides))))
        << optimizer;
  }
}

TEST_F(TrainerTest, FinishedTrainingResumesToItsModel) {
  TrainOptions options;
  options.checkpoint_dir = make_folder("done");
  const Bytes bytes = bytes_of(run(quarters(), options));
  options.resume = true;
  EXPECT_EQ(bytes_of(run(quarters(), options)), bytes);
}

TEST_F(TrainerTest, CheckpointOfOtherSpecOrDataIsRefused) {
  TrainOptions options;
  options.checkpoint_dir = make_folder("other");
  run(quarters({"train.epochs=1"}), options);
  options.resume = true;
  EXPECT_THAT(message_of(quarters({"train.epochs=1", "train.seed=9"}), options,
                         ErrorCode::kFailedPrecondition),
              HasSubstr("belongs to another spec"));
  write_quarters(folder_, "train", 300, 7);
  EXPECT_THAT(message_of(quarters({"train.epochs=1"}), options, ErrorCode::kFailedPrecondition),
              HasSubstr("was trained on other data"));
}

TEST_F(TrainerTest, DamagedCheckpointIsRefused) {
  TrainOptions options;
  options.checkpoint_dir = make_folder("damaged");
  run(quarters({"train.epochs=1"}), options);
  const auto path = options.checkpoint_dir / kCheckpointName;
  std::string content = read_text_file(path);
  content[content.size() / 2] ^= 4;
  write_file_atomically(path, as_bytes(content));
  options.resume = true;
  EXPECT_THAT(message_of(quarters({"train.epochs=1"}), options, ErrorCode::kDataLoss),
              HasSubstr(path.string()));
}

TEST_F(TrainerTest, CheckpointOfAnotherNetworkSizeIsRefused) {
  TrainOptions options;
  options.checkpoint_dir = make_folder("size");
  run(quarters({"train.epochs=1"}), options);
  const auto path = options.checkpoint_dir / kCheckpointName;
  Checkpoint checkpoint = load_checkpoint(path).value();
  checkpoint.parameters.pop_back();
  save_checkpoint(path, checkpoint);
  options.resume = true;
  EXPECT_THAT(message_of(quarters({"train.epochs=1"}), options, ErrorCode::kDataLoss),
              HasSubstr("the network has"));
}

TEST_F(TrainerTest, DivergingStopsWithItsPlace) {
  // So many layers that numbers run over on every processor, whatever its maximum makes of a nan.
  const std::string dense = "{Dense: {units: 8}}";
  const TrainSpec spec =
      quarters({"train.optimizer={SGD: {learning_rate: 1e9}}",
                format("layers=[Flatten, {0}, {0}, {0}, {0}, {0}, {{Dense: {{units: 4, activation: "
                       "softmax}}}}]",
                       dense)});
  EXPECT_THAT(
      message_of(spec, {}, ErrorCode::kFailedPrecondition),
      testing::ContainsRegex("^epoch 1, batch [2-8] of 8: the loss is .*nan; .*learning_rate"));
}

TEST_F(TrainerTest, StopsEarly) {
  const TrainOutcome outcome =
      run(quarters({"train.epochs=50", "train.early_stopping={patience: 2, min_delta: 1000}"}));
  EXPECT_EQ(outcome.epochs.size(), 3U);
  EXPECT_TRUE(outcome.model.has_value());
}

TEST_F(TrainerTest, BestEpochIsExportedNotTheLast) {
  // The rate grows until the network breaks, so the last epoch is not the best.
  TrainOptions options;
  options.checkpoint_dir = make_folder("best");
  const TrainOutcome outcome =
      run(quarters({"train.epochs=8", "train.optimizer={SGD: {learning_rate: 3.0}}",
                    "train.schedule={kind: constant, warmup_epochs: 8}"}),
          options);
  ASSERT_LT(outcome.best_epoch, 8);
  const Checkpoint checkpoint = load_checkpoint(options.checkpoint_dir / kCheckpointName).value();
  EXPECT_NE(checkpoint.best_parameters, checkpoint.parameters);
  const auto* bias = outcome.model->graph.find_initializer("dense_1/bias");
  ASSERT_NE(bias, nullptr);
  const auto values = bias->tensor.values<float>();
  EXPECT_NE(std::search(checkpoint.best_parameters.begin(), checkpoint.best_parameters.end(),
                        values.begin(), values.end()),
            checkpoint.best_parameters.end());
}

class Recorder : public TrainObserver {
 public:
  void on_start(const TrainSummary& summary) override {
    EXPECT_EQ(std::this_thread::get_id(), thread_);
    EXPECT_TRUE(batches.empty());
    start = summary;
  }
  void on_batch(const BatchProgress& progress) override {
    EXPECT_EQ(std::this_thread::get_id(), thread_);
    batches.push_back(progress);
    clock.advance(std::chrono::milliseconds(500));
  }
  void on_epoch(const EpochResult& result) override {
    EXPECT_EQ(std::this_thread::get_id(), thread_);
    EXPECT_EQ(std::ssize(batches), result.epoch * 8);
    epochs.push_back(result);
  }
  TrainSummary start;
  std::vector<BatchProgress> batches;
  std::vector<EpochResult> epochs;
  FakeClock clock;

 private:
  std::thread::id thread_ = std::this_thread::get_id();
};

TEST_F(TrainerTest, TellsHowFarItIs) {
  Recorder recorder;
  TrainOptions options;
  options.threads = 1;
  options.clock = &recorder.clock;
  const TrainOutcome outcome = train(quarters({"train.epochs=2"}), options, recorder);
  EXPECT_EQ(recorder.start.training_samples, 240);
  EXPECT_EQ(recorder.start.validation_samples, 60);
  EXPECT_EQ(recorder.start.test_samples, 100);
  EXPECT_EQ(recorder.start.batches, 8);
  EXPECT_EQ(recorder.start.threads, 1);
  EXPECT_EQ(recorder.start.parameters, 4 * 9 + 4 + 8 + 64 * 16 + 16 + 16 * 4 + 4);
  EXPECT_GT(recorder.start.train_flops, recorder.start.forward_flops);
  ASSERT_EQ(recorder.batches.size(), 16U);
  EXPECT_EQ(recorder.batches[0].images_per_second, 0);  // no time has passed
  EXPECT_EQ(recorder.batches[10].epoch, 2);
  EXPECT_EQ(recorder.batches[10].batch, 3);
  EXPECT_DOUBLE_EQ(recorder.batches[10].images_per_second, 96 / 1.0);
  EXPECT_NEAR(recorder.batches[4].seconds_left, 2.0 / 5 * 11, 1e-9);
  ASSERT_EQ(recorder.epochs.size(), 2U);
  EXPECT_EQ(recorder.epochs[0].train_seconds, 4.0);
  EXPECT_EQ(recorder.epochs[0].learning_rate, 0.01);
  EXPECT_EQ(recorder.epochs[1].train_loss, recorder.batches.back().loss);
  EXPECT_EQ(recorder.epochs[1].train_accuracy, recorder.batches.back().accuracy);
  EXPECT_DOUBLE_EQ(outcome.images_per_second, 480 / 8.0);
}

TEST_F(TrainerTest, LastSmallerBatchAndBatchLargerThanTheData) {
  EXPECT_EQ(run(quarters({"train.batch_size=100", "train.epochs=1"})).summary.batches, 3);
  EXPECT_EQ(run(quarters({"train.batch_size=1000", "train.epochs=1"})).summary.batches, 1);
}

TEST_F(TrainerTest, Bfloat16LearnsOrIsRefused) {
  const TrainSpec spec = quarters({"train.precision=bf16"});
  std::string reason;
  if (supports_precision(Precision::kBfloat16, &reason)) {
    EXPECT_GT(run(spec).test.value().accuracy.value(), 0.95);
  } else {
    EXPECT_THAT(message_of(spec, {}, ErrorCode::kUnsupported),
                HasSubstr("train.precision: bf16 is not possible"));
  }
}

TEST_F(TrainerTest, LearnsNumbersFromCsv) {
  const TrainOutcome outcome = run(load_spec(kExamples / "projectile.yaml", {"train.epochs=60"}));
  // Distances are 0 to 41 m with a standard deviation of about 11 m.
  EXPECT_LT(outcome.test.value().loss, 0.5);
  EXPECT_LT(outcome.test->mean_absolute_error.value(), 0.6);
  EXPECT_FALSE(outcome.epochs[0].val_accuracy.has_value());
  EXPECT_EQ(outcome.model->graph.inputs[0].name, "features");
  EXPECT_FALSE(outcome.model->metadata.contains(std::string(kContractKey)));
}

TEST_F(TrainerTest, LearnsRealDigits) {
  const auto mnist = default_data_dir() / "mnist";
  if (!std::filesystem::exists(mnist / "train-images-idx3-ubyte")) {
    GTEST_SKIP() << "no MNIST at " << mnist;
  }
  for (const auto& [name, split, n] :
       {std::tuple("train", "train", 4400), std::tuple("test", "test", 1000)}) {
    const Dataset all = load_mnist(mnist, split);
    const auto pixels = all.samples.values<std::uint8_t>().first(static_cast<std::size_t>(n) * 784);
    write_idx_files(folder_, name, 28, std::string(pixels.begin(), pixels.end()),
                    std::string(all.classes.begin(), all.classes.begin() + n));
  }
  const TrainOutcome outcome = run(load_spec(
      kExamples / "mnist-small.yaml",
      {format("data={{kind: idx, train_images: '{0}/train-images', train_labels: "
              "'{0}/train-labels', test_images: "
              "'{0}/test-images', test_labels: '{0}/test-labels', classes: 10, validation: 400}}",
              folder_.string()),
       "input={width: 28, height: 28}", "train.epochs=8", "train.batch_size=40"}));
  EXPECT_GT(outcome.test.value().accuracy.value(), 0.92);
}

}  // namespace
}  // namespace onnxop
