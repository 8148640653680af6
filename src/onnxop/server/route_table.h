#pragma once
// Which request gets which answer: paths and methods, each with its handler and its description,
// from which the OpenAPI document is made. Immutable once built; read from any thread.

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
enum class RoutePort { kAny, kInference, kManagement };

/// One of handler and pending is set. They may throw; any number of threads may call them at once.
struct Route {
  /// A whole segment of the path may be a placeholder: "/v2/models/{model}".
  ApiOperation operation;
  /// What a client needs leave for.
  Permission permission = Permission::kUnset;
  /// A short one runs on an I/O thread; one that `blocks` on a thread apart.
  std::function<Response(const Request&)> handler = {};
  bool blocks = false;
  /// The answer of a model. The request outlives it.
  std::function<std::unique_ptr<PendingAnswer>(Request&)> pending = {};
};

class RouteTable {
 public:
  /// Of one port, or of one that answers all.
  explicit RouteTable(RoutePort port = RoutePort::kAny) : port_(port) {}

  /// Leaves it out where this is not the port that answers it. Throws Error{kAlreadyExists} for a
  /// method and path that are taken, {kInvalidArgument} for a route whose permission is not set.
  void add(Route route, RoutePort port = RoutePort::kAny);

  struct Match {
    const Route* route = nullptr;          // null: `refusal` is the answer
    std::vector<std::string> path_values;  // of the placeholders
    Response refusal;                      // 400, 404, or 405 with Allow
    ResponseFields fields;                 // of the answer, whichever it is
  };

  /// HEAD finds what GET finds. A path without placeholders comes before one with.
  Match match(std::string_view method, std::string_view target) const;

  /// All of them, by path and method; good until another is added.
  std::vector<const Route*> routes() const;

 private:
  using Methods = std::map<std::string, Route, std::less<>>;
  struct Pattern {
    std::vector<std::string> segments;  // "" stands for a placeholder
    std::string path;
  };

  const Methods* find_methods(std::string_view raw_path, std::vector<std::string>& values) const;

  RoutePort port_;
  std::map<std::string, Methods, std::less<>> routes_;  // by path, with placeholders
  std::vector<Pattern> patterns_;                       // those with placeholders
};

/// The response of `make`, or what the map of errors makes of its exception. The details of a
/// fault here go to the log; the client gets an id to ask for.
Response answer(const Request& request, const std::function<Response()>& make) noexcept;

}  // namespace onnxop
