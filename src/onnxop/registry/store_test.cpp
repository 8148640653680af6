// The store as a whole: opening, damage, several processes. schema_test.cpp has the migrations.

#include <set>
#include <vector>

#include <gmock/gmock.h>

#include "onnxop/base/file.h"
#include "onnxop/registry/test_store.h"

namespace onnxop {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class OpenTest : public StoreTest {
 protected:
  Caught open_error(bool must_exist = false) const {
    return catch_error([&] { Registry(store_dir(), clock_, must_exist); });
  }
};

TEST_F(OpenTest, AStoreIsMadeAndFoundAgain) {
  const auto nested = store_dir() / "deep" / "in";
  std::string id;
  {
    Registry registry(nested, clock_);
    EXPECT_EQ(registry.dir(), nested);
    id = registry.runs().create({"a"});
  }
  EXPECT_EQ(Registry(nested, clock_, true).runs().get(id).name, "a");
}

TEST_F(OpenTest, PathsMayHoldAnything) {
  for (const char* name :
       {"with space", "a=b", "a=b with  spaces", "quo\"te", "ünï", "a;b", "a?b#c%20"}) {
    const auto dir = folder_ / name;
    Registry(dir, clock_).runs().create({"a"});
    EXPECT_TRUE(fs::exists(dir / "onnxop.db")) << name;
    EXPECT_EQ(Registry(dir, clock_, true).runs().list().size(), 1u) << name;
  }
  EXPECT_EQ(catch_error([&] { Registry(folder_ / "a=\"b", clock_); }).code,
            ErrorCode::kInvalidArgument);
}

TEST_F(OpenTest, WhatMustExistIsNotMade) {
  EXPECT_EQ(open_error(true).code, ErrorCode::kNotFound);
  EXPECT_FALSE(fs::exists(store_dir()));

  fs::create_directories(store_dir());
  const auto caught = open_error(true);
  EXPECT_EQ(caught.code, ErrorCode::kNotFound);
  EXPECT_THAT(caught.message, HasSubstr(store_dir().string()));
  EXPECT_TRUE(fs::is_empty(store_dir()));

  write("store/onnxop.db", "");  // as left by a process that died while it made the store
  EXPECT_EQ(open_error(true).code, ErrorCode::kNotFound);
  Registry(store_dir(), clock_).runs().create({"a"});
  EXPECT_EQ(Registry(store_dir(), clock_, true).runs().list().size(), 1u);
}

TEST_F(OpenTest, AFileIsNoStore) {
  write("store", "x");
  const auto caught = open_error();
  EXPECT_EQ(caught.code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(caught.message, HasSubstr("is a file, not a folder"));
}

TEST_F(OpenTest, AStoreThatLostItsDatabaseIsNotStartedAnew) {
  {
    Registry registry(store_dir(), clock_);
    registry.runs().dir(registry.runs().create({"a"}));
  }
  fs::remove(store_dir() / "onnxop.db");
  const auto caught = open_error();
  EXPECT_EQ(caught.code, ErrorCode::kDataLoss);
  EXPECT_THAT(caught.message, HasSubstr("without its database"));
  EXPECT_FALSE(fs::exists(store_dir() / "onnxop.db"));
}

TEST_F(OpenTest, GarbageIsDataLoss) {
  write("store/onnxop.db", std::string(8192, 'x'));
  for (const bool must_exist : {false, true}) {
    const auto caught = open_error(must_exist);
    EXPECT_EQ(caught.code, ErrorCode::kDataLoss);
    EXPECT_THAT(caught.message, HasSubstr((store_dir() / "onnxop.db").string()));
    EXPECT_THAT(caught.message, HasSubstr("damaged"));
  }
  EXPECT_EQ(read_text_file(store_dir() / "onnxop.db"), std::string(8192, 'x'));
}

TEST_F(OpenTest, ATruncatedDatabaseIsDataLoss) {
  {
    Registry registry(store_dir(), clock_);
    for (int i = 0; i < 50; ++i) {
      registry.runs().log_params(registry.runs().create({"a"}), {{"text", std::string(500, 'a')}});
    }
  }
  const auto file = store_dir() / "onnxop.db";
  const std::string whole = read_text_file(file);
  ASSERT_GT(whole.size(), 16384u);
  std::vector<std::size_t> sizes{whole.size() - 1, whole.size() - 4095};
  for (std::size_t size = 100; size < whole.size(); size += 1777) {
    sizes.push_back(size);
  }
  for (const std::size_t size : sizes) {
    write("store/onnxop.db", std::string_view(whole).substr(0, size));
    const auto caught = catch_error([&] { Registry(store_dir(), clock_, true).runs().list(); });
    EXPECT_EQ(caught.code, ErrorCode::kDataLoss) << size << ": " << caught.message;
    EXPECT_THAT(caught.message, HasSubstr(file.string()));
    fs::remove(store_dir() / "onnxop.db-wal");
    fs::remove(store_dir() / "onnxop.db-shm");
  }
}

// While a program has it open, or after a kill, the last pages may be in the log alone.
TEST_F(OpenTest, ADatabaseWhosePagesAreInItsLogIsWhole) {
  const auto copy = folder_ / "copy";
  std::size_t runs = 0;
  {
    Registry registry(store_dir(), clock_);
    for (int i = 0; i < 50; ++i) {
      registry.runs().log_params(registry.runs().create({"a"}), {{"text", std::string(500, 'a')}});
    }
    runs = registry.runs().list().size();
    fs::copy(store_dir(), copy, fs::copy_options::recursive);
  }
  ASSERT_GT(fs::file_size(copy / "onnxop.db-wal"), 0u);
  // As a checkpoint leaves it that was cut short: a first page that counts more than there are.
  const std::string first_page = read_text_file(store_dir() / "onnxop.db").substr(0, 4096);
  std::string cut = read_text_file(copy / "onnxop.db");
  cut.replace(0, std::min<std::size_t>(cut.size(), 4096), first_page);
  write("copy/onnxop.db", cut);
  EXPECT_EQ(Registry(copy, clock_, true).runs().list().size(), runs);
}

TEST_F(OpenTest, AFolderThatCannotBeWrittenIsAnIoError) {
  { Registry(store_dir(), clock_).runs().create({"a"}); }
  const auto unwritable = folder_ / "unwritable";
  fs::create_directories(unwritable);
  for (const fs::path& path :
       {fs::path(store_dir()), store_dir() / "onnxop.db", unwritable, folder_}) {
    fs::permissions(path, fs::is_directory(path) ? fs::perms(0555) : fs::perms(0444));
  }
  // Root may write everywhere, so the child becomes nobody.
  const auto code_in_child = [&](const fs::path& dir) {
    return wait_for(fork_child([&] {
      if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0)) {
        _exit(3);
      }
      try {
        Registry registry(dir, clock_);
        registry.runs().create({"b"});
      } catch (const Error& error) {
        const bool named =
            std::string_view(error.what()).find(dir.native()) != std::string_view::npos;
        _exit(error.code() == ErrorCode::kIo && named ? 42 : 4);
      }
    }));
  };
  EXPECT_EQ(code_in_child(store_dir()), 42);
  EXPECT_EQ(code_in_child(unwritable), 42);
  EXPECT_EQ(code_in_child(unwritable / "new"), 42);
  for (const fs::path& path : {folder_, fs::path(store_dir()), unwritable}) {
    fs::permissions(path, fs::perms(0755));
  }
}

