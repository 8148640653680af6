#include "onnxop/cli/train_progress.h"

#include <cmath>
#include <iostream>

#include <unistd.h>

#include "onnxop/base/format.h"

namespace onnxop {
namespace {

std::string duration_text(double seconds) {
  const auto whole = std::int64_t{std::llround(seconds)};
  return whole >= 3600 ? format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60)
                       : format("{}:{:02}", whole / 60, whole % 60);
}

std::string percent_text(const std::optional<double>& share) {
  return share ? format(", accuracy {:.2f} %", 100 * *share) : std::string();
}

}  // namespace

TrainProgress::TrainProgress() : terminal_(::isatty(STDERR_FILENO) != 0) {}

void TrainProgress::on_start(const TrainSummary& summary) {
  epochs_ = summary.epochs;
  std::cerr << format(
      "training {} parameters on {} samples ({} for validation, {} for the test), {} thread(s)\n",
      summary.parameters, summary.training_samples, summary.validation_samples,
      summary.test_samples, summary.threads);
  if (!summary.finished.empty()) {
    std::cerr << format("{} epoch(s) were finished before\n", summary.finished.size());
  }
}

void TrainProgress::on_batch(const BatchProgress& progress) {
  const auto now = std::chrono::steady_clock::now();
  const auto pause = terminal_ ? std::chrono::milliseconds(100) : std::chrono::milliseconds(5000);
  if (now - shown_ < pause) {
    return;
  }
  shown_ = now;
  std::cerr << (terminal_ ? "\r\x1b[K" : "")
            << format("epoch {}/{}, batch {}/{}: loss {:.4f}{}, {:.0f} images/s, {} left",
                      progress.epoch, progress.epochs, progress.batch, progress.batches,
                      progress.loss, percent_text(progress.accuracy), progress.images_per_second,
                      duration_text(progress.seconds_left))
            << (terminal_ ? "" : "\n") << std::flush;
}

void TrainProgress::on_epoch(const EpochResult& epoch) {
  std::cerr << (terminal_ ? "\r\x1b[K" : "")
            << format("epoch {}/{}: loss {:.4f}{}; validation loss {:.4f}{}; {:.1f} s\n",
                      epoch.epoch, epochs_, epoch.train_loss, percent_text(epoch.train_accuracy),
                      epoch.val_loss, percent_text(epoch.val_accuracy), epoch.seconds)
            << std::flush;
}

}  // namespace onnxop
