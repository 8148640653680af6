#include "onnxop/server/route_table.h"

#include <algorithm>
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

/// What clients are told of a fault of the server: no more than that.
struct Fault {
  MlflowStatus status = {500, "INTERNAL_ERROR"};
  std::string_view text = "something failed in the server";
};

Response fault(const Request& request, std::string_view details, const Fault& told = {}) {
  const std::string id = next_request_id();
  log_fields(LogLevel::kError, "a request failed",
             {{"request_id", id},
              {"method", request.method},
              {"path", request.target},
              {"details", details}});
  const auto& [status, error_code] = told.status;
  const std::string message = format("{}; its log has the details under {}", told.text, id);
  return error_form(request.target) == ErrorForm::kMlflow
             ? mlflow_error_response(status, error_code, message)
             : error_response(status, message);
}

Response mlflow_answer(const Request& request, const Error& error) {
  const MlflowStatus translated = mlflow_status(error.code());
  if (translated.status == 500) {
    return fault(request, error.what(), {translated});
  }
  return mlflow_error_response(translated.status, translated.error_code, error.what());
}

Response error_answer(const Request& request, const Error& error) {
  const int status = http_status(error.code());
  Response response;
  if (const auto* storage = dynamic_cast<const StorageError*>(&error)) {
    response = fault(request, error.what(), {kStorageStatus, storage_fault_text(storage->fault())});
  } else if (error_form(request.target) == ErrorForm::kMlflow) {
    response = mlflow_answer(request, error);
  } else if (status >= 500 && status != 503 && status != 504) {
    response = fault(request, error.what(), {{status, {}}});
  } else {
    response = error_response(status, error.what());
  }
  if (response.status == 503 || response.status == 429) {
    response.retry_after = 1;
  }
  return response;
}

template <typename Methods>
std::string allowed(const Methods& methods) {
  std::vector<std::string_view> names;
  for (const auto& [method, route] : methods) {
    names.push_back(method);
    if (method == "GET") {
      names.emplace_back("HEAD");
    }
  }
  return format("{}", join(names, ", "));
}

/// What lies between the slashes.
std::vector<std::string_view> segments_of(std::string_view path) {
  std::vector<std::string_view> segments;
  while (!path.empty()) {
    path.remove_prefix(1);
    const auto end = std::min(path.find('/'), path.size());
    segments.push_back(path.substr(0, end));
    path.remove_prefix(end);
  }
  return segments;
}

}  // namespace

void RouteTable::add(Route route, RoutePort port) {
  const std::string path = route.operation.path;
  const std::string method = route.operation.method;
  if (route.permission == Permission::kUnset) {
    fail(ErrorCode::kInvalidArgument, "route {} {} does not say who may use it", method, path);
  }
  if (!answers(port)) {
    return;
  }
  Methods& methods = routes_[path];
  if (methods.contains(method)) {
    fail(ErrorCode::kAlreadyExists, "route {} {} is given twice", method, path);
  }
  if (methods.empty() && path.find('{') != std::string::npos) {
    Pattern pattern{{}, path.ends_with("*}"), path};
    for (const std::string_view segment : segments_of(path)) {
      pattern.segments.emplace_back(segment.starts_with('{') ? std::string_view() : segment);
    }
    patterns_.push_back(std::move(pattern));
  }
  methods.emplace(method, std::move(route));
}

bool RouteTable::answers(RoutePort port) const {
  const auto has = [this](RoutePort each) {
    return std::find(ports_.begin(), ports_.end(), each) != ports_.end();
  };
  return port == RoutePort::kAny || ports_.empty() || has(RoutePort::kAny) || has(port);
}

RouteTable::Match RouteTable::match(std::string_view method, std::string_view target) const {
  Match match;
  const ErrorForm form = error_form(target);
  const std::string path = path_of(target);
  if (path.empty()) {
    match.refusal = error_response(400, "the request target is no path, expected one like /", form);
    return match;
  }
  const auto exact = path.find('{') == std::string::npos ? routes_.find(path) : routes_.end();
  const Methods* methods = exact == routes_.end()
                               ? find_methods(raw_path_of(target), match.path_values)
                               : &exact->second;
  if (methods == nullptr) {
    match.refusal = error_response(
        404, format("there is nothing at {}; /openapi.json says what there is", path), form);
    return match;
  }
  const auto found = methods->find(method == "HEAD" ? "GET" : method);
  if (found == methods->end()) {
    const std::string allow = allowed(*methods);
    match.refusal = error_response(
        405, format("{} is not possible at {}, expected {}", method, path, allow), form);
    match.refusal.allow = allow;
    return match;
  }
  match.route = &found->second;
  return match;
}

const RouteTable::Methods* RouteTable::find_methods(std::string_view raw_path,
                                                    std::vector<std::string>& values) const {
  const auto segments = segments_of(raw_path);
  for (const Pattern& pattern : patterns_) {
    const std::size_t length = pattern.segments.size();
    if (pattern.takes_rest ? segments.size() < length : segments.size() != length) {
      continue;
    }
    values.clear();
    bool same = true;
    for (std::size_t i = 0; same && i < segments.size(); ++i) {
      std::string decoded;
      const bool in_rest = pattern.takes_rest && i + 1 > length;
      same = decode_percent(segments[i], decoded) && (in_rest || !decoded.empty()) &&
             (in_rest || pattern.segments[i].empty() || pattern.segments[i] == decoded);
      if (in_rest) {
        values.back() += '/' + decoded;
      } else if (same && pattern.segments[i].empty()) {
        values.push_back(std::move(decoded));
      }
    }
    if (same) {
      return &routes_.find(pattern.path)->second;
    }
  }
  values.clear();
  return nullptr;
}

std::vector<const Route*> RouteTable::routes() const {
  std::vector<const Route*> all;
  for (const auto& [path, methods] : routes_) {
    for (const auto& [method, route] : methods) {
      all.push_back(&route);
    }
  }
  return all;
}

Response answer(const Request& request, const std::function<Response()>& make) noexcept {
  try {
    return make();
  } catch (const Error& e) {
    return error_answer(request, e);
  } catch (const std::exception& e) {
    return fault(request, e.what());
  } catch (...) {
    return fault(request, "an exception of an unknown type");
  }
}

}  // namespace onnxop
