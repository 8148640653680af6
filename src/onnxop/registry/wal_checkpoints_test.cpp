// The write-ahead log is brought into the file beside the commits.

#include "onnxop/registry/wal_checkpoints.h"

#include <thread>

#include <gtest/gtest.h>

#include "onnxop/registry/test_store.h"

namespace onnxop {
namespace {

class WalCheckpointsTest : public StoreTest {
 protected:
  std::string file() const { return store_dir().string() + ".db"; }

  Database database_{sqlite_dialect(file()), clock_};
  WalCheckpoints checkpoints_{file()};
};

TEST_F(WalCheckpointsTest, AThreadBringsTheLogInAndTheRestIsLeftToACommit) {
  database_.write([](Session& session) {
    session << "CREATE TABLE t (s TEXT)";
    const std::string text(1'000'000, 'x');
    session << "INSERT INTO t (s) VALUES (:s)", soci::use(text);
  });
  EXPECT_LT(std::filesystem::file_size(file()), 100'000u);
  EXPECT_FALSE(checkpoints_.is_due(WalCheckpoints::kPages - 1));
  EXPECT_FALSE(checkpoints_.is_due(WalCheckpoints::kPages));
  while (!checkpoints_.is_due(WalCheckpoints::kPages)) {
    std::this_thread::yield();
  }
  EXPECT_GT(std::filesystem::file_size(file()), 1'000'000u);
}

TEST_F(WalCheckpointsTest, WhatAReaderKeepsOutIsNotLeftToACommit) {
  const auto write_much = [&](Session& session) {
    session << "DELETE FROM t";
    const std::string text(8'000'000, 'x');
    session << "INSERT INTO t (s) VALUES (:s)", soci::use(text);
  };
  database_.write([](Session& session) { session << "CREATE TABLE t (s TEXT)"; });
  database_.read([&](Session& session) {
    long long rows = 0;
    session << "SELECT COUNT(*) FROM t", soci::into(rows);
    database_.write(write_much);
    // Asked again and again: what the thread has done by the second time is known.
    for (int i = 0; i < 1000; ++i) {
      ASSERT_FALSE(checkpoints_.is_due(WalCheckpoints::kPages));
      std::this_thread::yield();
    }
  });
  while (!checkpoints_.is_due(WalCheckpoints::kPages)) {
    std::this_thread::yield();
  }
}

TEST_F(WalCheckpointsTest, ALogThatIsTooLongIsBroughtInByTheCommit) {
  EXPECT_TRUE(checkpoints_.is_due(WalCheckpoints::kTooManyPages));
}

TEST_F(WalCheckpointsTest, WhereTheThreadCannotTheLogGrowsUntilItIsTooLong) {
  WalCheckpoints checkpoints((store_dir() / "nowhere" / "x.db").string());
  EXPECT_FALSE(checkpoints.is_due(WalCheckpoints::kPages));
  EXPECT_FALSE(checkpoints.is_due(WalCheckpoints::kTooManyPages - 1));
  EXPECT_TRUE(checkpoints.is_due(WalCheckpoints::kTooManyPages));
}

TEST_F(WalCheckpointsTest, TheLogOfAStoreThatIsWrittenToDoesNotGrowForEver) {
  database_.write([](Session& session) { session << "CREATE TABLE t (n BIGINT, s TEXT)"; });
  constexpr std::int64_t kPageInLog = 4096 + 24;
  constexpr int kBytes = 2'000'000;
  const std::string text(kBytes, 'x');
  // Six times the pages after which the log is brought in.
  for (std::int64_t written = 0; written < 6 * WalCheckpoints::kPages * kPageInLog;
       written += kBytes) {
    database_.write_log([&](Session& session) {
      session << "DELETE FROM t";
      session << "INSERT INTO t (n, s) VALUES (1, :s)", soci::use(text);
    });
  }
  EXPECT_LE(std::filesystem::file_size(file() + "-wal"),
            (WalCheckpoints::kTooManyPages + 1'000) * kPageInLog);
}

}  // namespace
}  // namespace onnxop
