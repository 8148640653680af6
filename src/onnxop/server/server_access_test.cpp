// What the gate lets through, asked over HTTP.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "onnxop/server/test_gate.h"
#include "onnxop/server/test_server.h"

namespace onnxop::testing_server {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class ServerAccessTest : public ServerTest {
 protected:
  std::string classify(const std::string& fields) const {
    return post("/api/classify_digit", image_of(7), fields);
  }

  FakeClock fake_clock_;
  TestTokens tokens_;
};

TEST_F(ServerAccessTest, TokensOpenWhatTheirRolesMayDo) {
  start({.gate = tokens_.gate()});
  const auto status = [&](const std::string& request) { return ask(request).status; };
  using T = TestTokens;
  EXPECT_EQ(status(classify("")), 401);
  EXPECT_EQ(status(classify(T::field("wrong"))), 401);
  EXPECT_EQ(status(classify(T::field(tokens_.infer))), 200);
  EXPECT_EQ(status(classify(T::field(tokens_.read))), 403);
  EXPECT_EQ(status(classify(T::field(tokens_.manage))), 200);
  EXPECT_EQ(status(classify(T::field(tokens_.infer) + T::field(tokens_.infer))), 401);
  EXPECT_EQ(status(get("/metrics", T::field(tokens_.infer))), 403);
  EXPECT_EQ(status(get("/metrics", T::field(tokens_.read))), 200);
  EXPECT_EQ(status(get("/v2/models/mnist", T::field(tokens_.read))), 200);
  const std::string load = "/v2/repository/models/mnist/load";
  EXPECT_EQ(status(post(load, "", T::field(tokens_.read))), 403);
  EXPECT_EQ(status(post(load, "", T::field(tokens_.manage))), 415)
      << "asked, and not possible here";
  for (const char* health :
       {"/health/live", "/health/ready", "/v2/health/live", "/v2/health/ready"}) {
    EXPECT_EQ(status(get(health)), 200) << health;
    EXPECT_EQ(status(get(health, T::field("wrong"))), 200) << health;
  }
}

TEST_F(ServerAccessTest, RefusalsSayWhatIsMissing) {
  start({.gate = tokens_.gate()});
  const Answer none = ask(classify(""));
  EXPECT_EQ(none.fields.at("www-authenticate"), R"(Bearer realm="onnxop")");
  EXPECT_THAT(error_of(none), HasSubstr("Authorization: Bearer"));
  const Answer wrong = ask(classify(TestTokens::field("guess")));
  EXPECT_THAT(wrong.fields.at("www-authenticate"), HasSubstr("invalid_token"));
  EXPECT_THAT(error_of(wrong), Not(HasSubstr("guess")));
  const Answer forbidden = ask(classify(TestTokens::field(tokens_.read)));
  EXPECT_THAT(error_of(forbidden), HasSubstr("infer or manage"));
  EXPECT_THAT(forbidden.fields.at("www-authenticate"), HasSubstr("insufficient_scope"));
}

TEST_F(ServerAccessTest, StrangersDoNotLearnWhatThereIs) {
  start({.gate = tokens_.gate()});
  EXPECT_EQ(ask(get("/nothing")).status, 401);
  EXPECT_EQ(ask(get("/api/classify_digit")).status, 401);
  EXPECT_EQ(ask(get("/nothing", TestTokens::field(tokens_.infer))).status, 404);
  EXPECT_EQ(ask(get("/api/classify_digit", TestTokens::field(tokens_.infer))).status, 405);
}

TEST_F(ServerAccessTest, TheConnectionOutlivesARefusal) {
  start({.gate = tokens_.gate()});
  Client client = connect();
  EXPECT_EQ(client.ask(classify("")).status, 401);
  EXPECT_EQ(client.ask(classify(TestTokens::field(tokens_.infer))).status, 200);
  EXPECT_EQ(client.ask(classify("Expect: 100-continue\r\n")).status, 401)
      << "without a word that the body is wanted";
}

TEST_F(ServerAccessTest, TooManyRequestsAreToldWhenToComeAgain) {
  start({.gate = std::make_shared<AccessGate>(
             AccessOptions{.rate_limit = RateLimit{.per_second = 0.5, .burst = 2}}, fake_clock_)});
  Client client = connect();
  EXPECT_EQ(client.ask(classify("")).status, 200);
  EXPECT_EQ(client.ask(get("/nothing")).status, 404);
  const Answer refused = client.ask(classify(""));
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(refused.fields.at("retry-after"), "2");
  EXPECT_THAT(error_of(refused), HasSubstr("0.5 a second"));
  EXPECT_EQ(client.ask(get("/health/live")).status, 200);
  fake_clock_.advance(std::chrono::seconds(2));
  EXPECT_THAT(
      client.ask(get("/metrics")).body,
      HasSubstr(R"(onnxop_refused_requests_total{protocol="http",reason="rate_limited"} 1)"));
}

TEST_F(ServerAccessTest, ALimitIsEachTokensOwn) {
  start({.gate = tokens_.gate({.rate_limit = RateLimit{.per_second = 0.001, .burst = 1}})});
  using T = TestTokens;
  EXPECT_EQ(ask(classify(T::field(tokens_.infer))).status, 200);
  EXPECT_EQ(ask(classify(T::field(tokens_.infer))).status, 429);
  EXPECT_EQ(ask(classify(T::field(tokens_.manage))).status, 200);
  EXPECT_EQ(ask(classify("")).status, 401);
  EXPECT_EQ(ask(classify("")).status, 429) << "those without a token share their address's";
}

TEST_F(ServerAccessTest, WithoutCorsNothingIsSaidOfIt) {
  for (const bool gated : {false, true}) {
    start({.gate = gated ? tokens_.gate() : nullptr});
    for (const std::string& request :
         {get("/health/live", "Origin: https://a.example\r\n"),
          classify("Origin: https://a.example\r\n"),
          std::string("OPTIONS /api/classify_digit HTTP/1.1\r\nHost: test\r\nOrigin: "
                      "https://a.example\r\nAccess-Control-Request-Method: POST\r\n\r\n")}) {
      const Answer answer = ask(request);
      EXPECT_THAT(answer.head, Not(HasSubstr("Access-Control"))) << request;
      EXPECT_THAT(answer.head, Not(HasSubstr("Origin"))) << request;
      EXPECT_NE(answer.status, 204);
    }
  }
}

TEST_F(ServerAccessTest, PagesOfAListedOriginMayAsk) {
  start({.gate = tokens_.gate({.cors = {{"https://a.example", "http://localhost:3000"}}})});
  const std::string origin = "Origin: https://a.example\r\n";
  const Answer preflight =
      ask("OPTIONS /api/classify_digit HTTP/1.1\r\nHost: test\r\n" + origin +
          "Access-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: authorization\r\n"
          "\r\n");
  EXPECT_EQ(preflight.status, 204);
  EXPECT_EQ(preflight.body, "");
  EXPECT_FALSE(preflight.fields.contains("content-length"));
  EXPECT_EQ(preflight.fields.at("access-control-allow-origin"), "https://a.example");
  EXPECT_EQ(preflight.fields.at("access-control-allow-methods"), "POST");
  EXPECT_THAT(preflight.fields.at("access-control-allow-headers"),
              AllOf(HasSubstr("Authorization"), testing::EndsWith("*")));
  EXPECT_EQ(preflight.fields.at("vary"), "Origin");
  const Answer answer = ask(classify(origin + TestTokens::field(tokens_.infer)));
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.fields.at("access-control-allow-origin"), "https://a.example");
  EXPECT_EQ(answer.fields.at("vary"), "Origin");
  const Answer refused = ask(classify(origin));
  EXPECT_EQ(refused.status, 401);
  EXPECT_EQ(refused.fields.at("access-control-allow-origin"), "https://a.example")
      << "the page may read why";
  const Answer other = ask(get("/health/live", "Origin: https://b.example\r\n"));
  EXPECT_FALSE(other.fields.contains("access-control-allow-origin"));
  EXPECT_EQ(other.fields.at("vary"), "Origin");
}

