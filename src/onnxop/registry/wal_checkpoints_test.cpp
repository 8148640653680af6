// The write-ahead log is brought into the file beside the commits.

#include "onnxop/registry/wal_checkpoints.h"

#include <thread>

#include <gtest/gtest.h>
#include <soci/sqlite3/soci-sqlite3.h>

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
  database_.write([](Session& session) { session << "CREATE TABLE t (s TEXT)"; });
  Session session(soci::sqlite3, file());
  database_.read([&](Session& reader) {
    long long rows = 0;
    reader << "SELECT COUNT(*) FROM t", soci::into(rows);
    database_.write([](Session& writer) {
      const std::string text(8'000'000, 'x');
      writer << "INSERT INTO t (s) VALUES (:s)", soci::use(text);
    });
    EXPECT_FALSE(WalCheckpoints::bring_in_most(session));
  });
  EXPECT_TRUE(WalCheckpoints::bring_in_most(session));
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
