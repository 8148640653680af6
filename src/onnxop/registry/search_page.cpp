#include "onnxop/registry/search_page.h"

#include "onnxop/base/base64.h"
#include "onnxop/base/error.h"
#include "onnxop/base/json_value.h"
#include "onnxop/base/sha256.h"

namespace onnxop {
namespace {

constexpr std::int64_t kMostResults = 50'000;  // MLflow's
constexpr std::int64_t kFurthest = 1'000'000'000'000;

std::string query_of(const SearchOptions& options, const std::string& scope) {
  constexpr std::size_t kDigits = 16;
  const std::string text = dump_json(Json::array({scope, options.filter, options.order_by}));
  return sha256_hex(std::as_bytes(std::span(text))).substr(0, kDigits);
}

[[noreturn]] void fail_damaged() {
  fail(ErrorCode::kInvalidArgument,
       "page_token: this is no token of a search; pass next_page_token as it was returned");
}

struct Token {
  std::int64_t offset = 0;
  std::string query;
};

Token parse_token(const std::string& text) {
  const auto bytes = from_base64(text);
  if (!bytes) {
    fail_damaged();
  }
  try {
    const Json json = parse_json(*bytes, "page_token", 2);
    Token token{json.at("offset").get<std::int64_t>(), json.at("query").get<std::string>()};
    if (token.offset >= 0 && token.offset <= kFurthest) {
      return token;
    }
  } catch (const Error&) {
  } catch (const Json::exception&) {
  }
  fail_damaged();
}

}  // namespace

SearchPage open_page(const SearchOptions& options, const std::string& scope) {
  if (options.max_results < 1 || options.max_results > kMostResults) {
    fail(ErrorCode::kInvalidArgument, "max_results is {}: expected 1 to {}", options.max_results,
         kMostResults);
  }
  SearchPage page{.size = options.max_results, .query = query_of(options, scope)};
  if (!options.page_token.empty()) {
    const Token token = parse_token(options.page_token);
    if (token.query != page.query) {
      fail(
          ErrorCode::kInvalidArgument,
          "page_token: this token belongs to another search: what is searched, filter and order_by "
          "must stay the same from page to page");
    }
    page.offset = token.offset;
  }
  return page;
}

std::string page_token_after(const SearchPage& page) {
  return to_base64(dump_json({{"offset", page.offset + page.size}, {"query", page.query}}));
}

}  // namespace onnxop
