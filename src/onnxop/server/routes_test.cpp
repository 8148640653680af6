// The routes without sockets: the table, its description, the page.

#include "onnxop/server/routes.h"

#include <semaphore>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "onnxop/base/error.h"
#include "onnxop/base/json_value.h"
#include "onnxop/score/ort_memory.h"
#include "onnxop/server/index_page.h"
#include "onnxop/server/status.h"
#include "onnxop/server/test_client.h"
#include "onnxop/server/web_pages.h"

namespace onnxop::testing_server {
namespace {

using testing::HasSubstr;
using testing::Not;

class RoutesTest : public testing::Test {
 protected:
  RoutesTest() {
    auto set = std::make_shared<ServingSet>();
    set->add("mnist", served("mnist", 3, fake_classifier(28, 28, 1, 10)));
    set->add("cats@champion", served("cats", 1, fake_classifier(28, 28, 1, 2)));
    catalog_.publish(set);
    options_.routes = {{"classify_digit", "mnist"}, {"cat-or-dog", "cats@champion"}};
    model_routes_ = checked_model_routes(options_, catalog_);
    table_ = make_routes(options_, model_routes_, context_);
  }

  Response ask(std::string_view method, std::string_view target, std::string host = "test:1") {
    const auto match = table_.match(method, target);
    Request request;
    request.target = target;
    request.path_values = match.path_values;
    request.host = std::move(host);
    return match.route == nullptr ? match.refusal : answer_of(*match.route, request);
  }

  static Response answer_of(const Route& route, Request& request) {
    return answer(request, [&]() -> Response {
      if (!route.pending) {
        return route.handler(request);
      }
      std::binary_semaphore ready{0};
      const auto pending = route.pending(request);
      pending->start(false, [&] { ready.release(); });
      ready.acquire();
      return pending->take();
    });
  }

