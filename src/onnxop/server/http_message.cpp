#include "onnxop/server/http_message.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <ctime>

#include "onnxop/base/format.h"
#include "onnxop/server/status.h"
#include "onnxop/wire/image_json.h"
#include "onnxop/wire/mlflow_errors.h"

namespace onnxop {
namespace {

/// "Sun, 06 Nov 1994 08:49:37 GMT"; the same text for a second.
const std::string& http_date() {
  thread_local std::time_t second = -1;
  thread_local std::string text;
  const std::time_t now = std::time(nullptr);
  if (now != second) {
    constexpr std::array kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    constexpr std::array kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                 "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    std::tm utc{};
    ::gmtime_r(&now, &utc);
    text = format("{}, {:02} {} {} {:02}:{:02}:{:02} GMT",
                  kDays[static_cast<std::size_t>(utc.tm_wday)], utc.tm_mday,
                  kMonths[static_cast<std::size_t>(utc.tm_mon)], utc.tm_year + 1900, utc.tm_hour,
                  utc.tm_min, utc.tm_sec);
    second = now;
  }
  return text;
}

}  // namespace

bool decode_percent(std::string_view text, std::string& decoded) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    unsigned value = 0;
    const char* const first = text.data() + i + 1;
    if (i + 2 >= text.size() || std::from_chars(first, first + 2, value, 16).ptr != first + 2 ||
        value == 0) {
      return false;
    }
    decoded += static_cast<char>(value);
    i += 2;
  }
  return true;
}

std::string_view raw_path_of(std::string_view target) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (target.starts_with(scheme)) {
      const auto path = target.find_first_of("/?", scheme.size());
      target = path == std::string_view::npos || target[path] == '?' ? "/" : target.substr(path);
    }
  }
  target = target.substr(0, target.find_first_of("?#"));
  return target.starts_with('/') ? target : std::string_view();
}

std::string named_version(const Request& request) {
  return request.path_values.size() > 1 ? request.path_values[1] : request.query("version");
}

std::string path_of(std::string_view target) {
  std::string path;
  return decode_percent(raw_path_of(target), path) ? path : std::string();
}

std::string_view Request::field(std::string_view name) const {
  for (const HeaderField& each : fields) {
    if (each.name == name) {
      return each.value;
    }
  }
  return {};
}

std::string Request::query(std::string_view key) const {
  std::string_view rest = target;
  const auto mark = rest.find('?');
  rest = mark == std::string_view::npos ? std::string_view() : rest.substr(mark + 1);
  while (!rest.empty()) {
    const std::string_view pair = rest.substr(0, rest.find_first_of("&#"));
    rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
    const auto equals = pair.find('=');
    if (pair.substr(0, equals) == key && equals != std::string_view::npos) {
      std::string value;
      return decode_percent(pair.substr(equals + 1), value) ? value : std::string();
    }
  }
  return {};
}

std::vector<std::pair<std::string, std::string>> query_fields(std::string_view target) {
  const auto mark = target.find('?');
  std::string_view rest =
      mark == std::string_view::npos ? std::string_view() : target.substr(mark + 1);
  rest = rest.substr(0, rest.find('#'));
  const auto decoded = [](std::string_view text) -> std::optional<std::string> {
    std::string plain(text);
    std::replace(plain.begin(), plain.end(), '+', ' ');
    std::string value;
    return decode_percent(plain, value) ? std::optional(value) : std::nullopt;
  };
  std::vector<std::pair<std::string, std::string>> fields;
  while (!rest.empty()) {
    const std::string_view pair = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
    const auto equals = std::min(pair.find('='), pair.size());
    const auto key = decoded(pair.substr(0, equals));
    const auto value = decoded(pair.substr(std::min(pair.size(), equals + 1)));
    if (key && value && !key->empty()) {
      fields.emplace_back(*key, *value);
    }
  }
  return fields;
}

ErrorForm error_form(std::string_view target) {
  const std::string_view path = raw_path_of(target);
  for (const std::string_view prefix : {"/api/2.0/", "/api/3.0/", "/ajax-api/"}) {
    if (path.starts_with(prefix)) {
      return ErrorForm::kMlflow;
    }
  }
  return ErrorForm::kPlain;
}

Response mlflow_error_response(int status, std::string_view error_code, std::string_view message) {
  Response response;
  response.status = status;
  response.body = mlflow_error_json(error_code, message);
  return response;
}

Response error_response(int status, std::string_view message, ErrorForm form) {
  if (form == ErrorForm::kMlflow) {
    return mlflow_error_response(status, mlflow_error_code(status), message);
  }
  Response response;
  response.status = status;
  response.body = error_json(message);
  return response;
}

std::string response_head(const Response& response, bool keep_alive, bool http10) {
  std::string head = format("HTTP/1.1 {} {}\r\nDate: {}\r\nCache-Control: no-store\r\n",
                            response.status, reason_phrase(response.status), http_date());
  if (response.status != 204 && response.status != 304) {  // which have no content (RFC 9110)
    head += format("Content-Type: {}\r\nContent-Length: {}\r\n", response.content_type,
                   response.size());
  }
  if (response.content_type.starts_with("text/html")) {
    head +=
        "Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'; "
        "frame-ancestors 'none'\r\nX-Content-Type-Options: nosniff\r\n";
  }
  if (!response.allow.empty()) {
    head += format("Allow: {}\r\n", response.allow);
  }
  if (response.retry_after > 0) {
    head += format("Retry-After: {}\r\n", response.retry_after);
  }
  for (const auto& [name, value] : response.fields) {
    head += format("{}: {}\r\n", name, value);
  }
  if (!keep_alive) {
    head += "Connection: close\r\n";
  } else if (http10) {
    head += "Connection: keep-alive\r\n";
  }
  head += "\r\n";
  return head;
}

}  // namespace onnxop
