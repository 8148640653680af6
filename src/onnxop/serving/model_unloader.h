#pragma once
// Where models go when nobody needs them any more: destroying one and giving its memory back takes
// milliseconds, which no thread with requests has. What runs took goes back, too, once none has
// needed it for a while.

#include <chrono>
#include <functional>
#include <memory>

#include "onnxop/score/run_memory.h"
#include "onnxop/serving/served_model.h"

namespace onnxop {

struct UnloaderOptions {
  RunMemory& memory;                 // outlives the unloader
  std::function<void()> trim;        // gives what the C library keeps free to the system
  std::chrono::milliseconds period;  // without being needed, until memory of runs is given back
};

/// The engine's memory, malloc_trim(), ten seconds.
UnloaderOptions default_unloader_options();

/// Any thread.
class ModelUnloader {
 public:
  explicit ModelUnloader(UnloaderOptions options = default_unloader_options());
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
