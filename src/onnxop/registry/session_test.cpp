// Statements that a session keeps, and the connection that a process writes through.

#include "onnxop/registry/session.h"

#include <gmock/gmock.h>

#include "onnxop/registry/row_select.h"
#include "onnxop/registry/test_store.h"

namespace onnxop {
namespace {

using soci::into;
using soci::use;

struct InsertNumber {
  explicit InsertNumber(Session& session)
      : statement((session.prepare << "INSERT INTO t (n) VALUES (:n)", use(number))) {
    ++made;
  }

  static inline int made = 0;
  long long number = 0;
  soci::statement statement;
};

struct SelectNumbers {
  SelectNumbers(Session& session, const std::string& condition)
      : statement((session.prepare << "SELECT n FROM t WHERE " << condition << " ORDER BY n",
                   into(number))) {}

  std::vector<long long> all() {
    std::vector<long long> numbers;
    statement.execute();
    while (statement.fetch()) {
      numbers.push_back(number);
    }
    return numbers;
  }

  long long number = 0;
  soci::statement statement;
};

class SessionTest : public EachStoreTest {
 protected:
  SessionTest() {
    database_.write(
        [](Session& session) { session << "CREATE TABLE t (n BIGINT NOT NULL PRIMARY KEY)"; });
    InsertNumber::made = 0;
  }
  static void insert(Session& session, long long number) {
    auto& statement = session.kept<InsertNumber>();
    statement.number = number;
    statement.statement.execute(true);
  }
  void write(long long number) {
    database_.write([&](Session& session) { insert(session, number); });
  }
  std::vector<long long> numbers(const std::string& condition = "n > 0") {
    return database_.read([&](Session& session) {
      return session
          .kept<SelectNumbers>(condition, [&] { return SelectNumbers(session, condition); })
          .all();
    });
  }

  Database database_{dialect_of(location()), clock_};
};
ONNXOP_ON_EACH_STORE(SessionTest);

TEST_P(SessionTest, AStatementIsMadeOnceAndUsedInAllTransactions) {
  for (long long number = 1; number <= 3; ++number) {
    write(number);
    EXPECT_EQ(numbers().size(), static_cast<std::size_t>(number));
  }
  EXPECT_EQ(InsertNumber::made, 1);
  EXPECT_THAT(numbers("n = 2"), testing::ElementsAre(2));
  EXPECT_THAT(numbers(), testing::ElementsAre(1, 2, 3));
}

TEST_P(SessionTest, AStatementThatFailedIsMadeAnewAndOneThatWasTakenBackUsedAgain) {
  write(1);
  EXPECT_EQ(catch_error([&] { write(1); }).code, ErrorCode::kInternal);
  EXPECT_EQ(catch_error([&] {
              database_.write([&](Session& session) {
                insert(session, 2);
                fail(ErrorCode::kInvalidArgument, "no");
              });
            }).code,
            ErrorCode::kInvalidArgument);
  write(2);
  write(3);
  EXPECT_THAT(numbers(), testing::ElementsAre(1, 2, 3));
  EXPECT_EQ(InsertNumber::made, 2);
}

TEST_P(SessionTest, WhatOthersChangeInTheTableIsSeen) {
  write(1);
  EXPECT_THAT(numbers(), testing::ElementsAre(1));
  execute("ALTER TABLE t ADD COLUMN x BIGINT");
  execute("INSERT INTO t (n, x) VALUES (2, 2)");
  write(3);
  EXPECT_THAT(numbers(), testing::ElementsAre(1, 2, 3));
}

struct Number {
  Number() { ++made; }  // one for each statement
  void exchange(soci::statement& statement) { exchange_into(statement, value); }

  static inline int made = 0;
  long long value = 0;
};

TEST_P(SessionTest, RowsOfManyNumbersAreFoundByOneStatement) {
  for (long long number = 1; number <= 300; ++number) {
    write(number * 10);
  }
  const auto found = [&](const std::vector<std::int64_t>& numbers) {
    std::vector<long long> values;
    database_.read([&](Session& session) {
      for_each_row<Number>(session, numbers, "t.n", "t WHERE t.n = n.number",
                           [&](const Number& row) { values.push_back(row.value); });
    });
    return values;
  };
  Number::made = 0;
  EXPECT_THAT(found({20, 21, 2000}), testing::UnorderedElementsAre(20, 2000));
  EXPECT_THAT(found({30}), testing::ElementsAre(30));
  EXPECT_EQ(Number::made, 1);
  EXPECT_THAT(found({}), testing::IsEmpty());
  std::vector<std::int64_t> all;
  for (std::int64_t number = 0; number < 5000; ++number) {
    all.push_back(number);
  }
  EXPECT_EQ(found(all).size(), 300u);
}

TEST_P(SessionTest, RowsThatAreNotAllTakenHoldOnToNothing) {
  write(1);
  write(2);
  database_.read([&](Session& session) {
    const std::vector<std::int64_t> both{1, 2};
    EXPECT_EQ(catch_error([&] {
                for_each_row<Number>(session, both, "t.n", "t WHERE t.n = n.number",
                                     [](const Number&) { fail(ErrorCode::kDataLoss, "no"); });
              }).code,
              ErrorCode::kDataLoss);
  });
  write(3);
  EXPECT_THAT(numbers(), testing::ElementsAre(1, 2, 3));
}

TEST_P(SessionTest, AProcessWritesThroughOneConnectionAndItsChildThroughAnother) {
  database_.write([](Session& session) { session << "CREATE TEMPORARY TABLE ours (x BIGINT)"; });
  const auto is_ours = [&] {
    try {
      Database other(dialect_of(location()), clock_);
      other.write([](Session& session) { session << "INSERT INTO ours (x) VALUES (1)"; });
      return true;
    } catch (const Error&) {
      return false;
    }
  };
  EXPECT_TRUE(is_ours());
  const pid_t child = fork_child([&] {
    if (is_ours()) {
      throw std::runtime_error("the child writes through its parent's connection");
    }
  });
  EXPECT_EQ(wait_for(child), 0);
}

}  // namespace
}  // namespace onnxop
