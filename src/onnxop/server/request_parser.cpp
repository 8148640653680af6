#include "onnxop/server/request_parser.h"

#include <algorithm>
#include <cctype>
#include <charconv>

#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>

#include "onnxop/base/format.h"

namespace onnxop {
namespace {

/// The shortest end of a chunked body, "0\r\n\r\n". Beast may not be given less of it twice.
constexpr std::size_t kShortestEnd = 5;

namespace beast = boost::beast;
namespace http = boost::beast::http;

/// Content-Length says how much comes, but memory is only taken for what came.
constexpr std::uint64_t kReserveAtMost = 256U << 10;

constexpr std::size_t kAlignment = 16;  // of allocated memory

/// Bytes to leave free so that what follows a header of so many bytes is aligned.
std::size_t padding_for(std::string_view header_length) {
  std::size_t length = 0;
  std::from_chars(header_length.data(), header_length.data() + header_length.size(), length);
  return (kAlignment - length % kAlignment) % kAlignment;
}

std::string_view std_view(beast::string_view text) {
  return {text.data(), text.size()};
}

}  // namespace

class RequestParser::Parser : public http::basic_parser<true> {
 public:
  Parser(const HttpLimits& limits, Request& request) : limits_(limits), request_(request) {
    header_limit(static_cast<std::uint32_t>(limits.max_header_bytes));
    body_limit(boost::none);  // limit_body() is asked, when it is known what the request is for
  }

  std::optional<HttpProblem> problem;
  bool http10 = false;
  bool has_target = false;
  bool expects_continue = false;
  bool discard = false;
  std::optional<std::uint64_t> most_body;

  std::uint64_t length() const { return content_length().value_or(0); }

 protected:
  void on_request_impl(http::verb, beast::string_view method, beast::string_view target,
                       int version, beast::error_code& ec) override {
    has_target = true;
    http10 = version == 10;
    request_.method = std_view(method);
    if (target.size() > limits_.max_target_bytes) {
      refuse(414,
             format("the request target has {} bytes, expected at most {}", target.size(),
                    limits_.max_target_bytes),
             ec);
      return;
    }
    request_.target = std_view(target);
  }

