#pragma once
// A server with one model of digits on a real port, for this room's tests.

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <gtest/gtest.h>

#include "onnxop/base/json_value.h"
#include "onnxop/base/log.h"
#include "onnxop/server/server.h"
#include "onnxop/server/test_client.h"

namespace onnxop::testing_server {

class ServerTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { init_logging({.level = LogLevel::kError}); }
  ServerTest() { catalog_.publish(set_of(served("mnist", 3, scorer_))); }

  void start(ServerOptions options = {}, int executors = 2) {
    running_ = std::make_unique<RunningServer>(std::move(options), catalog_, executors);
  }
  Client connect() const { return Client(running_->port()); }
  Answer ask(std::string_view request) const { return connect().ask(request); }

  std::shared_ptr<FakeScorer> scorer_ = fake_classifier(28, 28, 1, 10);
  Catalog catalog_;
  SystemClock clock_;
  Scheduler scheduler_{1, clock_};
  ServingCore core_{catalog_, scheduler_};
  std::unique_ptr<RunningServer> running_;
};

inline std::string error_of(const Answer& answer) {
  EXPECT_EQ(answer.fields.at("content-type"), "application/json");
  const Json json = parse_json(answer.body, "answer");
  EXPECT_EQ(json.size(), 1U) << answer.body;
  return json.at("error").get<std::string>();
}

}  // namespace onnxop::testing_server
