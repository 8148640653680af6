#pragma once
// What a Server can be told.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "onnxop/registry/registry_pool.h"
#include "onnxop/server/access_gate.h"
#include "onnxop/server/tls_credentials.h"
#include "onnxop/wire/oip_request.h"

namespace onnxop {

/// POST /api/NAME is answered by MODEL, a reference that the ServingSet knows: "mnist",
/// "mnist@champion", "mnist:3".
struct ModelRoute {
  std::string name;
  std::string model;
};

/// From "NAME=MODEL". Throws Error{kInvalidArgument} for other text, for a NAME that is not
/// [A-Za-z0-9][A-Za-z0-9._-]* of at most 128 bytes, and for the reserved NAME "models".
ModelRoute parse_model_route(std::string_view text);

/// What `routes` point to, for load_serving_set().
std::vector<std::string> route_models(const std::vector<ModelRoute>& routes);

struct HttpLimits {
  std::uint64_t max_body_bytes = 16U << 20;  // over it: 413
  std::size_t max_header_bytes = 16U << 10;  // of all header fields, over it: 431; at least 256
  std::size_t max_fields = 100;              // header fields, over it: 431
  std::size_t max_target_bytes = 4U << 10;   // path and query, over it: 414
  int max_connections = 10'000;              // more get 503 and are closed
  /// Then the connection ends with its answer, so that clients spread over what serves now; 0:
  /// never.
  std::int64_t max_requests = 100'000;
  // Each from its beginning to its end. Over the header's or the body's: 408; over the others:
  // closed.
  std::chrono::milliseconds handshake_timeout{10'000};  // of TLS, over it: closed
  std::chrono::milliseconds header_timeout{10'000};
  std::chrono::milliseconds body_timeout{60'000};
  std::chrono::milliseconds write_timeout{30'000};
  std::chrono::milliseconds idle_timeout{75'000};   // between two requests
  std::chrono::milliseconds linger_timeout{2'000};  // for the client to read a refusal
};

/// MLflow's REST API (docs/tracking.md).
struct TrackingOptions {
  /// A Registry for each of the threads, twice `threads` and `writers`; outlives the server.
  RegistryPool* registries = nullptr;
  /// Publishes a version whose files, if it has any, lie in that folder of the artifacts.
  std::function<ModelVersion(Registry&, NewVersion, std::string_view folder)> publish = {};
  /// Not -1: it is answered at this port alone, 0 being a free one, see Server::tracking_port().
  int port = -1;
  std::string host = "127.0.0.1";
  std::vector<std::string> allowed_hosts = {};  // see KnownHosts
  int threads = 2;       // that ask the database; as many read and write files
  int writers = 4;       // threads that change it: their changes become one transaction
  int max_queued = 256;  // requests that wait for one of each kind; over it: 503
};

struct ServerOptions {
  std::string host = "127.0.0.1";  // an address, or a name with one
  int port = 8080;                 // 0: a free one, see Server::port()
  /// Not -1: the management's routes are answered at this port alone, 0 being a free one, see
  /// Server::manage_port().
  int manage_port = -1;
  std::string manage_host = "127.0.0.1";
  /// Empty: "classify_digit" for the model "mnist", if it is there.
  std::vector<ModelRoute> routes = {};
  /// Who may do what; null: everyone everything.
  std::shared_ptr<AccessGate> gate = nullptr;
  /// The certificates to serve with over TLS; null: in clear.
  std::shared_ptr<const TlsCertificates> tls = nullptr;
  /// None: there is no tracking.
  std::optional<TrackingOptions> tracking = std::nullopt;
  HttpLimits limits = {};
  InferLimits infer = {};
  std::uint64_t max_decoded_bytes = 64U << 20;  // of a body that came compressed, over it: 413
  std::uint64_t max_artifact_bytes = std::uint64_t{4} << 30;  // of an artifact, over it: 413
  std::int64_t max_pixels = 16'777'216;  // width * height of an image, over it: 413
  int io_threads = 0;                    // 0: one for each four processors, at least one
  /// So long an I/O thread looks for the next request before it sleeps, where requests have come
  /// that close together lately; 0: never, and where there is one processor. See SpinPolicy.
  std::chrono::microseconds spin{100};
  /// Of a graceful stop: so long the server says that it is not ready, but takes requests as ever,
  /// so that whoever sends them can look elsewhere.
  std::chrono::milliseconds drain_grace{0};
  /// Then requests in flight have so long to end; then as stop_now(); 0: at once.
  std::chrono::milliseconds drain_timeout{30'000};
  /// Called once when a graceful stop begins, on an I/O thread.
  std::function<void()> on_drain = [] {};
  /// SIGTERM: stop(); SIGINT: stop() without grace; a second signal: stop_now().
  bool handle_signals = false;
  /// With handle_signals: called at SIGHUP, on an I/O thread. What it throws is logged.
  std::function<void()> on_hangup = nullptr;
  /// How many connections of gRPC are open, for /metrics; called on I/O threads. Null: there is no
  /// gRPC.
  std::function<std::int64_t()> grpc_connections = nullptr;
  bool access_log = true;         // one line a request, at level info
  double slow_request_ms = 1000;  // requests that took longer are logged apart; 0: none are
};

}  // namespace onnxop
