// The schema: migrations in order, from old stores, by several processes; stores that are refused.

#include "onnxop/registry/schema.h"

#include <array>
#include <cmath>
#include <vector>

#include <gmock/gmock.h>

#include "onnxop/registry/test_store.h"

namespace onnxop {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

class SchemaTest : public EachStoreTest {
 protected:
  /// Of an older schema; the run's number is 1.
  void make_store_with_a_run(std::size_t version) {
    fs::create_directories(location().folder / "runs");
    {
      Database database(dialect_of(location()), clock_);
      migrate(database, store_migrations().first(version), 1'000);
    }
    execute(
        "INSERT INTO runs (run_id, number, name, status, start_time_ms, owner) VALUES "
        "('0123456789abcdef0123456789abcdef', 1, 'first', 'RUNNING', 100, '')");
  }
};
ONNXOP_ON_EACH_STORE(SchemaTest);

constexpr std::array<std::string_view, 1> kFirst = {"CREATE TABLE a (x BIGINT NOT NULL)"};
constexpr std::array<std::string_view, 2> kSecond = {"ALTER TABLE a ADD COLUMN y BIGINT",
                                                     "UPDATE a SET y = x + 1"};
constexpr std::array<std::string_view, 2> kBroken = {"CREATE TABLE b (x BIGINT)",
                                                     "CREATE nonsense"};
constexpr std::array<Migration, 1> kOld = {{{1, kFirst}}};
constexpr std::array<Migration, 2> kNew = {{{1, kFirst}, {2, kSecond}}};
constexpr std::array<Migration, 3> kFailing = {{{1, kFirst}, {2, kSecond}, {3, kBroken}}};

long long read_y(Database& database) {
  return database.read([](Session& session) {
    long long y = 0;
    session << "SELECT y FROM a", soci::into(y);
    return y;
  });
}

TEST_P(SchemaTest, MigrationsRunOnceInOrder) {
  Database database(dialect_of(location()), clock_);
  EXPECT_EQ(schema_version(database), 0);
  migrate(database, kOld, 1);
  EXPECT_EQ(schema_version(database), 1);
  database.write([](Session& session) { session << "INSERT INTO a (x) VALUES (41)"; });

  migrate(database, kNew, 2);
  EXPECT_EQ(schema_version(database), 2);
  EXPECT_EQ(read_y(database), 42);
  migrate(database, kNew, 3);
  EXPECT_EQ(read_y(database), 42);
}

TEST_P(SchemaTest, AMigrationThatFailsIsTakenBackWhole) {
  Database database(dialect_of(location()), clock_);
  EXPECT_EQ(catch_error([&] { migrate(database, kFailing, 1); }).code, ErrorCode::kInternal);
  EXPECT_EQ(schema_version(database), 2);
  EXPECT_FALSE(database.tables().contains("b"));
  migrate(database, kNew, 2);
}

TEST_P(SchemaTest, ANewerDatabaseIsRefusedAndLeftAlone) {
  Database database(dialect_of(location()), clock_);
  migrate(database, kNew, 1);
  const auto caught = catch_error([&] { migrate(database, kOld, 2); });
  EXPECT_EQ(caught.code, ErrorCode::kFailedPrecondition);
  EXPECT_THAT(caught.message, HasSubstr("its schema is 2, this program knows up to 1"));
  EXPECT_EQ(schema_version(database), 2);
}

TEST_P(SchemaTest, ANewerStoreIsRefused) {
  { Registry(location(), clock_).runs().create({"a"}); }
  execute("INSERT INTO schema_version (version, applied_ms) VALUES (1000, 0)");
  for (const bool must_exist : {false, true}) {
    const auto caught = catch_error([&] { Registry(location(), clock_, must_exist); });
    EXPECT_EQ(caught.code, ErrorCode::kFailedPrecondition);
    EXPECT_THAT(caught.message, HasSubstr("newer onnxop"));
    EXPECT_THAT(caught.message, HasSubstr(location().text()));
  }
}

TEST_P(SchemaTest, TheMigrationsCountUpFromOne) {
  std::int64_t expected = 1;
  for (const Migration& migration : store_migrations()) {
    EXPECT_EQ(migration.version, expected++);
    EXPECT_FALSE(migration.statements.empty());
  }
}

TEST_P(SchemaTest, SomebodyElsesDatabaseIsRefused) {
  execute("CREATE TABLE theirs (x INTEGER)");
  const auto caught = catch_error([&] { Registry(location(), clock_); });
  EXPECT_EQ(caught.code, ErrorCode::kFailedPrecondition);
  EXPECT_THAT(caught.message, HasSubstr("some other program"));
}

// A store as the first release made it.
void make_old_store(const StoreLocation& location) {
  fs::create_directories(location.folder / "models/mnist/1");
  fs::create_directories(location.folder / "runs");
  const SystemClock clock;
  Database database(dialect_of(location), clock);
  migrate(database, store_migrations().first(1), 1'000);
  constexpr auto kRows = std::to_array<const char*>({
      "INSERT INTO runs VALUES ('0123456789abcdef0123456789abcdef', 1, 'first', 'FINISHED', 100, "
      "200, 'host boot pid:[1] 1 1')",
      "INSERT INTO runs VALUES ('fedcba9876543210fedcba9876543210', 2, 'second', 'RUNNING', 300, "
      "NULL, 'host boot pid:[1] 2 2')",
      "INSERT INTO params VALUES ('0123456789abcdef0123456789abcdef', 'epochs', '10')",
      "INSERT INTO params VALUES ('0123456789abcdef0123456789abcdef', 'ünï', '')",
      "INSERT INTO params VALUES ('fedcba9876543210fedcba9876543210', 'epochs', '20')",
      "INSERT INTO tags VALUES ('0123456789abcdef0123456789abcdef', 'spec', 'digits.yaml')",
      "INSERT INTO metrics VALUES ('0123456789abcdef0123456789abcdef', 'loss', 0, 1, 110, 0.5, 0)",
      "INSERT INTO metrics VALUES ('0123456789abcdef0123456789abcdef', 'loss', 1, 2, 120, 0, 1)",
      "INSERT INTO latest_metrics VALUES ('0123456789abcdef0123456789abcdef', 'loss', 2, 2, 120, "
      "0, 1)",
      "INSERT INTO models VALUES ('zoo', 50, 0)",
      "INSERT INTO models VALUES ('mnist', 60, 3)",
      "INSERT INTO model_versions VALUES ('mnist', 1, '0123456789abcdef0123456789abcdef', 'train', "
      "210)",
      "INSERT INTO model_versions VALUES ('mnist', 2, NULL, 'other.onnx', 220)",
      "INSERT INTO model_files VALUES ('mnist', 1, 'model.onnx', 5, 'aa')",
      "INSERT INTO model_files VALUES ('mnist', 2, 'model.onnx', 6, 'bb')",
      "INSERT INTO model_files VALUES ('mnist', 2, 'golden.json', 7, 'cc')",
      "INSERT INTO model_aliases VALUES ('mnist', 'champion', 1)",
      "INSERT INTO version_claims VALUES ('mnist', 3, 'other boot pid:[9] 9 9')",
  });
  database.write([&](Session& session) {
    for (const char* row : kRows) {
      session << row;
    }
  });
}

TEST_P(SchemaTest, AnOldStoreIsBroughtForwardWithAllThatIsInIt) {
  make_old_store(location());
  Registry registry(location(), clock_, true);

  const auto runs = registry.runs().list();
  ASSERT_EQ(runs.size(), 2u);
  EXPECT_EQ(runs[0].name, "second");
  EXPECT_THAT(runs[0].tags, testing::Contains(Pair("mlflow.runName", "second")));
  EXPECT_EQ(runs[0].status, RunStatus::kRunning);
  EXPECT_EQ(runs[0].end_time_ms, std::nullopt);
  EXPECT_THAT(runs[0].params, ElementsAre(Pair("epochs", "20")));
  const auto& first = runs[1];
  EXPECT_EQ(first.run_id, "0123456789abcdef0123456789abcdef");
  EXPECT_EQ(first.experiment_id, kDefaultExperiment);
  EXPECT_EQ(first.lifecycle_stage, LifecycleStage::kActive);
  EXPECT_EQ(first.start_time_ms, 100);
  EXPECT_EQ(first.end_time_ms, 200);
  EXPECT_THAT(first.params, ElementsAre(Pair("epochs", "10"), Pair("ünï", "")));
  EXPECT_THAT(first.tags, testing::Contains(Pair("spec", "digits.yaml")));
  EXPECT_TRUE(std::isnan(first.metrics.at("loss").value));
  const auto history = registry.runs().metric_history(first.run_id, "loss");
  ASSERT_EQ(history.size(), 2u);
  EXPECT_EQ(history[0].value, 0.5);
  EXPECT_EQ(history[1].step, 2);
  EXPECT_EQ(registry.experiments().get(kDefaultExperiment).name, "Default");
  EXPECT_EQ(run_artifact_root(first), "0/" + first.run_id + "/artifacts");

  const auto models = registry.models().list();
  ASSERT_EQ(models.size(), 2u);
  EXPECT_EQ(models[0].name, "mnist");
  EXPECT_EQ(models[0].created_ms, 60);
  EXPECT_THAT(models[0].aliases, ElementsAre(Pair("champion", 1)));
  EXPECT_EQ(models[1].name, "zoo");
  const auto versions = registry.models().versions("mnist");
  ASSERT_EQ(versions.size(), 2u);
  EXPECT_EQ(versions[0].source, "other.onnx");
  EXPECT_EQ(versions[1].run_id, first.run_id);
  EXPECT_EQ(versions[1].sha256, "aa");
  EXPECT_EQ(registry.models().files("mnist", 2).size(), 2u);
  EXPECT_EQ(registry.models().resolve("mnist@champion").version, 1);

  // Its history begins with what was known; a claimed number stays taken.
  const auto events = registry.models().history("mnist");
  ASSERT_EQ(events.size(), 3u);
  EXPECT_EQ(events[0].event, "version_created");
  EXPECT_EQ(events[0].time_ms, 210);
  EXPECT_EQ(events[2].event, "alias_set");
  const auto file = write("in.onnx", "bytes");
  EXPECT_EQ(registry.models().publish({.name = "mnist", .model_file = file}).version, 4);
}

TEST_P(SchemaTest, PointsThatAnOldStoreHasTwiceBecomeOne) {
  make_store_with_a_run(2);
  execute(
      "INSERT INTO run_metrics (run, key, point, step, timestamp_ms, value, is_nan) VALUES "
      "(1, 'loss', 0, 2, 20, 0.5, 0), (1, 'loss', 1, 1, 10, 0.75, 0), "
      "(1, 'loss', 2, 2, 20, 0.5, 0), (1, 'loss', 3, 2, 20, 0, 1)");
  execute(
      "INSERT INTO run_latest_metrics (run, key, points, step, timestamp_ms, value, is_nan) "
      "VALUES (1, 'loss', 4, 2, 20, 0.5, 0)");
  Registry registry(location(), clock_, true);
  const auto run = registry.runs().list().at(0);
  EXPECT_EQ(run.metrics.at("loss").value, 0.5);
  const auto history = registry.runs().metric_history(run.run_id, "loss");
  ASSERT_EQ(history.size(), 3u);
  EXPECT_EQ(history[0].step, 1);
  EXPECT_TRUE(std::isnan(history[1].value));
  EXPECT_EQ(history[2].value, 0.5);
  registry.runs().log_metrics(run.run_id, {{"loss", 0.5, 20, 2}, {"loss", 0.25, 30, 3}});
  EXPECT_EQ(registry.runs().metric_history(run.run_id, "loss").size(), 4u);
  EXPECT_EQ(registry.runs().list().at(0).metrics.at("loss").step, 3);
}

TEST_P(SchemaTest, PointsThatGatherInAnOldStoreAreInTheirPlaces) {
  make_store_with_a_run(4);
  execute(
      "INSERT INTO run_metrics (run, key, timestamp_ms, step, value, is_nan) VALUES "
      "(1, 'loss', 10, 1, 0.75, 0), (1, 'loss', 30, 3, 0.25, 0)");
  execute(
      "INSERT INTO run_recent_metrics (run, number, key, timestamp_ms, step, value, is_nan) VALUES "
      "(1, 1, 'loss', 20, 2, 0.5, 0), (1, 2, 'acc', 20, 2, 0.5, 0), (1, 3, 'loss', 30, 3, 0.25, "
      "0)");
  Registry registry(location(), clock_, true);
  const std::string run = registry.runs().list().at(0).run_id;
  EXPECT_EQ(scalar("SELECT COUNT(*) FROM run_recent_metrics"), 0);
  registry.runs().log_metrics(run, {{"loss", 0.125, 40, 4}, {"acc", 0.75, 40, 4}});
  EXPECT_EQ(scalar("SELECT COUNT(*) FROM run_recent_metrics"), 2);
  const auto history = registry.runs().metric_history(run, "loss");
  ASSERT_EQ(history.size(), 4u);
  for (std::size_t i = 0; i < history.size(); ++i) {
    EXPECT_EQ(history[i].step, static_cast<std::int64_t>(i + 1));
  }
  EXPECT_EQ(registry.runs().metric_history(run, "acc").size(), 2u);
}

TEST_P(SchemaTest, SeveralProcessesMayBringAnOldStoreForward) {
  make_old_store(location());
  std::vector<pid_t> children;
  for (int i = 0; i < 6; ++i) {
    children.push_back(fork_child([&] {
      Registry registry(location(), clock_, true);
      if (registry.runs().list().size() != 2) {
        throw std::runtime_error("runs are missing");
      }
    }));
  }
  for (const pid_t child : children) {
    EXPECT_EQ(wait_for(child), 0);
  }
  Database database(dialect_of(location()), clock_);
  EXPECT_EQ(schema_version(database), store_migrations().back().version);
}

}  // namespace
}  // namespace onnxop
