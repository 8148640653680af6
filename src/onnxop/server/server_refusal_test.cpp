// What the server refuses, on a real port: wrong requests, slow and damaged ones, impossible
// options.

#include <optional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "onnxop/base/error.h"
#include "onnxop/base/json_value.h"
#include "onnxop/base/random.h"
#include "onnxop/server/test_server.h"

namespace onnxop::testing_server {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

TEST_F(ServerTest, RefusesBodiesThatAreNoImages) {
  start();
  Client client = connect();
  const std::string image = image_of(1);
  const auto refused = [&](std::string_view body) {
    const Answer answer = client.ask(post("/api/classify_digit", body));
    EXPECT_EQ(answer.status, 400) << answer.body;
    return error_of(answer);
  };
  EXPECT_THAT(refused(""), HasSubstr("empty"));
  EXPECT_FALSE(refused("hello").empty());
  EXPECT_FALSE(refused(image.substr(0, 200)).empty());
  EXPECT_FALSE(refused(std::string(5000, '\0')).empty());
  EXPECT_EQ(client.ask(post("/api/classify_digit", image)).status, 200) << "the connection lives";
}

TEST_F(ServerTest, RefusesImagesWithTooManyPixels) {
  start({.max_pixels = 1000});
  EXPECT_EQ(ask(post("/api/classify_digit", image_of(1))).status, 200);
  const Answer answer = ask(post("/api/classify_digit", "P5\n60000 60000\n255\n"));
  EXPECT_EQ(answer.status, 413);
  EXPECT_THAT(error_of(answer), HasSubstr("1000"));
}

TEST_F(ServerTest, RefusesAtTheContentLength) {
  start({.limits = {.max_body_bytes = 1000}});
  Client client = connect();
  client.send("POST /api/classify_digit HTTP/1.1\r\nHost: test\r\nContent-Length: 1001\r\n\r\n");
  const auto answer = client.receive();  // nothing of the body was sent
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 413);
  EXPECT_EQ(answer->fields.at("connection"), "close");
  EXPECT_THAT(error_of(*answer), HasSubstr("1001"));
  EXPECT_TRUE(client.at_end());
  EXPECT_EQ(ask(post("/api/classify_digit", image_of(1))).status, 200);
}

TEST_F(ServerTest, AClientThatSendsOnReadsTheRefusal) {
  start({.limits = {.max_body_bytes = 1000}});
  Client client = connect();
  const std::string body(4'000'000, 'x');
  client.send(post("/api/classify_digit", body));
  const auto answer = client.receive();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 413);
}

TEST_F(ServerTest, RefusesChunkedBodiesAsTheyGrow) {
  start({.limits = {.max_body_bytes = 1000}});
  Client client = connect();
  client.send("POST /api/classify_digit HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n");
  client.send("3e0\r\n" + std::string(992, 'x') + "\r\n9\r\n");
  const auto answer = client.receive();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 413);
  const Answer huge =
      ask("POST /api/classify_digit HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n"
          "ffffffffffffffff\r\n");
  EXPECT_EQ(huge.status, 413);
}

TEST_F(ServerTest, ExpectContinueIsAnsweredBeforeTheBody) {
  start({.limits = {.max_body_bytes = 1000}});
  Client client = connect();
  const std::string image = image_of(6);
  const auto head = [&](std::string_view path, std::size_t length) {
    return format(
        "POST {} HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\nContent-Length: {}\r\n\r\n", path,
        length);
  };
  EXPECT_EQ(client.ask(head("/api/classify_digit", image.size())).status, 100);
  EXPECT_EQ(parse_json(client.ask(image).body, "answer")["label"], "6");
  const Answer large = ask(head("/api/classify_digit", 1001));
  EXPECT_EQ(large.status, 413) << "and no 100 before it";
  EXPECT_EQ(ask(head("/nothing", 10)).status, 404);
  EXPECT_EQ(ask(post("/api/classify_digit", image, "Expect: miracles\r\n")).status, 417);
}

