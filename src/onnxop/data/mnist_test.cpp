#include "onnxop/data/mnist.h"

#include <memory>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "onnxop/base/process.h"
#include "onnxop/base/sha256.h"
#include "onnxop/base/test_error.h"
#include "onnxop/base/test_folder.h"
#include "onnxop/data/mnist_sources.h"

namespace onnxop {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

const std::string kOne = "the first file";
const std::string kTwo = "the second file";

/// Two files with the right hashes.
const std::vector<MnistFile>& files() {
  static const std::string one = sha256_hex(as_bytes(kOne));
  static const std::string two = sha256_hex(as_bytes(kTwo));
  static const std::vector<MnistFile> files{{"one", one}, {"two", two}};
  return files;
}

/// Sources that write down what they are asked for.
class Fetch : public testing::Test {
 protected:
  MnistSource good(const std::string& name) {
    return {name, [this, name](const MnistFile& file, const fs::path& work) {
              asked_.push_back(name + ":" + std::string(file.name));
              write_file_atomically(work / file.name, as_bytes(file.name == "one" ? kOne : kTwo));
              return std::string();
            }};
  }

  MnistSource failing(const std::string& name) {
    return {name, [this, name](const MnistFile& file, const fs::path&) {
              asked_.push_back(name + ":" + std::string(file.name));
              return name + " is down";
            }};
  }

  /// Brings `content`, whatever was asked for.
  MnistSource wrong(const std::string& name, const std::string& content) {
    return {name, [this, name, content](const MnistFile& file, const fs::path& work) {
              asked_.push_back(name + ":" + std::string(file.name));
              write_file_atomically(work / file.name, as_bytes(content));
              return std::string();
            }};
  }

  void expect_published() const {
    EXPECT_THAT(folder_.names(), UnorderedElementsAre("one", "two"));
    EXPECT_EQ(read_text_file(folder_.path() / "one"), kOne);
    EXPECT_EQ(read_text_file(folder_.path() / "two"), kTwo);
  }

