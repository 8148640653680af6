#pragma once
// Where models go when nobody needs them any more: destroying one and giving its memory back takes
// milliseconds, which no thread with requests has.

#include <memory>

#include "onnxop/serving/served_model.h"

namespace onnxop {

/// Any thread.
class ModelUnloader {
 public:
  ModelUnloader();
  /// Destroys what has come. Models of leases that end later are destroyed where they end.
  ~ModelUnloader();
  ModelUnloader(const ModelUnloader&) = delete;
  ModelUnloader& operator=(const ModelUnloader&) = delete;

  /// A lease on the same model; when the last of its copies ends, the model comes here. `model` is
  /// the only one on it so far.
  ModelLease watch(ModelLease model);

  /// Gives what is free back to the system, soon: loading a model takes more than the model keeps.
  void give_memory_back();

 private:
  class Work;
  std::shared_ptr<Work> work_;
};

}  // namespace onnxop
