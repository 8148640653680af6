// `onnxop models` as an operator types it: compare, promote, roll back, look back, verify.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "onnxop/base/clock.h"
#include "onnxop/base/file.h"
#include "onnxop/base/json_value.h"
#include "onnxop/base/time_text.h"
#include "onnxop/registry/registry.h"
#include "support/program.h"

namespace onnxop::testing_support {
namespace {

using testing::HasSubstr;

// `digits` with two versions of the same network; the second takes eights for nines.
class VersionsVerbs : public testing::Test {
 protected:
  VersionsVerbs() {
    const auto model =
        std::filesystem::path(test_store()) / "models" / "mnist" / "1" / "model.onnx";
    publish({"import", model.string(), "--name", "digits"});
    write_file_atomically(dir_.path() / "contract.json", as_bytes(R"({"version": 1,
      "input": {"name": "image", "kind": "image", "color": "gray", "width": 28, "height": 28, "resize": "bilinear"},
      "output": {"name": "probabilities", "kind": "classification",
                 "labels": ["0", "1", "2", "3", "4", "5", "6", "7", "9", "8"]}})"));
    publish({"import", model.string(), "--name", "digits", "--contract", dir_ / "contract.json"});
  }

  void publish(const std::vector<std::string>& args) const {
    const auto outcome = run(args);
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  }

  Outcome run(std::vector<std::string> args) const {
    args.insert(args.end(), {"--store", dir_ / "store"});
    return run_onnxop(args);
  }

  Json json(std::vector<std::string> args, int exit_code = 0) const {
    args.emplace_back("--json");
    const Outcome outcome = run(args);
    EXPECT_EQ(outcome.exit_code, exit_code) << outcome.err;
    return outcome.json();
  }

  std::int64_t champion() const {
    return json({"models", "digits"})["aliases"]["champion"].get<std::int64_t>();
  }

  TempDir dir_;
};

TEST_F(VersionsVerbs, PromotesOnlyWhatIsGoodEnough) {
  {
    const SystemClock clock;
    Registry registry(StoreLocation(dir_.path() / "store"), clock);
    registry.models().log_version_metrics("digits", 1, {{"fairness", 0.75}});
  }
  const auto refused =
      run({"models", "promote", "digits", "1", "champion", "--if",
           "test_accuracy >= 0.5 AND fairness > 0.8 AND latency_ms < 100000 AND robustness > 0",
           "--data", "mnist:test"});
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.err, HasSubstr("digits:1 is not made @champion: fairness is 0.75 (the "
                                     "version), asked for: fairness > 0.8; robustness has not been "
                                     "measured, asked for: robustness > 0"));
  EXPECT_THAT(refused.out, HasSubstr("ok       test_accuracy is 0."));
  EXPECT_TRUE(json({"models", "digits"})["aliases"].empty());

  const Json promoted = json({"models", "promote", "digits", "1", "champion", "--if",
                              "test_accuracy >= 0.5 and fairness <= 0.75 and latency_ms < 100000"});
  EXPECT_EQ(promoted["promoted"], true);
  EXPECT_EQ(promoted["conditions"][0]["source"], "the version") << "measured the last time";
  EXPECT_EQ(promoted["conditions"][2]["source"], "measured now");
  EXPECT_GT(promoted["conditions"][2]["value"].get<double>(), 0);
  EXPECT_EQ(champion(), 1);

