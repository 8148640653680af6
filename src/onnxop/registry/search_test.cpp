// Searches of experiments, logged models, registered models and versions.

#include "onnxop/registry/search.h"

#include <limits>

#include <gmock/gmock.h>

#include "onnxop/registry/test_store.h"

namespace onnxop {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class SearchTest : public EachRegistryTest {
 protected:
  std::vector<std::string> experiments(const SearchOptions& options,
                                       ViewType view = ViewType::kActiveOnly) {
    std::vector<std::string> names;
    for (const Experiment& experiment : registry_.experiments().search(view, options).items) {
      names.push_back(experiment.name);
    }
    return names;
  }

  std::vector<std::string> models(const SearchOptions& options) {
    std::vector<std::string> names;
    for (const RegisteredModel& model : registry_.models().search(options).items) {
      names.push_back(model.name);
    }
    return names;
  }

  std::vector<std::string> versions(const SearchOptions& options) {
    std::vector<std::string> names;
    for (const ModelVersion& version : registry_.models().search_versions(options).items) {
      names.push_back(format("{}:{}", version.name, version.version));
    }
    return names;
  }

  std::vector<std::string> logged(const SearchOptions& options,
                                  const std::vector<std::int64_t>& experiments = {}) {
    std::vector<std::string> names;
    for (const LoggedModel& model : registry_.logged_models().search(experiments, options).items) {
      names.push_back(model.name);
    }
    return names;
  }
};
ONNXOP_ON_EACH_STORE(SearchTest);

TEST_P(SearchTest, FindsExperiments) {
  clock_.advance(std::chrono::milliseconds(1000));
  const std::int64_t a = registry_.experiments().create("a", {{"team", "x"}});
  clock_.advance(std::chrono::milliseconds(1000));
  const std::int64_t b = registry_.experiments().create("B");
  const std::int64_t c = registry_.experiments().create("c", {{"team", "y"}});
  registry_.experiments().remove(c);
  EXPECT_THAT(experiments({}), ElementsAre("B", "a", "Default"));
  EXPECT_THAT(experiments({}, ViewType::kDeletedOnly), ElementsAre("c"));
  EXPECT_THAT(experiments({}, ViewType::kAll), ElementsAre("B", "c", "a", "Default"));
  EXPECT_THAT(experiments({.filter = "name LIKE 'b%'"}), IsEmpty());
  EXPECT_THAT(experiments({.filter = "name ILIKE 'b%'"}), ElementsAre("B"));
  EXPECT_THAT(experiments({.filter = "tags.team = 'x'"}), ElementsAre("a"));
  EXPECT_THAT(experiments({.filter = "tags.team IS NULL", .order_by = {"name"}}),
              ElementsAre("B", "Default"));
  EXPECT_THAT(experiments({.filter = format("experiment_id IN ('{}', '{}', '99')", a, b),
                           .order_by = {"creation_time"}}),
              ElementsAre("a", "B"));
  EXPECT_THAT(experiments({.filter = "experiment_id != '0' AND creation_time > 0"}),
              ElementsAre("B", "a"));

  const auto first = registry_.experiments().search(ViewType::kAll, {.max_results = 3});
  EXPECT_EQ(first.items.size(), 3U);
  const auto second = registry_.experiments().search(
      ViewType::kAll, {.max_results = 3, .page_token = first.next_page_token});
  EXPECT_EQ(second.items.size(), 1U);
  EXPECT_EQ(second.next_page_token, "");
  EXPECT_THAT(catch_error([&] {
                registry_.experiments().search(ViewType::kActiveOnly,
                                               {.page_token = first.next_page_token});
              }).message,
              HasSubstr("belongs to another search"));
}

TEST_P(SearchTest, FindsModelsAndLeavesPromptsOut) {
  registry_.models().create("net", "", {{"task", "digits"}});
  registry_.models().create("Other");
  registry_.models().create("prompt", "", {{"mlflow.prompt.is_prompt", "true"}});
  EXPECT_THAT(models({}), ElementsAre("Other", "net"));
  EXPECT_THAT(models({.filter = "name ILIKE 'OTH%'"}), ElementsAre("Other"));
  EXPECT_THAT(models({.filter = "name IN ('net', 'x') AND tags.task LIKE 'dig%'"}),
              ElementsAre("net"));
  EXPECT_THAT(models({.filter = "tags.task != 'digits'"}), IsEmpty());
  EXPECT_THAT(models({.filter = "tags.`mlflow.prompt.is_prompt` = 'true'"}), ElementsAre("prompt"));
  EXPECT_THAT(models({.filter = "tags.`mlflow.prompt.is_prompt` != 'true'"}),
              ElementsAre("Other", "net"));
  EXPECT_THAT(models({.order_by = {"name DESC"}}), ElementsAre("net", "Other"));
  clock_.advance(std::chrono::milliseconds(5));
  registry_.models().describe("net", "changed");
  EXPECT_THAT(models({.order_by = {"last_updated_timestamp DESC"}}), ElementsAre("net", "Other"));
  EXPECT_THAT(models({.order_by = {"timestamp ASC"}}), ElementsAre("Other", "net"));
}

TEST_P(SearchTest, FindsVersions) {
  const auto file = write("m.onnx", "model");
  registry_.models().publish({.name = "a", .model_file = file, .source = "here"});
  registry_.models().publish(
      {.name = "a", .model_file = file, .source = "s3://x", .tags = {{"k", "v"}}});
  registry_.models().publish({.name = "b", .model_file = file, .source = "There"});
  EXPECT_THAT(versions({}), ElementsAre("a:2", "a:1", "b:1"));
  EXPECT_THAT(versions({.filter = "name='a'"}), ElementsAre("a:2", "a:1"));
  EXPECT_THAT(versions({.filter = "name = 'a' AND version_number < 2"}), ElementsAre("a:1"));
  EXPECT_THAT(versions({.filter = "source_path ILIKE '%HERE'"}), ElementsAre("a:1", "b:1"));
  EXPECT_THAT(versions({.filter = "tags.k = 'v'"}), ElementsAre("a:2"));
  EXPECT_THAT(versions({.filter = "run_id = 'none'"}), IsEmpty());
  EXPECT_THAT(versions({.order_by = {"version_number ASC", "name DESC"}}),
              ElementsAre("b:1", "a:1", "a:2"));
  const auto page = registry_.models().search_versions({.max_results = 2});
  EXPECT_THAT(versions({.page_token = page.next_page_token}), ElementsAre("b:1"));
}

TEST_P(SearchTest, FindsLoggedModelsByTheirMetricsOnDataSets) {
  const auto create = [&](const std::string& name, std::vector<LoggedModelMetric> metrics) {
    registry_.logged_models().log_metrics(registry_.logged_models().create({.name = name}).model_id,
                                          metrics);
    clock_.advance(std::chrono::milliseconds(10));
  };
  create("a", {{{"acc", 0.9, 1, 1}, "r", "train", "1"}, {{"acc", 0.1, 2, 1}, "r", "test", "2"}});
  create("b", {{{"acc", 0.5, 1, 1}, "r", "train", "9"}, {{"acc", 0.8, 2, 1}, "r", "test", "2"}});
  create("c", {{{"acc", 1.0, 1, 1}, "r", "", ""}, {{"f1", 0.5, 1, 1}, "r", "test", "3"}});
  const auto found = [&](const SearchOptions& options, const MetricDatasets& datasets) {
    std::vector<std::string> names;
    for (const LoggedModel& model : registry_.logged_models().search({}, options, datasets).items) {
      names.push_back(model.name);
    }
    return names;
  };
  EXPECT_THAT(found({.filter = "metrics.acc > 0.7"}, {}), ElementsAre("c", "b", "a"));
  EXPECT_THAT(found({.filter = "metrics.acc > 0.7"}, {.filter = {{"train"}}}), ElementsAre("a"));
  EXPECT_THAT(found({.filter = "metrics.acc > 0.7"}, {.filter = {{"test"}}}), ElementsAre("b"));
  EXPECT_THAT(found({.filter = "metrics.acc >= 0.5"}, {.filter = {{"train", "9"}, {"x"}}}),
              ElementsAre("b"));
  EXPECT_THAT(found({.filter = "metrics.acc > 0.3 AND metrics.acc < 0.7"},
                    {.filter = {{"train", "1"}, {"train", "9"}}}),
              ElementsAre("b"));
  // Without a metric in the filter: models with any metric on it.
  EXPECT_THAT(found({}, {.filter = {{"test", "3"}}}), ElementsAre("c"));
  EXPECT_THAT(found({.filter = "name != 'b'"}, {.filter = {{"test"}}}), ElementsAre("c", "a"));
  EXPECT_THAT(found({}, {.filter = {{"Test"}}}), IsEmpty());

  EXPECT_THAT(found({.order_by = {"metrics.acc DESC"}}, {.order_by = {{"train"}}}),
              ElementsAre("a", "b", "c"));
  EXPECT_THAT(found({.order_by = {"name", "metrics.acc"}}, {.order_by = {{}, {"test", "2"}}}),
              ElementsAre("a", "b", "c"));
  EXPECT_THAT(found({.order_by = {"metrics.acc", "metrics.acc DESC"}},
                    {.order_by = {{"test", "3"}, {"test", "2"}}}),
              ElementsAre("b", "a", "c"));
  const auto page =
      registry_.logged_models().search({}, {.max_results = 1}, {.filter = {{"test"}}});
  EXPECT_THAT(found({.page_token = page.next_page_token}, {.filter = {{"test"}}}),
              ElementsAre("b", "a"));
  for (const MetricDatasets& wrong : {MetricDatasets{.filter = {{"train"}}}, MetricDatasets{}}) {
    EXPECT_EQ(catch_error([&] { found({.page_token = page.next_page_token}, wrong); }).code,
              ErrorCode::kInvalidArgument);
  }
  EXPECT_EQ(catch_error([&] {
              found({}, {.filter = {{"", "2"}}});
            }).code,
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(catch_error([&] { found({.order_by = {"name"}}, {.order_by = {{"test"}}}); }).code,
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(
      catch_error([&] { found({}, {.filter = std::vector<MetricDataset>(101, {"test"})}); }).code,
      ErrorCode::kInvalidArgument);
}

TEST_P(SearchTest, FindsLoggedModels) {
  const std::int64_t other = registry_.experiments().create("other");
  const auto create = [&](const std::string& name, const Texts& params, double accuracy) {
    const LoggedModel model =
        registry_.logged_models().create({.name = name, .params = params, .tags = {{"t", name}}});
    registry_.logged_models().log_metrics(
        model.model_id, {{.metric = {"accuracy", accuracy, 1, 1}, .run_id = "r1"},
                         {.metric = {"accuracy", accuracy / 2, 2, 2}, .run_id = "r2"}});
    clock_.advance(std::chrono::milliseconds(10));
    return model.model_id;
  };
  const std::string low = create("low", {{"lr", "1"}}, 0.2);
  create("high", {{"lr", "2"}}, 0.8);
  create("nan", {}, std::numeric_limits<double>::quiet_NaN());
  registry_.logged_models().create({.experiment_id = other, .name = "elsewhere"});
  EXPECT_THAT(logged({}), ElementsAre("elsewhere", "nan", "high", "low"));
  EXPECT_THAT(logged({}, {other}), ElementsAre("elsewhere"));
  EXPECT_THAT(logged({.filter = "metrics.accuracy >= 0.4"}), ElementsAre("high"));
  EXPECT_THAT(logged({.filter = "params.lr IN ('1', '3') AND tags.t LIKE 'l%'"}),
              ElementsAre("low"));
  EXPECT_THAT(logged({.filter = "attributes.name != 'low' AND creation_time > 0"}, {0}),
              ElementsAre("nan", "high"));
  EXPECT_THAT(
      logged({.filter = "status = 'LOGGED_MODEL_PENDING'", .order_by = {"metrics.accuracy"}}, {0}),
      ElementsAre("low", "high", "nan"));
  EXPECT_THAT(logged({.order_by = {"metrics.accuracy DESC", "creation_timestamp ASC"}}),
              ElementsAre("high", "low", "nan", "elsewhere"));
  registry_.logged_models().remove(low);
  EXPECT_THAT(logged({.filter = "metrics.accuracy < 0.3"}), IsEmpty());
}

}  // namespace
}  // namespace onnxop
