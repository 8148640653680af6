// Sudden death while versions are registered and removed. What is asserted holds whenever it comes.

#include <set>

#include <gmock/gmock.h>

#include "onnxop/registry/test_kill.h"

namespace onnxop {
namespace {

namespace fs = std::filesystem;

class ModelKillTest : public EachStoreTest, protected Kills {
 protected:
  std::set<std::string> names_in(const fs::path& folder) const {
    std::set<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder)) {
      names.insert(entry.path().filename().string());
    }
    return names;
  }
};

ONNXOP_ON_EACH_STORE(ModelKillTest);

TEST_P(ModelKillTest, ARegistrationLeavesNothingHalfMade) {
  constexpr int kKills = 60;
  const auto file = write("in.onnx", std::string(300'000, 'm'));
  write("weights.bin", std::string(300'000, 'w'));
  {
    Registry(location(), clock_)
        .models()
        .publish({.name = "m", .model_file = file, .source = "first"});
  }
  std::int64_t verified = 0;
  for (int kill_number = 0; kill_number < kKills; ++kill_number) {
    const auto acknowledged =
        run_and_kill(random_time(60'000), [&](const Acknowledge& acknowledge) {
          Registry registry(location(), clock_);
          while (true) {
            acknowledge(
                registry.models()
                    .publish({.name = "m", .model_file = file, .companions = {"weights.bin"}})
                    .version);
          }
        });
    Registry registry(location(), clock_, true);
    std::set<std::int64_t> visible;
    for (const auto& version : registry.models().versions("m")) {
      visible.insert(version.version);
      if (version.version > verified) {
        ASSERT_NO_THROW(registry.models().verify(version)) << "kill " << kill_number;
      }
    }
    for (const std::int64_t version : acknowledged) {
      ASSERT_TRUE(visible.contains(version)) << version;
    }
    verified = *visible.rbegin();
  }

  // The next registration succeeds and clears away what the dead left.
  Registry registry(location(), clock_);
  registry.models().publish({.name = "m", .model_file = file, .source = "last"});
  std::set<std::string> expected;
  for (const auto& version : registry.models().versions("m")) {
    expected.insert(std::to_string(version.version));
  }
  std::set<std::string> found;
  for (const auto& entry : fs::directory_iterator(store_dir() / "models/m")) {
    found.insert(entry.path().filename().string());
  }
  EXPECT_EQ(found, expected);
}

TEST_P(ModelKillTest, WhatIsBeingRemovedIsGoneOrWhole) {
  const auto file = write("in.onnx", std::string(100'000, 'm'));
  Registry(location(), clock_).models().create("first");
  for (int kill_number = 0; kill_number < 40; ++kill_number) {
    run_and_kill(random_time(60'000), [&](const Acknowledge&) {
      Registry registry(location(), clock_, true);
      Models& models = registry.models();
      for (int n = 0;; ++n) {
        const auto made = models.publish({.name = "m", .model_file = file});
        models.set_alias("m", "champion", made.version);
        models.publish({.name = "m", .model_file = file});
        models.remove_version("m", made.version);
        if (n % 2 == 1) {
          models.remove("m");
        }
      }
    });
    Registry registry(location(), clock_, true);
    for (const auto& version : registry.models().all_versions()) {
      ASSERT_NO_THROW(registry.models().verify(version)) << "kill " << kill_number;
    }
    for (const auto& model : registry.models().list()) {
      for (const auto& [alias, version] : model.aliases) {
        ASSERT_NO_THROW(registry.models().version(model.name, version));
      }
    }
  }

  // The next one that registers something clears away what the dead left.
  Registry registry(location(), clock_, true);
  registry.models().publish({.name = "last", .model_file = file});
  EXPECT_EQ(scalar("SELECT COUNT(*) FROM claims"), 0);
  std::set<std::string> expected;
  for (const auto& version : registry.models().all_versions()) {
    expected.insert(version.model_path.parent_path().parent_path().filename().string());
    EXPECT_TRUE(fs::exists(version.model_path));
  }
  EXPECT_EQ(names_in(store_dir() / "models"), expected);
}

}  // namespace
}  // namespace onnxop