TEST_F(ServerTest, UnknownPathsAndMethods) {
  start();
  Client client = connect();
  EXPECT_EQ(client.ask(get("/nothing")).status, 404);
  EXPECT_EQ(client.ask(post("/api/nothing", image_of(1))).status, 404) << "the body is overlooked";
  const Answer answer = client.ask(get("/api/classify_digit"));
  EXPECT_EQ(answer.status, 405);
  EXPECT_EQ(answer.fields.at("allow"), "POST");
  EXPECT_THAT(error_of(answer), HasSubstr("POST"));
  const Answer options = client.ask("OPTIONS / HTTP/1.1\r\nHost: t\r\n\r\n");
  EXPECT_EQ(options.status, 405);
  EXPECT_EQ(options.fields.at("allow"), "GET, HEAD");
  EXPECT_EQ(client.ask(get("/api/classify%5Fdigit")).status, 405) << "%5F is _";
  EXPECT_EQ(client.ask(get("http://test/health/live?x=1")).status, 200);
  EXPECT_EQ(client.ask("OPTIONS * HTTP/1.1\r\nHost: t\r\n\r\n").status, 400);
}

TEST_F(ServerTest, MalformedRequestsGet400) {
  start();
  for (const std::string request :
       {"nonsense\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/2.7\r\n\r\n", "GET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\nHost: t\n\n", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: t\r\nbad header\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: t\r\nContent-Length: -1\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 99999999999999999999999\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        "POST / HTTP/1.0\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n"}) {
    Client client = connect();
    const Answer answer = client.ask(request);
    EXPECT_EQ(answer.status, 400) << request;
    EXPECT_FALSE(error_of(answer).empty());
    client.end_of_sending();
    EXPECT_TRUE(client.at_end()) << request;
  }
  EXPECT_EQ(ask("POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: gzip, chunked\r\n\r\n").status,
            501);
}

TEST_F(ServerTest, LongHeadsAreRefused) {
  start({.limits = {.max_header_bytes = 1024, .max_target_bytes = 100}});
  EXPECT_EQ(ask(get("/" + std::string(100, 'a'))).status, 414);
  EXPECT_EQ(ask(get("/" + std::string(5000, 'a'))).status, 414);
  EXPECT_EQ(ask(get("/health/live", "A: " + std::string(900, 'a') + "\r\n")).status, 200);
  EXPECT_EQ(ask(get("/health/live", "A: " + std::string(1100, 'a') + "\r\n")).status, 431);
  std::string many;
  for (int i = 0; i < 200; ++i) {
    many += format("X-{}: y\r\n", i);
  }
  EXPECT_EQ(ask(get("/health/live", many)).status, 431);
  EXPECT_EQ(ask("POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n1;" +
                std::string(3000, 'a'))
                .status,
            400);
}

TEST_F(ServerTest, SlowHeadsAndBodiesGet408) {
  start({.limits = {.header_timeout = milliseconds(50), .body_timeout = milliseconds(50)}});
  const Answer head = ask("GET / HTTP/1.1\r\nHo");
  EXPECT_EQ(head.status, 408);
  EXPECT_THAT(error_of(head), HasSubstr("head"));
  const Answer body =
      ask("POST /api/classify_digit HTTP/1.1\r\nHost: t\r\nContent-Length: 100\r\n\r\nP5");
  EXPECT_EQ(body.status, 408);
  EXPECT_THAT(error_of(body), HasSubstr("body"));
  Client silent = connect();
  EXPECT_TRUE(silent.at_end()) << "who says nothing is not answered";
}

TEST_F(ServerTest, IdleConnectionsAreClosed) {
  start({.limits = {.idle_timeout = milliseconds(50)}});
  Client client = connect();
  EXPECT_EQ(client.ask(get("/health/live")).status, 200);
  EXPECT_TRUE(client.at_end());
}

TEST_F(ServerTest, WhoDoesNotReadIsCutOff) {
  start({.limits = {.write_timeout = milliseconds(50), .linger_timeout = milliseconds(50)}});
  Client client = connect();
  std::string requests;
  for (int i = 0; i < 100; ++i) {
    requests += get("/openapi.json");
  }
  while (client.send(requests)) {
  }
  EXPECT_EQ(ask(get("/health/live")).status, 200);
}

