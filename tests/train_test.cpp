// Training as a user does it: the result's form, the same bytes for the same spec, killing and
// resuming.

#include <algorithm>
#include <csignal>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "onnxop/base/file.h"
#include "onnxop/base/json_value.h"
#include "onnxop/base/sha256.h"
#include "support/program.h"

namespace onnxop::testing_support {
namespace {

using testing::HasSubstr;

std::string small_spec() {
  return (source_dir() / "examples" / "mnist-small.yaml").string();
}

std::vector<std::string> train_args(const std::string& store,
                                    const std::vector<std::string>& more = {}) {
  std::vector<std::string> args{"train", small_spec(), "--json",        "--store",
                                store,   "--set",      "train.epochs=2"};
  args.insert(args.end(), more.begin(), more.end());
  return args;
}

std::string sha_of_model(const Outcome& outcome) {
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  return sha256_file(outcome.json()["model_path"].get<std::string>());
}

TEST(Train, PrintsOneJsonObjectWithTheResult) {
  const TempDir dir;
  const auto outcome = run_onnxop(train_args(dir / "store", {"--register", "digits"}));
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  const Json result = outcome.json();
  EXPECT_EQ(result["run_id"].get<std::string>().size(), 32U);
  EXPECT_EQ(result["model"], "digits");
  EXPECT_EQ(result["version"], 1);
  ASSERT_EQ(result["epochs"].size(), 2U);
  for (const auto& epoch : result["epochs"]) {
    for (const auto* key : {"train_loss", "val_loss", "val_accuracy", "seconds"}) {
      EXPECT_TRUE(epoch[key].is_number()) << key;
    }
  }
  EXPECT_GT(result["test_accuracy"].get<double>(), 0.9);
  EXPECT_GT(result["images_per_second"].get<double>(), 0);
  EXPECT_TRUE(result["test_loss"].is_number());
  EXPECT_TRUE(std::filesystem::is_regular_file(result["model_path"].get<std::string>()));
  EXPECT_THAT(outcome.err, HasSubstr("images/s")) << "progress goes to standard error";

  const auto runs = run_onnxop({"runs", "--json", "--store", dir / "store"}).json();
  ASSERT_EQ(runs["runs"].size(), 1U);
  EXPECT_EQ(runs["runs"][0]["status"], "FINISHED");
  EXPECT_EQ(runs["runs"][0]["metrics"]["test_accuracy"], result["test_accuracy"]);

  const auto eval =
      run_onnxop({"eval", "digits", "--data", "mnist:test", "--json", "--store", dir / "store"});
  ASSERT_EQ(eval.exit_code, 0) << eval.err;
  EXPECT_EQ(eval.json()["accuracy"], result["test_accuracy"])
      << "the exported model answers as the trainer did";
  EXPECT_NEAR(eval.json()["loss"].get<double>(), result["test_loss"].get<double>(), 1e-5);
}

TEST(Train, GoldenSamplesLieBesideTheModel) {
  const auto versions = run_onnxop({"models", "mnist", "--json", "--store", test_store()}).json();
  const std::filesystem::path model = versions["versions"][0]["model_path"].get<std::string>();
  const Json golden = parse_json(read_text_file(model.parent_path() / "golden.json"), "golden");
  ASSERT_EQ(golden["samples"].size(), 8U);
  for (const Json& sample : golden["samples"]) {
    EXPECT_EQ(sample["inputs"]["image"]["shape"], Json({1, 28, 28, 1}));
    EXPECT_EQ(sample["outputs"]["probabilities"]["shape"], Json({1, 10}));
  }
  const auto probabilities =
      golden["samples"][0]["outputs"]["probabilities"]["data"].get<std::vector<double>>();
  EXPECT_EQ(std::max_element(probabilities.begin(), probabilities.end()) - probabilities.begin(), 7)
      << "the first digit of the test set";
}

TEST(Train, TheSameSpecGivesTheSameBytesWhateverTheThreads) {
  const TempDir dir;
  const auto one = sha_of_model(run_onnxop(train_args(dir / "a")));
  EXPECT_EQ(sha_of_model(run_onnxop(train_args(dir / "b"))), one);
  EXPECT_EQ(sha_of_model(run_onnxop(train_args(dir / "c", {"--set", "train.threads=1"}))), one);
  EXPECT_NE(sha_of_model(run_onnxop(train_args(dir / "d", {"--set", "train.seed=99"}))), one);
}

TEST(Train, AKilledRunIsResumedToTheSameBytes) {
  const TempDir dir;
  const auto undisturbed = sha_of_model(run_onnxop(train_args(dir / "undisturbed")));

  BackgroundProgram training(train_args(dir / "store", {"--run-id-file", dir / "run"}));
  const std::string run = training.wait_for_file(dir / "run");
  training.wait_for_file(dir.path() / "store" / "runs" / run / "checkpoint");
  training.signal(SIGKILL);
  training.wait();

  EXPECT_EQ(run_onnxop({"runs", "--store", dir / "store"}).exit_code, 0)
      << "the store stays readable";
  EXPECT_EQ(run_onnxop({"models", "--json", "--store", dir / "store"}).json()["models"].size(), 0U);
  const auto resumed = run_onnxop({"train", "--resume", run, "--json", "--store", dir / "store"});
  EXPECT_EQ(sha_of_model(resumed), undisturbed);
  EXPECT_EQ(resumed.json()["run_id"], run);
  EXPECT_EQ(resumed.json()["epochs"].size(), 2U);
}

TEST(Train, InterruptedByASignalSaysHowToGoOn) {
  const TempDir dir;
  BackgroundProgram training(train_args(dir / "store", {"--run-id-file", dir / "run"}));
  const std::string run = training.wait_for_file(dir / "run");
  training.signal(SIGINT);
  const auto outcome = training.wait();
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_THAT(outcome.err, HasSubstr("--resume " + run));
  EXPECT_EQ(run_onnxop({"runs", run, "--json", "--store", dir / "store"}).json()["status"],
            "KILLED");
}

TEST(Train, ABrokenSpecNamesLineKeyAndNearestWord) {
  const TempDir dir;
  std::string spec = read_text_file(small_spec());
  spec.replace(spec.find("epochs"), 6, "epohcs");
  write_file_atomically(dir.path() / "bad.yaml", as_bytes(spec));
  const auto outcome = run_onnxop({"train", dir / "bad.yaml", "--store", dir / "store"});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_THAT(outcome.err, HasSubstr("bad.yaml:"));
  EXPECT_THAT(outcome.err, HasSubstr("did you mean 'epochs'"));
  EXPECT_FALSE(std::filesystem::exists(dir / "store"))
      << "nothing is made for a spec that cannot be run";
}

TEST(Train, ResumingWhatIsNotThereIsAClearError) {
  const TempDir dir;
  const auto none = run_onnxop(
      {"train", "--resume", "0123456789abcdef0123456789abcdef", "--store", test_store()});
  EXPECT_EQ(none.exit_code, 1);
  EXPECT_THAT(none.err, HasSubstr("0123456789abcdef"));
  const std::string finished = run_onnxop({"runs", "--json", "--store", test_store()})
                                   .json()["runs"][0]["run_id"]
                                   .get<std::string>();
  const auto done = run_onnxop({"train", "--resume", finished, "--store", test_store()});
  EXPECT_EQ(done.exit_code, 1);
  EXPECT_THAT(done.err, HasSubstr("FINISHED"));
}

}  // namespace
}  // namespace onnxop::testing_support
