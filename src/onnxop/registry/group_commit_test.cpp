#include "onnxop/registry/group_commit.h"

#include <latch>
#include <thread>
#include <vector>

#include <gmock/gmock.h>

#include "onnxop/registry/test_store.h"

namespace onnxop {
namespace {

using soci::into;
using testing::HasSubstr;

class GroupCommitTest : public EachStoreTest {
 protected:
  GroupCommitTest() {
    database_.write(
        [](Session& session) { session << "CREATE TABLE t (n BIGINT NOT NULL PRIMARY KEY)"; });
  }
  static void insert(Session& session, long long number) {
    session << "INSERT INTO t (n) VALUES (:n)", soci::use(number);
  }
  std::vector<std::int64_t> numbers() {
    std::vector<std::int64_t> found;
    for (std::int64_t n = 0; n < 10; ++n) {
      if (scalar("SELECT COUNT(*) FROM t WHERE n = " + std::to_string(n)) == 1) {
        found.push_back(n);
      }
    }
    return found;
  }

  /// Runs the bodies on threads of their own, in one group: they queue up, in this order, behind a
  /// write that waits for them. -> what each threw.
  std::vector<std::string> write_together(
      const std::vector<std::function<void(Session&)>>& bodies) {
    std::vector<std::string> errors(bodies.size());
    std::vector<std::thread> threads;
    database_.write([&](Session&) {
      for (std::size_t i = 0; i < bodies.size(); ++i) {
        std::latch started(1);
        threads.emplace_back([&, i] {
          Database own(dialect_of(location()), clock_);
          started.count_down();
          try {
            own.write(bodies[i]);
          } catch (const Error& error) {
            errors[i] = error.what();
          }
        });
        started.wait();
      }
    });
    for (std::thread& thread : threads) {
      thread.join();
    }
    return errors;
  }

  Database database_{dialect_of(location()), clock_};
};
ONNXOP_ON_EACH_STORE(GroupCommitTest);

TEST_P(GroupCommitTest, WhatFailsOfAGroupGoesAndTheRestStays) {
  const auto errors = write_together({
      [](auto& session) { insert(session, 1); },
      [](auto& session) {
        insert(session, 2);
        insert(session, 2);
      },
      [](auto& session) {
        insert(session, 3);
        fail(ErrorCode::kInvalidArgument, "three is refused");
      },
      [](auto& session) { insert(session, 4); },
  });
  EXPECT_EQ(errors[0], "");
  EXPECT_THAT(errors[1], HasSubstr(database_.name()));
  EXPECT_EQ(errors[2], "three is refused");
  EXPECT_EQ(errors[3], "");
  EXPECT_THAT(numbers(), testing::ElementsAre(1, 4));
}

TEST_P(GroupCommitTest, AWriteWithinAWriteIsRefused) {
  Database other(dialect_of(location()), clock_);
  const auto caught = catch_error([&] {
    database_.write([&](Session& session) {
      insert(session, 1);
      other.write([](Session&) {});
    });
  });
  EXPECT_EQ(caught.code, ErrorCode::kInternal);
  EXPECT_THAT(numbers(), testing::IsEmpty());
}

TEST_P(GroupCommitTest, ManyThreadsSeeEachOthersWrites) {
  constexpr int kThreads = 8;
  constexpr int kRounds = 25;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      Database own(dialect_of(location()), clock_);
      for (int round = 0; round < kRounds; ++round) {
        const long long number = own.write([](Session& session) {
          long long next = 0;
          session << "SELECT COALESCE(MAX(n), 0) + 1 FROM t", into(next);
          insert(session, next);
          return next;
        });
        const auto seen = own.read([&](Session& session) {
          long long rows = 0;
          session << "SELECT COUNT(*) FROM t WHERE n = :n", soci::use(number), into(rows);
          return rows;
        });
        EXPECT_EQ(seen, 1);
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(scalar("SELECT MAX(n) FROM t"), kThreads * kRounds);
}

}  // namespace
}  // namespace onnxop
