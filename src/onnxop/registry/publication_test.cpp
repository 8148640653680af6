#include <gmock/gmock.h>
#include <sys/stat.h>

#include "onnxop/base/file.h"
#include "onnxop/base/sha256.h"
#include "onnxop/registry/process_owner.h"
#include "onnxop/registry/test_models.h"

namespace onnxop {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

class PublicationTest : public ModelStoreTest {
 protected:
  /// A claim of this process's child, which has ended.
  void claim_of_the_dead(const std::string& folder, int version, int model,
                         const std::string& name) {
    int channel[2];
    ASSERT_EQ(pipe(channel), 0);
    wait_for(fork_child([&] {
      const std::string owner = current_process_owner();
      static_cast<void>(::write(channel[1], owner.data(), owner.size()));
    }));
    std::array<char, 512> owner{};
    ASSERT_GT(::read(channel[0], owner.data(), owner.size() - 1), 0);
    close(channel[0]);
    close(channel[1]);
    execute("INSERT INTO claims (folder, version, model, name, owner) VALUES ('" + folder + "', " +
            std::to_string(version) + ", " + std::to_string(model) + ", '" + name + "', '" +
            owner.data() + "')");
  }
};
ONNXOP_ON_EACH_STORE(PublicationTest);

TEST_P(PublicationTest, AVersionIsACopyThatKnowsWhereItCameFrom) {
  const auto run = registry_.runs().create({.name = "r"});
  const auto file = write("out.onnx", "the bytes");
  registry_.act_as("ada");
  const auto version = models_.publish({.name = "mnist",
                                        .model_file = file,
                                        .run_id = run,
                                        .source = "train digits.yaml",
                                        .description = "notes",
                                        .logged_model_id = "m-1",
                                        .run_link = "somewhere/run",
                                        .contract = "{\"version\":1}",
                                        .metrics = {{"accuracy", 0.99}, {"odd", NAN}},
                                        .tags = {{"k", "v"}}});
  EXPECT_EQ(version.model_path, model_folder("mnist") / "1/model.onnx");
  fs::remove(file);
  EXPECT_EQ(read_text_file(version.model_path), "the bytes");
  for (const ModelVersion& found : {version, models_.version("mnist", 1)}) {
    EXPECT_EQ(found.name, "mnist");
    EXPECT_EQ(found.version, 1);
    EXPECT_EQ(found.run_id, run);
    EXPECT_EQ(found.source, "train digits.yaml");
    EXPECT_EQ(found.sha256, sha256_hex(as_bytes("the bytes")));
    EXPECT_EQ(found.created_ms, 1'700'000'000'000);
    EXPECT_EQ(found.updated_ms, 1'700'000'000'000);
    EXPECT_EQ(found.description, "notes");
    EXPECT_EQ(found.user_id, "ada");
    EXPECT_EQ(found.stage, "None");
    EXPECT_EQ(found.logged_model_id, "m-1");
    EXPECT_EQ(found.run_link, "somewhere/run");
    EXPECT_EQ(found.contract, "{\"version\":1}");
    EXPECT_EQ(found.metrics.at("accuracy"), 0.99);
    EXPECT_TRUE(std::isnan(found.metrics.at("odd")));
    EXPECT_THAT(found.tags, ElementsAre(Pair("k", "v")));
    EXPECT_EQ(found.model_path, version.model_path);
  }
}

TEST_P(PublicationTest, VersionsCountUpForEachName) {
  EXPECT_EQ(add("a", "1").version, 1);
  EXPECT_EQ(add("a", "2").version, 2);
  EXPECT_EQ(add("b", "3").version, 1);
  EXPECT_EQ(add_bare("a").version, 3);
  models_.remove_version("a", 3);
  EXPECT_EQ(add("a", "4").version, 4);  // a number never means two things
  const auto versions = models_.versions("a");
  ASSERT_EQ(versions.size(), 3u);
  EXPECT_EQ(versions[0].version, 4);
  EXPECT_EQ(versions[1].version, 2);
  EXPECT_EQ(versions[2].version, 1);
  EXPECT_EQ(read_text_file(versions[2].model_path), "1");
}

TEST_P(PublicationTest, CompanionsKeepTheirPlace) {
  const auto file = write("in/net.onnx", "graph");
  write("in/weights.bin", "weights");
  write("in/parts/more.bin", "more");
  const auto elsewhere = write("elsewhere/golden", "golden");
  const auto version = models_.publish({.name = "big",
                                        .model_file = file,
                                        .companions = {"weights.bin", "parts/./more.bin"},
                                        .files = {{"golden.json", elsewhere}}});
  const auto folder = version.model_path.parent_path();
  EXPECT_EQ(read_text_file(folder / "weights.bin"), "weights");
  EXPECT_EQ(read_text_file(folder / "parts/more.bin"), "more");
  EXPECT_EQ(read_text_file(folder / "golden.json"), "golden");
  const auto files = models_.files("big", 1);
  ASSERT_EQ(files.size(), 4u);
  EXPECT_EQ(files[0].path, "golden.json");
  EXPECT_EQ(files[1].path, "model.onnx");
  EXPECT_EQ(files[1].sha256, version.sha256);
  EXPECT_EQ(files[2].path, "parts/more.bin");
  EXPECT_EQ(files[3].path, "weights.bin");
  EXPECT_EQ(files[3].bytes, 7);
  EXPECT_EQ(files[3].sha256, sha256_hex(as_bytes("weights")));
  models_.verify(version);
}

TEST_P(PublicationTest, FilesCannotLeaveTheFolder) {
  const auto file = write("in/net.onnx", "graph");
  const auto secret = write("secret", "x");
  write("in/model.onnx", "x");
  const auto refused = [&](const NewVersion& version) {
    EXPECT_EQ(catch_error([&] { models_.publish(version); }).code, ErrorCode::kInvalidArgument);
  };
  for (const char* bad :
       {"../secret", "a/../../secret", "/etc/passwd", ".", "", "a/", "model.onnx"}) {
    refused({.name = "m", .model_file = file, .companions = {bad}});
    refused({.name = "m", .model_file = file, .files = {{bad, secret}}});
  }
  write("in/w", "x");
  refused({.name = "m", .model_file = file, .companions = {"w", "./w"}});
  refused({.name = "m", .model_file = file, .companions = {"w"}, .files = {{"w", secret}}});
  refused({.name = "m", .companions = {"w"}});
  EXPECT_THAT(models_.list(), IsEmpty());
  EXPECT_FALSE(fs::exists(store_dir() / "models"));
}

TEST_P(PublicationTest, WhatCannotBeRegisteredLeavesNothing) {
  const auto file = write("in.onnx", "x");
  const auto code = [&](const NewVersion& version) {
    return catch_error([&] { models_.publish(version); }).code;
  };
  EXPECT_EQ(code({.name = "m", .model_file = folder_ / "no.onnx"}), ErrorCode::kNotFound);
  EXPECT_EQ(code({.name = "m", .model_file = folder_}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code({.name = "m", .model_file = file, .companions = {"no.bin"}}),
            ErrorCode::kNotFound);
  EXPECT_EQ(code({.name = "m", .model_file = file, .run_id = std::string(32, 'a')}),
            ErrorCode::kNotFound);
  EXPECT_EQ(code({.name = "a/b", .model_file = file}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code({.name = "m", .model_file = file, .tags = {{"", "x"}}}),
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(code({.name = "m", .model_file = file, .metrics = {{"", 1}}}),
            ErrorCode::kInvalidArgument);
  EXPECT_THAT(models_.list(), IsEmpty());
  EXPECT_EQ(add("m").version, 1);  // no number was used up
}

TEST_P(PublicationTest, AFailureWhileCopyingIsTakenBack) {
  write("models-in-the-way", "");
  fs::create_directories(store_dir());
  fs::rename(folder_ / "models-in-the-way", store_dir() / "models");
  EXPECT_EQ(catch_error([&] { add("m"); }).code, ErrorCode::kIo);
  EXPECT_THAT(models_.list(), IsEmpty());
  EXPECT_EQ(count("claims"), 0);
  fs::remove(store_dir() / "models");
  EXPECT_EQ(add("m").version, 1);
  EXPECT_EQ(models_.history("m").size(), 2u);  // made, with a version: once
}

TEST_P(PublicationTest, AFolderThatNobodyPublishedIsSteppedOver) {
  add("m");
  fs::create_directories(model_folder("m") / "2");
  EXPECT_EQ(add("m").version, 3);
  EXPECT_EQ(models_.versions("m").size(), 2u);
  fs::create_directories(model_folder("new"));
  EXPECT_NE(add("new").model_path, model_folder("new") / "1/model.onnx");
}

TEST_P(PublicationTest, PublishedFilesAreReadOnly) {
  const auto version = add("m");
  using fs::perms;
  const auto permissions = fs::status(version.model_path).permissions();
  EXPECT_EQ(permissions & (perms::owner_write | perms::group_write | perms::others_write),
            perms::none);
}

TEST_P(PublicationTest, ABlobOfTheStoreIsLinkedNotCopied) {
  const auto artifact = registry_.artifacts().put("0/r/artifacts/model.onnx", as_bytes("graph"));
  const auto blob = registry_.artifacts().file(artifact);
  const auto version = models_.publish({.name = "m", .model_file = blob});
  const auto inode = [](const fs::path& path) {
    struct stat info {};
    EXPECT_EQ(::stat(path.c_str(), &info), 0);
    return info.st_ino;
  };
  EXPECT_EQ(inode(version.model_path), inode(blob));
  EXPECT_EQ(version.sha256, artifact.sha256);
  // Neither depends on the other.
  registry_.artifacts().remove("0/r/artifacts/model.onnx");
  registry_.artifacts().gc(0);
  models_.verify(version);

  const auto file = write("mine.onnx", "mine");
  EXPECT_NE(inode(models_.publish({.name = "m", .model_file = file}).model_path), inode(file));
}

TEST_P(PublicationTest, ADamagedBlobIsNotPublished) {
  const auto artifact = registry_.artifacts().put("a", as_bytes("graph"));
  const auto blob = registry_.artifacts().file(artifact);
  fs::permissions(blob, fs::perms::owner_all);
  std::ofstream(blob) << "grape";
  const auto caught = catch_error([&] { models_.publish({.name = "m", .model_file = blob}); });
  EXPECT_EQ(caught.code, ErrorCode::kDataLoss);
  EXPECT_THAT(models_.list(), IsEmpty());
  EXPECT_FALSE(fs::exists(model_folder("m")));
}

TEST_P(PublicationTest, AVersionWithoutFilesIsKeptButNotResolved) {
  const auto version = add_bare("sklearn");
  EXPECT_EQ(version.sha256, "");
  EXPECT_EQ(version.model_path, "");
  EXPECT_THAT(models_.files("sklearn", 1), IsEmpty());
  EXPECT_FALSE(fs::exists(store_dir() / "models"));
  models_.verify(version);
  models_.remove_version("sklearn", 1);
  EXPECT_THAT(models_.versions("sklearn"), IsEmpty());
}

TEST_P(PublicationTest, AVersionWithoutFilesIsOfWhatIsThere) {
  for (const NewVersion& version : {NewVersion{.name = "m", .run_id = std::string(32, '0')},
                                    NewVersion{.name = "m", .logged_model_id = "m-0"}}) {
    EXPECT_EQ(catch_error([&] { models_.publish(version); }).code, ErrorCode::kNotFound);
  }
  EXPECT_THAT(models_.list(), IsEmpty());
}

TEST_P(PublicationTest, WhatTheDeadLeftGoes) {
  add("m");
  fs::create_directories(model_folder("m") / "2/left");
  fs::create_directories(model_folder("m") / ".2.abcdef");
  fs::create_directories(model_folder("m") / ".20.abcdef");
  claim_of_the_dead("m", 2, 1, "m");
  fs::create_directories(model_folder("removed") / "1");
  claim_of_the_dead("removed", 0, 7, "removed");
  EXPECT_EQ(models_.versions("m").size(), 1u);
  EXPECT_EQ(add("m").version, 2);
  EXPECT_EQ(count("claims"), 0);
  EXPECT_FALSE(fs::exists(model_folder("m") / "2/left"));
  EXPECT_FALSE(fs::exists(model_folder("m") / ".2.abcdef"));
  EXPECT_TRUE(fs::exists(model_folder("m") / ".20.abcdef"));
  EXPECT_FALSE(fs::exists(model_folder("removed")));
}

TEST_P(PublicationTest, AModelThatOthersAreMakingJustNowIsSharedWithThem) {
  // Somebody is copying the first version of "m".
  execute(
      "INSERT INTO claims (folder, version, model, name, owner) "
      "VALUES ('m', 1, 1, 'm', 'another machine')");
  EXPECT_THAT(models_.list(), IsEmpty());
  const auto second = add("m");
  EXPECT_EQ(second.version, 2);
  EXPECT_EQ(second.model_path, model_folder("m") / "2/model.onnx");
  EXPECT_EQ(add("m").version, 3);
  EXPECT_EQ(count("claims"), 1);
}

TEST_P(PublicationTest, ManyAtOnceGetNumbersOfTheirOwn) {
  constexpr int kWriters = 4;
  constexpr int kEach = 5;
  const auto file = write("in.onnx", "bytes");
  std::vector<pid_t> children;
  for (int i = 0; i < kWriters; ++i) {
    children.push_back(fork_child([&] {
      Registry registry(location(), clock_);
      for (int n = 0; n < kEach; ++n) {
        registry.models().publish({.name = "m", .model_file = file});
      }
    }));
  }
  for (const pid_t child : children) {
    EXPECT_EQ(wait_for(child), 0);
  }
  const auto versions = models_.versions("m");
  ASSERT_EQ(versions.size(), static_cast<std::size_t>(kWriters * kEach));
  EXPECT_EQ(versions.front().version, kWriters * kEach);
  EXPECT_EQ(models_.list().size(), 1u);
  EXPECT_EQ(count("claims"), 0);
  for (const auto& version : versions) {
    models_.verify(version);
  }
}

}  // namespace
}  // namespace onnxop
