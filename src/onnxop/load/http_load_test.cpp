#include "onnxop/load/http_load.h"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "onnxop/base/error.h"
#include "onnxop/load/http_client.h"
#include "onnxop/load/test_server.h"

namespace onnxop::testing_load {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::Field;
using testing::Pair;

/// Exactly so many requests, in one window.
HttpLoadOptions count_of(const TestServer& server, std::int64_t requests) {
  HttpLoadOptions options;
  options.target.port = server.port();
  options.target.path = "/here?x=1";
  options.windows = {.requests = requests, .steady = 1, .most = 1};
  return options;
}

TEST(HttpLoad, ClosedLoopSendsEachRequestOnce) {
  TestServer server([](const Asked&) { return ok(); });
  HttpLoadOptions options = count_of(server, 100);
  options.connections = 4;
  options.threads = 2;
  options.target.bodies = {"first", "second", ""};
  options.target.headers = {{"Content-Type", "image/png"}};
  const LoadReport report = run_http_load(options);
  EXPECT_EQ(report.figures.answered, 100);
  EXPECT_EQ(report.figures.errors, 0);
  EXPECT_GT(report.figures.per_second, 0);
  EXPECT_LE(report.figures.latency.p50_ms, report.figures.latency.p99_ms);
  EXPECT_LE(report.figures.latency.p99_ms, report.figures.latency.max_ms);

  const auto asked = server.asked();
  ASSERT_EQ(asked.size(), 100U);
  EXPECT_THAT(asked, Each(Field(&Asked::path, "/here?x=1")));
  EXPECT_THAT(asked, Each(Field(&Asked::method, "POST")));
  EXPECT_THAT(asked, Each(Field(&Asked::content_type, "image/png")));
  std::map<std::string, int> bodies;
  std::set<int> connections;
  for (const Asked& each : asked) {
    ++bodies[each.body];
    connections.insert(each.connection);
  }
  EXPECT_THAT(bodies, ElementsAre(Pair("", 33), Pair("first", 34), Pair("second", 33)));
  EXPECT_LE(connections.size(), 5U) << "four, and the one that tried the address";
}

TEST(HttpLoad, PollingSendsEachRequestOnce) {
  TestServer server([](const Asked&) { return ok(); });
  for (const double rate : {0.0, 2000.0}) {
    HttpLoadOptions options = count_of(server, 50);
    options.polls = true;
    options.rate = rate;
    const LoadReport report = run_http_load(options);
    EXPECT_EQ(report.figures.answered, 50);
    EXPECT_EQ(report.figures.errors, 0);
  }
  EXPECT_EQ(server.asked().size(), 100U);
}

TEST(HttpLoad, OpenLoopSendsEachRequestOnce) {
  TestServer server([](const Asked&) { return ok(); });
  HttpLoadOptions options = count_of(server, 200);
  options.connections = 3;
  options.threads = 2;
  options.rate = 20'000;
  options.target.method = "GET";
  const LoadReport report = run_http_load(options);
  EXPECT_EQ(report.figures.answered, 200);
  EXPECT_EQ(server.asked().size(), 200U);
  EXPECT_THAT(server.asked(), Each(Field(&Asked::body, "")));
}

/// Far more is due than one connection can do: the wait for it belongs to the latency.
TEST(HttpLoad, OpenLoopCountsTheWait) {
  TestServer server([](const Asked&) { return ok(); });
  HttpLoadOptions options = count_of(server, 300);
  options.rate = 1e9;
  const LoadReport open = run_http_load(options);
  EXPECT_EQ(open.figures.answered, 300);
  EXPECT_GT(open.figures.client_ms, 0.9 * open.figures.latency.mean_ms);
  // All were due at the start. What one connection does one after the other, without the wait,
  // takes no longer in sum than the whole.
  EXPECT_GT(300 * open.figures.latency.mean_ms, 2e3 * open.figures.seconds);
}

TEST(HttpLoad, CountsErrorsByStatus) {
  TestServer server([](const Asked& asked) -> std::string {
    switch (asked.index % 4) {
      case 0:
        return "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n";
      case 1:
        return "";
      case 2:
        return "no HTTP at all\r\n\r\n";
      default:
        return ok();
    }
  });
  const LoadReport report = run_http_load(count_of(server, 40));
  EXPECT_EQ(report.figures.answered, 10);
  EXPECT_EQ(report.figures.errors, 30);
  EXPECT_THAT(report.figures.errors_by_status, ElementsAre(Pair(0, 20), Pair(503, 10)));
  EXPECT_FALSE(report.steady && report.figures.answered == 0);
}

TEST(HttpLoad, AnswersThatEndTheConnection) {
  TestServer server([](const Asked&) {
    return std::string("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx");
  });
  const LoadReport report = run_http_load(count_of(server, 20));
  EXPECT_EQ(report.figures.answered, 20);
  std::set<int> connections;
  for (const Asked& each : server.asked()) {
    connections.insert(each.connection);
  }
  EXPECT_EQ(connections.size(), 20U);
}

TEST(HttpLoad, ChunkedAnswers) {
  TestServer server([](const Asked&) {
    return std::string(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
  });
  EXPECT_EQ(run_http_load(count_of(server, 10)).figures.answered, 10);
}

TEST(HttpLoad, LateAnswersAreErrors) {
  TestServer server([](const Asked& asked) { return asked.index == 0 ? "hang" : ok(); });
  HttpLoadOptions options = count_of(server, 5);
  options.timeout = std::chrono::milliseconds(1);
  const LoadReport report = run_http_load(options);
  EXPECT_GE(report.figures.errors_by_status.at(0), 1);
  EXPECT_EQ(report.figures.answered + report.figures.errors, 5);
}

TEST(HttpLoad, EndsThoughTheServerHangs) {
  TestServer server([](const Asked& asked) { return asked.connection % 2 == 0 ? "hang" : ok(); });
  HttpLoadOptions options = count_of(server, 50);
  options.connections = 4;
  options.windows = {.requests = 5, .steady = 1, .most = 9, .tolerance = 1000};
  EXPECT_EQ(run_http_load(options).windows.size(), 1U);
}

TEST(HttpLoad, TellsOfEachWindow) {
  TestServer server([](const Asked&) { return ok(); });
  HttpLoadOptions options = count_of(server, 10);
  // By time: what is counted out may all be answered before the second window begins.
  options.windows = {.seconds = 0.05, .steady = 3, .most = 3, .tolerance = 1000};
  int boundaries = 0;
  options.at_boundary = [&] { ++boundaries; };
  const LoadReport report = run_http_load(options);
  EXPECT_EQ(boundaries, 4);
  EXPECT_EQ(report.windows.size(), 3U);
  EXPECT_TRUE(report.steady);
}

TEST(HttpLoad, ImpossibleLoadsAreErrors) {
  TestServer server([](const Asked&) { return ok(); });
  const HttpLoadOptions good = count_of(server, 1);
  const auto expect_refused = [&](const std::function<void(HttpLoadOptions&)>& change,
                                  ErrorCode code) {
    HttpLoadOptions options = good;
    change(options);
    try {
      run_http_load(options);
      ADD_FAILURE() << "nothing was thrown";
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), code) << e.what();
    }
  };
  expect_refused([](auto& o) { o.connections = 0; }, ErrorCode::kInvalidArgument);
  expect_refused([](auto& o) { o.threads = 0; }, ErrorCode::kInvalidArgument);
  expect_refused([](auto& o) { o.rate = -1; }, ErrorCode::kInvalidArgument);
  expect_refused([](auto& o) { o.target.path = "x"; }, ErrorCode::kInvalidArgument);
  expect_refused([](auto& o) { o.windows.most = 0; }, ErrorCode::kInvalidArgument);
  expect_refused([](auto& o) { o.target.port = 1; }, ErrorCode::kUnavailable);
}

