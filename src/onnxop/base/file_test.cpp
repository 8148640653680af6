#include "onnxop/base/file.h"

#include <set>

#include <gtest/gtest.h>

#include "onnxop/base/test_error.h"
#include "onnxop/base/test_folder.h"

namespace onnxop {
namespace {

namespace fs = std::filesystem;

class FileTest : public testing::Test {
 protected:
  TestFolder folder_;
  fs::path dir_ = folder_.path();
};

TEST_F(FileTest, WritesAndReadsBack) {
  std::string large(200'000, 'x');
  large[70'000] = '\0';
  write_file_atomically(dir_ / "a", as_bytes(large));
  EXPECT_EQ(read_text_file(dir_ / "a"), large);
  EXPECT_EQ(read_file(dir_ / "a").size(), large.size());
  write_file_atomically(dir_ / "a", as_bytes("short"));
  EXPECT_EQ(read_text_file(dir_ / "a"), "short");
  EXPECT_EQ(folder_.names(), std::set<std::string>{"a"});
}

TEST_F(FileTest, ReadsFilesWithoutASize) {
  EXPECT_FALSE(read_text_file("/proc/self/status").empty());
}

TEST_F(FileTest, RefusesMoreThanTheLimit) {
  write_file_atomically(dir_ / "a", as_bytes("12345"));
  EXPECT_EQ(read_text_file(dir_ / "a", 5), "12345");
  EXPECT_EQ(code_of([&] { read_file(dir_ / "a", 4); }), ErrorCode::kTooLarge);
}

TEST_F(FileTest, TellsMissingFromUnreadable) {
  EXPECT_EQ(code_of([&] { read_file(dir_ / "none"); }), ErrorCode::kNotFound);
  EXPECT_EQ(code_of([&] { read_file(dir_); }), ErrorCode::kInvalidArgument);
}

TEST_F(FileTest, AFailedWriteLeavesNothing) {
  EXPECT_EQ(code_of([&] { write_file_atomically(dir_ / "none" / "a", as_bytes("x")); }),
            ErrorCode::kNotFound);
  fs::create_directories(dir_ / "taken" / "inside");
  EXPECT_EQ(code_of([&] { write_file_atomically(dir_ / "taken", as_bytes("x")); }), ErrorCode::kIo);
  EXPECT_EQ(folder_.names(), std::set<std::string>{"taken"});
}

TEST_F(FileTest, CopiesToANewFile) {
  std::string content(std::size_t{3} << 20, 'a');
  content += "the end";
  const auto from = folder_.write("from", content);
  copy_to_new_file(from, dir_ / "to");
  EXPECT_EQ(read_text_file(dir_ / "to"), content);
  EXPECT_EQ(code_of([&] { copy_to_new_file(from, dir_ / "to"); }), ErrorCode::kIo);
  EXPECT_EQ(code_of([&] { copy_to_new_file(dir_ / "none", dir_ / "new"); }), ErrorCode::kNotFound);
}

TEST_F(FileTest, StagedDirectoryAppearsWholeOrNotAtAll) {
  {
    StagedDirectory staged(dir_ / "models" / "1");
    write_file_atomically(staged.path() / "model.onnx", as_bytes("m"));
    EXPECT_FALSE(fs::exists(dir_ / "models" / "1"));
  }
  EXPECT_TRUE(fs::is_empty(dir_ / "models"));

  StagedDirectory staged(dir_ / "models" / "1");
  write_file_atomically(staged.path() / "model.onnx", as_bytes("m"));
  staged.publish();
  EXPECT_EQ(read_text_file(dir_ / "models" / "1" / "model.onnx"), "m");
}

TEST_F(FileTest, StagedDirectoryNeverReplaces) {
  fs::create_directories(dir_ / "1");
  StagedDirectory staged(dir_ / "1");
  EXPECT_EQ(code_of([&] { staged.publish(); }), ErrorCode::kAlreadyExists);
}

}  // namespace
}  // namespace onnxop
