#include "onnxop/registry/runs.h"

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
using testing::UnorderedElementsAre;

class RunsTest : public EachRegistryTest {
 protected:
  std::string create(const std::string& name) { return runs_.create({.name = name}); }
};
ONNXOP_ON_EACH_STORE(RunsTest);

TEST_P(RunsTest, ANewRunIsRunningAndHasItsFolder) {
  const auto id = create("digits");
  EXPECT_THAT(id, MatchesRegex("[0-9a-f]{32}"));
  EXPECT_EQ(runs_.dir(id), store_dir() / "runs" / id);
  EXPECT_TRUE(std::filesystem::is_directory(runs_.dir(id)));

  const auto run = runs_.get(id);
  EXPECT_EQ(run.run_id, id);
  EXPECT_EQ(run.experiment_id, kDefaultExperiment);
  EXPECT_EQ(run.name, "digits");
  EXPECT_EQ(run.status, RunStatus::kRunning);
  EXPECT_EQ(run.lifecycle_stage, LifecycleStage::kActive);
  EXPECT_EQ(run.start_time_ms, 1'700'000'000'000);
  EXPECT_EQ(run.end_time_ms, std::nullopt);
  EXPECT_THAT(run.params, IsEmpty());
  EXPECT_THAT(run.metrics, IsEmpty());
  EXPECT_THAT(run.tags, ElementsAre(Pair("mlflow.runName", "digits")));
}

TEST_P(RunsTest, ARunIsMadeWithWhatTheCallerKnows) {
  const auto experiment = registry_.experiments().create("fashion");
  const auto id = runs_.create({.experiment_id = experiment,
                                .user_id = "ada",
                                .start_time_ms = 1234,
                                .tags = {{"mlflow.source.name", "train.py"}},
                                .owned = false});
  const auto run = runs_.get(id);
  EXPECT_EQ(run.experiment_id, experiment);
  EXPECT_EQ(run.user_id, "ada");
  EXPECT_EQ(run.start_time_ms, 1234);
  EXPECT_EQ(run.tags.at("mlflow.source.name"), "train.py");
  EXPECT_THAT(run.name, MatchesRegex("[a-z]+-[a-z]+-[0-9]{1,3}"));  // made up
  EXPECT_EQ(run.tags.at("mlflow.runName"), run.name);
  EXPECT_EQ(run_artifact_root(run), std::to_string(experiment) + "/" + id + "/artifacts");
}

