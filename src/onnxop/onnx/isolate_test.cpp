#include "onnxop/onnx/isolate.h"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <signal.h>
#include <unistd.h>

#include "onnxop/base/format.h"

namespace onnxop {
namespace {

TEST(Isolate, GivesTheTextOfTheWork) {
  const std::string large(1 << 20, 'x');  // more than a pipe holds
  const auto result = run_isolated([&] { return large; });
  EXPECT_EQ(result.text, large);
}

TEST(Isolate, SaysHowTheWorkEnded) {
  const auto result = run_isolated([]() -> std::string {
    ::raise(SIGKILL);
    return "";
  });
  EXPECT_FALSE(result.text);
  EXPECT_THAT(result.ending, testing::HasSubstr("signal 9"));
}

// As behind a lock that another thread held when the child was made.
TEST(Isolate, AChildThatSleepsForGoodIsMadeAgain) {
  const auto was_here = std::filesystem::temp_directory_path() /
                        format("onnxop-isolate-{}", static_cast<int>(::getpid()));
  const auto result = run_isolated([&]() -> std::string {
    if (!std::filesystem::exists(was_here)) {
      std::ofstream(was_here).put('x');
      while (true) {
        ::pause();
      }
    }
    return "done";
  });
  std::filesystem::remove(was_here);
  EXPECT_EQ(result.text, "done");
}

}  // namespace
}  // namespace onnxop
