#include "onnxop/server/grpc_times.h"

#include <algorithm>

namespace onnxop {
namespace {

using std::chrono::milliseconds;

/// Times may be as long as one likes.
SteadyTime after(SteadyTime from, milliseconds time) {
  return SteadyTime::max() - from < time ? SteadyTime::max() : from + time;
}

}  // namespace

GrpcTimes::GrpcTimes(const GrpcLimits& limits, milliseconds age, SteadyTime now)
    : limits_(limits),
      begun_(now),
      old_(age.count() == 0 ? SteadyTime::max() : after(now, age)),
      last_input_(now),
      idle_since_(now) {}

milliseconds GrpcTimes::patience() const {
  constexpr milliseconds kMost{20'000};
  return std::min(limits_.keepalive, kMost);
}

void GrpcTimes::on_input(SteadyTime now) {
  last_input_ = now;
  pinged_.reset();
}

void GrpcTimes::on_calls(std::size_t open, SteadyTime now) {
  if (open == 0) {
    idle_since_ = idle_since_.value_or(now);
  } else {
    idle_since_.reset();
    last_ping_.reset();
    early_pings_ = 0;
  }
}

void GrpcTimes::on_retired(SteadyTime now) {
  retired_ = retired_.value_or(now);
}

bool GrpcTimes::on_ping(SteadyTime now) {
  constexpr int kForgiven = 2;
  if (!idle_since_) {
    return true;
  }
  if (last_ping_ && now < after(*last_ping_, limits_.min_ping)) {
    ++early_pings_;
  }
  last_ping_ = now;
  return early_pings_ <= kForgiven;
}

/// Who was asked to go has as long again for calls going on; without one, to read so.
SteadyTime GrpcTimes::end_of_goodbye() const {
  if (!retired_) {
    return SteadyTime::max();
  }
  if (idle_since_) {
    constexpr milliseconds kGoodbye{5'000};
    return after(std::max(*retired_, *idle_since_), std::min(kGoodbye, patience()));
  }
  return limits_.max_age.count() == 0 ? SteadyTime::max() : after(*retired_, limits_.max_age);
}

SteadyTime GrpcTimes::next() const {
  if (!greeted_) {
    return after(begun_, limits_.handshake_timeout);
  }
  SteadyTime first = pinged_ ? after(*pinged_, patience()) : after(last_input_, limits_.keepalive);
  if (retired_) {
    return std::min(first, end_of_goodbye());
  }
  if (idle_since_) {
    first = std::min(first, after(*idle_since_, limits_.idle_timeout));
  }
  return std::min(first, old_);
}

GrpcTimes::Action GrpcTimes::due(SteadyTime now) {
  if (now < next()) {
    return Action::kNone;
  }
  if (!greeted_ || now >= end_of_goodbye() || (pinged_ && now >= after(*pinged_, patience()))) {
    return Action::kCut;
  }
  const bool idle_too_long = idle_since_ && now >= after(*idle_since_, limits_.idle_timeout);
  if (!retired_ && (idle_too_long || now >= old_)) {
    retired_ = now;
    return Action::kRetire;
  }
  pinged_ = now;
  return Action::kPing;
}

}  // namespace onnxop