TEST_P(RunsTest, TheTagOfTheNameNamesTheRun) {
  EXPECT_EQ(runs_.get(runs_.create({.tags = {{"mlflow.runName", "by tag"}}})).name, "by tag");
  const auto id = runs_.create({.name = "both", .tags = {{"mlflow.runName", "both"}}});
  EXPECT_EQ(runs_.get(id).name, "both");
  const auto caught = catch_error([&] {
    runs_.create({.name = "a", .tags = {{"mlflow.runName", "b"}}});
  });
  EXPECT_EQ(caught.code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(caught.message, HasSubstr("'a'"));
  EXPECT_THAT(caught.message, HasSubstr("'b'"));
}

TEST_P(RunsTest, NameAndTagStayOneThing) {
  const auto id = create("first");
  const auto expect_name = [&](const std::string& name) {
    EXPECT_EQ(runs_.get(id).name, name);
    EXPECT_EQ(runs_.get(id).tags.at("mlflow.runName"), name);
  };
  EXPECT_EQ(runs_.update(id, {.name = "second"}).name, "second");
  expect_name("second");
  runs_.set_tag(id, "mlflow.runName", "third");
  expect_name("third");
  runs_.log_batch(id, {.tags = {{"mlflow.runName", "fourth"}, {"a", "b"}}});
  expect_name("fourth");
  runs_.set_tag(id, "mlflow.runName", "");  // a run always has a name
  runs_.update(id, {.name = ""});
  expect_name("fourth");
}

TEST_P(RunsTest, ARunNeedsAnExperimentThatIsThere) {
  EXPECT_EQ(catch_error([&] { runs_.create({.experiment_id = 77}); }).code, ErrorCode::kNotFound);
  const auto experiment = registry_.experiments().create("gone");
  registry_.experiments().remove(experiment);
  EXPECT_EQ(catch_error([&] { runs_.create({.experiment_id = experiment}); }).code,
            ErrorCode::kFailedPrecondition);
  EXPECT_THAT(runs_.list(), IsEmpty());
}

TEST_P(RunsTest, RunIdsDiffer) {
  std::set<std::string> ids;
  for (int i = 0; i < 100; ++i) {
    ids.insert(create(""));
  }
  EXPECT_EQ(ids.size(), 100u);
}

TEST_P(RunsTest, EndingSetsStatusAndTimeAndReopeningTakesThemBack) {
  const auto id = create("a");
  clock_.advance(std::chrono::milliseconds(1500));
  runs_.end(id, RunStatus::kFailed);
  EXPECT_EQ(runs_.get(id).status, RunStatus::kFailed);
  EXPECT_EQ(runs_.get(id).end_time_ms, 1'700'000'001'500);

  runs_.reopen(id);
  EXPECT_EQ(runs_.get(id).status, RunStatus::kRunning);
  EXPECT_EQ(runs_.get(id).end_time_ms, std::nullopt);
  EXPECT_EQ(runs_.get(id).start_time_ms, 1'700'000'000'000);

  for (const RunStatus status : {RunStatus::kRunning, RunStatus::kScheduled}) {
    EXPECT_EQ(catch_error([&] { runs_.end(id, status); }).code, ErrorCode::kInvalidArgument);
  }
}

TEST_P(RunsTest, AnUpdateChangesWhatItNames) {
  const auto id = create("a");
  auto run = runs_.update(id, {.status = RunStatus::kFinished, .end_time_ms = 55});
  EXPECT_EQ(run.status, RunStatus::kFinished);
  EXPECT_EQ(run.end_time_ms, 55);
  EXPECT_EQ(run.name, "a");
  run = runs_.update(id, {.status = RunStatus::kRunning});
  EXPECT_EQ(run.status, RunStatus::kRunning);
  EXPECT_EQ(run.end_time_ms, 55);
  run = runs_.update(id, {});
  EXPECT_EQ(run.status, RunStatus::kRunning);
  EXPECT_EQ(runs_.get(id).end_time_ms, 55);
}

TEST_P(RunsTest, StatusNamesAreThoseOfMlflow) {
  EXPECT_EQ(run_status_name(RunStatus::kRunning), "RUNNING");
  EXPECT_EQ(run_status_name(RunStatus::kFinished), "FINISHED");
  EXPECT_EQ(run_status_name(RunStatus::kFailed), "FAILED");
  EXPECT_EQ(run_status_name(RunStatus::kKilled), "KILLED");
  EXPECT_EQ(run_status_name(RunStatus::kScheduled), "SCHEDULED");
  EXPECT_EQ(parse_run_status("KILLED"), RunStatus::kKilled);
  EXPECT_EQ(catch_error([] { parse_run_status("finished"); }).code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(lifecycle_stage_name(LifecycleStage::kActive), "active");
  EXPECT_EQ(lifecycle_stage_name(LifecycleStage::kDeleted), "deleted");
}

TEST_P(RunsTest, RunsAreListedNewestFirstWithWhatBelongsToEach) {
  const auto first = create("first");
  const auto deleted = create("deleted");
  const auto second = create("second");
  runs_.log_params(first, {{"lr", "1"}});
  runs_.log_params(second, {{"lr", "2"}});
  runs_.log_metrics(second, {{"loss", 0.5, 7, 1}});
  runs_.set_tag(first, "t", "1");
  runs_.end(first, RunStatus::kFinished);
  runs_.remove(deleted);

  const auto runs = runs_.list();
  ASSERT_EQ(runs.size(), 2u);
  EXPECT_EQ(runs[0].run_id, second);
  EXPECT_THAT(runs[0].params, ElementsAre(Pair("lr", "2")));
  ASSERT_EQ(runs[0].metrics.size(), 1u);
  const Metric& loss = runs[0].metrics.at("loss");
  EXPECT_EQ(loss.key, "loss");
  EXPECT_EQ(loss.value, 0.5);
  EXPECT_EQ(loss.timestamp_ms, 7);
  EXPECT_EQ(loss.step, 1);
  EXPECT_THAT(runs[0].tags, ElementsAre(Pair("mlflow.runName", "second")));
  EXPECT_EQ(runs[0].end_time_ms, std::nullopt);
  EXPECT_EQ(runs[1].run_id, first);
  EXPECT_THAT(runs[1].params, ElementsAre(Pair("lr", "1")));
  EXPECT_EQ(runs[1].tags.at("t"), "1");
  EXPECT_THAT(runs[1].metrics, IsEmpty());
  EXPECT_TRUE(runs[1].end_time_ms.has_value());
}

TEST_P(RunsTest, ARunIsFoundByAUniquePrefix) {
  const auto id = create("a");
  EXPECT_EQ(runs_.get(id.substr(0, 6)).run_id, id);
  EXPECT_EQ(runs_.get(id.substr(0, 31)).run_id, id);

  // The same six digits twice happen once in 16 million: make them.
  const std::string other = id.substr(0, 8) + (id[8] == '0' ? "1" : "0") + id.substr(9);
  const std::string twin = create("twin");
  execute("UPDATE runs SET run_id = '" + other + "' WHERE run_id = '" + twin + "'");
  const auto caught = catch_error([&] { runs_.get(id.substr(0, 8)); });
  EXPECT_EQ(caught.code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(caught.message, HasSubstr(id));
  EXPECT_THAT(caught.message, HasSubstr(other));
  EXPECT_EQ(runs_.get(id.substr(0, 9)).run_id, id);
}

TEST_P(RunsTest, UnknownAndMalformedRunIds) {
  const auto known = create("a");
  for (const std::string bad : {"", "abcde", "ABCDEF", "abcdefg", "%%%%%%%%", "../../etc"}) {
    EXPECT_EQ(catch_error([&] { runs_.get(bad); }).code, ErrorCode::kNotFound) << bad;
    EXPECT_EQ(catch_error([&] { runs_.dir(bad); }).code, ErrorCode::kNotFound) << bad;
  }
  EXPECT_EQ(catch_error([&] { runs_.get(known.substr(0, 5)); }).code, ErrorCode::kNotFound);
  const std::string unknown(32, 'f');
  const std::vector<std::function<void()>> actions = {
      [&] { runs_.get(unknown); },
      [&] { runs_.get("ffffff"); },
      [&] {
        runs_.log_params(unknown, {{"a", "b"}});
      },
      [&] { runs_.log_metrics(unknown, {}); },
      [&] { runs_.log_batch(unknown, {}); },
      [&] { runs_.set_tag(unknown, "a", "b"); },
      [&] { runs_.delete_tag(unknown, "a"); },
      [&] { runs_.log_inputs(unknown, {}); },
      [&] { runs_.log_outputs(unknown, {}); },
      [&] { runs_.update(unknown, {}); },
      [&] { runs_.end(unknown, RunStatus::kFinished); },
      [&] { runs_.reopen(unknown); },
      [&] { runs_.remove(unknown); },
      [&] { runs_.restore(unknown); },
      [&] { runs_.metric_history(unknown, "m"); },
  };
  for (std::size_t i = 0; i < actions.size(); ++i) {
    const auto caught = catch_error(actions[i]);
    EXPECT_EQ(caught.code, ErrorCode::kNotFound) << i;
    EXPECT_THAT(caught.message, HasSubstr("ffffff")) << i;
  }
}

TEST_P(RunsTest, ADeletedRunIsKeptButNotWrittenUntilItIsRestored) {
  const auto id = create("a");
  runs_.log_params(id, {{"lr", "1"}});
  runs_.remove(id);
  EXPECT_EQ(runs_.get(id).lifecycle_stage, LifecycleStage::kDeleted);
  EXPECT_THAT(runs_.get(id).params, ElementsAre(Pair("lr", "1")));
  runs_.remove(id);  // again is fine

  const std::vector<std::function<void()>> writes = {
      [&] {
        runs_.log_params(id, {{"a", "b"}});
      },
      [&] {
        runs_.log_metrics(id, {{"loss", 1, 1, 1}});
      },
      [&] { runs_.log_batch(id, {}); },
      [&] { runs_.set_tag(id, "a", "b"); },
      [&] { runs_.delete_tag(id, "mlflow.runName"); },
      [&] { runs_.log_inputs(id, {}); },
      [&] { runs_.log_outputs(id, {}); },
      [&] { runs_.update(id, {.status = RunStatus::kFinished}); },
      [&] { runs_.end(id, RunStatus::kFinished); },
      [&] { runs_.reopen(id); },
  };
  for (std::size_t i = 0; i < writes.size(); ++i) {
    EXPECT_EQ(catch_error(writes[i]).code, ErrorCode::kFailedPrecondition) << i;
  }
  runs_.restore(id);
  EXPECT_EQ(runs_.get(id).lifecycle_stage, LifecycleStage::kActive);
  runs_.log_params(id, {{"a", "b"}});
  EXPECT_EQ(runs_.list().size(), 1u);
}

TEST_P(RunsTest, ARunWhoseProcessWasKilledIsFoundAndMarked) {
  const auto mine = create("mine");
  const auto finished = create("finished");
  runs_.end(finished, RunStatus::kFinished);
  const pid_t child = fork_child([&] {
    Registry registry(location(), clock_);
    const auto id = registry.runs().create({.name = "killed"});
    registry.runs().create({.name = "a client's", .owned = false});
    registry.runs().log_metrics(id, {{"loss", 1, 1'700'000'005'000, 1}});
    raise(SIGKILL);
  });
  ASSERT_EQ(wait_for(child), -SIGKILL);

  const auto marked = runs_.mark_interrupted();
  ASSERT_EQ(marked.size(), 1u);
  EXPECT_EQ(marked[0].name, "killed");
  EXPECT_EQ(marked[0].status, RunStatus::kKilled);
  EXPECT_EQ(marked[0].end_time_ms, 1'700'000'005'000);
  EXPECT_EQ(runs_.get(marked[0].run_id).status, RunStatus::kKilled);
  EXPECT_EQ(runs_.get(marked[0].run_id).end_time_ms, 1'700'000'005'000);
  EXPECT_EQ(runs_.get(mine).status, RunStatus::kRunning);
  EXPECT_EQ(runs_.get(finished).status, RunStatus::kFinished);
  EXPECT_THAT(runs_.mark_interrupted(), IsEmpty());

  runs_.reopen(marked[0].run_id);  // and now it is this process's
  EXPECT_THAT(runs_.mark_interrupted(), IsEmpty());
}

TEST_P(RunsTest, ARunThatAnotherProcessWritesCannotBeReopened) {
  const auto id = create("mine");
  const pid_t child = fork_child([&] {
    Registry registry(location(), clock_);
    if (!registry.runs().mark_interrupted().empty()) {
      _exit(3);  // its owner, the parent, is alive
    }
    try {
      registry.runs().reopen(id);
    } catch (const Error& error) {
      const bool named =
          std::string_view(error.what()).find(std::to_string(getppid())) != std::string_view::npos;
      _exit(error.code() == ErrorCode::kFailedPrecondition && named ? 42 : 4);
    }
  });
  EXPECT_EQ(wait_for(child), 42);
  runs_.reopen(id);  // one's own may be
  EXPECT_EQ(runs_.get(id).status, RunStatus::kRunning);
}

TEST_P(RunsTest, CleaningUpRemovesDeletedRunsAndLeavesTheOthers) {
  const auto kept = create("kept");
  const auto gone = create("gone");
  for (const auto& id : {kept, gone}) {
    std::ofstream(runs_.dir(id) / "checkpoint") << "weights";
    runs_.log_batch(id, {.metrics = {{"loss", 1, 1, 1}}, .params = {{"a", "b"}}});
    runs_.log_inputs(id, {{{"digits", "d1", "local", "/data", "", ""}, {{"context", "train"}}}},
                     {{"m-1"}});
    registry_.artifacts().put(run_artifact_root(runs_.get(id)) + "/note.txt",
                              std::as_bytes(std::span(id)));
  }
  const std::string artifact_of_gone = run_artifact_root(runs_.get(gone)) + "/note.txt";
  EXPECT_THAT(runs_.gc().ids, IsEmpty());
  runs_.remove(gone);
  EXPECT_THAT(runs_.gc().ids, ElementsAre(gone));

  EXPECT_EQ(catch_error([&] { runs_.get(gone); }).code, ErrorCode::kNotFound);
  EXPECT_FALSE(std::filesystem::exists(store_dir() / "runs" / gone));
  EXPECT_EQ(registry_.artifacts().find(artifact_of_gone), std::nullopt);
  const auto run = runs_.get(kept);
  EXPECT_EQ(run.metrics.at("loss").value, 1);
  EXPECT_EQ(run.dataset_inputs.size(), 1u);
  EXPECT_TRUE(std::filesystem::exists(runs_.dir(kept) / "checkpoint"));
  EXPECT_TRUE(registry_.artifacts().find(run_artifact_root(run) + "/note.txt").has_value());
  EXPECT_THAT(runs_.gc().ids, IsEmpty());

  const auto next = create("next");  // nothing of the removed one is taken for its own
  EXPECT_THAT(runs_.get(next).params, IsEmpty());
  EXPECT_THAT(runs_.metric_history(next, "loss"), IsEmpty());
}

TEST_P(RunsTest, CleaningUpMayBeOfOldDeletionsOnly) {
  const auto old = create("old");
  const auto young = create("young");
  runs_.remove(old);
  clock_.advance(std::chrono::hours(2));
  runs_.remove(young);
  runs_.remove(old);  // does not make it younger
  EXPECT_THAT(runs_.gc(1'700'000'000'000).ids, IsEmpty());
  EXPECT_THAT(runs_.gc(1'700'000'000'001).ids, ElementsAre(old));
  runs_.restore(young);
  EXPECT_THAT(runs_.gc().ids, IsEmpty());
}

TEST_P(RunsTest, ACleaningUpThatCannotRemoveAFolderKeepsTheRun) {
  const auto id = create("a");
  const auto folder = runs_.dir(id);
  std::filesystem::remove(folder);
  const auto parent = folder.parent_path();
  std::filesystem::rename(parent, folder_ / "aside");
  std::ofstream(parent) << "a file where the folder of runs was";
  runs_.remove(id);
  EXPECT_EQ(catch_error([&] { runs_.gc(); }).code, ErrorCode::kIo);
  EXPECT_EQ(runs_.get(id).lifecycle_stage, LifecycleStage::kDeleted);
  std::filesystem::remove(parent);
  EXPECT_THAT(runs_.gc().ids, ElementsAre(id));
}

}  // namespace
}  // namespace onnxop
