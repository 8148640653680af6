#pragma once
// Which request gets which answer: paths and methods, each with its handler and its description,
// from which the OpenAPI document is made. Immutable once built; read from any thread.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "onnxop/server/access.h"
#include "onnxop/server/http_message.h"
#include "onnxop/server/pending_answer.h"
#include "onnxop/wire/openapi.h"

namespace onnxop {

/// Where a route is answered when the management has a port of its own.
enum class RoutePort { kAny, kInference, kManagement, kTracking };

/// Where a handler runs: a short one on the I/O thread; one that blocks on a thread apart, of which
/// each of these has its own, so that none waits for another.
enum class Lane : std::uint8_t {
  kIo,
  kControl,         // changes of what is served
  kTracking,        // the database of runs and models: what asks it, which takes a processor,
  kTrackingWrites,  // and what changes it, which waits for its turn
  kFiles            // what reads or writes files of any size
};

/// One of handler and pending is set. They may throw; any number of threads may call them at once.
struct Route {
  /// A whole segment of the path may be a placeholder: "/v2/models/{model}". The last one may stand
  /// for all that is left, one segment at least: "/files/{path*}".
  ApiOperation operation;
  /// What a client needs leave for.
  Permission permission = Permission::kUnset;
  std::function<Response(const Request&)> handler = {};
  Lane lane = Lane::kIo;
  bool encodes = true;  // the answer is compressed for who accepts that
  /// Set: the body is written to a file that this makes, on the lane kFiles, and may be larger than
  /// others.
  std::function<std::shared_ptr<BodyFile>()> body_file = {};
  /// It is only for requests that are sent to a host that is known to be this one, and not by a
  /// page of another.
  bool own_hosts = false;
  /// The answer of a model. The request outlives it.
  std::function<std::unique_ptr<PendingAnswer>(Request&)> pending = {};
};

class RouteTable {
 public:
  /// Of a port that answers these and kAny; with kAny or nothing among them it answers all.
  explicit RouteTable(std::vector<RoutePort> ports = {}) : ports_(std::move(ports)) {}

  /// Leaves it out where this is not a port that answers it. Throws Error{kAlreadyExists} for a
  /// method and path that are taken, {kInvalidArgument} for a route whose permission is not set.
  void add(Route route, RoutePort port = RoutePort::kAny);

  struct Match {
    const Route* route = nullptr;          // null: `refusal` is the answer
    std::vector<std::string> path_values;  // of the placeholders
    Response refusal;                      // 400, 404, or 405 with Allow
    ResponseFields fields;                 // of the answer, whichever it is
    std::string token;                     // the name of the client's; "": it has none
  };

  /// HEAD finds what GET finds. A path without placeholders comes before one with.
  Match match(std::string_view method, std::string_view target) const;

  /// All of them, by path and method; good until another is added.
  std::vector<const Route*> routes() const;

 private:
  using Methods = std::map<std::string, Route, std::less<>>;
  struct Pattern {
    std::vector<std::string> segments;  // "" stands for a placeholder
    bool takes_rest = false;            // the last one does
    std::string path;
  };

  const Methods* find_methods(std::string_view raw_path, std::vector<std::string>& values) const;

  bool answers(RoutePort port) const;

  std::vector<RoutePort> ports_;
  std::map<std::string, Methods, std::less<>> routes_;  // by path, with placeholders
  std::vector<Pattern> patterns_;                       // those with placeholders
};

/// The response of `make`, or what the map of errors makes of its exception. The details of a
/// fault here go to the log; the client gets an id to ask for.
Response answer(const Request& request, const std::function<Response()>& make) noexcept;

}  // namespace onnxop
