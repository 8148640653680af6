// `onnxop runs` and `onnxop experiments` as a user types them.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "onnxop/base/clock.h"
#include "onnxop/base/file.h"
#include "onnxop/base/json_value.h"
#include "onnxop/registry/registry.h"
#include "support/program.h"

namespace onnxop::testing_support {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class RunsVerbs : public testing::Test {
 protected:
  RunsVerbs() {
    Registry registry(StoreLocation(dir_.path() / "store"), clock_);
    registry.experiments().create("augmentation");
    good_ = add(registry, {.name = "good", .experiment_id = 1, .start_time_ms = 2000},
                {{"lr", "0.1"}, {"optimizer", "adam"}}, {3, 1, 0.25});
    bad_ = add(registry, {.name = "bad, or not", .start_time_ms = 1000},
               {{"lr", "0.5"}, {"optimizer", "adam"}}, {3, 2.5});
    registry.artifacts().put("1/" + good_ + "/artifacts/notes/a.txt", as_bytes("first"));
    registry.artifacts().put("1/" + good_ + "/artifacts/b.txt", as_bytes("second"));
  }

  static std::string add(Registry& registry, const NewRun& run, const Texts& params,
                         const std::vector<double>& losses) {
    const std::string id = registry.runs().create(run);
    RunBatch batch{.params = params, .tags = {{"team", "vision"}}};
    for (std::size_t i = 0; i < losses.size(); ++i) {
      const auto step = static_cast<std::int64_t>(i);
      batch.metrics.push_back(
          {.key = "loss", .value = losses[i], .timestamp_ms = 2000 + 1000 * step, .step = step});
    }
    registry.runs().log_batch(id, batch);
    registry.runs().end(id, RunStatus::kFinished);
    return id;
  }

  Outcome run(std::vector<std::string> args) const {
    args.insert(args.end(), {"--store", dir_ / "store"});
    return run_onnxop(args);
  }

  Json json(std::vector<std::string> args) const {
    args.emplace_back("--json");
    const Outcome outcome = run(args);
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    return outcome.json();
  }

  std::vector<std::string> names(const std::vector<std::string>& args) const {
    std::vector<std::string> found;
    const Json result = json(args);
    for (const auto& one : result["runs"]) {
      found.push_back(one["name"].get<std::string>());
    }
    return found;
  }

