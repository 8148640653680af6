#pragma once
// What the room's tests share: a folder that goes away, and child processes that can be killed.

#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "onnxop/base/error.h"
#include "onnxop/registry/database.h"
#include "onnxop/registry/registry.h"
#include "onnxop/registry/session.h"
#include "onnxop/registry/test_postgresql.h"

namespace onnxop {

/// The dialect of the store's database, as a Registry would have it.
inline std::unique_ptr<Dialect> dialect_of(const StoreLocation& location) {
  if (location.is_postgresql()) {
    return postgresql_dialect(location.database_url);
  }
  std::filesystem::create_directories(location.folder);
  return sqlite_dialect(location.folder / "onnxop.db");
}

class StoreTest : public testing::Test {
 protected:
  StoreTest() {
    std::string name = (std::filesystem::temp_directory_path() / "onnxop-registry.XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) {
      throw std::runtime_error("no temporary folder " + name);
    }
    folder_ = name;
  }
  ~StoreTest() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path store_dir() const { return folder_ / "store"; }
  /// The test's store; in EachStoreTest, of the kind that is its parameter.
  virtual StoreLocation location() const { return store_dir(); }

  std::filesystem::path write(const std::string& name, std::string_view content) const {
    const auto path = folder_ / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << content;
    return path;
  }

  /// Changes the database behind the Registry's back.
  void execute(const std::string& sql) const {
    Database(dialect_of(location()), clock_).write([&](Session& session) { session << sql; });
  }

  /// The one number that a query answers with, read behind the Registry's back.
  std::int64_t scalar(const std::string& sql) const {
    return Database(dialect_of(location()), clock_).read([&](Session& session) {
      long long number = 0;
      session << sql, soci::into(number);
      return number;
    });
  }

  std::filesystem::path folder_;
  FakeClock clock_;
};

enum class StoreKind { kSqlite, kPostgresql };

/// Tests that run once with each kind of database: derive from it, write TEST_P, and say
/// ONNXOP_ON_EACH_STORE(MyTest); once in the file.
class EachStoreTest : public StoreTest, public testing::WithParamInterface<StoreKind> {
 protected:
  bool on_postgresql() const { return GetParam() == StoreKind::kPostgresql; }
  StoreLocation location() const override {
    return on_postgresql() ? StoreLocation(url_, store_dir()) : StoreLocation(store_dir());
  }

  /// For another store beside that of the test.
  StoreLocation new_location() {
    const auto dir = folder_ / std::to_string(++count_);
    return on_postgresql() ? StoreLocation(TestPostgresql::shared().new_url(), dir)
                           : StoreLocation(dir);
  }

  const std::string url_ = on_postgresql() ? TestPostgresql::shared().new_url() : "";
  int count_ = 0;
};

/// The store, opened.
class EachRegistryTest : public EachStoreTest {
 protected:
  Registry registry_{location(), clock_};
  Runs& runs_ = registry_.runs();
  Experiments& experiments_ = registry_.experiments();
};

#define ONNXOP_ON_EACH_STORE(Test)                                             \
  INSTANTIATE_TEST_SUITE_P(                                                    \
      Each, Test, testing::Values(StoreKind::kSqlite, StoreKind::kPostgresql), \
      [](const auto& kind) { return kind.param == StoreKind::kSqlite ? "SQLite" : "PostgreSQL"; })

/// The error's code and text of what `action` throws; a test failure when it throws none.
struct Caught {
  std::optional<ErrorCode> code;
  std::string message;
};

inline Caught catch_error(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return {error.code(), error.what()};
  }
  ADD_FAILURE() << "no error was thrown";
  return {};
}

/// Runs `body` in a child process, which ends with 0 when it returns and 1 when it throws.
inline pid_t fork_child(const std::function<void()>& body) {
  const pid_t pid = fork();
  if (pid != 0) {
    return pid;
  }
  try {
    body();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "child: %s\n", error.what());
    _exit(1);
  }
  _exit(0);
}

/// The child's exit code, or minus the signal that ended it.
inline int wait_for(pid_t pid) {
  int status = 0;
  if (waitpid(pid, &status, 0) != pid) {
    return -1000;
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

}  // namespace onnxop
