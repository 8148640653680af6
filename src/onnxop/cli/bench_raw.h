#pragma once
// The verb bench's measurements of the engine alone, in this process: what no server can pass.

#include <cstdint>
#include <vector>

#include "onnxop/load/infer_body.h"
#include "onnxop/load/measure.h"
#include "onnxop/score/scorer.h"

namespace onnxop {

struct RawRow {
  int threads = 1;
  std::int64_t batch = 1;
  LoadReport report;           // of runs
  double rows_per_second = 0;  // batch times runs
};

/// Runs the model on random tensors from `threads` threads at once. `shapes` are for the other free
/// dimensions. Throws Error{kInvalidArgument} for a batch that the model does not take.
RawRow measure_raw(Scorer& scorer, std::int64_t batch, int threads, const InputShapes& shapes,
                   const WindowRule& windows);

/// Which of these batch sizes the model takes: all where its rows are free; its own number
/// otherwise.
std::vector<std::int64_t> possible_batches(const Scorer& scorer, const std::vector<int>& wanted);

/// 1, 2, 4, … and the number of processors.
std::vector<int> thread_counts();

/// The row with the most rows a second; null of none.
const RawRow* best_of(const std::vector<RawRow>& rows);

}  // namespace onnxop
