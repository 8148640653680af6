#include "onnxop/serving/model_unloader.h"

#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include <malloc.h>

#include "onnxop/base/thread_priority.h"
#include "onnxop/score/ort_memory.h"

namespace onnxop {

/// Leases that are still out share it, so that it is there when they end.
class ModelUnloader::Work {
 public:
  explicit Work(UnloaderOptions options)
      : options_(std::move(options)), thread_([this] { run(); }) {}

  void take(ModelLease model) {
    {
      const std::lock_guard lock(mutex_);
      if (stopped_) {
        return;
      }
      ended_.push_back(std::move(model));
      trim_ = true;
    }
    wake_.notify_one();
  }

  void trim_soon() {
    {
      const std::lock_guard lock(mutex_);
      trim_ = true;
    }
    wake_.notify_one();
  }

  void stop() {
    {
      const std::lock_guard lock(mutex_);
      stopped_ = true;
    }
    wake_.notify_one();
    thread_.join();
  }

 private:
  void run() {
    constexpr int kPriority = 10;  // as those that load
    lower_thread_priority(kPriority);
    auto next_look = std::chrono::steady_clock::now() + options_.period;
    std::unique_lock lock(mutex_);
    while (true) {
      const bool asked = wake_.wait_until(lock, next_look, [this] { return trim_ || stopped_; });
      if (asked && !std::exchange(trim_, false)) {
        return;
      }
      std::vector<ModelLease> models = std::exchange(ended_, {});
      lock.unlock();
      models.clear();
      bool trim = asked;
      if (const auto now = std::chrono::steady_clock::now(); now >= next_look) {
        next_look = now + options_.period;
        trim = free_unneeded() || trim;
      }
      if (trim) {
        options_.trim();
      }
      lock.lock();
    }
  }

  /// True: trimming is worth while, which holds up who allocates meanwhile. Little is free beside
  /// what a run will have again, unless none comes.
  bool free_unneeded() {
    constexpr std::size_t kMuch = 1U << 20;  // bytes
    const RunMemory::Freed freed = options_.memory.free_unneeded();
    const RunMemory::Sizes left = options_.memory.sizes();
    const bool last_run_was_long_ago = left.used + left.kept == 0;
    return freed.to_heap >= kMuch || (last_run_was_long_ago && freed.to_heap + freed.to_system > 0);
  }

  const UnloaderOptions options_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<ModelLease> ended_;
  bool trim_ = false;
  bool stopped_ = false;
  std::thread thread_;
};

UnloaderOptions default_unloader_options() {
  return {
      .memory = run_memory(), .trim = [] { ::malloc_trim(0); }, .period = std::chrono::seconds(10)};
}

ModelUnloader::ModelUnloader(UnloaderOptions options)
    : work_(std::make_shared<Work>(std::move(options))) {}

ModelUnloader::~ModelUnloader() {
  work_->stop();
}

ModelLease ModelUnloader::watch(ModelLease model) {
  const ServedModel* const raw = model.get();
  return {raw, [work = work_, model = std::move(model)](const ServedModel*) mutable {
            work->take(std::move(model));
          }};
}

void ModelUnloader::give_memory_back() {
  work_->trim_soon();
}

}  // namespace onnxop
