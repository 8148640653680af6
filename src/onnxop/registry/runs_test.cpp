#include <cmath>
#include <limits>
#include <set>

#include <gmock/gmock.h>

#include "onnxop/registry/test_store.h"

namespace onnxop {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::MatchesRegex;
using testing::Pair;

using Params = std::map<std::string, std::string>;

class RunsTest : public StoreTest {
 protected:
  Registry registry_{store_dir(), clock_};
};

TEST_F(RunsTest, ANewRunIsRunningAndHasItsFolder) {
  const auto id = registry_.create_run("digits");
  EXPECT_THAT(id, MatchesRegex("[0-9a-f]{32}"));
  EXPECT_TRUE(std::filesystem::is_directory(registry_.run_dir(id)));
  EXPECT_EQ(registry_.run_dir(id), store_dir() / "runs" / id);

  const auto run = registry_.get_run(id);
  EXPECT_EQ(run.run_id, id);
  EXPECT_EQ(run.name, "digits");
  EXPECT_EQ(run.status, RunStatus::kRunning);
  EXPECT_EQ(run.start_time_ms, 1'700'000'000'000);
  EXPECT_EQ(run.end_time_ms, std::nullopt);
  EXPECT_THAT(run.params, IsEmpty());
  EXPECT_THAT(run.metrics, IsEmpty());
  EXPECT_THAT(run.tags, IsEmpty());
}

TEST_F(RunsTest, RunIdsDiffer) {
  std::set<std::string> ids;
  for (int i = 0; i < 100; ++i) {
    ids.insert(registry_.create_run(""));
  }
  EXPECT_EQ(ids.size(), 100u);
}

TEST_F(RunsTest, EndingSetsStatusAndTimeAndReopeningTakesThemBack) {
  const auto id = registry_.create_run("a");
  clock_.advance(std::chrono::milliseconds(1500));
  registry_.end_run(id, RunStatus::kFailed);
  EXPECT_EQ(registry_.get_run(id).status, RunStatus::kFailed);
  EXPECT_EQ(registry_.get_run(id).end_time_ms, 1'700'000'001'500);

  registry_.reopen_run(id);
  EXPECT_EQ(registry_.get_run(id).status, RunStatus::kRunning);
  EXPECT_EQ(registry_.get_run(id).end_time_ms, std::nullopt);
  EXPECT_EQ(registry_.get_run(id).start_time_ms, 1'700'000'000'000);

  const auto caught = catch_error([&] { registry_.end_run(id, RunStatus::kRunning); });
  EXPECT_EQ(caught.code, ErrorCode::kInvalidArgument);
}

TEST_F(RunsTest, StatusNamesAreThoseOfMlflow) {
  EXPECT_EQ(run_status_name(RunStatus::kRunning), "RUNNING");
  EXPECT_EQ(run_status_name(RunStatus::kFinished), "FINISHED");
  EXPECT_EQ(run_status_name(RunStatus::kFailed), "FAILED");
  EXPECT_EQ(run_status_name(RunStatus::kKilled), "KILLED");
}

TEST_F(RunsTest, ParametersDoNotChange) {
  const auto id = registry_.create_run("a");
  registry_.log_params(id, {{"optimizer", "adadelta"}, {"epochs", "20"}});
  registry_.log_params(id, {{"optimizer", "adadelta"}, {"seed", "1"}});  // the same again is fine
  const auto caught = catch_error([&] {
    registry_.log_params(id, {{"batch", "250"}, {"epochs", "3"}});
  });
  EXPECT_EQ(caught.code, ErrorCode::kAlreadyExists);
  EXPECT_THAT(caught.message, HasSubstr("parameter 'epochs' is '20' and cannot become '3'"));
  // Nothing of the refused call stays.
  EXPECT_EQ(registry_.get_run(id).params,
            (Params{{"optimizer", "adadelta"}, {"epochs", "20"}, {"seed", "1"}}));
  EXPECT_EQ(catch_error([&] {
              registry_.log_params(id, {{"", "1"}});
            }).code,
            ErrorCode::kInvalidArgument);
}

TEST_F(RunsTest, TextOfAnyKindComesBackAsItWas) {
  const std::string odd("'; DROP TABLE runs; -- :name \n\t\"\\ é漢 \0 end", 44);
  const auto id = registry_.create_run(odd);
  registry_.log_params(id, {{odd, odd}, {"empty", ""}});
  registry_.set_tag(id, odd, odd);
  const auto run = registry_.get_run(id);
  EXPECT_EQ(run.name, odd);
  EXPECT_EQ(run.params, (Params{{odd, odd}, {"empty", ""}}));
  EXPECT_EQ(run.tags, (Params{{odd, odd}}));
}

TEST_F(RunsTest, TagsMayChange) {
  const auto id = registry_.create_run("a");
  registry_.set_tag(id, "note", "first");
  registry_.set_tag(id, "note", "second");
  EXPECT_EQ(registry_.get_run(id).tags, (Params{{"note", "second"}}));
  EXPECT_EQ(catch_error([&] { registry_.set_tag(id, "", "x"); }).code, ErrorCode::kInvalidArgument);
}

TEST_F(RunsTest, MetricHistoryKeepsEveryPointInTheOrderLogged) {
  const auto id = registry_.create_run("a");
  registry_.log_metrics(id, {{"loss", 0.5, 1000, 1}, {"accuracy", 0.9, 1000, 1}});
  registry_.log_metrics(id, {{"loss", 0.25, 2000, 2}, {"loss", 0.125, 3000, 3}});
  const auto history = registry_.metric_history(id, "loss");
  ASSERT_EQ(history.size(), 3u);
  EXPECT_EQ(history[0].value, 0.5);
  EXPECT_EQ(history[1].step, 2);
  EXPECT_EQ(history[1].timestamp_ms, 2000);
  EXPECT_EQ(history[2].value, 0.125);
  EXPECT_EQ(history[2].key, "loss");
  EXPECT_THAT(registry_.metric_history(id, "val_loss"), IsEmpty());
  EXPECT_THAT(registry_.get_run(id).metrics,
              ElementsAre(Pair("accuracy", 0.9), Pair("loss", 0.125)));
}

TEST_F(RunsTest, TheLatestMetricIsThatOfTheLatestTimeThenStepThenValue) {
  const auto id = registry_.create_run("a");
  const auto latest = [&] { return registry_.get_run(id).metrics.at("m"); };
  registry_.log_metrics(id, {{"m", 1, 2000, 5}});
  registry_.log_metrics(id, {{"m", 9, 1000, 9}});  // older
  EXPECT_EQ(latest(), 1);
  registry_.log_metrics(id, {{"m", 2, 2000, 6}, {"m", 8, 2000, 4}});
  EXPECT_EQ(latest(), 2);
  registry_.log_metrics(id, {{"m", 3, 2000, 6}, {"m", -1, 2000, 6}});
  EXPECT_EQ(latest(), 3);
  registry_.log_metrics(id, {{"m", std::nan(""), 2000, 6}});
  EXPECT_EQ(latest(), 3);
  EXPECT_EQ(registry_.metric_history(id, "m").size(), 7u);
}

TEST_F(RunsTest, EveryDoubleComesBackBitForBit) {
  const auto id = registry_.create_run("a");
  using Limits = std::numeric_limits<double>;
  const std::vector<double> values{0.1,
                                   -1.5,
                                   0.0,
                                   Limits::denorm_min(),
                                   Limits::max(),
                                   Limits::min(),
                                   1e-7,
                                   Limits::infinity(),
                                   -Limits::infinity()};
  std::vector<Metric> points;
  for (const double value : values) {
    points.push_back({"m", value, static_cast<std::int64_t>(points.size()), 0});
  }
  registry_.log_metrics(id, points);
  const auto history = registry_.metric_history(id, "m");
  ASSERT_EQ(history.size(), values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    EXPECT_EQ(history[i].value, values[i]);
  }
  registry_.log_metrics(id, {{"nan", std::nan(""), 1, 1}});
  EXPECT_TRUE(std::isnan(registry_.metric_history(id, "nan").at(0).value));
  EXPECT_TRUE(std::isnan(registry_.get_run(id).metrics.at("nan")));
}

TEST_F(RunsTest, ABatchOfMetricsIsKeptWholeOrNotAtAll) {
  const auto id = registry_.create_run("a");
  const auto caught = catch_error([&] {
    registry_.log_metrics(id, {{"loss", 1, 1, 1}, {"", 1, 1, 1}});
  });
  EXPECT_EQ(caught.code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(registry_.metric_history(id, "loss"), IsEmpty());
}

TEST_F(RunsTest, RunsAreListedNewestFirstWithWhatBelongsToEach) {
  const auto first = registry_.create_run("first");
  const auto second = registry_.create_run("second");
  registry_.log_params(first, {{"lr", "1"}});
  registry_.log_params(second, {{"lr", "2"}});
  registry_.log_metrics(second, {{"loss", 0.5, 1, 1}});
  registry_.set_tag(first, "t", "1");
  registry_.end_run(first, RunStatus::kFinished);

  const auto runs = registry_.list_runs();
  ASSERT_EQ(runs.size(), 2u);
  EXPECT_EQ(runs[0].run_id, second);
  EXPECT_EQ(runs[0].params, (Params{{"lr", "2"}}));
  EXPECT_THAT(runs[0].metrics, ElementsAre(Pair("loss", 0.5)));
  EXPECT_THAT(runs[0].tags, IsEmpty());
  EXPECT_EQ(runs[0].end_time_ms, std::nullopt);
  EXPECT_EQ(runs[1].run_id, first);
  EXPECT_EQ(runs[1].params, (Params{{"lr", "1"}}));
  EXPECT_EQ(runs[1].tags, (Params{{"t", "1"}}));
  EXPECT_THAT(runs[1].metrics, IsEmpty());
  EXPECT_TRUE(runs[1].end_time_ms.has_value());
}

TEST_F(RunsTest, ARunIsFoundByAUniquePrefix) {
  const auto id = registry_.create_run("a");
  EXPECT_EQ(registry_.get_run(id.substr(0, 6)).run_id, id);
  EXPECT_EQ(registry_.get_run(id.substr(0, 31)).run_id, id);

  // The same six digits twice happen once in 16 million: make them.
  const std::string other = id.substr(0, 8) + (id[8] == '0' ? "1" : "0") + id.substr(9);
  execute("INSERT INTO runs VALUES ('" + other + "', 99, 'twin', 'FINISHED', 1, 2, '-')");
  const auto caught = catch_error([&] { registry_.get_run(id.substr(0, 8)); });
  EXPECT_EQ(caught.code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(caught.message, HasSubstr(id));
  EXPECT_THAT(caught.message, HasSubstr(other));
  EXPECT_EQ(registry_.get_run(id.substr(0, 9)).run_id, id);
}

TEST_F(RunsTest, UnknownAndMalformedRunIds) {
  registry_.create_run("a");
  const std::string unknown(32, 'f');
  EXPECT_EQ(catch_error([&] { registry_.get_run(unknown); }).code, ErrorCode::kNotFound);
  EXPECT_EQ(catch_error([&] { registry_.get_run("ffffff"); }).code, ErrorCode::kNotFound);
  for (const char* bad : {"", "abcde", "ABCDEF", "abcdefg", "%%%%%%%%", "../../etc"}) {
    EXPECT_EQ(catch_error([&] { registry_.get_run(bad); }).code, ErrorCode::kInvalidArgument)
        << bad;
    EXPECT_EQ(catch_error([&] { registry_.run_dir(bad); }).code, ErrorCode::kInvalidArgument)
        << bad;
  }
  EXPECT_EQ(catch_error([&] {
              registry_.log_params(unknown, {{"a", "b"}});
            }).code,
            ErrorCode::kNotFound);
  EXPECT_EQ(catch_error([&] { registry_.log_metrics(unknown, {}); }).code, ErrorCode::kNotFound);
  EXPECT_EQ(catch_error([&] { registry_.set_tag(unknown, "a", "b"); }).code, ErrorCode::kNotFound);
  EXPECT_EQ(catch_error([&] { registry_.end_run(unknown, RunStatus::kFinished); }).code,
            ErrorCode::kNotFound);
  EXPECT_EQ(catch_error([&] { registry_.reopen_run(unknown); }).code, ErrorCode::kNotFound);
  EXPECT_EQ(catch_error([&] { registry_.metric_history(unknown, "m"); }).code,
            ErrorCode::kNotFound);
}

TEST_F(RunsTest, ARunWhoseProcessWasKilledIsFoundAndMarked) {
  const auto mine = registry_.create_run("mine");
  const auto finished = registry_.create_run("finished");
  registry_.end_run(finished, RunStatus::kFinished);
  const pid_t child = fork_child([&] {
    Registry registry(store_dir(), clock_);
    const auto id = registry.create_run("killed");
    registry.log_metrics(id, {{"loss", 1, 1'700'000'005'000, 1}});
    raise(SIGKILL);
  });
  ASSERT_EQ(wait_for(child), -SIGKILL);

  const auto marked = registry_.mark_interrupted_runs();
  ASSERT_EQ(marked.size(), 1u);
  EXPECT_EQ(marked[0].name, "killed");
  EXPECT_EQ(marked[0].status, RunStatus::kKilled);
  EXPECT_EQ(marked[0].end_time_ms, 1'700'000'005'000);
  EXPECT_EQ(registry_.get_run(marked[0].run_id).status, RunStatus::kKilled);
  EXPECT_EQ(registry_.get_run(marked[0].run_id).end_time_ms, 1'700'000'005'000);
  EXPECT_EQ(registry_.get_run(mine).status, RunStatus::kRunning);
  EXPECT_EQ(registry_.get_run(finished).status, RunStatus::kFinished);
  EXPECT_THAT(registry_.mark_interrupted_runs(), IsEmpty());

  registry_.reopen_run(marked[0].run_id);  // and now it is this process's
  EXPECT_THAT(registry_.mark_interrupted_runs(), IsEmpty());
}

TEST_F(RunsTest, ARunThatAnotherProcessWritesCannotBeReopened) {
  const auto id = registry_.create_run("mine");
  const pid_t child = fork_child([&] {
    Registry registry(store_dir(), clock_);
    if (!registry.mark_interrupted_runs().empty()) {
      _exit(3);  // its owner, the parent, is alive
    }
    try {
      registry.reopen_run(id);
    } catch (const Error& error) {
      const bool named =
          std::string_view(error.what()).find(std::to_string(getppid())) != std::string_view::npos;
      _exit(error.code() == ErrorCode::kFailedPrecondition && named ? 42 : 4);
    }
  });
  EXPECT_EQ(wait_for(child), 42);
  registry_.reopen_run(id);  // one's own may be
  EXPECT_EQ(registry_.get_run(id).status, RunStatus::kRunning);
}

}  // namespace
}  // namespace onnxop
