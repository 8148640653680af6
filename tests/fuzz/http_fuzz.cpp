// A connection's bytes as far as a handler: the parser, whole and in pieces, the routes, and what
// is made of the body (encodings, multipart, the length of an inference's JSON). The first byte
// says how large the pieces are.

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>

#include "fuzz/fuzz.h"
#include "onnxop/server/compression.h"
#include "onnxop/server/http_access.h"
#include "onnxop/server/multipart.h"
#include "onnxop/server/request_parser.h"
#include "onnxop/server/route_table.h"
#include "onnxop/wire/oip_request.h"

namespace onnxop {
namespace {

using fuzz::require;

constexpr std::uint64_t kMostDecoded = 1U << 20;

HttpLimits small_limits() {
  HttpLimits limits;
  limits.max_body_bytes = 64U << 10;
  limits.max_header_bytes = 4U << 10;
  limits.max_target_bytes = 1U << 10;
  limits.max_fields = 20;
  return limits;
}

RouteTable make_table() {
  RouteTable table;
  for (const char* path : {"/", "/v2/models/{model}", "/v2/models/{model}/infer",
                           "/v2/models/{model}/versions/{version}/infer", "/v2/models/stats"}) {
    for (const char* method : {"GET", "POST"}) {
      table.add({.operation = {.method = method, .path = path}, .permission = Permission::kInfer});
    }
  }
  return table;
}

struct Parsed {
  Request request;
  std::size_t used = 0;
  bool head_done = false;
  bool done = false;
  int status = 0;  // of the problem; 0: none
};

/// As a connection does: what is not used up comes again, with `piece` more bytes.
Parsed parse(std::string_view bytes, std::size_t piece, const HttpLimits& limits) {
  Parsed parsed;
  RequestParser parser(limits, parsed.request);
  std::size_t given = 0;
  while (!parser.done() && !parser.problem() && given < bytes.size()) {
    given = std::min(bytes.size(), given + piece);
    bool was_in_head = false;
    do {
      was_in_head = !parser.head_done();
      parsed.used += parser.feed(bytes.substr(parsed.used, given - parsed.used));
      require(parsed.used <= given);
    } while (was_in_head && parser.head_done() && !parser.done() && !parser.problem());
  }
  parsed.head_done = parser.head_done() && !parser.problem();
  parsed.done = parser.done() && !parser.problem();
  parsed.status = parser.problem() ? parser.problem()->status : 0;
  require(parsed.status == 0 || (parsed.status >= 400 && parsed.status < 502));
  require(parsed.request.content().size() <= limits.max_body_bytes);
  require(parsed.request.fields.size() <= limits.max_fields);
  return parsed;
}

void read_body(Request& request) {
  decode_body(request, kMostDecoded);
  require(request.content().size() <= std::max<std::size_t>(kMostDecoded, request.body.size()));
  const std::string_view type = request.field("content-type");
  if (is_multipart(type)) {
    constexpr std::size_t kMostParts = 8;
    const auto files = multipart_files(request.content(), type, kMostParts);
    require(!files.empty() && files.size() <= kMostParts);
  }
  const std::string_view length = request.field("inference-header-content-length");
  if (!length.empty()) {
    require(parse_header_length(length, request.content().size()) <= request.content().size());
  }
}

void respond(const Request& request) {
  Response response = error_response(404, request.target);
  encode_body(response, accepted_encoding(request.field("accept-encoding")));
  require(response_head(response, true, false).ends_with("\r\n\r\n"));
}

/// Nobody gets in who has not the token.
void knock(const RouteTable& table, const Request& request) {
  static const SystemClock clock;
  static const auto tokens = std::make_shared<TokenTable>(
      TokenTable::parse(token_line("a", "infer", new_secret()), "fuzz"));
  static AccessGate gate({.tokens = [] { return tokens; }, .cors = {{"https://a.example"}}}, clock);
  RouteTable::Match match = table.match(request.method, request.target);
  admit(
      gate, request, [] { return std::string("::1"); }, match);
  require(match.route == nullptr);
  const int status = match.refusal.status;
  require(status == 401 || (status == 204 && request.method == "OPTIONS"));
}

void fuzz_http(std::string_view bytes) {
  static const HttpLimits limits = small_limits();
  static const RouteTable table = make_table();
  if (bytes.empty()) {
    return;
  }
  const std::size_t piece = 1 + static_cast<unsigned char>(bytes.front());
  bytes.remove_prefix(1);
  Parsed whole = parse(bytes, std::max<std::size_t>(bytes.size(), 1), limits);
  const Parsed cut = parse(bytes, piece, limits);
  require(whole.done == cut.done);
  if (whole.done) {
    require(whole.used == cut.used && whole.request.target == cut.request.target &&
            whole.request.fields.size() == cut.request.fields.size() &&
            std::ranges::equal(whole.request.content(), cut.request.content()));
  }
  if (!whole.head_done) {
    return;
  }
  const RouteTable::Match match = table.match(whole.request.method, whole.request.target);
  require(match.route != nullptr || match.refusal.status >= 400);
  whole.request.query("version");
  knock(table, whole.request);
  respond(whole.request);
  if (whole.done) {
    fuzz::allow({ErrorCode::kInvalidArgument, ErrorCode::kTooLarge, ErrorCode::kUnsupported},
                [&] { read_body(whole.request); });
  }
}

}  // namespace
}  // namespace onnxop

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  onnxop::fuzz_http({reinterpret_cast<const char*>(data), size});
  return 0;
}