  void on_field_impl(http::field name, beast::string_view field_name, beast::string_view value,
                     beast::error_code& ec) override {
    if (head_ended_) {
      return;  // a trailer
    }
    if (request_.fields.size() >= limits_.max_fields) {
      refuse(431,
             format("the request has more than {} header fields, expected at most that",
                    limits_.max_fields),
             ec);
      return;
    }
    HeaderField& field = request_.fields.emplace_back();
    field.value = std_view(value);
    field.name.resize(field_name.size());
    std::transform(field_name.begin(), field_name.end(), field.name.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    if (name == http::field::host) {
      if (hosts_++ > 0) {
        refuse(400, "the request has more than one Host field, expected one", ec);
      }
      request_.host = std_view(value);
    } else if (name == http::field::transfer_encoding && !beast::iequals(value, "chunked")) {
      refuse(501, "the transfer encoding is not known, expected chunked or none", ec);
    } else if (name == http::field::transfer_encoding && http10) {
      refuse(400, "HTTP/1.0 has no transfer encoding", ec);
    } else if (name == http::field::expect && !http10) {
      expects_continue = beast::iequals(value, "100-continue");
      if (!expects_continue) {
        refuse(417, "the expectation is not known, expected 100-continue", ec);
      }
    }
  }

  void on_header_impl(beast::error_code& ec) override {
    head_ended_ = true;
    if (!http10 && hosts_ == 0) {
      refuse(400, "the request has no Host field, expected one", ec);
    }
  }

  void on_body_init_impl(const boost::optional<std::uint64_t>& length,
                         beast::error_code&) override {
    if (!discard) {
      request_.body.reserve(std::min(length.value_or(0), kReserveAtMost) + kAlignment);
      request_.body_padding = padding_for(request_.field("inference-header-content-length"));
      request_.body.resize(request_.body_padding);
    }
  }

  std::size_t on_body_impl(beast::string_view bytes, beast::error_code&) override {
    take(bytes);
    return bytes.size();
  }

  void on_chunk_header_impl(std::uint64_t size, beast::string_view,
                            beast::error_code& ec) override {
    // No sum of the two can overflow: what was taken is at most the limit.
    if (size > *most_body - taken_) {
      refuse(413, format("the body has more than {} bytes, expected at most that", *most_body), ec);
    }
  }

  std::size_t on_chunk_body_impl(std::uint64_t, beast::string_view bytes,
                                 beast::error_code&) override {
    take(bytes);
    return bytes.size();
  }

  void on_finish_impl(beast::error_code&) override {}

  void on_response_impl(int, beast::string_view, int, beast::error_code&) override {}

  // Later versions of the library give the trailer's fields here; overrides nothing in earlier
  // ones.
  virtual void on_trailer_field_impl(http::field, beast::string_view, beast::string_view,
                                     beast::error_code&) {}

 private:
  void refuse(int status, std::string message, beast::error_code& ec) {
    problem = HttpProblem{status, std::move(message)};
    ec = http::error::bad_value;
  }

  void take(beast::string_view bytes) {
    taken_ += bytes.size();
    if (!discard) {
      const auto* const first = reinterpret_cast<const std::byte*>(bytes.data());
      request_.body.insert(request_.body.end(), first, first + bytes.size());
    }
  }

  const HttpLimits& limits_;
  Request& request_;
  int hosts_ = 0;
  bool head_ended_ = false;
  std::uint64_t taken_ = 0;
};

RequestParser::RequestParser(const HttpLimits& limits, Request& request)
    : limits_(limits), request_(request), parser_(std::make_unique<Parser>(limits, request)) {}

RequestParser::~RequestParser() = default;

void RequestParser::reset() {
  request_.method.clear();
  request_.target.clear();
  request_.host.clear();
  request_.fields.clear();
  request_.body.clear();
  request_.body_padding = 0;
  request_.body_file.reset();
  request_.actor.clear();
  request_.path_values.clear();
  parser_ = std::make_unique<Parser>(limits_, request_);
}

std::size_t RequestParser::feed(std::string_view bytes) {
  Parser& parser = *parser_;
  std::size_t used = 0;
  if (parser.is_header_done() && !parser.most_body) {
    limit_body(limits_.max_body_bytes);
  }
  const bool in_head = !parser.is_header_done();
  while (!parser.problem && !parser.is_done() && used < bytes.size() &&
         parser.is_header_done() != in_head) {
    if (parser.is_header_done() && parser.chunked() && bytes.size() - used < kShortestEnd) {
      break;  // more has to come in any case
    }
    beast::error_code error;
    used += parser.put({bytes.data() + used, bytes.size() - used}, error);
    if (error == http::error::need_more) {
      break;
    }
    if (error && !parser.problem) {
      const bool too_long = error == http::error::header_limit;
      parser.problem =
          too_long && !parser.has_target ? HttpProblem{414, "the request line is too long"}
          : too_long
              ? HttpProblem{431, format("the header fields have more than {} bytes, expected at "
                                        "most that",
                                        limits_.max_header_bytes)}
              : HttpProblem{400, format("the request is no HTTP/1.1: {}", error.message())};
    }
  }
  const bool in_chunk_line = parser.is_header_done() && !parser.is_done();
  if (!parser.problem && in_chunk_line && !in_head &&
      bytes.size() - used > limits_.max_header_bytes) {
    parser.problem = HttpProblem{400, "a chunk's header or the trailer is too long"};
  }
  return used;
}

HttpProblem RequestParser::end_of_input() const {
  return {400, head_done() ? "the body ended before its end" : "the request ended within its head"};
}

bool RequestParser::head_done() const {
  return parser_->is_header_done();
}

bool RequestParser::done() const {
  return parser_->is_done();
}

const std::optional<HttpProblem>& RequestParser::problem() const {
  return parser_->problem;
}

bool RequestParser::keep_alive() const {
  return parser_->keep_alive();
}

bool RequestParser::http10() const {
  return parser_->http10;
}

bool RequestParser::expects_continue() const {
  return parser_->expects_continue;
}

bool RequestParser::has_body() const {
  return !parser_->is_done();
}

std::uint64_t RequestParser::body_length() const {
  return parser_->length();
}

void RequestParser::limit_body(std::uint64_t most) {
  parser_->most_body = most;
  if (!parser_->problem && parser_->length() > most) {
    parser_->problem = HttpProblem{
        413, format("the body has {} bytes, expected at most {}", parser_->length(), most)};
  }
}

void RequestParser::discard_body() {
  parser_->discard = true;
}

}  // namespace onnxop
