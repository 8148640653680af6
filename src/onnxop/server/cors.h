#pragma once
// Cross-origin requests of pages in browsers, by the Fetch standard's CORS protocol
// (fetch.spec.whatwg.org, 3.2). Without an origin in the policy nothing is said of it at all, and
// browsers keep what this server answers from other origins' pages.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "onnxop/server/http_message.h"

namespace onnxop {

struct CorsPolicy {
  std::vector<std::string> origins = {};  // "https://example.org"; "*": any; empty: off
};

/// "*", or SCHEME://HOST[:PORT] in lower case, as browsers say it. Throws Error{kInvalidArgument}.
std::string parse_cors_origin(std::string_view text);

/// What an answer to a request of that origin ("": none was said) carries.
ResponseFields cors_fields(const CorsPolicy& policy, std::string_view origin);

/// The browser asks whether it may ask; such a request carries no token.
bool is_preflight(const CorsPolicy& policy, const Request& request);

/// The answer to it, without cors_fields(); `allow`: the methods that there are, "GET, HEAD".
Response preflight_answer(std::string_view allow);

}  // namespace onnxop
