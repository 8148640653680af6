#include "onnxop/server/grpc_limits.h"

#include <algorithm>

#include <grpc/grpc.h>
#include <grpcpp/server_builder.h>

namespace onnxop {

void set_limits(grpc::ServerBuilder& builder, const GrpcLimits& limits) {
  using std::chrono::milliseconds;
  const auto set = [&](const char* name, milliseconds time) {
    builder.AddChannelArgument(name, static_cast<int>(time.count()));
  };
  builder.SetMaxReceiveMessageSize(limits.max_message_bytes);
  if (!limits.compression) {
    for (const auto algorithm : {GRPC_COMPRESS_DEFLATE, GRPC_COMPRESS_GZIP}) {
      builder.SetCompressionAlgorithmSupportStatus(algorithm, false);
    }
    // Not before the call is refused either.
    builder.AddChannelArgument(GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION, 0);
  }
  builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE,
                             static_cast<int>(limits.max_metadata_bytes));
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, limits.max_calls);
  set(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, limits.handshake_timeout);
  set(GRPC_ARG_MAX_CONNECTION_IDLE_MS, limits.idle_timeout);
  set(GRPC_ARG_KEEPALIVE_TIME_MS, limits.keepalive);
  set(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, std::min(limits.keepalive, milliseconds(20'000)));
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  set(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, limits.min_ping);
  if (limits.max_age.count() > 0) {
    set(GRPC_ARG_MAX_CONNECTION_AGE_MS, limits.max_age);
    set(GRPC_ARG_MAX_CONNECTION_AGE_GRACE_MS, limits.max_age);
  }
}

}  // namespace onnxop
