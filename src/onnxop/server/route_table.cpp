#include "onnxop/server/route_table.h"

#include <atomic>
#include <random>
#include <utility>

#include "onnxop/base/error.h"
#include "onnxop/base/log.h"
#include "onnxop/server/status.h"

namespace onnxop {
namespace {

std::string next_request_id() {
  static const std::uint32_t process = std::random_device{}();
  static std::atomic<std::uint64_t> count{0};
  return format("{:08x}-{}", process, ++count);
}

Response fault(const Request& request, int status, std::string_view details) {
  const std::string id = next_request_id();
  log_fields(LogLevel::kError, "a request failed",
             {{"request_id", id},
              {"method", request.method},
              {"path", request.target},
              {"details", details}});
  return error_response(
      status, format("something failed in the server; its log has the details under {}", id));
}

Response error_answer(const Request& request, const Error& error) {
  const int status = http_status(error.code());
  if (status == 503) {
    Response response = error_response(status, error.what());
    response.retry_after = 1;
    return response;
  }
  return status >= 500 ? fault(request, status, error.what())
                       : error_response(status, error.what());
}

std::string allowed(const std::map<std::string, Route, std::less<>>& methods) {
  std::vector<std::string_view> names;
  for (const auto& [method, route] : methods) {
    names.push_back(method);
    if (method == "GET") {
      names.emplace_back("HEAD");
    }
  }
  return format("{}", join(names, ", "));
}

}  // namespace

void RouteTable::add(Route route) {
  auto& methods = routes_[route.operation.path];
  const std::string method = route.operation.method;
  if (methods.contains(method)) {
    fail(ErrorCode::kAlreadyExists, "route {} {} is given twice", method, route.operation.path);
  }
  methods.emplace(method, std::move(route));
}

RouteTable::Match RouteTable::match(std::string_view method, std::string_view target) const {
  const std::string path = path_of(target);
  if (path.empty()) {
    return {nullptr, error_response(400, "the request target is no path, expected one like /")};
  }
  const auto methods = routes_.find(path);
  if (methods == routes_.end()) {
    return {nullptr, error_response(404, format("there is nothing at {}; /openapi.json says what "
                                                "there is",
                                                path))};
  }
  const auto found = methods->second.find(method == "HEAD" ? "GET" : method);
  if (found == methods->second.end()) {
    const std::string allow = allowed(methods->second);
    Match match{nullptr, error_response(405, format("{} is not possible at {}, expected {}", method,
                                                    path, allow))};
    match.refusal.allow = allow;
    return match;
  }
  return {&found->second, {}};
}

std::vector<ApiOperation> RouteTable::operations() const {
  std::vector<ApiOperation> operations;
  for (const auto& [path, methods] : routes_) {
    for (const auto& [method, route] : methods) {
      operations.push_back(route.operation);
    }
  }
  return operations;
}

Response answer(const Route& route, const Request& request) noexcept {
  try {
    return route.handler(request);
  } catch (const Error& e) {
    return error_answer(request, e);
  } catch (const std::exception& e) {
    return fault(request, 500, e.what());
  } catch (...) {
    return fault(request, 500, "an exception of an unknown type");
  }
}

}  // namespace onnxop
