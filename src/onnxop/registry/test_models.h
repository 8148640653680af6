#pragma once
// A store with models, for tests.

#include <string>
#include <string_view>

#include "onnxop/registry/test_store.h"

namespace onnxop {

class ModelStoreTest : public EachStoreTest {
 protected:
  /// A version whose model.onnx has this content.
  ModelVersion add(const std::string& name, std::string_view content = "model bytes") {
    return models_.publish({.name = name, .model_file = write("in.onnx", content)});
  }
  /// One without model.onnx.
  ModelVersion add_bare(const std::string& name) {
    return models_.publish({.name = name, .source = "mlflow-artifacts:/0/run/artifacts/model"});
  }

  std::filesystem::path model_folder(const std::string& folder) const {
    return store_dir() / "models" / folder;
  }

  /// The rows of a table.
  std::int64_t count(const std::string& table) const {
    return scalar("SELECT COUNT(*) FROM " + table);
  }

  Registry registry_{location(), clock_};
  Models& models_ = registry_.models();
};

}  // namespace onnxop