TEST_F(ServerTest, PartialRequestsOfThoseWhoLeft) {
  start();
  const std::string request = post("/api/classify_digit", image_of(1));
  for (std::size_t length = 0; length < request.size(); length += 13) {
    Client client = connect();
    client.send(std::string_view(request).substr(0, length));
    client.end_of_sending();
    const auto answer = client.receive();
    EXPECT_EQ(answer.has_value(), length > 0) << length;
    if (answer) {
      EXPECT_EQ(answer->status, 400) << length;
    }
    Client gone = connect();
    gone.send(std::string_view(request).substr(0, length));
    gone.abort();
  }
  EXPECT_EQ(ask(request).status, 200);
}

TEST_F(ServerTest, RandomDamageIsNeverAnsweredWith200OrACrash) {
  start({.limits = {.header_timeout = milliseconds(2000), .linger_timeout = milliseconds(50)}});
  Random random(7, 0);
  const std::string good = post("/api/classify_digit", image_of(2));
  const std::size_t head = good.find("\r\n\r\n");
  for (int round = 0; round < 400; ++round) {
    std::string bytes = good;
    const std::uint32_t changes = 1 + random.below(6);
    for (std::uint32_t i = 0; i < changes; ++i) {
      const auto at = random.below(static_cast<std::uint32_t>(head));
      switch (random.below(4)) {
        case 0:
          bytes[at] = static_cast<char>(random.below(256));
          break;
        case 1:
          bytes.erase(at, 1 + random.below(5));
          break;
        case 2:
          bytes.insert(at, 1 + random.below(5), static_cast<char>(random.below(256)));
          break;
        default:
          bytes.insert(at, bytes.substr(random.below(static_cast<std::uint32_t>(head)), 20));
      }
    }
    Client client = connect();
    client.send(bytes);
    client.end_of_sending();
    while (const auto answer = client.receive()) {
      ASSERT_TRUE(answer->status >= 200 && answer->status < 600) << bytes;
      if (answer->status != 200) {
        ASSERT_LT(answer->status, 502) << bytes;
        ASSERT_NE(answer->status, 500) << bytes;
        ASSERT_FALSE(error_of(*answer).empty());
      }
    }
  }
  EXPECT_EQ(ask(good).status, 200);
}

TEST_F(ServerTest, ImpossibleOptionsAreRefused) {
  const auto code_of = [&](ServerOptions options) -> std::optional<ErrorCode> {
    options.port = options.port == 8080 ? 0 : options.port;
    try {
      const Server server(std::move(options), core_);
    } catch (const Error& e) {
      return e.code();
    }
    return std::nullopt;
  };
  EXPECT_EQ(code_of({}), std::nullopt);
  EXPECT_EQ(code_of({.port = 70000}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code_of({.io_threads = -1}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code_of({.spin = std::chrono::seconds(1)}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code_of({.limits = {.max_connections = 0}}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code_of({.limits = {.idle_timeout = milliseconds(0)}}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code_of({.routes = {{"models", "mnist"}}}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code_of({.routes = {{"x/y", "mnist"}}}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code_of({.routes = {{"x", "nothing"}}}), ErrorCode::kNotFound);
  EXPECT_EQ(code_of({.routes = {{"x", "mnist"}, {"x", "mnist"}}}), ErrorCode::kAlreadyExists);
  EXPECT_EQ(code_of({.host = "no.such.host.invalid"}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code_of({.host = "192.0.2.1"}), ErrorCode::kFailedPrecondition);
  start();
  EXPECT_EQ(code_of({.port = running_->port()}), ErrorCode::kFailedPrecondition);
  catalog_.publish(set_of(served("mnist", 1, scorer_, std::nullopt)));
  EXPECT_EQ(code_of({.routes = {{"x", "mnist"}}}), ErrorCode::kFailedPrecondition);
  EXPECT_EQ(code_of({}), std::nullopt) << "the default route is for an image model only";
}

}  // namespace
}  // namespace onnxop::testing_server