TEST_F(ServerAccessTest, AnyOriginMayBeLet) {
  start({.gate = std::make_shared<AccessGate>(AccessOptions{.cors = {{"*"}}}, fake_clock_)});
  const Answer answer = ask(get("/health/live", "Origin: https://b.example\r\n"));
  EXPECT_EQ(answer.fields.at("access-control-allow-origin"), "*");
  EXPECT_FALSE(answer.fields.contains("vary"));
  EXPECT_FALSE(ask(get("/health/live")).fields.contains("access-control-allow-origin"));
}

TEST(Cors, OriginsAsTheyAreTyped) {
  for (const std::string good :
       {"*", "https://example.org", "http://localhost:3000", "http://[::1]:80", "app+x://host"}) {
    EXPECT_EQ(parse_cors_origin(good), good);
  }
  for (const std::string bad :
       {"", "example.org", "https://", "https://a/", "https://a/b", "null", "https://A.org", "://a",
        "https://a b", "https://*.a", "a\r\nb://c"}) {
    EXPECT_THROW(parse_cors_origin(bad), Error) << bad;
  }
}

TEST_F(ServerAccessTest, TheManagementMayBeApart) {
  start({.manage_port = 0, .gate = tokens_.gate()});
  const auto status = [&](std::uint16_t port, const std::string& request) {
    return Client(port).ask(request).status;
  };
  const std::uint16_t inference = running_->port();
  const std::uint16_t management = running_->server().manage_port();
  ASSERT_NE(inference, management);
  const std::string token = TestTokens::field(tokens_.manage);
  const std::string load = "/v2/repository/models/mnist/load";
  EXPECT_EQ(status(management, post(load, "", token)), 415) << "there, and not possible here";
  EXPECT_EQ(status(inference, post(load, "", token)), 404);
  EXPECT_EQ(status(management, post(load, "")), 401);
  EXPECT_EQ(status(management, post(load, "", TestTokens::field(tokens_.infer))), 403);
  for (const std::string& request :
       {get("/metrics", token), post("/v2/repository/index", "", token)}) {
    EXPECT_EQ(status(management, request), 200) << request;
    EXPECT_EQ(status(inference, request), 404) << request;
  }
  EXPECT_EQ(status(management, classify(token)), 404);
  EXPECT_EQ(status(inference, classify(token)), 200);
  for (const std::uint16_t port : {inference, management}) {
    EXPECT_EQ(status(port, get("/health/ready")), 200);
    EXPECT_EQ(status(port, get("/v2/models/mnist/stats", token)), 200);
    const Json document =
        parse_json(Client(port).ask(get("/openapi.json", token)).body, "document");
    EXPECT_EQ(document["paths"].contains("/metrics"), port == management);
    EXPECT_EQ(document["paths"].contains("/v2/models/{model}/infer"), port == inference);
  }
}

