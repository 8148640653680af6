#include "onnxop/server/load_client.h"

#include <gtest/gtest.h>

#include "onnxop/base/error.h"
#include "onnxop/server/test_client.h"

namespace onnxop::testing_server {
namespace {

TEST(LoadClient, CountsAnswersAndErrors) {
  const std::shared_ptr<FakeScorer> scorer = fake_classifier(28, 28, 1, 10);
  Catalog catalog;
  catalog.publish(set_of(served("mnist", 1, scorer)));
  RunningServer running({}, catalog);
  LoadOptions options{.port = running.port(),
                      .path = "/api/classify_digit",
                      .body = image_of(1),
                      .connections = 4,
                      .requests = 200};
  const LoadResult good = run_load(options);
  EXPECT_EQ(good.requests, 200);
  EXPECT_EQ(good.errors, 0);
  EXPECT_EQ(scorer->runs(), 200);
  EXPECT_GT(good.rps, 0);
  EXPECT_LE(good.p50_ms, good.p99_ms);
  EXPECT_LE(good.p99_ms, good.max_ms);
  options.path = "/nothing";
  EXPECT_EQ(run_load(options).errors, 200);
  EXPECT_EQ(run_load(options).requests, 0);
}

TEST(LoadClient, ImpossibleLoadsAreErrors) {
  EXPECT_THROW(run_load({.port = 1, .path = "x"}), Error);
  EXPECT_THROW(run_load({.port = 1, .path = "/", .connections = 0}), Error);
  EXPECT_THROW(run_load({.host = "x", .port = 1, .path = "/"}), Error);
  EXPECT_THROW(run_load({.port = 1, .path = "/"}), Error) << "nobody listens there";
}

}  // namespace
}  // namespace onnxop::testing_server
