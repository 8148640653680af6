#include "onnxop/registry/artifacts.h"

#include <thread>

#include <gmock/gmock.h>

#include "onnxop/base/file.h"
#include "onnxop/base/sha256.h"
#include "onnxop/registry/test_store.h"

namespace onnxop {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class ArtifactsTest : public EachRegistryTest {
 protected:
  Artifact put(std::string_view path, std::string_view content = "x") {
    return artifacts_.put(path, as_bytes(content));
  }
  std::string content(std::string_view path) const {
    return read_text_file(artifacts_.file(artifacts_.find(path).value()));
  }
  std::vector<std::string> list(std::string_view folder) const {  // folders end with '/'
    std::vector<std::string> names;
    for (const ArtifactEntry& entry : artifacts_.list(folder)) {
      names.push_back(entry.path + (entry.is_dir ? "/" : ""));
    }
    return names;
  }
  std::vector<std::string> tree(std::string_view folder) const {
    std::vector<std::string> names;
    for (const Artifact& artifact : artifacts_.tree(folder)) {
      names.push_back(artifact.path);
    }
    return names;
  }
  /// Files 1, 2, … of a folder, behind the back of the artifacts.
  void insert_artifacts(const std::string& folder, int count) const {
    execute(
        "INSERT INTO artifacts (path, bytes, sha256, created_ms) WITH RECURSIVE n (i) AS "
        "(SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < " +
        std::to_string(count) + ") SELECT '" + folder + "/' || i, 1, 'aa', 0 FROM n");
  }
  std::size_t files_on_disk() const {
    std::size_t count = 0;
    for (const auto& entry : fs::recursive_directory_iterator(store_dir() / "artifacts")) {
      count += entry.is_regular_file() ? 1 : 0;
    }
    return count;
  }

  Artifacts& artifacts_ = registry_.artifacts();
};
ONNXOP_ON_EACH_STORE(ArtifactsTest);

TEST_P(ArtifactsTest, WhatIsPutIsFound) {
  const auto made = put("0/run/artifacts/model/MLmodel", "flavors:");
  EXPECT_EQ(made.path, "0/run/artifacts/model/MLmodel");
  EXPECT_EQ(made.bytes, 8);
  EXPECT_EQ(made.sha256, sha256_hex(as_bytes("flavors:")));
  EXPECT_EQ(made.created_ms, 1'700'000'000'000);
  const auto found = artifacts_.find("0//run/artifacts/model/MLmodel");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->sha256, made.sha256);
  EXPECT_EQ(found->bytes, made.bytes);
  EXPECT_EQ(found->created_ms, made.created_ms);
  EXPECT_EQ(content("0/run/artifacts/model/MLmodel"), "flavors:");
  EXPECT_FALSE(artifacts_.find("0/run/artifacts/model"));
  EXPECT_FALSE(artifacts_.find("0/run/artifacts/model/mlmodel"));
  Registry again(location(), clock_, true);
  EXPECT_TRUE(again.artifacts().find("0/run/artifacts/model/MLmodel"));
}

TEST_P(ArtifactsTest, AnEmptyFileIsOne) {
  EXPECT_EQ(put("empty", "").bytes, 0);
  EXPECT_EQ(content("empty"), "");
}

TEST_P(ArtifactsTest, FilesAreTakenOverOrCopied) {
  const auto file = write("in.bin", "copied");
  artifacts_.put_copy("a/copy", file);
  EXPECT_TRUE(fs::exists(file));
  EXPECT_EQ(content("a/copy"), "copied");
  const auto staged = artifacts_.blobs().new_staging_file();
  std::ofstream(staged) << "staged";
  artifacts_.put_staged("a/staged", staged);
  EXPECT_EQ(content("a/staged"), "staged");
  EXPECT_FALSE(fs::exists(staged));
  EXPECT_EQ(catch_error([&] { artifacts_.put_copy("b", folder_ / "none"); }).code,
            ErrorCode::kNotFound);
  EXPECT_EQ(files_on_disk(), 2u);
}

TEST_P(ArtifactsTest, TheLastOneStays) {
  put("a", "first");
  clock_.advance(std::chrono::seconds(1));
  const auto second = put("a", "second");
  EXPECT_EQ(content("a"), "second");
  EXPECT_EQ(artifacts_.find("a")->created_ms, second.created_ms);
  EXPECT_THAT(list(""), ElementsAre("a"));
}

TEST_P(ArtifactsTest, TheSameContentIsStoredOnce) {
  put("a", "same");
  put("b/c", "same");
  EXPECT_EQ(files_on_disk(), 1u);
}

