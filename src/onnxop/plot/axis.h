#pragma once
// An axis: a range of values, and round values in it that are named. Pure functions.

#include <string>
#include <vector>

namespace onnxop {

struct Tick {
  double value = 0;
  std::string label;
};

struct Axis {
  double low = 0;
  double high = 1;  // above low
  bool log = false;
  std::vector<Tick> ticks;  // rising

  /// Where a value lies: 0 at low, 1 at high.
  double place(double value) const;
};

enum class AxisKind {
  kLinear,
  kWhole,  // linear, ticks at whole numbers only
  kLog,    // both ends above 0
};

/// Holds all of `low` to `high` (finite, low not above high, within +-1e300), with some air around
/// and at most about `most_ticks` ticks: 1, 2 or 5 times a power of ten apart.
Axis make_axis(double low, double high, AxisKind kind, int most_ticks);

}  // namespace onnxop