  TestFolder folder_;
  std::vector<std::string> asked_;
};

TEST_F(Fetch, TheFirstSourceIsEnough) {
  EXPECT_TRUE(fetch_files({good("a"), good("b")}, files(), folder_.path()));
  EXPECT_THAT(asked_, ElementsAre("a:one", "a:two"));
  expect_published();
}

TEST_F(Fetch, MakesItsFolder) {
  const fs::path dir = folder_.path() / "x" / "y";
  EXPECT_TRUE(fetch_files({good("a")}, files(), dir));
  EXPECT_EQ(read_text_file(dir / "two"), kTwo);
}

TEST_F(Fetch, SourcesAreTriedInOrderAndTheOneThatAnsweredComesFirst) {
  EXPECT_TRUE(fetch_files({failing("a"), failing("b"), good("c")}, files(), folder_.path()));
  EXPECT_THAT(asked_, ElementsAre("a:one", "b:one", "c:one", "c:two"));
  expect_published();
}

TEST_F(Fetch, WhatHasTheWrongHashIsNotTaken) {
  EXPECT_TRUE(
      fetch_files({wrong("a", "a page that says sorry"), good("b")}, files(), folder_.path()));
  EXPECT_THAT(asked_, ElementsAre("a:one", "b:one", "b:two"));
  expect_published();
}

TEST_F(Fetch, ASourceThatHasOnlySomeFilesIsGoneOnFrom) {
  EXPECT_TRUE(fetch_files({wrong("a", kOne), good("b")}, files(), folder_.path()));
  EXPECT_THAT(asked_, ElementsAre("a:one", "a:two", "b:two"));
  expect_published();
}

TEST_F(Fetch, WhatIsThereIsKept) {
  folder_.write("one", kOne);
  EXPECT_TRUE(fetch_files({good("a")}, files(), folder_.path()));
  EXPECT_THAT(asked_, ElementsAre("a:two"));
  expect_published();
  EXPECT_FALSE(fetch_files({good("a")}, files(), folder_.path()));
  EXPECT_EQ(asked_.size(), 1U);
}

TEST_F(Fetch, WhatIsDamagedIsFetchedAgain) {
  folder_.write("one", kOne);
  folder_.write("two", kTwo.substr(1));
  EXPECT_TRUE(fetch_files({good("a")}, files(), folder_.path()));
  EXPECT_THAT(asked_, ElementsAre("a:two"));
  expect_published();
}

TEST_F(Fetch, WhenNoSourceHelpsEachIsNamedAndNothingIsLeftBehind) {
  folder_.write("one", kOne);
  folder_.write("two", "damaged before");
  const Error error = error_of([this] {
    fetch_files({failing("a"), wrong("b", "other")}, files(), folder_.path());
  });
  EXPECT_EQ(error.code(), ErrorCode::kUnavailable);
  EXPECT_THAT(error.what(), AllOf(HasSubstr("two could not be fetched"), HasSubstr("a: a is down"),
                                  HasSubstr("b: what came has another SHA-256")));
  EXPECT_THAT(folder_.names(), UnorderedElementsAre("one", "two"));
  EXPECT_EQ(read_text_file(folder_.path() / "two"), "damaged before");
}

bool installed(const std::string& program) {
  return run_process({program, "--version"}).exit_code == 0;
}

TEST_F(Fetch, MirrorsHoldPackedFiles) {
  if (!installed("curl") || !installed("gzip")) {
    GTEST_SKIP() << "no curl or no gzip";
  }
  const TestFolder site;
  for (const auto& [name, content] : {std::pair{"one", kOne}, std::pair{"two", kTwo}}) {
    site.write(name, content);
    ASSERT_EQ(run_process({"gzip", name}, site.path()).exit_code, 0);
  }
  const MnistSource nowhere = mirror("file://" + (site.path() / "nowhere").string() + "/");
  const MnistSource there = mirror("file://" + site.path().string() + "/");
  EXPECT_TRUE(fetch_files({nowhere, there}, files(), folder_.path()));
  expect_published();

  const Error error = error_of([&] { fetch_files({nowhere}, files(), folder_.path() / "other"); });
  EXPECT_THAT(error.what(), AllOf(HasSubstr(nowhere.name), HasSubstr("curl ended with ")));

  site.write("one.gz", "not packed");
  const Error unpacked = error_of([&] { fetch_files({there}, files(), folder_.path() / "third"); });
  EXPECT_THAT(unpacked.what(), HasSubstr("gzip ended with "));
}

TEST(Mnist, HasFourFiles) {
  std::vector<std::string> names;
  for (const auto& file : mnist_files()) {
    names.emplace_back(file.name);
    EXPECT_EQ(file.sha256.size(), 64U);
  }
  EXPECT_THAT(names, ElementsAre("train-images-idx3-ubyte", "train-labels-idx1-ubyte",
                                 "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"));
}

TEST(Mnist, SaysHowToFetchIt) {
  const TestFolder folder;
  const Error error = error_of([&] { load_mnist(folder.path(), "test"); });
  EXPECT_EQ(error.code(), ErrorCode::kNotFound);
  EXPECT_THAT(error.what(), AllOf(HasSubstr((folder.path() / "t10k-images-idx3-ubyte").string()),
                                  HasSubstr("onnxop data fetch mnist")));
}

TEST(Mnist, HasTwoParts) {
  const Error error = error_of([] { load_mnist("/nowhere", "validation"); });
  EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
  EXPECT_THAT(error.what(), HasSubstr("train and test, not 'validation'"));
}

/// The real files, where they have been fetched.
class RealMnist : public testing::Test {
 protected:
  void SetUp() override {
    if (!fs::exists(dir_ / "t10k-labels-idx1-ubyte")) {
      GTEST_SKIP() << "no MNIST at " << dir_;
    }
  }

  fs::path dir_ = default_data_dir() / "mnist";
};

std::vector<int> first_classes(const Dataset& data) {
  return {data.classes.begin(), data.classes.begin() + 5};
}

TEST_F(RealMnist, IsWholeAndNotFetchedAgain) {
  EXPECT_FALSE(fetch_files({}, mnist_files(), dir_));
}

TEST_F(RealMnist, BeginsWithTheDigitsThatAreKnown) {
  const Dataset train = load_mnist(dir_, "train");
  EXPECT_EQ(train.samples.shape(), (Shape{60'000, 28, 28, 1}));
  EXPECT_EQ(train.outputs(), 10);
  EXPECT_THAT(first_classes(train), ElementsAre(5, 0, 4, 1, 9));
  const Dataset test = load_mnist(dir_, "test");
  EXPECT_EQ(test.samples.shape(), (Shape{10'000, 28, 28, 1}));
  EXPECT_THAT(first_classes(test), ElementsAre(7, 2, 1, 0, 4));
  EXPECT_NE(train.sha256, test.sha256);
}

TEST_F(RealMnist, ItsPixelsHaveTheKnownMean) {
  const Dataset train = load_mnist(dir_, "train");
  double sum = 0;
  for (const auto pixel : train.samples.values<std::uint8_t>()) {
    sum += pixel;
  }
  EXPECT_NEAR(sum / (60'000.0 * 784) / 255, 0.1307, 5e-5);
}

}  // namespace
}  // namespace onnxop