// Several processes.

class ProcessesTest : public EachStoreTest {};
ONNXOP_ON_EACH_STORE(ProcessesTest);

TEST_P(ProcessesTest, ManyProcessesMayMakeTheStoreAtOnce) {
  for (int round = 0; round < 5; ++round) {
    const StoreLocation place = new_location();
    std::vector<pid_t> children;
    for (int i = 0; i < 6; ++i) {
      children.push_back(fork_child([&] { Registry(place, clock_).runs().create({"a"}); }));
    }
    for (const pid_t child : children) {
      EXPECT_EQ(wait_for(child), 0);
    }
    EXPECT_EQ(Registry(place, clock_, true).runs().list().size(), 6u);
  }
}

TEST_P(ProcessesTest, ProcessesThatWriteAtOnceAllSucceed) {
  constexpr int kProcesses = 4;
  constexpr int kRounds = 8;
  const auto file = write("in.onnx", std::string(100'000, 'm'));
  Registry registry(location(), clock_);
  std::vector<pid_t> children;
  for (int i = 0; i < kProcesses; ++i) {
    children.push_back(fork_child([&] {
      Registry own(location(), clock_);
      const auto run = own.runs().create({"r"});
      for (int round = 0; round < kRounds; ++round) {
        own.runs().log_metrics(run, {{"loss", 1.0 / (round + 1), round, round}});
        const auto version = own.models().publish(
            {.name = "shared", .model_file = file, .run_id = run, .source = "test"});
        own.models().set_alias("shared", "champion", version.version);
        own.models().verify(own.models().resolve("shared@champion"));
      }
      own.runs().end(run, RunStatus::kFinished);
    }));
  }
  for (const pid_t child : children) {
    EXPECT_EQ(wait_for(child), 0);
  }
  const auto versions = registry.models().versions("shared");
  std::set<std::int64_t> numbers;
  for (const auto& version : versions) {
    numbers.insert(version.version);
    registry.models().verify(version);
  }
  EXPECT_EQ(numbers.size(), static_cast<std::size_t>(kProcesses * kRounds));
  EXPECT_EQ(*numbers.rbegin(), kProcesses * kRounds);
  for (const auto& run : registry.runs().list()) {
    EXPECT_EQ(run.status, RunStatus::kFinished);
    EXPECT_EQ(registry.runs().metric_history(run.run_id, "loss").size(),
              static_cast<std::size_t>(kRounds));
  }
}

}  // namespace
}  // namespace onnxop
