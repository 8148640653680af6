// Transactions, values and failures, with SQLite and with PostgreSQL.

#include <array>
#include <cmath>
#include <limits>
#include <optional>
#include <vector>

#include <gmock/gmock.h>

#include "onnxop/registry/test_store.h"

namespace onnxop {
namespace {

using soci::into;
using soci::use;
using testing::HasSubstr;
using testing::Not;

class DatabaseTest : public EachStoreTest {
 protected:
  void make_table() {
    database_.write([](Session& session) {
      session << "CREATE TABLE t (n BIGINT NOT NULL PRIMARY KEY, x DOUBLE PRECISION, s TEXT)";
    });
  }
  long long count() {
    return database_.read([](Session& session) {
      long long rows = 0;
      session << "SELECT COUNT(*) FROM t", into(rows);
      return rows;
    });
  }

  Database database_{dialect_of(location()), clock_};
};
ONNXOP_ON_EACH_STORE(DatabaseTest);

TEST_P(DatabaseTest, NumbersComeBackAsTheyWere) {
  make_table();
  const std::vector<double> doubles = {0.0,
                                       -0.0,
                                       0.1,
                                       1.0 / 3,
                                       1e-300,
                                       5e-324,
                                       std::numeric_limits<double>::max(),
                                       std::numeric_limits<double>::infinity(),
                                       -std::numeric_limits<double>::infinity(),
                                       123456789.123456789};
  const std::vector<long long> integers = {0, -1, std::numeric_limits<long long>::max(),
                                           std::numeric_limits<long long>::min(), 1LL << 53};
  for (const double value : doubles) {
    for (const long long number : integers) {
      const auto [n, x] = database_.write([&](Session& session) {
        session << "DELETE FROM t";
        session << "INSERT INTO t (n, x, s) VALUES (:n, :x, '')", use(number), use(value);
        std::pair<long long, double> row;
        session << "SELECT n, x FROM t", into(row.first), into(row.second);
        return row;
      });
      EXPECT_EQ(n, number);
      EXPECT_EQ(x, value);
      if (on_postgresql()) {  // SQLite keeps whole numbers as such, and -0 as 0
        EXPECT_EQ(std::signbit(x), std::signbit(value)) << value;
      }
    }
  }
}

TEST_P(DatabaseTest, TextsComeBackAsTheyWere) {
  make_table();
  const std::vector<std::string> texts = {"",
                                          " ",
                                          "ünï€𝄞",
                                          "it's \"quoted\" :name ? $1",
                                          "line\nline\ttab\\back",
                                          std::string(100'000, 'x')};
  long long number = 0;
  for (const std::string& text : texts) {
    ++number;
    const std::string back = database_.write([&](Session& session) {
      session << "INSERT INTO t (n, x, s) VALUES (:n, NULL, :s)", use(number), use(text);
      std::string found;
      session << "SELECT s FROM t WHERE n = :n", use(number), into(found);
      return found;
    });
    EXPECT_EQ(back, text);
  }
}

TEST_P(DatabaseTest, TextComparesByItsBytes) {
  // Through adapt(), as the tables of a store are made.
  database_.write([&](Session& session) {
    session << database_.adapt("CREATE TABLE t (s TEXT NOT NULL PRIMARY KEY) {clustered}");
    for (const char* text : {"a", "B", "b", "A", "ä", "_", "10", "9", "a b", "ab"}) {
      const std::string value = text;
      session << "INSERT INTO t (s) VALUES (:s)", use(value);
    }
  });
  const auto sorted = database_.read([](Session& session) {
    std::vector<std::string> rows;
    std::string row;
    soci::statement select = (session.prepare << "SELECT s FROM t ORDER BY s", into(row));
    select.execute();
    while (select.fetch()) {
      rows.push_back(row);
    }
    return rows;
  });
  EXPECT_THAT(sorted, testing::ElementsAre("10", "9", "A", "B", "_", "a", "a b", "ab", "b", "ä"));
}

TEST_P(DatabaseTest, WhatFailsIsTakenBackWhole) {
  make_table();
  const auto insert = [](Session& session) { session << "INSERT INTO t (n) VALUES (1)"; };
  EXPECT_EQ(catch_error([&] {
              database_.write([&](Session& session) {
                insert(session);
                fail(ErrorCode::kTooLarge, "no");
              });
            }).code,
            ErrorCode::kTooLarge);
  EXPECT_EQ(count(), 0);
  EXPECT_EQ(catch_error([&] {
              database_.write([&](Session& session) {
                insert(session);
                insert(session);
              });
            }).code,
            ErrorCode::kInternal);
  EXPECT_EQ(count(), 0);
  database_.write(insert);
  EXPECT_EQ(count(), 1);
}

TEST_P(DatabaseTest, SaysWhyNothingCanBeStored) {
  make_table();
  const auto fault_of = [&](const std::string& sqlite, const std::string& postgresql) {
    std::optional<StorageFault> fault;
    try {
      database_.write([&](Session& session) {
        session << (on_postgresql() ? postgresql : sqlite);
        session << "INSERT INTO t (n) VALUES (1)";
        const std::string large(100'000, 'x');
        session << "INSERT INTO t (n, s) VALUES (2, :s)", use(large);
      });
    } catch (const StorageError& error) {
      EXPECT_EQ(error.code(), ErrorCode::kIo);
      EXPECT_THAT(error.what(), HasSubstr(database_.name()));
      fault = error.fault();
    }
    return fault;
  };
  EXPECT_EQ(fault_of("PRAGMA max_page_count = 1",
                     "DO $$ BEGIN RAISE EXCEPTION 'no room' USING ERRCODE = 'disk_full'; END $$"),
            StorageFault::kFull);
  EXPECT_EQ(count(), 0);
  EXPECT_EQ(fault_of("PRAGMA query_only = 1", "SET LOCAL transaction_read_only = on"),
            StorageFault::kNotWritable);
  EXPECT_EQ(count(), 0);
}

TEST_P(DatabaseTest, AMessageIsOneLineAndNamesTheDatabase) {
  const auto caught = catch_error(
      [&] { database_.read([](Session& session) { session << "SELECT nonsense FROM nowhere"; }); });
  EXPECT_EQ(caught.code, ErrorCode::kInternal);
  EXPECT_THAT(caught.message, HasSubstr(database_.name()));
  EXPECT_THAT(caught.message, HasSubstr("nowhere"));
  EXPECT_THAT(caught.message, Not(HasSubstr("\n")));
}

TEST_P(DatabaseTest, AReadSeesOneStateAndDoesNotWait) {
  make_table();
  Database other(dialect_of(location()), clock_);
  database_.read([&](Session& session) {
    long long before = 0;
    session << "SELECT COUNT(*) FROM t", into(before);
    other.write([](Session& writer) { writer << "INSERT INTO t (n) VALUES (1)"; });
    long long after = 0;
    session << "SELECT COUNT(*) FROM t", into(after);
    EXPECT_EQ(before, after);
  });
  EXPECT_EQ(count(), 1);
}

TEST_P(DatabaseTest, WritersAreAlone) {
  make_table();
  constexpr int kProcesses = 4;
  constexpr int kRounds = 25;
  std::vector<pid_t> children;
  for (int i = 0; i < kProcesses; ++i) {
    children.push_back(fork_child([&] {
      Database own(dialect_of(location()), clock_);
      for (int round = 0; round < kRounds; ++round) {
        own.write([](Session& session) {
          long long last = 0;
          session << "SELECT COALESCE(MAX(n), 0) FROM t", into(last);
          const long long next = last + 1;
          session << "INSERT INTO t (n) VALUES (:n)", use(next);
        });
      }
    }));
  }
  for (const pid_t child : children) {
    EXPECT_EQ(wait_for(child), 0);
  }
  EXPECT_EQ(count(), kProcesses * kRounds);
}

// SQLite alone.

class SqliteTest : public StoreTest {
 protected:
  void write(bool log, std::function<void(Session&)> body) {
    log ? database_.write_log(body) : database_.write(body);
  }
  /// Whether such a write waits for the disk.
  bool waits(bool log) {
    constexpr int kFull = 2;
    int level = 0;
    write(log, [&](Session& session) { session << "PRAGMA synchronous", into(level); });
    return level == kFull;
  }

  FakeClock time_;
  Database database_{sqlite_dialect(store_dir().string() + ".db"), time_};
};

TEST_F(SqliteTest, ALogWaitsForTheDiskOnceASecond) {
  EXPECT_TRUE(waits(false));
  EXPECT_FALSE(waits(true));
  time_.advance(std::chrono::milliseconds(999));
  EXPECT_FALSE(waits(true));
  time_.advance(std::chrono::milliseconds(1));
  EXPECT_TRUE(waits(true));
  EXPECT_FALSE(waits(true));
  EXPECT_TRUE(waits(false));
}

TEST_F(SqliteTest, ALogThatFailsHasNotWaited) {
  time_.advance(std::chrono::seconds(1));
  EXPECT_THROW(write(true, [](Session&) { throw std::runtime_error("no"); }), std::runtime_error);
  EXPECT_TRUE(waits(true));
}

TEST_F(SqliteTest, ADatabaseThatIsMadeAnewIsWrittenToThoughTheOldOneIsOpen) {
  const auto make_table = [](Session& session) { session << "CREATE TABLE t (n BIGINT)"; };
  write(false, make_table);
  const std::string file = database_.name();
  std::filesystem::rename(file, file + ".old");
  std::filesystem::remove(file + "-wal");
  std::filesystem::remove(file + "-shm");
  Database anew(sqlite_dialect(file), clock_);
  anew.write(make_table);
  EXPECT_EQ(anew.tables().count("t"), 1u);
}

// PostgreSQL alone.

class PostgresqlTest : public StoreTest {
 protected:
  Caught connect_error(const std::string& url) {
    return catch_error([&] { Database(postgresql_dialect(url), clock_); });
  }
};

TEST_F(PostgresqlTest, AStatementThatFailedIsNotForgottenByTheCommit) {
  Database database(postgresql_dialect(TestPostgresql::shared().new_url()), clock_);
  database.write([](Session& session) { session << "CREATE TABLE t (n BIGINT)"; });
  const auto caught = catch_error([&] {
    database.write([](Session& session) {
      session << "INSERT INTO t VALUES (1)";
      try {
        session << "SELECT nonsense";
      } catch (const soci::soci_error&) {
        // as code might that takes a failed statement for an answer
      }
    });
  });
  EXPECT_EQ(caught.code, ErrorCode::kInternal);
  EXPECT_THAT(caught.message, HasSubstr("aborted"));
}

TEST_F(PostgresqlTest, AServerThatIsGoneIsUnavailableAndBackAgainIsUsedAgain) {
  TestPostgresql server;
  const StoreLocation place(server.new_url(), store_dir());
  Registry registry(place, clock_);
  const auto run = registry.runs().create({"a"});

  server.stop();
  for (int i = 0; i < 2; ++i) {
    const auto caught = catch_error([&] { registry.runs().set_tag(run, "k", "v"); });
    EXPECT_EQ(caught.code, ErrorCode::kUnavailable) << caught.message;
    EXPECT_THAT(caught.message, HasSubstr("postgresql://postgres@/postgres"));
  }
  EXPECT_EQ(catch_error([&] { Registry(place, clock_); }).code, ErrorCode::kUnavailable);

  server.restart();
  registry.runs().set_tag(run, "k", "v");
  EXPECT_EQ(registry.runs().get(run).tags.at("k"), "v");

  // It went and came back while nothing was asked of it.
  server.stop();
  server.restart();
  EXPECT_EQ(registry.runs().get(run).tags.at("k"), "v");
  registry.runs().set_tag(run, "k", "w");
  EXPECT_EQ(registry.runs().get(run).tags.at("k"), "w");
}

TEST_F(PostgresqlTest, AServerThatDiesInATransactionLeavesNothingOfIt) {
  TestPostgresql server;
  Database database(postgresql_dialect(server.new_url()), clock_);
  database.write([](Session& session) { session << "CREATE TABLE t (n BIGINT)"; });
  int calls = 0;
  const auto caught = catch_error([&] {
    database.write([&](Session& session) {
      ++calls;
      session << "INSERT INTO t VALUES (1)";
      server.stop();
      session << "INSERT INTO t VALUES (2)";
    });
  });
  EXPECT_EQ(caught.code, ErrorCode::kUnavailable);
  EXPECT_EQ(calls, 1);
  const auto unknown = catch_error([&] {
    server.restart();
    database.write([&](Session& session) {
      session << "INSERT INTO t VALUES (3)";
      server.stop();
    });
  });
  EXPECT_EQ(unknown.code, ErrorCode::kUnavailable);
  EXPECT_THAT(unknown.message, HasSubstr("whether it was is not known"));
  server.restart();
  database.read([](Session& session) {
    long long rows = 0;
    session << "SELECT COUNT(*) FROM t", into(rows);
    EXPECT_EQ(rows, 0);
  });
}

TEST_F(PostgresqlTest, AWriterDoesNotWaitForEver) {
  const std::string url = TestPostgresql::shared().new_url();
  Database first(postgresql_dialect(url + "&application_name=first"), clock_);  // no group of both
  Database second(postgresql_dialect(url), clock_);
  const auto impatient = [&](Session& session) { session << "SET lock_timeout = '50ms'"; };
  second.write(impatient);
  first.write([&](Session&) {
    const auto caught = catch_error([&] { second.write([](Session&) {}); });
    EXPECT_EQ(caught.code, ErrorCode::kUnavailable);
    EXPECT_THAT(caught.message, HasSubstr("too long"));
  });
  second.write([](Session&) {});
}

TEST_F(PostgresqlTest, NoMessageHasThePassword) {
  for (const char* url :
       {"postgresql://user:geheim@127.0.0.1:1/db", "postgresql://user:geheim@/db?host=/nowhere",
        "postgresql://user@127.0.0.1:1/db?password=geheim", "postgresql://user:geheim/x@host/db",
        "postgresql://user:geheim@x@127.0.0.1:1/db", "postgresql://user:geheim%zz@127.0.0.1:1/db",
        "postgresql://user:geheim%@127.0.0.1:1/db", "postgresql://user:geheim@127.0.0.1:port/db",
        "postgresql://user:geheim@127.0.0.1:1/db?nonsense=1",
        "postgresql://user:geheim @127.0.0.1:1/db", "mysql://user:geheim@host/db"}) {
    const auto caught =
        catch_error([&] { Registry(parse_store_location(url, store_dir()), clock_); });
    EXPECT_THAT(caught.message, Not(HasSubstr("geheim"))) << url;
    EXPECT_THAT(catch_error([&] {
                  Registry({url, store_dir()}, clock_);
                }).message,
                Not(HasSubstr("geheim")));
  }
}

TEST_F(PostgresqlTest, AStoreThatLostItsDatabaseIsNotStartedAnew) {
  const StoreLocation place(TestPostgresql::shared().new_url(), store_dir());
  const auto file = write("in.onnx", "bytes");
  Registry(place, clock_).models().publish({.name = "m", .model_file = file});
  const StoreLocation empty(TestPostgresql::shared().new_url(), store_dir());
  const auto caught = catch_error([&] { Registry(empty, clock_); });
  EXPECT_EQ(caught.code, ErrorCode::kDataLoss);
  EXPECT_THAT(caught.message, HasSubstr("without its database"));
}

TEST_F(PostgresqlTest, AFolderWithADatabaseOfItsOwnIsNotTaken) {
  { Registry(store_dir(), clock_).runs().create({"a"}); }
  const StoreLocation place(TestPostgresql::shared().new_url(), store_dir());
  EXPECT_EQ(catch_error([&] { Registry(place, clock_); }).code, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace onnxop
