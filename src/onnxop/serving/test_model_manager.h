#pragma once
// A ModelManager with a fake in place of the engine, and a folder of models and a store for it.

#include <atomic>
#include <fstream>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "onnxop/base/error.h"
#include "onnxop/base/test_folder.h"
#include "onnxop/onnx/model_file.h"
#include "onnxop/score/fake_scorer.h"
#include "onnxop/serving/model_manager.h"
#include "onnxop/serving/test_fake_model.h"

namespace onnxop {

class ModelManagerTest : public testing::Test {
 protected:
  ModelManagerTest() { std::filesystem::create_directory(folder_ / "models"); }

  std::filesystem::path put(const std::string& name, int version, const std::string& note = "") {
    const std::filesystem::path dir = folder_ / "models" / name / std::to_string(version);
    std::filesystem::create_directories(dir);
    write_file_atomically(dir / "model.onnx", serialize_model(fake_model(note)));
    return dir;
  }

  std::unique_ptr<ModelProvider> folder(double settle_seconds = 0) {
    return folder_provider(folder_ / "models", clock_, {.max_batch = 1}, settle_seconds);
  }

  ModelManager manager(std::unique_ptr<ModelProvider> provider, ServingWishes wishes = {}) {
    std::vector<std::unique_ptr<ModelProvider>> providers;
    providers.push_back(std::move(provider));
    return manager(std::move(providers), std::move(wishes));
  }
  ModelManager manager(std::vector<std::unique_ptr<ModelProvider>> providers,
                       ServingWishes wishes = {}) {
    return {std::move(providers),
            {std::move(wishes), 2},
            [this](const std::filesystem::path& path,
                   std::span<const std::byte>) -> std::shared_ptr<Scorer> {
              const std::lock_guard lock(mutex_);
              loads_.push_back(
                  std::filesystem::relative(path.parent_path(), folder_ / "models").string());
              if (broken_.contains(loads_.back())) {
                fail(ErrorCode::kInvalidArgument, "broken model");
              }
              return fake_classifier(8, 8, 1, 10);
            },
            [this](const std::filesystem::path&) { ++checks_; },
            catalog_};
  }

  std::int64_t served(std::string_view reference) {
    const ModelLease lease = catalog_.snapshot()->find(reference);
    return lease ? lease->version : 0;
  }
  static std::string status_of(const ModelManager& manager, const std::string& name,
                               std::int64_t version) {
    for (const VersionStatus& status : manager.index()) {
      if (status.name == name && status.version == version) {
        return format("{} {}", version_state_name(status.state), status.reason);
      }
    }
    return "none";
  }

  SystemClock clock_;
  const TestFolder own_folder_;
  const std::filesystem::path folder_ = own_folder_.path();
  Catalog catalog_;
  std::mutex mutex_;
  std::vector<std::string> loads_;
  std::set<std::string> broken_;
  std::atomic<int> checks_{0};
};

}  // namespace onnxop
