// Splits and shadows through the routes, with a real manager and fakes in place of the engine.

#include "onnxop/server/traffic_routes.h"

#include <semaphore>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "onnxop/base/file.h"
#include "onnxop/base/json_value.h"
#include "onnxop/base/log.h"
#include "onnxop/base/test_folder.h"
#include "onnxop/onnx/graph.h"
#include "onnxop/onnx/model_file.h"
#include "onnxop/server/metrics.h"
#include "onnxop/server/test_client.h"
#include "onnxop/serving/shadow_runner.h"

namespace onnxop::testing_server {
namespace {

using testing::HasSubstr;
using testing::Not;

class TrafficRoutesTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { init_logging({.level = LogLevel::kError}); }

  TrafficRoutesTest() {
    put("mnist", 1);
    put("mnist", 2);
    put("other", 1);
    std::vector<std::unique_ptr<ModelProvider>> providers;
    providers.push_back(folder_provider(folder_.path(), clock_, {.max_batch = 1}, 0));
    manager_ = std::make_unique<ModelManager>(
        std::move(providers), ManagerOptions{},
        [](const std::filesystem::path&, std::span<const std::byte>) {
          return fake_classifier(28, 28, 1, 10);
        },
        [](const std::filesystem::path&) {}, catalog_);
    manager_->refresh();
    context_.core.manager = manager_.get();
    context_.core.shadows = &shadows_;
    options_.routes = {{"digit", "mnist"}, {"old", "mnist:2"}};
    table_ = make_routes(options_, checked_model_routes(options_, catalog_), context_);
  }

  void put(const std::string& name, int version) const {
    Model model;
    model.graph.name = "fake";
    model.graph.nodes.push_back({"Identity", "", {"image"}, {"probabilities"}, {}, ""});
    model.graph.inputs.push_back({"image", DType::kFloat32, {{-1, "N"}}, ""});
    model.graph.outputs.push_back({"probabilities", DType::kFloat32, {{-1, "N"}}, ""});
    model.metadata[std::string(kContractKey)] = dump_json(contract_to_json(digit_contract()));
    const auto folder = folder_.path() / name / std::to_string(version);
    std::filesystem::create_directories(folder);
    write_file_atomically(folder / "model.onnx", serialize_model(model));
  }

  Response ask(std::string_view method, std::string_view target, std::string_view body = "",
               const std::string& user = "") {
    const auto match = table_.match(method, target);
    Request request;
    request.target = target;
    request.path_values = match.path_values;
    const auto bytes = std::as_bytes(std::span(body));
    request.body.assign(bytes.begin(), bytes.end());
    if (!user.empty()) {
      request.fields.push_back({"x-user-id", user});
    }
    return match.route == nullptr ? match.refusal : answer(request, [&] {
      return match.route->pending ? run(*match.route->pending(request))
                                  : match.route->handler(request);
    });
  }
  static Response run(PendingAnswer& pending) {
    std::binary_semaphore ready{0};
    pending.start(false, [&] { ready.release(); });
    ready.acquire();
    return pending.take();
  }
  Json json(std::string_view method, std::string_view target, std::string_view body = "") {
    return parse_json(ask(method, target, body).body, target);
  }
  std::int64_t version(std::string_view target, const std::string& user = "") {
    return parse_json(ask("POST", target, image_of(7), user).body, target)["version"];
  }
  std::map<std::int64_t, int> versions(std::string_view target, int requests) {
    std::map<std::int64_t, int> counts;
    for (int i = 0; i < requests; ++i) {
      ++counts[version(target)];
    }
    return counts;
  }

  using Counts = std::map<std::int64_t, int>;

