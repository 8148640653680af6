#include "onnxop/server/token_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "onnxop/base/file.h"
#include "onnxop/base/log.h"
#include "onnxop/base/test_error.h"
#include "onnxop/base/test_folder.h"

namespace onnxop {
namespace {

using testing::HasSubstr;

/// Nothing is noticed by itself.
constexpr WatchOptions kNever{.poll = std::chrono::hours(1)};

class TokenFileTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { init_logging({.level = LogLevel::kError}); }

  void write(std::string_view text) const { write_file_atomically(path_, as_bytes(text)); }

  TestFolder folder_;
  std::filesystem::path path_ = folder_.path() / "tokens";
  std::string first_ = new_secret();
  std::string second_ = new_secret();
};

TEST_F(TokenFileTest, IsReadAgainWhenItChanges) {
  write(token_line("first", "infer", first_));
  const TokenFile file(path_, {.settle = std::chrono::milliseconds(1)});
  EXPECT_NE(file.tokens()->find(first_), nullptr);
  write(token_line("second", "infer", second_));
  while (file.tokens()->find(second_) == nullptr) {  // the watcher's thread is told of it
    std::this_thread::yield();
  }
  EXPECT_EQ(file.tokens()->find(first_), nullptr);
}

TEST_F(TokenFileTest, ABrokenOneIsLoggedOnceAndTheOldOneGoesOn) {
  write(token_line("first", "infer", first_));
  TokenFile file(path_, kNever);
  testing::internal::CaptureStderr();
  write("first infer nonsense");
  file.refresh();
  file.refresh();
  const std::string log = testing::internal::GetCapturedStderr();
  EXPECT_THAT(log, HasSubstr("line 1"));
  EXPECT_EQ(log.find("stay as they were"), log.rfind("stay as they were")) << log;
  EXPECT_NE(file.tokens()->find(first_), nullptr);
  std::filesystem::remove(path_);
  file.refresh();
  EXPECT_NE(file.tokens()->find(first_), nullptr);
  write(token_line("second", "infer", second_));
  file.refresh();
  EXPECT_NE(file.tokens()->find(second_), nullptr);
}

TEST_F(TokenFileTest, MustBeThereAndWholeAtFirst) {
  EXPECT_EQ(code_of([&] { TokenFile file(path_, kNever); }), ErrorCode::kNotFound);
  write("nonsense");
  EXPECT_EQ(code_of([&] { TokenFile file(path_, kNever); }), ErrorCode::kInvalidArgument);
}

TEST_F(TokenFileTest, TokensAreAddedForTheOwnerAlone) {
  append_token(path_, token_line("first", "infer", first_));
  write("# mine\n" + read_text_file(path_).substr(0, read_text_file(path_).size() - 1));
  append_token(path_, token_line("second", "manage", second_));
  EXPECT_EQ(read_text_file(path_), "# mine\n" + token_line("first", "infer", first_) + "\n" +
                                       token_line("second", "manage", second_) + "\n");
  struct stat status {};
  ASSERT_EQ(::stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  const std::string before = read_text_file(path_);
  EXPECT_EQ(code_of([&] { append_token(path_, token_line("first", "read", new_secret())); }),
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(read_text_file(path_), before);
}

}  // namespace
}  // namespace onnxop