TEST(HttpGet, GivesStatusAndBody) {
  TestServer server([](const Asked& asked) {
    return asked.path == "/a" ? ok("here") : "HTTP/1.1 404 No\r\nContent-Length: 2\r\n\r\nno";
  });
  const HttpAnswer found = http_get({"127.0.0.1", server.port(), "/a"});
  EXPECT_EQ(found.status, 200);
  EXPECT_EQ(found.body, "here");
  EXPECT_EQ(http_get({"127.0.0.1", server.port(), "/b"}).status, 404);
  EXPECT_THROW(http_get({"127.0.0.1", 1, "/"}), Error);
}

TEST(HttpExchange, SendsMethodHeadersAndBody) {
  TestServer server(
      [](const Asked& asked) { return ok(asked.method + asked.content_type + asked.body); });
  const HttpContent content{"PUT", {{"Content-Type", "a/b"}}, "bytes"};
  EXPECT_EQ(http_exchange({"127.0.0.1", server.port(), "/"}, content).body, "PUTa/bbytes");
}

TEST(HttpGet, EndsInTime) {
  TestServer server([](const Asked&) { return "hang"; });
  EXPECT_THROW(http_get({"127.0.0.1", server.port(), "/"}, std::chrono::milliseconds(20)), Error);
}

TEST(HttpUrl, HasHostPortAndPath) {
  const HttpUrl whole = parse_http_url("http://example.org:8080/v2/models/x?y=z");
  EXPECT_EQ(whole.host, "example.org");
  EXPECT_EQ(whole.port, 8080);
  EXPECT_EQ(whole.path, "/v2/models/x?y=z");
  const HttpUrl bare = parse_http_url("http://localhost");
  EXPECT_EQ(bare.host, "localhost");
  EXPECT_EQ(bare.port, 80);
  EXPECT_EQ(bare.path, "/");
  const HttpUrl six = parse_http_url("http://[::1]:81/a");
  EXPECT_EQ(six.host, "::1");
  EXPECT_EQ(six.port, 81);
}

TEST(HttpUrl, OthersAreRefused) {
  for (const char* text :
       {"", "localhost:80", "ftp://x", "http://", "http:///path", "http://:80/", "http://h:0/",
        "http://h:65536/", "http://h:x/", "http://h:/", "http://[::1", "http://[::1]x/",
        "http://u@h/", "http://h/a b", "http://h/a\r\nX: y", "http://h/#part", "http://h?x"}) {
    EXPECT_THROW(parse_http_url(text), Error) << text;
  }
  try {
    parse_http_url("https://h/");
    ADD_FAILURE();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::kUnsupported);
  }
}

}  // namespace
}  // namespace onnxop::testing_load