  Catalog catalog_;
  SystemClock clock_;
  Scheduler scheduler_{1, clock_};
  std::atomic<bool> draining_{false};
  HttpStats http_;
  RouteContext context_{{catalog_, scheduler_}, draining_, "http",
                        "127.0.0.1:8080",       "1.2.3",   http_};
  ServerOptions options_;
  std::vector<ModelRoute> model_routes_;
  RouteTable table_;
};

TEST_F(RoutesTest, TheOpenApiDocumentIsTrueToTheTable) {
  const Json document = parse_json(ask("GET", "/openapi.json").body, "document");
  std::size_t described = 0;
  for (const auto& [path, methods] : document["paths"].items()) {
    described += methods.size();
  }
  EXPECT_EQ(described, table_.routes().size());
  std::set<std::string> ids;
  for (const Route* route : table_.routes()) {
    const ApiOperation& operation = route->operation;
    std::string method = operation.method;
    for (char& c : method) {
      c = static_cast<char>(std::tolower(c));
    }
    ASSERT_TRUE(document["paths"][operation.path].contains(method)) << operation.path;
    const Json& described_as = document["paths"][operation.path][method];
    EXPECT_TRUE(ids.insert(described_as["operationId"]).second) << "ids are unique";
    EXPECT_NE(table_.match(operation.method, operation.path).route, nullptr);
    // What it answers is of the described content type, with a described status.
    std::string path = operation.path;
    for (const auto& [from, to] : {std::pair("{model}", "mnist"), std::pair("{version}", "3")}) {
      if (const auto at = path.find(from); at != std::string::npos) {
        path.replace(at, std::string_view(from).size(), to);
      }
    }
    const Response response = ask(operation.method, path);
    const std::string status = format("{}", response.status);
    ASSERT_TRUE(described_as["responses"].contains(status)) << operation.path << status;
    const std::string type(response.content_type.substr(0, response.content_type.find(';')));
    EXPECT_TRUE(described_as["responses"][status]["content"].contains(type)) << operation.path;
  }
}

TEST_F(RoutesTest, ReadyWhileEveryRouteCanAnswer) {
  EXPECT_EQ(ask("GET", "/health/ready").status, 200);
  draining_ = true;
  EXPECT_EQ(ask("GET", "/health/ready").status, 503);
  EXPECT_EQ(ask("GET", "/health/live").status, 200);
  draining_ = false;
  auto set = std::make_shared<ServingSet>();
  set->add("mnist", served("mnist", 4, fake_classifier(28, 28, 1, 10)));
  catalog_.publish(set);
  const Response response = ask("GET", "/health/ready");
  EXPECT_EQ(response.status, 503);
  EXPECT_THAT(response.body, HasSubstr("cats@champion"));
}

TEST_F(RoutesTest, MetricsCountTheConnections) {
  http_.connections = 3;
  EXPECT_THAT(ask("GET", "/metrics").body, HasSubstr("\nonnxop_http_connections 3\n"));
  EXPECT_THAT(ask("GET", "/metrics").body, Not(HasSubstr("onnxop_grpc_connections")));
  options_.grpc_connections = [] { return 5; };
  table_ = make_routes(options_, model_routes_, context_);
  EXPECT_THAT(ask("GET", "/metrics").body, HasSubstr("\nonnxop_grpc_connections 5\n"));
}

TEST_F(RoutesTest, MetricsTellTheMemoryOfRuns) {
  const auto line = [this](const std::string& state) {
    const std::string text = ask("GET", "/metrics").body;
    const std::string name = "\nonnxop_run_memory_bytes{state=\"" + state + "\"} ";
    return std::stoll(text.substr(text.find(name) + name.size()));
  };
  const auto before = run_memory().sizes();
  EXPECT_EQ(before.used + before.kept, 0U) << "no engine runs in these tests";
  void* const block = run_memory().take(3U << 20);
  EXPECT_GE(line("used"), 3 << 20);
  EXPECT_EQ(line("kept"), 0);
  run_memory().put_back(block);
  EXPECT_EQ(line("used"), 0);
  EXPECT_GE(line("kept"), 3 << 20);
}

TEST_F(RoutesTest, ThePageShowsACurlLineForEachRoute) {
  const Response page = ask("GET", "/", "example.org:8000");
  EXPECT_THAT(
      page.body,
      HasSubstr("curl --data-binary @image.png http://example.org:8000/api/classify_digit</pre>"));
  EXPECT_THAT(page.body, HasSubstr("http://example.org:8000/api/cat-or-dog</pre>"));
  EXPECT_THAT(page.body, HasSubstr("mnist, version 3"));
  EXPECT_THAT(page.body, Not(HasSubstr("{{")));
  EXPECT_THAT(response_head(page, true, false), HasSubstr("Content-Security-Policy: default-src"));
}

TEST_F(RoutesTest, ThePageLetsNothingThrough) {
  for (const std::string host :
       {"evil.org/; rm -rf", "<script>alert(1)</script>", "\" onclick=\"", "$(reboot)", ""}) {
    const Response page = ask("GET", "/", host);
    EXPECT_THAT(page.body, HasSubstr("http://127.0.0.1:8080/api/classify_digit")) << host;
    EXPECT_THAT(page.body, Not(HasSubstr("<script>")));
  }
  Contract contract = digit_contract();
  contract.output.labels = {"<b>&\"'", "{{version}}"};
  const std::vector<IndexEntry> entries{
      {"/api/x", "m", served("<i>name</i>", 1, nullptr, contract)}, {"/api/y", "<gone>", nullptr}};
  const std::string page = index_page(entries, {"https", "h", "a"}, "1.2.3").body;
  EXPECT_THAT(page, HasSubstr("&lt;i&gt;name&lt;/i&gt;, version 1"));
  EXPECT_THAT(page, HasSubstr("&lt;b&gt;&amp;&quot;&#39;, {{version}}")) << "taken as it is";
  EXPECT_THAT(page, HasSubstr("&lt;gone&gt; (not loaded"));
  EXPECT_THAT(index_page({}, {"http", "h", "a"}, "1").body, HasSubstr("No model is served"));
}

TEST_F(RoutesTest, TheDefaultRouteIsForMnist) {
  const auto routes = checked_model_routes({}, catalog_);
  ASSERT_EQ(routes.size(), 1U);
  EXPECT_EQ(routes[0].name, "classify_digit");
  EXPECT_EQ(routes[0].model, "mnist");
  const Catalog nothing;
  EXPECT_TRUE(checked_model_routes({}, nothing).empty());
}

TEST(RouteTable, AMethodAndPathCanBeTakenOnce) {
  RouteTable table;
  const auto route = [](std::string method) {
    return Route{{.method = std::move(method), .path = "/x", .id = "", .summary = "", .errors = {}},
                 Permission::kOpen,
                 [](const Request&) { return Response(); }};
  };
  table.add(route("GET"));
  table.add(route("POST"));
  EXPECT_THROW(table.add(route("GET")), Error);
  Route unset = route("PUT");
  unset.permission = Permission::kUnset;
  EXPECT_THROW(table.add(unset), Error);
  const auto match = table.match("DELETE", "/x");
  EXPECT_EQ(match.refusal.status, 405);
  EXPECT_EQ(match.refusal.allow, "GET, HEAD, POST");
}

TEST(RouteTable, PlaceholdersStandForWholeSegments) {
  RouteTable table;
  const auto add = [&](std::string path) {
    table.add({{.method = "GET", .path = std::move(path)}, Permission::kOpen, [](const Request&) {
                 return Response();
               }});
  };
  add("/v2/models/{model}");
  add("/v2/models/stats");
  add("/v2/models/{model}/versions/{version}/infer");
  const auto found = [&](std::string_view target) {
    const auto match = table.match("GET", target);
    std::string text = match.route == nullptr ? "none" : match.route->operation.path;
    for (const std::string& value : match.path_values) {
      text += " " + value;
    }
    return text;
  };
  EXPECT_EQ(found("/v2/models/mnist?x=1"), "/v2/models/{model} mnist");
  EXPECT_EQ(found("/v2/models/stats"), "/v2/models/stats");
  EXPECT_EQ(found("/v2/models/a%2Fb%40c/versions/3/infer"),
            "/v2/models/{model}/versions/{version}/infer a/b@c 3");
  EXPECT_EQ(found("/v2/models/"), "none");
  EXPECT_EQ(found("/v2/models/a/versions/3"), "none");
  EXPECT_EQ(found("/v2/models//versions/3/infer"), "none");
  EXPECT_EQ(found("/v2/models/%zz"), "none");
  EXPECT_EQ(table.match("POST", "/v2/models/mnist").refusal.status, 405);
}

TEST(Request, FieldsAndQuery) {
  Request request;
  request.target = "/p?version=3&name=a%20b&empty=&version=4#x";
  EXPECT_EQ(request.query("version"), "3");
  EXPECT_EQ(request.query("name"), "a b");
  EXPECT_EQ(request.query("empty"), "");
  EXPECT_EQ(request.query("p"), "");
  request.fields = {{"accept", "a"}, {"accept", "b"}};
  EXPECT_EQ(request.field("accept"), "a");
  EXPECT_EQ(request.field("host"), "");
}

TEST(RouteTable, EveryErrorHasItsStatus) {
  const auto status_of = [](const std::function<void()>& thrower) {
    return answer({},
                  [&] {
                    thrower();
                    return Response();
                  })
        .status;
  };
  const std::vector<std::pair<ErrorCode, int>> expected{{ErrorCode::kInvalidArgument, 400},
                                                        {ErrorCode::kNotFound, 404},
                                                        {ErrorCode::kAlreadyExists, 409},
                                                        {ErrorCode::kFailedPrecondition, 409},
                                                        {ErrorCode::kTooLarge, 413},
                                                        {ErrorCode::kUnsupported, 415},
                                                        {ErrorCode::kUnavailable, 503},
                                                        {ErrorCode::kResourceExhausted, 429},
                                                        {ErrorCode::kDeadlineExceeded, 504},
                                                        {ErrorCode::kUnauthenticated, 401},
                                                        {ErrorCode::kPermissionDenied, 403},
                                                        {ErrorCode::kDataLoss, 500},
                                                        {ErrorCode::kIo, 500},
                                                        {ErrorCode::kInternal, 500}};
  for (const auto& [code, status] : expected) {
    EXPECT_EQ(status_of([code = code] { throw Error(code, "x"); }), status);
    EXPECT_NE(reason_phrase(status), "");
  }
  EXPECT_EQ(status_of([] { throw StorageError(StorageFault::kFull, "x"); }), 507);
  EXPECT_EQ(reason_phrase(507), "Insufficient Storage");
  EXPECT_EQ(status_of([] { throw std::bad_alloc(); }), 500);
  EXPECT_EQ(status_of([] { throw 7; }), 500);
}

TEST(RouteTable, WhoCannotStoreAnythingSaysWhyButNotWhere) {
  const std::vector<std::pair<StorageFault, std::string>> expected{
      {StorageFault::kFull, "is full"}, {StorageFault::kNotWritable, "may not write"}};
  for (const auto& [fault, text] : expected) {
    for (const std::string target : {"/api/2.0/mlflow/runs/create", "/v2/repository/index"}) {
      Request request;
      request.target = target;
      const Response response = answer(request, [fault = fault]() -> Response {
        throw StorageError(fault, "/srv/store/onnxop.db: no");
      });
      EXPECT_EQ(response.status, 507);
      EXPECT_EQ(response.retry_after, 0);
      EXPECT_THAT(response.body, HasSubstr(text));
      EXPECT_THAT(response.body, HasSubstr("its log has the details under "));
      EXPECT_THAT(response.body, Not(HasSubstr("/srv")));
      EXPECT_EQ(parse_json(response.body, target).value("error_code", "none"),
                target.starts_with("/api/2.0/mlflow") ? "IO_ERROR" : "none");
    }
  }
}

TEST(HttpMessage, PathsOfTargets) {
  EXPECT_EQ(path_of("/"), "/");
  EXPECT_EQ(path_of("/a/b?c=/d"), "/a/b");
  EXPECT_EQ(path_of("/a%2Fb%20c"), "/a/b c");
  EXPECT_EQ(path_of("http://host:80/a?b"), "/a");
  EXPECT_EQ(path_of("https://host"), "/");
  EXPECT_EQ(path_of("http://host?x"), "/");
  for (const char* bad : {"", "*", "a", "host:80", "/%", "/%4", "/%zz", "/%00", "/a%-1"}) {
    EXPECT_EQ(path_of(bad), "") << bad;
  }
}

TEST(HttpMessage, HeadsOfAnswers) {
  Response response = error_response(405, "no");
  response.allow = "GET, HEAD";
  const std::string head = response_head(response, false, false);
  EXPECT_TRUE(head.starts_with("HTTP/1.1 405 Method Not Allowed\r\nDate: ")) << head;
  EXPECT_THAT(head, HasSubstr("\r\nContent-Length: 14\r\n"));
  EXPECT_THAT(head, HasSubstr("\r\nAllow: GET, HEAD\r\n"));
  EXPECT_THAT(head, HasSubstr("\r\nConnection: close\r\n"));
  EXPECT_TRUE(head.ends_with("\r\n\r\n"));
  EXPECT_THAT(response_head({}, true, false), Not(HasSubstr("Connection")));
  EXPECT_THAT(response_head({}, true, true), HasSubstr("Connection: keep-alive"));
}

TEST(ServerOptions, RoutesAsTheyAreTyped) {
  const ModelRoute route = parse_model_route("digit.v1=mnist@champion");
  EXPECT_EQ(route.name, "digit.v1");
  EXPECT_EQ(route.model, "mnist@champion");
  for (const std::string bad : {"", "x", "=x", "x=", "a/b=x", "-a=x", "a b=x", "models=x", "ä=x"}) {
    EXPECT_THROW(parse_model_route(bad), Error) << bad;
  }
  EXPECT_THROW(parse_model_route(std::string(129, 'a') + "=x"), Error);
  EXPECT_THAT(route_models({{"a", "x"}, {"b", "y"}}), testing::ElementsAre("x", "y"));
}

TEST(WebPages, AnUnknownOneIsAnError) {
  EXPECT_THROW(web_page("none.html"), Error);
}

}  // namespace
}  // namespace onnxop::testing_server
