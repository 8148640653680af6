#include "onnxop/train/checkpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "onnxop/base/error.h"
#include "onnxop/base/file.h"

namespace onnxop {
namespace {

class CheckpointTest : public testing::Test {
 protected:
  void SetUp() override { std::filesystem::create_directories(folder_); }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string message_of(const std::string& content) {
    write_file_atomically(path_, as_bytes(content));
    try {
      load_checkpoint(path_);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kDataLoss);
      return error.what();
    }
    return "no error";
  }

  static Checkpoint sample() {
    Checkpoint checkpoint;
    checkpoint.spec_sha256 = std::string(64, 'a');
    checkpoint.data_sha256 = std::string(64, 'b');
    checkpoint.optimizer_steps = 77;
    checkpoint.parameters = {0.1F, -2.5e-30F, 3e38F};
    checkpoint.state = {1};
    checkpoint.best_parameters = {4, 5, 6};
    checkpoint.optimizer_state = {7, 8, 9, 10, 11, 12};
    EpochResult epoch;
    epoch.epoch = 1;
    epoch.train_loss = 1.0 / 3;
    epoch.val_loss = 0.1;
    epoch.val_accuracy = 0.1 + 0.2;
    epoch.learning_rate = 1e-7;
    epoch.seconds = 2.5;
    epoch.train_seconds = 2.25;
    checkpoint.epochs = {epoch};
    return checkpoint;
  }

  std::filesystem::path folder_ =
      std::filesystem::path(testing::TempDir()) /
      format("checkpoint_{}", testing::UnitTest::GetInstance()->current_test_info()->name());
  std::filesystem::path path_ = folder_ / "checkpoint";
};

TEST_F(CheckpointTest, ComesBackBitForBit) {
  const Checkpoint saved = sample();
  save_checkpoint(path_, saved);
  const auto loaded = load_checkpoint(path_);
  ASSERT_TRUE(loaded.has_value());
  EXPECT_EQ(loaded->spec_sha256, saved.spec_sha256);
  EXPECT_EQ(loaded->data_sha256, saved.data_sha256);
  EXPECT_EQ(loaded->optimizer_steps, 77);
  EXPECT_EQ(loaded->parameters, saved.parameters);
  EXPECT_EQ(loaded->state, saved.state);
  EXPECT_EQ(loaded->best_parameters, saved.best_parameters);
  EXPECT_TRUE(loaded->best_state.empty());
  EXPECT_EQ(loaded->optimizer_state, saved.optimizer_state);
  ASSERT_EQ(loaded->epochs.size(), 1U);
  const EpochResult &got = loaded->epochs[0], &expected = saved.epochs[0];
  EXPECT_EQ(got.epoch, 1);
  EXPECT_EQ(got.train_loss, expected.train_loss);
  EXPECT_EQ(got.train_accuracy, std::nullopt);
  EXPECT_EQ(got.val_loss, expected.val_loss);
  EXPECT_EQ(got.val_accuracy, expected.val_accuracy);
  EXPECT_EQ(got.learning_rate, expected.learning_rate);
  EXPECT_EQ(got.seconds, expected.seconds);
  EXPECT_EQ(got.train_seconds, expected.train_seconds);
}

TEST_F(CheckpointTest, NoFileIsNoCheckpoint) {
  EXPECT_FALSE(load_checkpoint(path_).has_value());
}

TEST_F(CheckpointTest, AnyTruncationIsDamage) {
  save_checkpoint(path_, sample());
  const std::string good = read_text_file(path_);
  for (std::size_t size = 0; size < good.size(); size += 7) {
    EXPECT_THAT(message_of(good.substr(0, size)), testing::HasSubstr(path_.string())) << size;
  }
  EXPECT_THAT(message_of(good + "x"), testing::HasSubstr("damaged"));
}

TEST_F(CheckpointTest, AnyChangedByteIsDamage) {
  save_checkpoint(path_, sample());
  const std::string good = read_text_file(path_);
  for (std::size_t at = 0; at < good.size(); at += 5) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 1);
    EXPECT_NE(message_of(bad), "no error") << at;
  }
}

}  // namespace
}  // namespace onnxop
