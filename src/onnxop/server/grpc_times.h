#pragma once
// When a connection of gRPC has lasted long enough, was silent too long, or asks for too much: what
// is to be done at which time. Pure: it is told the time, and starts nothing.

#include <chrono>
#include <cstdint>
#include <optional>

#include "onnxop/base/clock.h"
#include "onnxop/server/grpc_limits.h"

namespace onnxop {

class GrpcTimes {
 public:
  enum class Action : std::uint8_t {
    kNone,
    kPing,    // ask the client for a word
    kRetire,  // let the client make its next call over another connection
    kCut      // end the connection at once
  };

  /// `age` is limits.max_age, or near it, so that those who came together do not go together.
  GrpcTimes(const GrpcLimits& limits, std::chrono::milliseconds age, SteadyTime now);

  void on_input(SteadyTime now);
  /// The client speaks HTTP/2.
  void on_settings() { greeted_ = true; }
  bool greeted() const { return greeted_; }
  /// How many calls are open now.
  void on_calls(std::size_t open, SteadyTime now);
  /// kRetire was carried out, for whatever reason.
  void on_retired(SteadyTime now);
  /// False: too many pings have come that nothing asked for.
  bool on_ping(SteadyTime now);

  /// When due() has something to say, if nothing else happens.
  SteadyTime next() const;
  /// What is to be done now; each thing once.
  Action due(SteadyTime now);

  /// So long a client has for a word that it was asked for.
  std::chrono::milliseconds patience() const;

 private:
  SteadyTime end_of_goodbye() const;

  const GrpcLimits& limits_;
  SteadyTime begun_;
  SteadyTime old_;  // when it has its age
  SteadyTime last_input_;
  bool greeted_ = false;
  std::optional<SteadyTime> idle_since_;
  std::optional<SteadyTime> pinged_;  // and no word since
  std::optional<SteadyTime> retired_;
  std::optional<SteadyTime> last_ping_;  // of the client's, and no call since
  int early_pings_ = 0;
};

}  // namespace onnxop