TEST_F(ServerAccessTest, TheManagementIsReachedWhenTheServerIsFull) {
  start({.manage_port = 0, .limits = {.max_connections = 2}});
  Client first = connect();
  Client second = connect();
  EXPECT_EQ(first.ask(get("/health/live")).status, 200);
  EXPECT_EQ(second.ask(get("/health/live")).status, 200);
  EXPECT_EQ(connect().receive()->status, 503);
  EXPECT_EQ(Client(running_->server().manage_port()).ask(get("/metrics")).status, 200);
}

TEST_F(ServerAccessTest, AStopEndsBothPorts) {
  start({.manage_port = 0});
  const std::uint16_t management = running_->server().manage_port();
  Client client(management);
  EXPECT_EQ(client.ask(get("/metrics")).status, 200);
  running_->server().stop();
  running_->wait();
  EXPECT_TRUE(client.at_end());
  EXPECT_THROW(Client{management}, std::runtime_error);
}

TEST_F(ServerAccessTest, TheDescriptionNamesTheToken) {
  start({.gate = tokens_.gate({.rate_limit = RateLimit{.per_second = 1000, .burst = 1000}})});
  const Json document =
      parse_json(ask(get("/openapi.json", TestTokens::field(tokens_.infer))).body, "document");
  EXPECT_EQ(document["components"]["securitySchemes"]["bearer"],
            Json({{"type", "http"}, {"scheme", "bearer"}}));
  const Json& classification = document["paths"]["/api/classify_digit"]["post"];
  EXPECT_EQ(classification["security"], Json::parse(R"([{"bearer": []}])"));
  EXPECT_THAT(classification["description"].get<std::string>(), HasSubstr("infer or manage"));
  for (const char* status : {"401", "403", "429"}) {
    EXPECT_TRUE(classification["responses"].contains(status)) << status;
  }
  EXPECT_FALSE(document["paths"]["/health/live"]["get"].contains("security"));
  start();
  const std::string open = ask(get("/openapi.json")).body;
  EXPECT_THAT(open, Not(HasSubstr("bearer")));
  EXPECT_THAT(open, Not(HasSubstr("\"401\"")));
}

}  // namespace
}  // namespace onnxop::testing_server
