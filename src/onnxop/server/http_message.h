#pragma once
// A request as routes see it, and the answer to it.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "onnxop/serving/served_model.h"

namespace onnxop {

struct Request {
  std::string method;  // as it came: "GET"
  std::string target;  // as it came: "/api/classify_digit?x=1"
  std::string host;    // the Host field, "" when there is none
  std::vector<std::byte> body;
};

/// The target's path with %XX decoded, without query and, where it is a whole URL, without scheme
/// and host. Empty when the target is none of these.
std::string path_of(std::string_view target);

struct Response {
  int status = 200;
  std::string_view content_type = "application/json";
  std::string body;
  std::string allow;    // field Allow, where not empty
  int retry_after = 0;  // field Retry-After in seconds, where not 0
  ModelLease model;     // what answered, for the log
};

/// {"error": message}
Response error_response(int status, std::string_view message);

/// The head as it goes over the wire, with the empty line that ends it. `http10`: the client speaks
/// HTTP/1.0, and must be told that the connection stays.
std::string response_head(const Response& response, bool keep_alive, bool http10);

}  // namespace onnxop