  SystemClock clock_;
  TestFolder folder_;
  Catalog catalog_;
  std::unique_ptr<ModelManager> manager_;
  ShadowRunner shadows_;
  Scheduler scheduler_{1, clock_};
  std::atomic<bool> draining_{false};
  HttpStats http_;
  RouteContext context_{{catalog_, scheduler_}, draining_, "http", "", "1.2.3", http_};
  ServerOptions options_;
  RouteTable table_;
};

constexpr std::string_view kTraffic = "/api/models/mnist/traffic";

TEST_F(TrafficRoutesTest, ASplitHoldsWhereTheNameStandsAlone) {
  EXPECT_EQ(json("GET", kTraffic)["split"], nullptr);
  EXPECT_EQ(ask("PUT", kTraffic, R"({"split": {"2": 75, "1": 25}})").status, 200);
  EXPECT_EQ(versions("/api/models/mnist/classify", 20), (Counts{{1, 5}, {2, 15}}));
  EXPECT_EQ(versions("/api/digit", 20), (Counts{{1, 5}, {2, 15}}));
  EXPECT_EQ(versions("/api/old", 4), (Counts{{2, 4}}));
  EXPECT_EQ(versions("/api/models/mnist/versions/1/classify", 4), (Counts{{1, 4}}));
  EXPECT_EQ(versions("/api/models/mnist/classify?version=2", 4), (Counts{{2, 4}}));
  const Json report = json("GET", kTraffic);
  EXPECT_EQ(report["targets"][0]["target"], "2") << "in the order of the request";
  EXPECT_EQ(report["targets"][0]["requests"], 30);
  EXPECT_EQ(report["targets"][1]["share"], 0.25);
  EXPECT_EQ(report["targets"][1]["version"], 1);
  EXPECT_EQ(report["rolled_back"], nullptr);

  EXPECT_EQ(json("PUT", kTraffic, R"({"split": {"1": 1}})")["split"], Json({{"1", 1}}));
  EXPECT_EQ(versions("/api/digit", 4), (Counts{{1, 4}}));
  EXPECT_EQ(json("DELETE", kTraffic)["split"], nullptr);
  EXPECT_EQ(versions("/api/digit", 4), (Counts{{2, 4}}));
  EXPECT_EQ(ask("DELETE", kTraffic).status, 404);
}

TEST_F(TrafficRoutesTest, CallersKeepTheirVersion) {
  ask("PUT", kTraffic, R"({"split": {"2": 50, "1": 50}})");
  Counts counts;
  for (int user = 0; user < 40; ++user) {
    const std::string name = format("user-{}", user);
    const std::int64_t first = version("/api/digit", name);
    ++counts[first];
    EXPECT_EQ(version("/api/digit", name), first);
    EXPECT_EQ(version("/api/models/mnist/classify", name), first);
  }
  EXPECT_EQ(counts.size(), 2U);
}

TEST_F(TrafficRoutesTest, WrongRequestsChangeNothing) {
  ask("PUT", kTraffic, R"({"split": {"2": 1, "1": 0}})");
  for (const auto& [body, status] : std::vector<std::pair<std::string, int>>{
           {"", 400},
           {R"({"split": {}})", 400},
           {R"({"split": {"champion": 1}})", 400},
           {R"({"split": {"2": 1}, "rollback": {"max_error_rate": 0.1}})", 400},
           {R"({"shadow": {"target": "1", "percent": 101}})", 400}}) {
    const Response response = ask("PUT", kTraffic, body);
    EXPECT_EQ(response.status, status) << body << response.body;
    EXPECT_THAT(response.body, HasSubstr("{\"error\":"));
  }
  EXPECT_EQ(json("GET", kTraffic)["split"], Json({{"2", 1}, {"1", 0}}));
  EXPECT_EQ(ask("GET", "/api/models/nothing/traffic").status, 404);
  EXPECT_EQ(ask("PUT", "/api/models/nothing/traffic", R"({"split": {"1": 1}})").status, 404);
  EXPECT_EQ(ask("GET", "/api/models/mnist%3A2/traffic").status, 404);
  EXPECT_EQ(json("GET", "/api/models/other/traffic")["split"], nullptr);
}

TEST_F(TrafficRoutesTest, MetricsTellHowItGoes) {
  EXPECT_THAT(metrics_text(context_.core, http_, nullptr, "1"), Not(HasSubstr("split")));
  ask("PUT", kTraffic,
      R"({"split": {"2": 1, "1": 1}, "shadow": {"target": "1"}, "rollback": {"max_disagreement": 1}})");
  versions("/api/digit", 4);
  // The shadows' one thread runs what came before.
  std::binary_semaphore done{0};
  ASSERT_TRUE(shadows_.reserve(0));
  shadows_.run(0, [&] { done.release(); });
  done.acquire();
  const std::string text = metrics_text(context_.core, http_, nullptr, "1");
  EXPECT_THAT(text, HasSubstr(R"(onnxop_split_requests_total{model="mnist",target="1"} 2)"));
  EXPECT_THAT(text, HasSubstr(R"(onnxop_split_share{model="mnist",target="2"} 0.5)"));
  EXPECT_THAT(text, HasSubstr(R"(onnxop_rollbacks_total{model="mnist",target="1"} 0)"));
  for (const std::string kind : {"shadow", "canary"}) {
    EXPECT_THAT(text, HasSubstr(format(
                          R"(onnxop_shadow_requests_total{{model="mnist",target="1",kind="{}"}} 2)",
                          kind)));
  }
  EXPECT_THAT(text, HasSubstr("onnxop_shadow_agreement_total"));
  EXPECT_THAT(text, HasSubstr("onnxop_shadow_dropped_total"));
}

}  // namespace
}  // namespace onnxop::testing_server