  SystemClock clock_;
  TempDir dir_;
  std::string good_;
  std::string bad_;
};

TEST_F(RunsVerbs, ListsWhatAFilterFindsInTheOrderAskedFor) {
  EXPECT_THAT(names({"runs"}), ElementsAre("good", "bad, or not"));
  EXPECT_THAT(names({"runs", "list", "--filter", "metrics.loss < 1 and params.optimizer = 'adam'"}),
              ElementsAre("good"));
  EXPECT_THAT(names({"runs", "--order-by", "metrics.loss DESC"}),
              ElementsAre("bad, or not", "good"));
  EXPECT_THAT(names({"runs", "list", "--experiment", "augmentation"}), ElementsAre("good"));
  EXPECT_THAT(names({"runs", "list", "--experiment", "0"}), ElementsAre("bad, or not"));
  const Json page = json({"runs", "list", "--limit", "1"});
  EXPECT_EQ(page["runs"].size(), 1U);
  EXPECT_EQ(page["more"], true);
}

TEST_F(RunsVerbs, ListsColumnsAsATableAndAsCsv) {
  const auto table = run({"runs", "list", "--columns", "run_name, params.lr,metrics.loss"});
  ASSERT_EQ(table.exit_code, 0) << table.err;
  EXPECT_EQ(table.out,
            "run_name     params.lr  metrics.loss\n"
            "good         0.1        0.25\n"
            "bad, or not  0.5        2.5\n");
  const auto csv = run({"runs", "list", "--csv"});
  ASSERT_EQ(csv.exit_code, 0) << csv.err;
  EXPECT_THAT(csv.out, StartsWith("run_id,run_name,status,start_time,end_time,user_id,metrics.loss,"
                                  "params.lr,params.optimizer,tags.mlflow.runName,"));
  EXPECT_THAT(csv.out, HasSubstr(bad_ + ",\"bad, or not\",FINISHED,1970-01-01T00:00:01.000Z,"));
}

TEST_F(RunsVerbs, SaysWhatIsWrongInAFilter) {
  const auto filter = run({"runs", "list", "--filter", "metrcs.loss < 1"});
  EXPECT_EQ(filter.exit_code, 1);
  EXPECT_THAT(filter.err, HasSubstr("did you mean 'metrics'?"));
  const auto column = run({"runs", "list", "--columns", "stats"});
  EXPECT_EQ(column.exit_code, 1);
  EXPECT_THAT(column.err, HasSubstr("--columns: at character 1: 'stats' is no attribute"));
  EXPECT_EQ(run({"runs", "list", "--csv", "--json"}).exit_code, 2);
  EXPECT_EQ(run({"runs", "list", "--limit", "0"}).exit_code, 2);
  EXPECT_EQ(run({"runs", "list", "--experiment", "none"}).exit_code, 1);
}

TEST_F(RunsVerbs, ShowsOneRunByItsFirstDigits) {
  for (const std::vector<std::string>& args :
       {std::vector<std::string>{"runs", good_.substr(0, 8)}, {"runs", "show", good_}}) {
    const Json shown = json(args);
    EXPECT_EQ(shown["run_id"], good_);
    EXPECT_EQ(shown["params"]["lr"], "0.1");
    EXPECT_EQ(shown["metrics"]["loss"], 0.25);
  }
  EXPECT_THAT(run({"runs", "show", good_}).out, HasSubstr("augmentation"));
}

TEST_F(RunsVerbs, ComparesOnlyWhatDiffers) {
  const Json compared = json({"runs", "compare", good_, bad_});
  EXPECT_EQ(compared["params"], Json::parse(R"({"lr": ["0.1", "0.5"]})"));
  EXPECT_EQ(compared["metrics"], Json::parse(R"({"loss": [0.25, 2.5]})"));
  EXPECT_FALSE(compared["tags"].contains("team"));
  EXPECT_TRUE(json({"runs", "compare", good_, bad_, "--all"})["params"].contains("optimizer"));
  const auto text = run({"runs", "compare", good_, bad_});
  EXPECT_THAT(text.out, HasSubstr("params.lr"));
  EXPECT_THAT(text.out, Not(HasSubstr("optimizer")));
  EXPECT_EQ(run({"runs", "compare", good_}).exit_code, 2);
}

TEST_F(RunsVerbs, DrawsMetrics) {
  const auto text = run({"runs", "plot", good_, bad_, "--metric", "loss"});
  ASSERT_EQ(text.exit_code, 0) << text.err;
  EXPECT_THAT(text.out, HasSubstr("good"));
  EXPECT_THAT(text.out, HasSubstr("bad, or not"));
  for (const auto& [file, start] :
       {std::pair<std::string, std::string>{"loss.svg", "<svg"}, {"loss.png", "\x89PNG"}}) {
    const auto picture = run({"runs", "plot", good_, "--metric", "loss", "--out", dir_ / file});
    ASSERT_EQ(picture.exit_code, 0) << picture.err;
    EXPECT_THAT(read_text_file(dir_.path() / file).substr(0, 200), HasSubstr(start));
  }
  const Json points = json({"runs", "plot", good_, "--metric", "loss", "--x", "time"});
  EXPECT_EQ(points["series"][0]["points"], Json::parse("[[0.0, 3.0], [1.0, 1.0], [2.0, 0.25]]"));
  EXPECT_EQ(run({"runs", "plot", good_, "--metric", "loss", "--out", "x.gif"}).exit_code, 2);
  const auto unknown = run({"runs", "plot", good_, "--metric", "accuracy"});
  EXPECT_EQ(unknown.exit_code, 1);
  EXPECT_THAT(unknown.err, HasSubstr("its metrics: loss"));
}

TEST_F(RunsVerbs, ListsAndCopiesArtifacts) {
  const Json listed = json({"runs", "artifacts", good_});
  ASSERT_EQ(listed["artifacts"].size(), 2U);
  EXPECT_EQ(listed["artifacts"][0]["path"], "b.txt");
  EXPECT_EQ(listed["artifacts"][1]["path"], "notes/a.txt");
  ASSERT_EQ(run({"runs", "artifacts", good_, "--to", dir_ / "all"}).exit_code, 0);
  EXPECT_EQ(read_text_file(dir_.path() / "all" / "notes" / "a.txt"), "first");
  ASSERT_EQ(run({"runs", "artifacts", good_, "notes/a.txt", "--to", dir_ / "one"}).exit_code, 0);
  EXPECT_EQ(read_text_file(dir_.path() / "one" / "a.txt"), "first");
  const auto missing = run({"runs", "artifacts", good_, "none"});
  EXPECT_EQ(missing.exit_code, 1);
  EXPECT_THAT(missing.err, HasSubstr("has no artifact 'none'"));
  EXPECT_EQ(run({"runs", "artifacts", good_, "../../x"}).exit_code, 1);
}

TEST_F(RunsVerbs, DeletesRestoresAndRemovesForGood) {
  ASSERT_EQ(run({"runs", "delete", bad_.substr(0, 10)}).exit_code, 0);
  EXPECT_THAT(names({"runs"}), ElementsAre("good"));
  EXPECT_THAT(names({"runs", "list", "--view", "deleted"}), ElementsAre("bad, or not"));
  ASSERT_EQ(run({"runs", "restore", bad_}).exit_code, 0);
  EXPECT_THAT(names({"runs"}), ElementsAre("good", "bad, or not"));
  EXPECT_EQ(run({"runs", "delete", bad_, "ffffffffff"}).exit_code, 1);
  EXPECT_THAT(names({"runs"}), ElementsAre("good", "bad, or not")) << "all or none";
  ASSERT_EQ(run({"runs", "delete", bad_}).exit_code, 0);
  EXPECT_EQ(json({"runs", "gc", "--deleted-before", "2001-01-01"})["removed"].size(), 0U);
  EXPECT_EQ(json({"runs", "gc", "--older-than", "1d"})["removed"].size(), 0U);
  EXPECT_THAT(json({"runs", "gc"})["removed"], ElementsAre(bad_));
  EXPECT_EQ(run({"runs", "show", bad_}).exit_code, 1);
  EXPECT_EQ(run({"runs", "gc", "--deleted-before", "soon"}).exit_code, 1);
  EXPECT_EQ(run({"runs", "gc", "--older-than", "long"}).exit_code, 1);
}

TEST_F(RunsVerbs, RemovesDeletedLoggedModelsForGood) {
  std::string gone;
  std::string needed;
  {
    Registry registry(StoreLocation(dir_.path() / "store"), clock_, true);
    const auto add_model = [&] {
      const LoggedModel model = registry.logged_models().create({.source_run_id = good_});
      registry.artifacts().put(logged_model_artifact_root(model) + "/MLmodel",
                               as_bytes(model.model_id));
      registry.logged_models().remove(model.model_id);
      return model.model_id;
    };
    gone = add_model();
    needed = add_model();
    registry.models().publish({.name = "of another kind", .logged_model_id = needed});
  }
  EXPECT_EQ(json({"runs", "gc", "--older-than", "1d"})["removed_models"].size(), 0U);
  const Json removed = json({"runs", "gc"});
  EXPECT_THAT(removed["removed_models"], ElementsAre(gone));
  EXPECT_THAT(removed["removed"].size(), 0U);
  EXPECT_EQ(removed["freed_bytes"], gone.size());
  EXPECT_EQ(removed["kept_models"],
            Json::array({{{"id", needed}, {"versions", {"of another kind:1"}}}}));
  EXPECT_EQ(run({"models", "verify"}).exit_code, 0);
  ASSERT_EQ(run({"models", "delete", "of another kind:1"}).exit_code, 0);
  EXPECT_THAT(run({"runs", "gc"}).out, HasSubstr("0 runs and 1 logged models removed for good"));
}

TEST_F(RunsVerbs, KeepsTheOnlyFilesOfARegisteredVersion) {
  std::string needed;
  {
    Registry registry(StoreLocation(dir_.path() / "store"), clock_, true);
    const auto id = registry.experiments().create("needed");
    needed = registry.runs().create({.experiment_id = id, .owned = false});
    registry.artifacts().put(run_artifact_root(registry.runs().get(needed)) + "/model/model.pkl",
                             as_bytes("12345"));
    registry.models().publish(
        {.name = "sk", .run_id = needed, .source = "runs:/" + needed + "/model"});
  }
  ASSERT_EQ(run({"runs", "delete", needed}).exit_code, 0);
  const Json kept = Json::array({{{"id", needed}, {"versions", {"sk:1"}}}});
  Json removed = json({"runs", "gc"});
  EXPECT_EQ(removed["removed"].size(), 0U);
  EXPECT_EQ(removed["kept"], kept);
  EXPECT_EQ(removed["freed_bytes"], 0);
  const std::string why =
      "run " + needed + " stays: the only files of sk:1 are among its artifacts";
  EXPECT_THAT(run({"runs", "gc"}).out, HasSubstr(why));
  ASSERT_EQ(run({"experiments", "delete", "needed"}).exit_code, 0);
  removed = json({"experiments", "gc"});
  EXPECT_EQ(removed["removed"].size(), 0U);
  EXPECT_THAT(removed["kept"], ElementsAre(2));
  EXPECT_EQ(removed["kept_runs"], kept);
  EXPECT_THAT(run({"experiments", "gc"}).out,
              HasSubstr("experiment 2 stays with what is named below\n" + why));
  EXPECT_EQ(run({"runs", "artifacts", needed, "model/model.pkl"}).exit_code, 0);

  ASSERT_EQ(run({"models", "delete", "sk:1"}).exit_code, 0);
  removed = json({"experiments", "gc"});
  EXPECT_THAT(removed["removed_runs"], ElementsAre(needed));
  EXPECT_EQ(removed["freed_bytes"], 5);
}

TEST_F(RunsVerbs, RemovesExperimentsForGood) {
  ASSERT_EQ(run({"experiments", "create", "gone"}).exit_code, 0);
  std::string gone;
  {
    Registry registry(StoreLocation(dir_.path() / "store"), clock_, true);
    const auto id = registry.experiments().get_by_name("gone").experiment_id;
    gone = registry.runs().create({.name = "of it", .experiment_id = id, .owned = false});
    registry.artifacts().put(run_artifact_root(registry.runs().get(gone)) + "/a",
                             as_bytes("12345"));
  }
  EXPECT_EQ(json({"experiments", "gc"})["removed"].size(), 0U);
  ASSERT_EQ(run({"experiments", "delete", "gone"}).exit_code, 0);
  EXPECT_EQ(json({"experiments", "gc", "--older-than", "1d12h"})["removed"].size(), 0U);
  EXPECT_EQ(json({"experiments", "gc", "--deleted-before", "2001-01-01"})["removed"].size(), 0U);
  const Json removed = json({"experiments", "gc", "--older-than", "0s"});
  EXPECT_EQ(removed["removed"].size(), 1U);
  EXPECT_THAT(removed["removed_runs"], ElementsAre(gone));
  EXPECT_EQ(removed["freed_bytes"], 5);
  EXPECT_EQ(run({"experiments", "restore", "gone"}).exit_code, 1);
  EXPECT_EQ(run({"experiments", "create", "gone"}).exit_code, 0) << "its name is free";
  EXPECT_THAT(run({"experiments", "gc"}).out, HasSubstr("0 experiments with 0 runs"));
  EXPECT_EQ(
      run({"experiments", "gc", "--older-than", "1d", "--deleted-before", "2001-01-01"}).exit_code,
      2);
  EXPECT_THAT(run({"experiments", "gc", "--help"}).out, HasSubstr("--older-than"));
}

TEST_F(RunsVerbs, KeepsExperiments) {
  ASSERT_EQ(run({"experiments", "create", "second"}).exit_code, 0);
  EXPECT_EQ(run({"experiments", "create", "second"}).exit_code, 1);
  ASSERT_EQ(run({"experiments", "rename", "second", "2nd"}).exit_code, 0);
  EXPECT_THAT(run({"experiments"}).out, HasSubstr("2nd"));
  ASSERT_EQ(run({"experiments", "delete", "augmentation"}).exit_code, 0);
  EXPECT_THAT(names({"runs"}), ElementsAre("bad, or not"));
  EXPECT_EQ(json({"experiments", "list", "--view", "deleted"})["experiments"][0]["name"],
            "augmentation");
  ASSERT_EQ(run({"experiments", "restore", "augmentation"}).exit_code, 0);
  EXPECT_THAT(names({"runs"}), ElementsAre("good", "bad, or not"));
  EXPECT_EQ(json({"experiments", "list", "--filter", "name LIKE '2%'"})["experiments"].size(), 1U);
}

}  // namespace
}  // namespace onnxop::testing_support
