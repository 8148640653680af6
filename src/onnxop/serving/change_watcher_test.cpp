#include "onnxop/serving/change_watcher.h"

#include <condition_variable>
#include <fstream>
#include <mutex>

#include <gtest/gtest.h>
#include <stdlib.h>

namespace onnxop {
namespace {

namespace fs = std::filesystem;

TEST(ChangeWatcher, LooksAtOnceAndWhenAWatchedFolderChanges) {
  std::string name = (fs::temp_directory_path() / "onnxop-watch.XXXXXX").string();
  ASSERT_NE(::mkdtemp(name.data()), nullptr);
  const fs::path folder = name;
  std::mutex mutex;
  std::condition_variable looked;
  int looks = 0;
  {
    ChangeWatcher watcher(
        [&] {
          return std::vector<fs::path>{folder, folder / "not there yet"};
        },
        [&] {
          const std::lock_guard lock(mutex);
          ++looks;
          looked.notify_all();
          return false;
        },
        {.settle = std::chrono::milliseconds(1),
         .poll = std::chrono::hours(1),
         .fallback = std::chrono::hours(1)});
    const auto wait_for = [&](int count) {
      std::unique_lock lock(mutex);
      return looked.wait_for(lock, std::chrono::minutes(1), [&] { return looks >= count; });
    };
    ASSERT_TRUE(wait_for(1));
    std::ofstream(folder / "file") << "new";
    ASSERT_TRUE(wait_for(2));
    int before = 0;
    {
      const std::lock_guard lock(mutex);
      before = looks;
    }
    fs::create_directory(folder / "not there yet");
    ASSERT_TRUE(wait_for(before + 1));
  }
  fs::remove_all(folder);
}

TEST(ChangeWatcher, LooksAgainSoonWhereItIsAskedTo) {
  std::mutex mutex;
  std::condition_variable looked;
  int looks = 0;
  ChangeWatcher watcher([] { return std::vector<fs::path>(); },
                        [&] {
                          const std::lock_guard lock(mutex);
                          looked.notify_all();
                          return ++looks < 3;
                        },
                        {.settle = std::chrono::milliseconds(1),
                         .again = std::chrono::milliseconds(1),
                         .poll = std::chrono::hours(1)});
  std::unique_lock lock(mutex);
  EXPECT_TRUE(looked.wait_for(lock, std::chrono::minutes(1), [&] { return looks == 3; }));
}

}  // namespace
}  // namespace onnxop