TEST_P(ArtifactsTest, FoldersAreListedOneLevelAtATime) {
  put("top.txt", "12345");
  put("m/MLmodel");
  put("m/data/model.onnx", "1234567");
  put("m/data/weights/w1");
  put("m-2/x");
  put("m.txt");
  EXPECT_THAT(list(""), ElementsAre("m/", "m-2/", "m.txt", "top.txt"));
  EXPECT_THAT(list("/"), ElementsAre("m/", "m-2/", "m.txt", "top.txt"));
  EXPECT_THAT(list("m"), ElementsAre("m/MLmodel", "m/data/"));
  EXPECT_THAT(list("m/data/"), ElementsAre("m/data/model.onnx", "m/data/weights/"));
  EXPECT_THAT(list("m/MLmodel"), IsEmpty());
  EXPECT_THAT(list("none"), IsEmpty());
  EXPECT_THAT(list("m/dat"), IsEmpty());
  EXPECT_EQ(artifacts_.list("").back().bytes, 5);
  EXPECT_THAT(tree("m"), ElementsAre("m/MLmodel", "m/data/model.onnx", "m/data/weights/w1"));
  EXPECT_THAT(tree("").size(), 6u);
}

// Where '_' and '%' are letters like others, upper and lower case differ, and neither language nor
// punctuation changes the order.
TEST_P(ArtifactsTest, NamesAreComparedByteByByte) {
  for (const char* path : {"a_b/x", "aXb/x", "a%b/x", "a%/y", "A/x", "a/x", "ä/x", "a b/x", "a-/x",
                           "a./x", "a0/x", "é", "z", "Z", "a'b/x", "a\"b/x"}) {
    put(path);
  }
  EXPECT_THAT(list("a_b"), ElementsAre("a_b/x"));
  EXPECT_THAT(list("a%"), ElementsAre("a%/y"));
  EXPECT_THAT(list("a"), ElementsAre("a/x"));
  EXPECT_THAT(list("A"), ElementsAre("A/x"));
  EXPECT_THAT(list("ä"), ElementsAre("ä/x"));
  EXPECT_THAT(list("a'b"), ElementsAre("a'b/x"));
  EXPECT_THAT(list(""), ElementsAre("A/", "Z", "a/", "a b/", "a\"b/", "a%/", "a%b/", "a'b/", "a-/",
                                    "a./", "a0/", "aXb/", "a_b/", "z", "ä/", "é"));
  EXPECT_EQ(artifacts_.remove("a"), 1u);
  EXPECT_EQ(artifacts_.remove("a_b"), 1u);
  EXPECT_EQ(artifacts_.tree("").size(), 14u);
}

TEST_P(ArtifactsTest, LargeFoldersAreListedWhole) {
  insert_artifacts("f/b", 1100);  // fills pages
  insert_artifacts("f/d", 499);
  insert_artifacts("f/d2", 1);
  put("f/a");
  put("f/c");
  put("f/e");
  EXPECT_THAT(list("f"), ElementsAre("f/a", "f/b/", "f/c", "f/d/", "f/d2/", "f/e"));
  EXPECT_EQ(list("f/b").size(), 1100u);
  EXPECT_EQ(artifacts_.tree("f").size(), 1603u);
  EXPECT_EQ(artifacts_.remove("f"), 1603u);
}

