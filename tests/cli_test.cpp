// The command line's form: verbs, help, exit codes, where output goes.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "onnxop/base/json_value.h"
#include "support/program.h"

namespace onnxop::testing_support {
namespace {

using testing::HasSubstr;

TEST(CommandLine, EveryVerbHasHelpWithAnExample) {
  for (const std::string verb : {"data", "train", "eval", "score", "inspect", "import", "serve",
                                 "token", "runs", "models"}) {
    const auto help = run_onnxop({verb, "--help"});
    EXPECT_EQ(help.exit_code, 0) << verb << help.err;
    EXPECT_THAT(help.out, HasSubstr("Example:\n  onnxop " + verb)) << verb;
  }
  const auto help = run_onnxop({"--help"});
  EXPECT_EQ(help.exit_code, 0);
  EXPECT_THAT(help.out, HasSubstr("inspect"));
}

TEST(CommandLine, WrongUsageIsExitCode2) {
  EXPECT_EQ(run_onnxop({}).exit_code, 2);
  const auto unknown = run_onnxop({"trian"});
  EXPECT_EQ(unknown.exit_code, 2);
  EXPECT_THAT(unknown.err, HasSubstr("did you mean 'train'?"));
  EXPECT_EQ(unknown.out, "");
  EXPECT_EQ(run_onnxop({"import", "x.onnx"}).exit_code, 2) << "--name is missing";
  EXPECT_EQ(run_onnxop({"train"}).exit_code, 2) << "no spec and no --resume";
  EXPECT_EQ(run_onnxop({"models", "--jsn"}).exit_code, 2);
}

TEST(CommandLine, FailureIsExitCode1WithOneClearLine) {
  const auto outcome = run_onnxop({"inspect", "/nowhere/a.onnx", "--json"});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_EQ(outcome.out, "");
  EXPECT_EQ(outcome.err, "onnxop: error: /nowhere/a.onnx: there is no such file\n");
}

TEST(CommandLine, GlobalOptionsStandBeforeOrAfterTheVerb) {
  const auto before = run_onnxop({"--store", test_store(), "models", "--json"});
  const auto after = run_onnxop({"models", "--json", "--store", test_store()});
  EXPECT_EQ(before.exit_code, 0) << before.err;
  EXPECT_EQ(before.out, after.out);
  EXPECT_EQ(before.json()["models"][0]["name"], "mnist");
}

TEST(CommandLine, TheEnvironmentNamesTheStore) {
  const auto outcome =
      run_program({"sh", "-c", "ONNXOP_STORE=/nowhere/store exec \"$0\" models", program_path()});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_THAT(outcome.err, HasSubstr("/nowhere/store"));
}

TEST(CommandLine, AStoreInPostgresqlHasItsFilesInAFolder) {
  const std::string url = "postgresql://ada:geheim@127.0.0.1:1/runs";  // nobody listens there
  const auto outcome = run_onnxop({"models", "--store", url, "--store-files", "/nowhere"});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_THAT(outcome.err,
              HasSubstr("postgresql://ada@127.0.0.1:1/runs: the database cannot be reached"));
  EXPECT_THAT(outcome.err, testing::Not(HasSubstr("geheim")));
  const auto folder = run_onnxop({"models", "--store", test_store(), "--store-files", "/nowhere"});
  EXPECT_EQ(folder.exit_code, 2);
  EXPECT_THAT(folder.err, HasSubstr("goes with a postgresql:// store"));
}

TEST(CommandLine, LookingIntoAStoreDoesNotMakeOne) {
  const TempDir dir;
  EXPECT_EQ(run_onnxop({"runs", "--store", dir / "none"}).exit_code, 1);
  EXPECT_FALSE(std::filesystem::exists(dir / "none"));
}

TEST(CommandLine, AClosedPipeIsAnErrorNotACrash) {
  const auto outcome = run_program({"sh", "-c", "\"$0\" models --store \"$1\" > /dev/full; echo $?",
                                    program_path(), test_store()});
  EXPECT_EQ(outcome.out, "1\n");
  EXPECT_THAT(outcome.err, HasSubstr("standard output cannot be written"));
}

}  // namespace
}  // namespace onnxop::testing_support
