#include "onnxop/plot/axis.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "onnxop/base/format.h"

namespace onnxop {
namespace {

constexpr double kAir = 0.03;  // of the range, at each end

/// Of `value`, which is above 0; right for powers of ten too.
int exponent_of(double value) {
  return static_cast<int>(std::floor(std::log10(value) + 1e-9));
}

/// The smallest of 1, 2, 5, 10, 20, … that is at least `least`.
double round_step(double least) {
  const double power = std::pow(10.0, exponent_of(least));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= least * (1 - 1e-9)) {
      return factor * power;
    }
  }
  return 10 * power;
}

/// "2.50e-07" -> "2.5e-7"
std::string short_scientific(double value, int decimals) {
  std::string text = format("{:.{}e}", value, decimals);
  const auto e = text.find('e');
  std::string mantissa = text.substr(0, e);
  if (mantissa.find('.') != std::string::npos) {
    mantissa.erase(mantissa.find_last_not_of('0') + 1);
    if (mantissa.back() == '.') {
      mantissa.pop_back();
    }
  }
  return format("{}e{}", mantissa, std::stoi(text.substr(e + 1)));
}

/// With as many digits as tell values `step` apart from each other.
std::string tick_label(double value, double step, double largest) {
  constexpr double kLargestPlain = 1e6;
  constexpr int kMostDecimals = 5;
  constexpr int kMostDigits = 12;
  const int decimals = std::max(0, -exponent_of(step));
  if (largest < kLargestPlain && decimals <= kMostDecimals) {
    return format("{:.{}f}", value, decimals);
  }
  if (value == 0) {
    return "0";
  }
  const int digits = exponent_of(std::abs(value)) - exponent_of(step);
  return short_scientific(value, std::clamp(digits, 0, kMostDigits));
}

std::vector<Tick> linear_ticks(double low, double high, bool whole, int most) {
  double step = round_step((high - low) / most);
  if (whole) {
    step = std::max(step, 1.0);
  }
  const double largest = std::max(std::abs(low), std::abs(high));
  std::vector<Tick> ticks;
  const double first = std::ceil(low / step - 1e-9);
  for (int i = 0; i <= 2 * most; ++i) {  // by number: adding up would drift, or stand still
    const double value = (first + i) * step;
    if (value > high + step * 1e-9) {
      break;
    }
    if (ticks.empty() || value > ticks.back().value) {
      ticks.push_back({value, tick_label(value, step, largest)});
    }
  }
  return ticks;
}

std::string power_label(double value) {
  const int exponent = exponent_of(value);
  return exponent >= -4 && exponent <= 5 ? format("{:g}", value) : short_scientific(value, 0);
}

std::vector<Tick> log_ticks(double low, double high, int most) {
  const auto inside = [&](double value) {
    return value >= low * (1 - 1e-9) && value <= high * (1 + 1e-9);
  };
  const int first = exponent_of(low);
  const int last = exponent_of(high);
  const int stride = std::max(1, (last - first + most - 1) / most);
  std::vector<Tick> ticks;
  const bool wide = last - first >= 3;
  for (int e = first - first % stride; e <= last; e += stride) {
    for (const double factor : {1.0, 2.0, 5.0}) {
      const double value = factor * std::pow(10.0, e);
      if ((factor == 1 || !wide) && inside(value)) {
        ticks.push_back({value, power_label(value)});
      }
    }
  }
  return ticks.size() >= 2 ? ticks : linear_ticks(low, high, false, most);
}

}  // namespace

double Axis::place(double value) const {
  if (log) {
    return (std::log10(value) - std::log10(low)) / (std::log10(high) - std::log10(low));
  }
  return (value - low) / (high - low);
}

Axis make_axis(double low, double high, AxisKind kind, int most_ticks) {
  Axis axis{low, high, kind == AxisKind::kLog, {}};
  if (axis.log) {
    const double decades = std::log10(high) - std::log10(low);
    const double air = decades > 1e-9 ? std::pow(10.0, kAir * std::min(decades, 100.0)) : 2;
    axis.low = low / air;
    axis.high = high * air;
    axis.ticks = log_ticks(axis.low, axis.high, most_ticks);
    return axis;
  }
  const double largest = std::max(std::abs(low), std::abs(high));
  const bool flat = high - low <= largest * 1e-12;
  const double air = !flat                      ? (high - low) * kAir
                     : kind == AxisKind::kWhole ? 0.5
                     : largest > 0              ? largest * 0.1
                                                : 1;
  axis.low = low - air;
  axis.high = high + air;
  // Whole numbers near 1e300 are further apart than 0.5.
  if (!(axis.high > axis.low)) {
    axis.low = low - largest * 0.1;
    axis.high = high + largest * 0.1;
  }
  axis.ticks = linear_ticks(axis.low, axis.high, kind == AxisKind::kWhole, most_ticks);
  return axis;
}

}  // namespace onnxop
