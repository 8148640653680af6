#pragma once
// One client of gRPC: bytes between its socket and an HTTP/2 session, and the calls in it. All of
// it on one I/O thread.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "onnxop/server/client_stream.h"
#include "onnxop/server/grpc_stream.h"
#include "onnxop/server/grpc_times.h"

namespace onnxop {

/// What the connections of one I/O thread share; outlives them.
struct GrpcConnections {
  const GrpcOptions& options;
  const GrpcMethods& methods;
  GrpcThread& thread;
  std::unordered_set<class GrpcConnection*> open = {};
  boost::beast::flat_buffer input = {};  // of the one that reads right now
  std::function<void()> on_closed = {};  // called when one is gone
};

class GrpcConnection : public std::enable_shared_from_this<GrpcConnection>,
                       private Http2Events,
                       private GrpcStreamOwner {
 public:
  GrpcConnection(Socket socket, GrpcConnections& all, std::chrono::milliseconds max_age);
  ~GrpcConnection() override;

  /// Serves the client until either side ends it. The connection lives as long as this does.
  static Awaitable<void> serve(std::shared_ptr<GrpcConnection> self);

  /// Tells who watches the server's health.
  void tell_drain();
  /// The client's next call is for another connection; those going on are finished.
  void retire();
  /// Closes the socket under a connection whose I/O thread has ended.
  void drop() { stream_.drop(); }

 private:
  Awaitable<bool> shake_hands();
  Awaitable<void> read_all();
  bool feed_what_came();
  void take_turn();
  void begin_fresh();
  void flush();
  bool is_over() const;
  static Awaitable<void> write_rest(std::shared_ptr<GrpcConnection> self);
  void log_answered();
  void read_on();
  void end();
  void set_timer();
  void act(GrpcTimes::Action action);

  void on_field(std::int32_t stream, const Http2Field& field) override;
  void on_head(std::int32_t stream) override;
  void on_data(std::int32_t stream, std::span<const std::byte> bytes) override;
  void on_end(std::int32_t stream) override;
  void on_drained(std::int32_t stream) override;
  void on_closed(std::int32_t stream) override;
  void on_settings() override;
  void on_ping() override;
  void on_ping_answered() override;

  GrpcThread& thread() override { return all_.thread; }
  std::string address() override { return stream_.remote_address(); }
  void flush_soon() override;
  std::size_t& gathering() override { return gathering_; }
  void begin_soon(std::int32_t stream, std::shared_ptr<GrpcInference> inference) override;
  void log_soon(std::shared_ptr<GrpcInference> inference) override;

  ClientStream stream_;
  GrpcConnections& all_;
  GrpcTimes times_;
  Timer timer_;
  SteadyTime timer_rings_ = SteadyTime::max();
  Http2Session session_;
  std::unordered_map<std::int32_t, std::unique_ptr<GrpcStream>> streams_;
  struct Fresh {
    std::int32_t stream;
    std::shared_ptr<GrpcInference> inference;
  };
  std::vector<Fresh> fresh_;                              // to begin
  std::vector<std::shared_ptr<GrpcInference>> answered_;  // to be logged
  std::vector<std::int32_t> drained_;                     // streams that may read on
  std::string output_;                                    // what the socket has not taken
  std::size_t gathering_ = 0;                             // see GrpcStreamOwner
  SteadyTime look_for_stuck_ = SteadyTime::max();         // when bodies may not move
  bool open_ = true;
  bool serving_ = false;      // HTTP/2 has begun
  bool turn_is_due_ = false;  // take_turn() will come
  bool writing_ = false;      // write_rest() is at it
  bool retiring_ = false;
  bool ended_ = false;  // requests that come are not looked at
};

}  // namespace onnxop
