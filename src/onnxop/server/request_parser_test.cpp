// The parser alone: every way of cutting the bytes into pieces gives the same request.

#include "onnxop/server/request_parser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "onnxop/base/random.h"

namespace onnxop {
namespace {

struct Parsed {
  Request request;
  std::optional<HttpProblem> problem;
  bool done = false;
  bool keep_alive = false;
  std::size_t used = 0;
};

/// Gives the bytes in pieces that `next_piece` sizes, as a connection does: what is not used up
/// comes again with more.
template <typename NextPiece>
Parsed parse(std::string_view bytes, const HttpLimits& limits, NextPiece next_piece) {
  Parsed parsed;
  RequestParser parser(limits, parsed.request);
  std::size_t given = 0;
  while (!parser.done() && !parser.problem() && given < bytes.size()) {
    given = std::min(bytes.size(), given + next_piece());
    bool was_in_head = false;
    do {
      was_in_head = !parser.head_done();
      parsed.used += parser.feed(bytes.substr(parsed.used, given - parsed.used));
    } while (was_in_head && parser.head_done() && !parser.done() && !parser.problem());
  }
  parsed.problem = parser.problem();
  parsed.done = parser.done() && !parser.problem();
  parsed.keep_alive = parsed.done && parser.keep_alive();
  return parsed;
}

std::string body_of(const Parsed& parsed) {
  return {reinterpret_cast<const char*>(parsed.request.body.data()), parsed.request.body.size()};
}

constexpr std::string_view kChunked =
    "POST /a?b HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
    "5;x=\"y\"\r\nhello\r\n1\r\n \r\nA\r\nworld12345\r\n0\r\nTrailer: x\r\n\r\n";
constexpr std::string_view kPlain =
    "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 11\r\nConnection: close\r\n\r\nhello world";

TEST(RequestParser, AnyPiecesGiveTheSameRequest) {
  Random random(3, 0);
  for (int round = 0; round < 300; ++round) {
    const std::uint32_t longest = 1 + random.below(40);
    const auto piece = [&] { return std::size_t{1} + random.below(longest); };
    const std::string more = "GET / HTTP/1.1\r\n";
    const Parsed chunked = parse(std::string(kChunked) + more, {}, piece);
    ASSERT_TRUE(chunked.done) << chunked.problem->message;
    ASSERT_EQ(body_of(chunked), "hello world12345");
    ASSERT_EQ(chunked.used, kChunked.size()) << "the next request is left alone";
    ASSERT_TRUE(chunked.keep_alive);
    const Parsed plain = parse(std::string(kPlain) + more, {}, piece);
    ASSERT_TRUE(plain.done);
    ASSERT_EQ(body_of(plain), "hello world");
    ASSERT_EQ(plain.used, kPlain.size());
    ASSERT_FALSE(plain.keep_alive);
    ASSERT_EQ(plain.request.method, "POST");
    ASSERT_EQ(plain.request.target, "/a");
    ASSERT_EQ(plain.request.host, "h");
  }
}

TEST(RequestParser, AnEmptyChunkedBodyMayComeByteByByte) {
  for (const std::string_view end : {"0\r\n\r\n", "0\r\nT: x\r\n\r\n", "0;a=b\r\n\r\n"}) {
    const std::string bytes =
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n" + std::string(end);
    const Parsed parsed = parse(bytes, {}, [] { return 1; });
    EXPECT_TRUE(parsed.done) << end;
    EXPECT_EQ(parsed.used, bytes.size());
  }
}

TEST(RequestParser, IsTheSameAgainAfterReset) {
  const HttpLimits limits;
  Request request;
  RequestParser parser(limits, request);
  for (int i = 0; i < 3; ++i) {
    const std::size_t head = parser.feed(kPlain);
    EXPECT_EQ(parser.feed(kPlain.substr(head)) + head, kPlain.size());
    EXPECT_TRUE(parser.done());
    EXPECT_EQ(request.body.size(), 11U);
    parser.reset();
    EXPECT_FALSE(parser.done());
    EXPECT_TRUE(request.body.empty());
  }
}

TEST(RequestParser, ABodyThatNobodyWantsTakesNoMemory) {
  const HttpLimits limits;
  Request request;
  RequestParser parser(limits, request);
  const std::size_t head = parser.feed(kPlain);
  EXPECT_TRUE(parser.has_body());
  parser.discard_body();
  parser.feed(kPlain.substr(head));
  EXPECT_TRUE(parser.done());
  EXPECT_EQ(request.body.capacity(), 0U);
}

TEST(RequestParser, AClaimedLengthAloneTakesLittleMemory) {
  const HttpLimits limits;
  Request request;
  RequestParser parser(limits, request);
  parser.feed("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 16000000\r\n\r\n");
  parser.feed("x");
  EXPECT_LT(request.body.capacity(), 1U << 20);
}

TEST(RequestParser, NoBytesWhateverMakeMoreThanTheLimits) {
  HttpLimits limits;
  limits.max_body_bytes = 40;
  limits.max_header_bytes = 256;
  Random random(11, 0);
  int done = 0;
  int refused = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes(random.below(2) == 0 ? kChunked : kPlain);
    for (std::uint32_t i = random.below(4); i > 0; --i) {
      const auto at = random.below(static_cast<std::uint32_t>(bytes.size()));
      switch (random.below(3)) {
        case 0:
          bytes[at] = static_cast<char>(random.below(256));
          break;
        case 1:
          bytes.erase(at, 1 + random.below(3));
          break;
        default:
          bytes.insert(at,
                       bytes.substr(random.below(static_cast<std::uint32_t>(bytes.size())), 15));
      }
    }
    const Parsed parsed = parse(bytes, limits, [&] { return std::size_t{1} + random.below(60); });
    ASSERT_LE(parsed.request.body.size(), limits.max_body_bytes);
    ASSERT_LE(parsed.used, bytes.size());
    done += parsed.done ? 1 : 0;
    refused += parsed.problem ? 1 : 0;
    if (parsed.problem) {
      ASSERT_GE(parsed.problem->status, 400);
      ASSERT_LT(parsed.problem->status, 502);
    }
  }
  EXPECT_GT(done, 2000);
  EXPECT_GT(refused, 2000);
}

TEST(RequestParser, SaysWhatIsMissingAtTheEnd) {
  const HttpLimits limits;
  Request request;
  RequestParser parser(limits, request);
  parser.feed("GET / HT");
  EXPECT_THAT(parser.end_of_input().message, testing::HasSubstr("head"));
  parser.feed(kPlain);
  EXPECT_THAT(parser.end_of_input().message, testing::HasSubstr("body"));
}

}  // namespace
}  // namespace onnxop