TEST_P(ArtifactsTest, PathsAreAsLongInEachDatabase) {
  std::string path = "long/";  // what a database cannot pack
  for (std::uint32_t random = 1; path.size() < 2600; random = random * 1664525 + 1013904223) {
    path += format("{:08x}", random);
  }
  path.resize(2600);
  put(path, "content");
  EXPECT_EQ(content(path), "content");
  EXPECT_THAT(list("long"), ElementsAre(path));
  const auto caught = catch_error([&] { put(path + "x"); });
  EXPECT_EQ(caught.code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(caught.message, HasSubstr("2601 bytes, expected at most 2600"));
}

TEST_P(ArtifactsTest, APathIsAFileOrAFolder) {
  put("a/b");
  for (const char* bad : {"a", "a/b/c", "a/b/c/d"}) {
    const auto caught = catch_error([&] { put(bad); });
    EXPECT_EQ(caught.code, ErrorCode::kFailedPrecondition) << bad;
  }
  EXPECT_THAT(catch_error([&] { put("a/b/c"); }).message,
              HasSubstr("'a/b' is a file: 'a/b/c' cannot be in it"));
  EXPECT_THAT(tree(""), ElementsAre("a/b"));
  put("a-b");
  put("a0");
  EXPECT_EQ(files_on_disk(), 1u);
}

TEST_P(ArtifactsTest, PathsThatAreNoneAreRefusedEverywhere) {
  for (const std::string& bad : {std::string(), std::string("../x"), std::string("/x"),
                                 std::string("a/%2e%2e/b"), std::string("a\0b", 3)}) {
    EXPECT_EQ(catch_error([&] { put(bad); }).code, ErrorCode::kInvalidArgument) << bad;
    EXPECT_EQ(catch_error([&] { artifacts_.find(bad); }).code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(catch_error([&] { artifacts_.remove(bad); }).code, ErrorCode::kInvalidArgument);
    const auto staged = artifacts_.blobs().new_staging_file();
    std::ofstream(staged) << "x";
    EXPECT_EQ(catch_error([&] { artifacts_.put_staged(bad, staged); }).code,
              ErrorCode::kInvalidArgument);
    EXPECT_FALSE(fs::exists(staged));
  }
  EXPECT_EQ(catch_error([&] { artifacts_.list("../x"); }).code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(catch_error([&] { artifacts_.tree("/x"); }).code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(tree(""), IsEmpty());
  EXPECT_FALSE(fs::exists(store_dir() / "artifacts/sha256"));
}

TEST_P(ArtifactsTest, FilesAndFoldersAreRemoved) {
  put("a/b/c");
  put("a/d");
  put("a0");
  EXPECT_EQ(artifacts_.remove("a/b/c"), 1u);
  EXPECT_THAT(list("a"), ElementsAre("a/d"));  // an empty folder is none
  put("a/e");
  EXPECT_EQ(artifacts_.remove("a"), 2u);
  EXPECT_THAT(list(""), ElementsAre("a0"));
  EXPECT_EQ(catch_error([&] { artifacts_.remove("a"); }).code, ErrorCode::kNotFound);
}

TEST_P(ArtifactsTest, VerifyFindsWhatChanged) {
  put("good");
  const auto changed = put("changed/1", "abc");
  put("changed/2", "abc");
  const auto cut = put("cut", "abcd");
  const auto gone = put("gone", "abcde");
  EXPECT_THAT(artifacts_.verify(), IsEmpty());
  const auto spoil = [&](const Artifact& artifact, std::string_view content) {
    const auto file = artifacts_.file(artifact);
    fs::permissions(file, fs::perms::owner_all);
    std::ofstream(file) << content;
  };
  spoil(changed, "abd");
  spoil(cut, "abc");
  fs::remove(artifacts_.file(gone));
  const auto damage = artifacts_.verify();
  ASSERT_EQ(damage.size(), 4u);
  EXPECT_EQ(damage[0].path, "changed/1");
  EXPECT_THAT(damage[0].problem, HasSubstr("its SHA-256 is"));
  EXPECT_EQ(damage[1].path, "changed/2");
  EXPECT_EQ(damage[2].path, "cut");
  EXPECT_THAT(damage[2].problem, HasSubstr("3 bytes, but 4 were stored"));
  EXPECT_EQ(damage[3].path, "gone");
  EXPECT_THAT(damage[3].problem, HasSubstr("there is no such blob"));
}

TEST_P(ArtifactsTest, WhatNoPathPointsToIsCollectedOnceItIsOld) {
  put("kept", "kept");
  put("replaced", "before");
  put("replaced", "after");
  put("removed", "removed");
  artifacts_.remove("removed");
  EXPECT_EQ(artifacts_.gc(3600), 0);
  clock_.advance(std::chrono::seconds(3600));
  put("young", "young");
  artifacts_.remove("young");
  EXPECT_EQ(artifacts_.gc(3600), 13);
  EXPECT_EQ(files_on_disk(), 3u);
  EXPECT_EQ(content("kept"), "kept");
  EXPECT_EQ(content("replaced"), "after");
  EXPECT_EQ(artifacts_.gc(0), 5);
  EXPECT_EQ(artifacts_.gc(0), 0);
}

TEST_P(ArtifactsTest, WhatIsStagedAndNotStoredYetIsNotCollected) {
  const auto staged = artifacts_.blobs().new_staging_file();
  std::ofstream(staged) << "on its way";
  fs::last_write_time(staged, fs::file_time_type::clock::now() - std::chrono::hours(24 * 10'000));
  Registry other(location(), clock_, true);
  EXPECT_EQ(other.artifacts().gc(0), 0);
  artifacts_.put_staged("a", staged);
  EXPECT_EQ(content("a"), "on its way");
}

TEST_P(ArtifactsTest, WhatIsStoredWhileOthersCollectStays) {
  std::thread collector([&] {
    Registry other(location(), clock_, true);
    for (int i = 0; i < 40; ++i) {
      other.artifacts().gc(0);
    }
  });
  for (int i = 0; i < 40; ++i) {
    put("p" + std::to_string(i % 4), "content " + std::to_string(i % 3));
  }
  collector.join();
  EXPECT_THAT(artifacts_.verify(), IsEmpty());
}

}  // namespace
}  // namespace onnxop
