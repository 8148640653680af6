#include "onnxop/registry/blob_store.h"

#include <array>
#include <fstream>
#include <map>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "onnxop/base/file.h"
#include "onnxop/base/sha256.h"
#include "onnxop/base/test_error.h"
#include "onnxop/base/test_folder.h"

namespace onnxop {
namespace {

namespace fs = std::filesystem;
using std::chrono::seconds;

class BlobStoreTest : public testing::Test {
 protected:
  Blob add_file(const fs::path& staged) {
    const Blob blob = blobs_->seal(staged);
    blobs_->add(staged, blob);
    return blob;
  }
  Blob add(std::string_view content) { return add_file(stage(content)); }
  fs::path stage(std::string_view content) {
    const auto path = blobs_->new_staging_file();
    write_file_atomically(path, as_bytes(content));
    return path;
  }
  std::map<std::string, std::int64_t> all() const {  // hash -> age
    std::map<std::string, std::int64_t> ages;
    blobs_->for_each([&](const Blob& blob, std::int64_t age) { ages[blob.sha256] = age; });
    return ages;
  }

  /// A file's age is counted by the fake clock.
  static void set_modified(const fs::path& path, std::int64_t unix_seconds) {
    const timespec time{unix_seconds, 0};
    const timespec times[2] = {time, time};
    ASSERT_EQ(::utimensat(AT_FDCWD, path.c_str(), times, 0), 0);
  }

  TestFolder folder_;
  FakeClock clock_;
  std::unique_ptr<BlobStore> blobs_ = folder_blob_store(folder_.path() / "artifacts", clock_);
};

TEST_F(BlobStoreTest, KeepsContentUnderItsHash) {
  const auto staged = stage("content");
  const Blob blob = add_file(staged);
  EXPECT_EQ(blob.sha256, sha256_hex(as_bytes("content")));
  EXPECT_EQ(blob.bytes, 7);
  EXPECT_FALSE(fs::exists(staged));
  const auto file = blobs_->file(blob.sha256);
  EXPECT_EQ(file, folder_.path() / "artifacts/sha256" / blob.sha256.substr(0, 2) / blob.sha256);
  EXPECT_EQ(read_text_file(file), "content");
  struct stat info {};
  ASSERT_EQ(::stat(file.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0444u);
  EXPECT_TRUE(blobs_->contains(blob.sha256));
}

TEST_F(BlobStoreTest, NothingIsMadeBeforeTheFirstWrite) {
  EXPECT_FALSE(fs::exists(folder_.path() / "artifacts"));
  EXPECT_TRUE(all().empty());
  EXPECT_EQ(blobs_->remove_staged(0), 0);
}

TEST_F(BlobStoreTest, TheSameContentIsStoredOnce) {
  const Blob first = add("same");
  const auto inode = [&] {
    struct stat info {};
    ::stat(blobs_->file(first.sha256).c_str(), &info);
    return info.st_ino;
  };
  const auto before = inode();
  clock_.advance(seconds(100));
  const auto staged = stage("same");
  const Blob second = add_file(staged);
  EXPECT_EQ(second.sha256, first.sha256);
  EXPECT_EQ(inode(), before);
  EXPECT_FALSE(fs::exists(staged));
  // It counts as new: who stored it again has perhaps not said so yet.
  EXPECT_EQ(all(), (std::map<std::string, std::int64_t>{{first.sha256, 0}}));
}

TEST_F(BlobStoreTest, ABlobThatWasCutShortIsMended) {
  const Blob blob = add("whole content");
  const auto file = blobs_->file(blob.sha256);
  fs::permissions(file, fs::perms::owner_all);
  fs::resize_file(file, 5);
  add("whole content");
  EXPECT_EQ(read_text_file(file), "whole content");
}

TEST_F(BlobStoreTest, AgesCountFromTheLastAdd) {
  const Blob old = add("old");
  clock_.advance(seconds(60));
  const Blob young = add("young");
  EXPECT_EQ(all(), (std::map<std::string, std::int64_t>{{old.sha256, 60}, {young.sha256, 0}}));
  EXPECT_FALSE(blobs_->remove(young.sha256, 60));
  EXPECT_TRUE(blobs_->remove(old.sha256, 60));
  EXPECT_FALSE(blobs_->remove(old.sha256));
  EXPECT_FALSE(blobs_->contains(old.sha256));
  EXPECT_TRUE(blobs_->remove(young.sha256));
  EXPECT_TRUE(all().empty());
}

TEST_F(BlobStoreTest, WhatIsNotThere) {
  const std::string none(64, 'a');
  EXPECT_EQ(code_of([&] { blobs_->file(none); }), ErrorCode::kNotFound);
  EXPECT_FALSE(blobs_->contains(none));
  EXPECT_FALSE(blobs_->remove(none));
  for (const std::string& bad : {std::string(), std::string("../../etc/passwd"),
                                 std::string(64, 'A'), std::string(63, 'a') + "/"}) {
    EXPECT_EQ(code_of([&] { blobs_->file(bad); }), ErrorCode::kInvalidArgument) << bad;
    EXPECT_FALSE(blobs_->contains(bad));
  }
  EXPECT_EQ(code_of([&] { blobs_->seal(folder_.path() / "no such file"); }), ErrorCode::kIo);
}

TEST_F(BlobStoreTest, StagedFilesThatNobodyCameBackForGo) {
  // Of a process that is not known here, as one of another machine.
  const auto stage_elsewhere = [&](std::string_view content) {
    const auto path = stage(content);
    const auto renamed = path.parent_path() / ("elsewhere~0~pid:[1]~1~1~" + std::string(content));
    fs::rename(path, renamed);
    return renamed;
  };
  const auto left = stage_elsewhere("left behind");
  set_modified(left, 1'700'000'000 - 3600);
  const auto current = stage_elsewhere("being written");
  set_modified(current, 1'700'000'000 - 3599);
  EXPECT_EQ(blobs_->remove_staged(0), 11);
  EXPECT_FALSE(fs::exists(left));
  EXPECT_TRUE(fs::exists(current));
}

TEST_F(BlobStoreTest, StagedFilesOfALivingProcessStay) {
  const auto own = stage("of this process");
  set_modified(own, 1'000'000'000);
  EXPECT_EQ(blobs_->remove_staged(0), 0);
  EXPECT_TRUE(fs::exists(own));

  std::array<int, 2> staged{};
  ASSERT_EQ(::pipe(staged.data()), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    set_modified(stage("of a child"), 1'000'000'000);
    ::close(staged[1]);
    while (true) {
      ::pause();
    }
  }
  ::close(staged[1]);
  char nothing = 0;
  EXPECT_EQ(::read(staged[0], &nothing, 1), 0);  // staged
  ::close(staged[0]);
  EXPECT_EQ(blobs_->remove_staged(0), 0);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  EXPECT_EQ(blobs_->remove_staged(0), 10);
  EXPECT_TRUE(fs::exists(own));
}

TEST_F(BlobStoreTest, EveryStagingFileIsItsOwn) {
  EXPECT_NE(blobs_->new_staging_file(), blobs_->new_staging_file());
}

}  // namespace
}  // namespace onnxop
