#pragma once
// The calls that wait for one model, and how they are run. What waits belongs to the Scheduler and
// is guarded by its lock; the rest is safe from any thread.

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "onnxop/batch/batch_call.h"
#include "onnxop/score/scorer.h"

namespace onnxop {

/// A run of the engine, for statistics; told on the executor's thread.
struct RunReport {
  std::int64_t rows = 0;
  std::int64_t calls = 0;
  double seconds = 0;
  bool failed = false;
};

struct ModelQueueOptions {
  std::string name;           // of the model and version, for messages
  int max_queued = 256;       // calls that wait; more are refused
  std::int64_t max_rows = 1;  // of a joined batch; 1: calls are never joined
  std::function<void(const RunReport&)> on_run = {};  // may be empty
};

class ModelQueue {
 public:
  ModelQueue(std::shared_ptr<Scorer> scorer, ModelQueueOptions options)
      : scorer_(std::move(scorer)), options_(std::move(options)), max_rows_(options_.max_rows) {}

  Scorer& scorer() const { return *scorer_; }
  const ModelQueueOptions& options() const { return options_; }
  std::int64_t max_rows() const { return max_rows_.load(std::memory_order_relaxed); }
  void set_max_rows(std::int64_t rows) { max_rows_.store(rows, std::memory_order_relaxed); }
  std::size_t waiting() const { return waiting_count_.load(std::memory_order_relaxed); }
  /// Of the latest run of one row; 0 before any.
  double run_seconds() const { return run_seconds_.load(std::memory_order_relaxed); }

 private:
  friend class Scheduler;
  friend class BatchRunner;

  std::shared_ptr<Scorer> scorer_;
  ModelQueueOptions options_;
  std::atomic<std::int64_t> max_rows_;
  std::atomic<std::size_t> waiting_count_{0};
  std::atomic<double> run_seconds_{0};

  CallList calls_;
  double used_seconds_ = 0;
};

}  // namespace onnxop
