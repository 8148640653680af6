#pragma once
// PostgreSQL for the room's tests: a server of their own (tests/support/postgresql_server), started
// once by ctest for all tests of a build, or once by the test program. Each test has a schema of
// its own there.

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>

#include <stdlib.h>
#include <unistd.h>

#include "onnxop/base/format.h"
#include "onnxop/base/test_source_dir.h"
#include "onnxop/registry/database.h"
#include "onnxop/registry/session.h"

namespace onnxop {

/// A server in a folder in /tmp; it ends with the object.
class TestPostgresql {
 public:
  TestPostgresql() : owner_(getpid()) {
    std::string name = "/tmp/onnxop-pg.XXXXXX";  // short: a socket's path has a limit
    if (mkdtemp(name.data()) == nullptr) {
      throw std::runtime_error("no temporary folder " + name);
    }
    folder_ = name;
    run("start");
  }
  /// One that somebody else started and will stop.
  explicit TestPostgresql(std::filesystem::path folder) : folder_(std::move(folder)) {}
  ~TestPostgresql() {
    if (owner_ == getpid()) {  // not in children that were forked
      run("remove");
    }
  }
  TestPostgresql(const TestPostgresql&) = delete;
  TestPostgresql& operator=(const TestPostgresql&) = delete;

  /// At once, as by kill -9; connections break.
  void stop() { run("stop"); }
  void restart() { run("restart"); }

  /// A new, empty schema; no other test has its name.
  std::string new_url() const {
    static std::atomic<int> count = 0;
    const std::string schema =
        format("t{}_{}_{}", getpid(), ++count, std::filesystem::hash_value(folder_) % 1000);
    const std::string all =
        format("postgresql://postgres@/postgres?host={}/socket", folder_.native());
    const SystemClock clock;
    Database(postgresql_dialect(all), clock).write([&](Session& session) {
      session << "DROP SCHEMA IF EXISTS " << schema << " CASCADE";
      session << "CREATE SCHEMA " << schema;
    });
    return format("{}&options=-csearch_path%3D{}", all, schema);
  }

  static TestPostgresql& shared() {
    const char* folder = std::getenv("ONNXOP_TEST_POSTGRESQL");
    static const std::unique_ptr<TestPostgresql> server =
        folder == nullptr ? std::make_unique<TestPostgresql>()
                          : std::make_unique<TestPostgresql>(folder);
    return *server;
  }

 private:
  void run(const char* verb) const {
    const std::string command = format("'{}/tests/support/postgresql_server' {} '{}'",
                                       source_dir().native(), verb, folder_.native());
    if (std::system(command.c_str()) != 0) {
      throw std::runtime_error(command + " failed");
    }
  }

  std::filesystem::path folder_;
  pid_t owner_ = 0;
};

}  // namespace onnxop
