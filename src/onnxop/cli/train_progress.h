#pragma once
// Shows a training's progress on standard error: a line that changes on a terminal, plain lines
// elsewhere.

#include <chrono>

#include "onnxop/train/trainer.h"

namespace onnxop {

class TrainProgress : public TrainObserver {
 public:
  TrainProgress();
  void on_start(const TrainSummary& summary) override;
  void on_batch(const BatchProgress& progress) override;
  void on_epoch(const EpochResult& epoch) override;

 private:
  bool terminal_;
  std::int64_t epochs_ = 0;
  std::chrono::steady_clock::time_point shown_{};
};

}  // namespace onnxop
