#pragma once
// Which request gets which answer: paths and methods, each with its handler and its description,
// from which the OpenAPI document is made. Immutable once built; read from any thread.

#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "onnxop/server/http_message.h"
#include "onnxop/wire/openapi.h"

namespace onnxop {

struct Route {
  ApiOperation operation;
  /// True: decodes or scores, and so runs on an executor; false: short, runs on an I/O thread.
  bool on_executor = false;
  /// May throw; see answer(). Any number of threads may call it at once.
  std::function<Response(const Request&)> handler;
};

class RouteTable {
 public:
  /// Throws Error{kAlreadyExists} for a method and path that are taken.
  void add(Route route);

  struct Match {
    const Route* route = nullptr;  // null: `refusal` is the answer
    Response refusal;              // 400, 404, or 405 with Allow
  };

  /// HEAD finds what GET finds.
  Match match(std::string_view method, std::string_view target) const;

  /// All descriptions, by path and method.
  std::vector<ApiOperation> operations() const;

 private:
  // path -> method -> route
  std::map<std::string, std::map<std::string, Route, std::less<>>, std::less<>> routes_;
};

/// The handler's response, or what the map of errors makes of its exception. The details of a fault
/// here go to the log; the client gets an id to ask for.
Response answer(const Route& route, const Request& request) noexcept;

}  // namespace onnxop