  const Json again = json({"models", "promote", "digits", "1", "champion", "--if", "x = 1"}, 1);
  EXPECT_EQ(again["promoted"], false);
  EXPECT_EQ(again["conditions"][0]["value"], nullptr);
  const auto wrong =
      run({"models", "promote", "digits", "1", "champion", "--if", "accuracy is ok"});
  EXPECT_EQ(wrong.exit_code, 1);
  EXPECT_THAT(wrong.err, HasSubstr("condition: at character 10: expected one of"));
  EXPECT_EQ(run({"models", "promote", "digits", "9", "champion"}).exit_code, 1);
}

TEST_F(VersionsVerbs, RollsBackAndTellsWhatWasInForce) {
  ASSERT_EQ(run({"models", "promote", "digits", "1", "champion"}).exit_code, 0);
  const Json after_first = json({"models", "history", "digits"});
  const std::string first = after_first["events"].back()["time"];
  ASSERT_EQ(run({"models", "promote", "digits", "latest", "@champion"}).exit_code, 0);
  EXPECT_EQ(champion(), 2);
  EXPECT_EQ(json({"models", "rollback", "digits", "champion"})["version"], 1);
  EXPECT_EQ(champion(), 1);

  const Json events = json({"models", "history", "digits"})["events"];
  ASSERT_GE(events.size(), 6U);
  EXPECT_EQ(events.back()["key"], "champion");
  EXPECT_EQ(events.back()["before"], "2");
  EXPECT_EQ(events.back()["after"], "1");
  const Json then = json({"models", "history", "digits", "--at", first});
  EXPECT_EQ(then["aliases"]["champion"], 1);
  EXPECT_EQ(then["versions"].size(), 2U);
  const auto before = run({"models", "history", "digits", "--at", "2001-05-03Z"});
  EXPECT_EQ(before.exit_code, 1);
  EXPECT_THAT(before.err, HasSubstr("there was no model 'digits'"));
  EXPECT_THAT(before.err, HasSubstr("at 2001-05-03T23:59:59.999Z"));
  EXPECT_EQ(run({"models", "history", "digits", "--at", "yesterday"}).exit_code, 1);
  EXPECT_EQ(run({"models", "history", "none"}).exit_code, 1);
  EXPECT_EQ(run({"models", "rollback", "digits", "challenger"}).exit_code, 1);
}

TEST_F(VersionsVerbs, ComparesTwoVersions) {
  const Json diff = json({"models", "diff", "digits", "1", "2", "--data", "mnist:test"});
  EXPECT_EQ(diff["same_bytes"], false);
  const Json answers = diff["answers"];
  EXPECT_EQ(answers["samples"], 10'000);
  const auto different = answers["different"].get<std::int64_t>();
  EXPECT_GT(different, 1500) << "all eights and nines";
  EXPECT_LT(different, 2500);
  EXPECT_EQ(answers["first"].size(), 10U);
  bool contract = false;
  for (const auto& one : diff["differences"]) {
    contract |= one["section"] == "contract" && one["key"] == "/output/labels/8" &&
                one["a"] == "8" && one["b"] == "9";
    EXPECT_NE(one["key"], "operator Conv");
  }
  EXPECT_TRUE(contract) << diff;
  EXPECT_THAT(run({"models", "diff", "digits", "1", "2"}).out, HasSubstr("/input/resize"));
  EXPECT_EQ(json({"models", "diff", "digits", "1", "1"})["differences"].size(), 0U);
}

TEST_F(VersionsVerbs, TagsDescribesAndDeletes) {
  EXPECT_EQ(json({"models", "tag", "digits", "team=vision", "a=b=c"})["tags"]["a"], "b=c");
  EXPECT_EQ(json({"models", "tag", "digits", "--delete", "a"})["tags"],
            Json::parse(R"({"team": "vision"})"));
  EXPECT_EQ(json({"models", "tag", "digits:2", "reviewed=yes"})["tags"]["reviewed"], "yes");
  EXPECT_EQ(run({"models", "tag", "digits", "nothing"}).exit_code, 2);
  EXPECT_EQ(json({"models", "list", "--filter", "tags.team = 'vision'"})["models"].size(), 1U);
  ASSERT_EQ(run({"models", "describe", "digits:2", "eights are nines"}).exit_code, 0);
  EXPECT_THAT(run({"models", "show", "digits:2"}).out, HasSubstr("eights are nines"));

  ASSERT_EQ(run({"models", "alias", "digits", "old", "1"}).exit_code, 0);
  EXPECT_EQ(json({"models", "show", "digits@old"})["version"], 1);
  ASSERT_EQ(run({"models", "alias", "digits", "old", "--delete"}).exit_code, 0);
  EXPECT_EQ(run({"models", "alias", "digits", "old"}).exit_code, 2);

  const auto all = run({"models", "delete", "digits"});
  EXPECT_EQ(all.exit_code, 2);
  EXPECT_THAT(all.err, HasSubstr("digits has 2 versions"));
  ASSERT_EQ(run({"models", "delete", "digits:1"}).exit_code, 0);
  EXPECT_EQ(json({"models", "digits"})["versions"].size(), 1U);
  ASSERT_EQ(run({"models", "delete", "digits", "--all-versions"}).exit_code, 0);
  EXPECT_EQ(json({"models"})["models"].size(), 0U);
  EXPECT_EQ(json({"models", "history", "digits"})["events"].back()["event"], "model_deleted");
}

TEST_F(VersionsVerbs, ChangesAndDeletesVersionsThatCannotBeServed) {
  {
    const SystemClock clock;
    Registry registry(StoreLocation(dir_.path() / "store"), clock);
    registry.models().publish({.name = "sk", .source = "runs:/1/model"});
    registry.models().publish({.name = "sk", .source = "runs:/2/model"});
    registry.models().set_alias("sk", "old", 1);
  }
  EXPECT_EQ(json({"models", "tag", "sk:2", "reviewed=yes"})["tags"]["reviewed"], "yes");
  ASSERT_EQ(run({"models", "describe", "sk@old", "a forest"}).exit_code, 0);
  EXPECT_EQ(json({"models", "show", "sk:1"})["description"], "a forest");
  EXPECT_EQ(json({"models", "promote", "sk", "2", "champion"})["promoted"], true);
  ASSERT_EQ(run({"models", "alias", "sk", "new", "@champion"}).exit_code, 0);
  EXPECT_THAT(run({"score", "sk:1", "none.png"}).err, HasSubstr("has no model.onnx"));
  EXPECT_EQ(json({"models", "delete", "sk:2"})["deleted_versions"][0], 2);
  EXPECT_EQ(json({"models", "delete", "sk@old"})["deleted_versions"][0], 1);
  EXPECT_EQ(json({"models", "sk"})["versions"].size(), 0U);
}

TEST_F(VersionsVerbs, VerifyFindsADamagedFile) {
  {
    const SystemClock clock;
    Registry registry(StoreLocation(dir_.path() / "store"), clock);
    registry.artifacts().put("0/x/artifacts/a.txt", as_bytes("content"));
  }
  const Json whole = json({"models", "verify"});
  EXPECT_EQ(whole["versions"], 2);
  EXPECT_EQ(whole["damage"].size(), 0U);
  const std::string file = json({"models", "show", "digits:2"})["model_path"];
  std::filesystem::permissions(file, std::filesystem::perms::owner_write,
                               std::filesystem::perm_options::add);
  std::string content = read_text_file(file);
  content[content.size() / 2] ^= 1;
  std::filesystem::permissions(std::filesystem::path(file).parent_path(),
                               std::filesystem::perms::owner_write,
                               std::filesystem::perm_options::add);
  write_file_atomically(file, as_bytes(content));
  const Json damaged = json({"models", "verify"}, 1);
  ASSERT_EQ(damaged["damage"].size(), 1U);
  EXPECT_EQ(damaged["damage"][0]["path"], "digits:2");
  EXPECT_EQ(run({"models", "verify", "digits"}).exit_code, 1);
}

}  // namespace
}  // namespace onnxop::testing_support
