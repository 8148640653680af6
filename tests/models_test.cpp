// Models on disk and in the store: inspect, score, eval, import, and what broken files get.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "onnxop/base/file.h"
#include "onnxop/base/json_value.h"
#include "support/program.h"

namespace onnxop::testing_support {
namespace {

using testing::HasSubstr;

std::vector<std::string> in_store(std::vector<std::string> args) {
  args.insert(args.end(), {"--store", test_store()});
  return args;
}

std::string model_path() {
  return run_onnxop(in_store({"models", "mnist", "--json"}))
      .json()["versions"][0]["model_path"]
      .get<std::string>();
}

std::vector<std::string> digit_files(const TempDir& dir, int count) {
  const auto outcome = run_onnxop({"data", "images", "mnist:test", "--first", std::to_string(count),
                                   "--to", dir / "digits", "--json"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  std::vector<std::string> files;
  const Json result = outcome.json();
  for (const auto& file : result["files"]) {
    files.push_back(file["path"].get<std::string>());
  }
  return files;
}

TEST(Inspect, TellsWhatATrainedModelHolds) {
  const auto outcome = run_onnxop(in_store({"inspect", "mnist:1", "--json"}));
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  const Json d = outcome.json();
  EXPECT_EQ(d["producer"]["name"], "onnxop");
  EXPECT_GE(d["opsets"]["ai.onnx"].get<int>(), 17);
  EXPECT_EQ(d["inputs"][0],
            Json::parse(R"({"name":"image","dtype":"float32","shape":[-1,28,28,1]})"));
  EXPECT_EQ(d["outputs"][0],
            Json::parse(R"({"name":"probabilities","dtype":"float32","shape":[-1,10]})"));
  EXPECT_EQ(d["contract"]["output"]["labels"].size(), 10U);
  EXPECT_TRUE(d["metadata"].contains("onnxop.contract"));
  EXPECT_GT(d["parameters"].get<int>(), 1000);
  EXPECT_GT(d["flops_per_sample"].get<double>(), 1000);
  for (const auto& op : d["operators"]) {
    EXPECT_EQ(op["origin"], "core");
    EXPECT_NE(op["op_type"], "Dropout") << "export takes dropout out";
  }
  EXPECT_TRUE(d["problems"].empty());
  EXPECT_THAT(run_onnxop(in_store({"inspect", "mnist"})).out, HasSubstr("float32 [?, 28, 28, 1]"));
}

TEST(Inspect, SaysWhatIsWrongWithABrokenFile) {
  const TempDir dir;
  const std::string whole = read_text_file(model_path());
  write_file_atomically(dir.path() / "cut.onnx",
                        as_bytes(std::string_view(whole).substr(0, whole.size() / 2)));
  write_file_atomically(dir.path() / "text.onnx", as_bytes("this is no model"));
  write_file_atomically(dir.path() / "empty.onnx", {});
  for (const std::string name : {"cut.onnx", "text.onnx", "empty.onnx"}) {
    for (const std::string verb : {"inspect", "import"}) {
      std::vector<std::string> args{verb, dir / name, "--store", dir / "store"};
      if (verb == "import") {
        args.insert(args.end(), {"--name", "broken"});
      }
      const auto outcome = run_onnxop(args);
      EXPECT_EQ(outcome.exit_code, 1) << verb << name;
      EXPECT_THAT(outcome.err, HasSubstr(name)) << verb;
    }
  }
  EXPECT_EQ(run_onnxop({"models", "--json", "--store", dir / "store"}).json()["models"].size(), 0U);
}

TEST(Score, GivesOneLineAnImage) {
  const TempDir dir;
  const auto files = digit_files(dir, 5);
  std::vector<std::string> args{"score", "mnist"};
  args.insert(args.end(), files.begin(), files.end());
  const auto text = run_onnxop(in_store(args));
  ASSERT_EQ(text.exit_code, 0) << text.err;
  EXPECT_EQ(std::count(text.out.begin(), text.out.end(), '\n'), 5);
  args.emplace_back("--json");
  const Json result = run_onnxop(in_store(args)).json();
  ASSERT_EQ(result["results"].size(), 5U);
  EXPECT_EQ(result["results"][0]["image"], files[0]);
  EXPECT_EQ(result["results"][0]["label"], "7");
  EXPECT_EQ(result["results"][0]["probabilities"].size(), 10U);
  EXPECT_EQ(result["model"], "mnist");
  EXPECT_EQ(result["version"], 1);
}

TEST(Score, ReadsStandardInput) {
  const TempDir dir;
  const auto files = digit_files(dir, 1);
  const auto outcome =
      run_onnxop(in_store({"score", "mnist", "-", "--json"}), read_text_file(files[0]));
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_EQ(outcome.json()["results"][0]["label"], "7");
  EXPECT_EQ(outcome.json()["results"][0]["image"], "-");
}

TEST(Score, ABadImageIsNamed) {
  const TempDir dir;
  write_file_atomically(dir.path() / "bad.png", as_bytes("no image"));
  const auto outcome = run_onnxop(in_store({"score", "mnist", dir / "bad.png"}));
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_THAT(outcome.err, HasSubstr("bad.png"));
}

TEST(Eval, CountsEveryTestImageOnce) {
  const auto outcome = run_onnxop(in_store({"eval", "mnist", "--data", "mnist:test", "--json"}));
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  const Json result = outcome.json();
  std::int64_t total = 0;
  std::int64_t diagonal = 0;
  for (std::size_t row = 0; row < 10; ++row) {
    for (std::size_t column = 0; column < 10; ++column) {
      const auto count = result["confusion_matrix"][row][column].get<std::int64_t>();
      total += count;
      diagonal += row == column ? count : 0;
    }
  }
  EXPECT_EQ(total, 10'000);
  EXPECT_DOUBLE_EQ(result["accuracy"].get<double>(), static_cast<double>(diagonal) / 10'000);
  ASSERT_EQ(result["classes"].size(), 10U);
  EXPECT_TRUE(result["classes"][3]["precision"].is_number());
  EXPECT_TRUE(result["classes"][3]["recall"].is_number());
  const auto unknown = run_onnxop(in_store({"eval", "mnist", "--data", "cifar:test"}));
  EXPECT_EQ(unknown.exit_code, 1);
  EXPECT_THAT(unknown.err, HasSubstr("mnist:test"));
}

TEST(Import, PutsAForeignModelIntoTheStore) {
  const TempDir dir;
  const auto first =
      run_onnxop({"import", model_path(), "--name", "digits", "--store", dir / "store", "--json"});
  ASSERT_EQ(first.exit_code, 0) << first.err;
  EXPECT_EQ(first.json()["version"], 1);
  write_file_atomically(dir.path() / "contract.json", as_bytes(R"({"version": 1,
    "input": {"name": "image", "kind": "image", "color": "gray", "width": 28, "height": 28, "resize": "bilinear"},
    "output": {"name": "probabilities", "kind": "classification",
               "labels": ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]}})"));
  const auto second = run_onnxop({"import", model_path(), "--name", "digits", "--contract",
                                  dir / "contract.json", "--store", dir / "store", "--json"});
  ASSERT_EQ(second.exit_code, 0) << second.err;
  EXPECT_EQ(second.json()["version"], 2);
  const auto files = digit_files(dir, 1);
  const auto score = run_onnxop({"score", "digits", files[0], "--json", "--store", dir / "store"});
  EXPECT_EQ(score.json()["results"][0]["label"], "seven");
  EXPECT_EQ(run_onnxop({"score", "digits:1", files[0], "--json", "--store", dir / "store"})
                .json()["results"][0]["label"],
            "7");
}

TEST(Import, AContractThatDoesNotFitIsRefused) {
  const TempDir dir;
  write_file_atomically(dir.path() / "contract.json", as_bytes(R"({"version": 1,
    "input": {"name": "image", "kind": "image", "color": "rgb", "width": 28, "height": 28, "resize": "area"},
    "output": {"name": "probabilities", "kind": "classification", "labels": []}})"));
  const auto outcome = run_onnxop({"import", model_path(), "--name", "digits", "--contract",
                                   dir / "contract.json", "--store", dir / "store"});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_THAT(outcome.err, HasSubstr("[?, 28, 28, 3]"));
  EXPECT_EQ(run_onnxop({"models", "--json", "--store", dir / "store"}).json()["models"].size(), 0U);
}

TEST(Models, AnUnknownNameSaysWhatThereIs) {
  const auto outcome = run_onnxop(in_store({"inspect", "mnits"}));
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_THAT(outcome.err, HasSubstr("mnist"));
}

}  // namespace
}  // namespace onnxop::testing_support
