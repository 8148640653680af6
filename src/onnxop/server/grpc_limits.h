#pragma once
// How much a client of gRPC may ask for, and how long it may take. Over a limit of a call the
// client gets RESOURCE_EXHAUSTED, over one of a connection it loses that.

#include <chrono>
#include <cstddef>

namespace onnxop {

struct GrpcLimits {
  std::size_t max_message_bytes = 16U << 20;   // of a request, also once it is decompressed
  std::size_t max_metadata_bytes = 16U << 10;  // of a call, each field counting 32 more
  std::size_t max_metadata_fields = 100;       // of a call
  int max_connections = 1000;                  // more are closed at once
  int max_calls = 1000;  // at one time over one connection; a client's others wait at the client
  std::chrono::milliseconds handshake_timeout{10'000};  // of TLS and HTTP/2 together
  std::chrono::milliseconds write_timeout{30'000};      // for the client to take what is sent
  std::chrono::milliseconds idle_timeout{75'000};       // without a call, then closed
  /// Without a word from the client; then it is asked for one, and after as long again, or 20 s if
  /// that is less, it is taken for gone.
  std::chrono::milliseconds keepalive{60'000};
  std::chrono::milliseconds min_ping{10'000};  // between the pings of a client without a call
  /// Then the client makes a new connection for its next call, so that clients spread over what
  /// serves now; calls going on, streams too, have as long again. 0: any time.
  std::chrono::milliseconds max_age{3'600'000};
};

}  // namespace onnxop
