#pragma once
// A request as routes see it, and the answer to it.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "onnxop/server/body_file.h"
#include "onnxop/serving/served_model.h"

namespace onnxop {

struct HeaderField {
  std::string name;  // lower case
  std::string value;
};

struct Request {
  std::string method;               // as it came: "GET"
  std::string target;               // as it came: "/api/classify_digit?x=1"
  std::string host;                 // the Host field, "" when there is none
  std::vector<HeaderField> fields;  // all of them, in order
  std::vector<std::byte> body;      // after body_padding bytes that do not belong to it
  std::size_t body_padding = 0;     // such that what follows the JSON of an inference is aligned
  std::shared_ptr<BodyFile> body_file;  // in the place of `body`, where the route wants that
  std::string actor;                    // who asks, where the route wants to know
  /// What the route's {placeholders} stand for, in order; %XX decoded.
  std::vector<std::string> path_values;

  std::span<std::byte> content() { return std::span(body).subspan(body_padding); }
  std::span<const std::byte> content() const { return std::span(body).subspan(body_padding); }
  /// The first field of that name (lower case); "" when there is none.
  std::string_view field(std::string_view name) const;
  /// The first value of `key` in the query, decoded; "" when there is none.
  std::string query(std::string_view key) const;
};

/// All of the query, in order, as a form would send it: + stands for a space. What cannot be
/// decoded is left out.
std::vector<std::pair<std::string, std::string>> query_fields(std::string_view target);

/// The version that path or query name, "" for none. The route has {model} and maybe {version}.
std::string named_version(const Request& request);

/// The target's path with %XX decoded, without query and, where it is a whole URL, without scheme
/// and host. Empty when the target is none of these.
std::string path_of(std::string_view target);

/// The same, not yet decoded: what separates the segments are real slashes.
std::string_view raw_path_of(std::string_view target);

/// False for a % that two hexadecimal digits do not follow, and for a NUL. Appends to `decoded`.
bool decode_percent(std::string_view text, std::string& decoded);

/// Header fields of an answer: names with string literals' lifetime, and values.
using ResponseFields = std::vector<std::pair<std::string_view, std::string>>;

struct Response {
  int status = 200;
  std::string_view content_type = "application/json";
  std::string body;
  std::vector<std::span<const std::byte>> tail;  // sent behind the body
  std::shared_ptr<void> tail_owner;              // keeps the tail's memory
  std::optional<FileBody> file;                  // in the place of body and tail
  std::string allow;                             // field Allow, where not empty
  int retry_after = 0;                           // field Retry-After in seconds, where not 0
  ResponseFields fields;                         // further ones
  ModelLease model;                              // what answered, for the log and statistics

  std::size_t size() const {
    if (file) {
      return file->bytes;
    }
    std::size_t total = body.size();
    for (const auto& part : tail) {
      total += part.size();
    }
    return total;
  }
};

/// How the body of an error looks: {"error": …}, or as MLflow's clients read it.
enum class ErrorForm : std::uint8_t { kPlain, kMlflow };

/// MLflow's for the paths of its REST API, whether there is something or not.
ErrorForm error_form(std::string_view target);

Response error_response(int status, std::string_view message, ErrorForm form = ErrorForm::kPlain);

/// {"error_code": …, "message": …}
Response mlflow_error_response(int status, std::string_view error_code, std::string_view message);

/// The head as it goes over the wire, with the empty line that ends it. `http10`: the client speaks
/// HTTP/1.0, and must be told that the connection stays.
std::string response_head(const Response& response, bool keep_alive, bool http10);

}  // namespace onnxop
