#include <gmock/gmock.h>

#include "onnxop/registry/test_store.h"

namespace onnxop {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::UnorderedElementsAre;

class RunLogTest : public EachRegistryTest {
 protected:
  std::string id_ = runs_.create({.name = "a"});
};
ONNXOP_ON_EACH_STORE(RunLogTest);

TEST_P(RunLogTest, ParametersDoNotChange) {
  runs_.log_params(id_, {{"optimizer", "adadelta"}, {"epochs", "20"}});
  runs_.log_params(id_, {{"optimizer", "adadelta"}, {"seed", "1"}});  // the same again is fine
  const auto caught = catch_error([&] {
    runs_.log_params(id_, {{"batch", "250"}, {"epochs", "3"}});
  });
  EXPECT_EQ(caught.code, ErrorCode::kAlreadyExists);
  EXPECT_THAT(caught.message, HasSubstr("parameter 'epochs' is '20' and cannot become '3'"));
  // Nothing of the refused call stays.
  EXPECT_EQ(runs_.get(id_).params,
            (Texts{{"optimizer", "adadelta"}, {"epochs", "20"}, {"seed", "1"}}));
}

TEST_P(RunLogTest, TextOfAnyKindComesBackAsItWas) {
  const std::string odd("'; DROP TABLE runs; -- :name $1 ? \n\t\"\\ é漢😀 \x7f end");
  const auto id = runs_.create({.name = odd, .user_id = odd});
  runs_.log_params(id, {{odd, odd}, {"empty", ""}});
  runs_.set_tag(id, odd, odd);
  const auto run = runs_.get(id);
  EXPECT_EQ(run.name, odd);
  EXPECT_EQ(run.user_id, odd);
  EXPECT_EQ(run.params, (Texts{{odd, odd}, {"empty", ""}}));
  EXPECT_THAT(run.tags, UnorderedElementsAre(Pair(odd, odd), Pair("mlflow.runName", odd)));
}

TEST_P(RunLogTest, WhatNoDatabaseKeepsIsRefused) {
  const std::string nul("a\0b", 3);
  for (const std::string& bad : {nul, std::string("caf\xe9"), std::string("\xed\xa0\x80")}) {
    const std::vector<std::function<void()>> actions = {
        [&] { runs_.create({.name = bad}); },
        [&] { runs_.create({.user_id = bad}); },
        [&] {
          runs_.log_params(id_, {{bad, "1"}});
        },
        [&] {
          runs_.log_params(id_, {{"p", bad}});
        },
        [&] {
          runs_.log_metrics(id_, {{bad, 1, 1, 1}});
        },
        [&] { runs_.set_tag(id_, bad, "1"); },
        [&] { runs_.set_tag(id_, "t", bad); },
        [&] { runs_.update(id_, {.name = bad}); },
    };
    for (std::size_t i = 0; i < actions.size(); ++i) {
      EXPECT_EQ(catch_error(actions[i]).code, ErrorCode::kInvalidArgument) << i;
    }
  }
  EXPECT_THAT(runs_.get(id_).params, IsEmpty());
}

TEST_P(RunLogTest, LimitsAreCountedInCharacters) {
  std::string umlauts;
  for (std::size_t i = 0; i < RunLimits::kKey; ++i) {
    umlauts += "ü";
  }
  runs_.log_params(id_, {{umlauts, std::string(RunLimits::kParamValue, 'v')}});
  runs_.set_tag(id_, umlauts, std::string(RunLimits::kTagValue, 'v'));
  runs_.log_metrics(id_, {{umlauts, 1, 1, 1}});
  EXPECT_EQ(runs_.get(id_).params.at(umlauts).size(), RunLimits::kParamValue);

  const std::string long_key(RunLimits::kKey + 1, 'k');
  const std::vector<std::function<void()>> actions = {
      [&] {
        runs_.log_params(id_, {{long_key, "1"}});
      },
      [&] {
        runs_.log_params(id_, {{"p", std::string(RunLimits::kParamValue + 1, 'v')}});
      },
      [&] {
        runs_.log_metrics(id_, {{long_key, 1, 1, 1}});
      },
      [&] { runs_.set_tag(id_, long_key, "1"); },
      [&] { runs_.set_tag(id_, "t", std::string(RunLimits::kTagValue + 1, 'v')); },
      [&] {
        runs_.log_params(id_, {{"", "1"}});
      },
      [&] { runs_.set_tag(id_, "", "1"); },
      [&] {
        runs_.log_metrics(id_, {{"", 1, 1, 1}});
      },
  };
  for (std::size_t i = 0; i < actions.size(); ++i) {
    EXPECT_EQ(catch_error(actions[i]).code, ErrorCode::kInvalidArgument) << i;
  }
  EXPECT_THAT(catch_error(actions[0]).message,
              HasSubstr("has 251 characters, at most 250 are allowed"));
}

TEST_P(RunLogTest, TagsMayChangeAndGo) {
  runs_.set_tag(id_, "note", "first");
  runs_.set_tag(id_, "note", "second");
  EXPECT_EQ(runs_.get(id_).tags.at("note"), "second");
  runs_.delete_tag(id_, "note");
  EXPECT_THAT(runs_.get(id_).tags, ElementsAre(Pair("mlflow.runName", "a")));
  const auto caught = catch_error([&] { runs_.delete_tag(id_, "note"); });
  EXPECT_EQ(caught.code, ErrorCode::kNotFound);
  EXPECT_THAT(caught.message, HasSubstr("'note'"));
}

TEST_P(RunLogTest, ABatchIsKeptWholeOrNotAtAll) {
  runs_.log_batch(
      id_, {.metrics = {{"loss", 1, 1, 1}}, .params = {{"lr", "1"}}, .tags = {{"note", "first"}}});
  const RunBatch refused{.metrics = {{"loss", 2, 2, 2}, {"new", 1, 1, 1}},
                         .params = {{"lr", "2"}, {"a", "b"}},
                         .tags = {{"note", "second"}}};
  EXPECT_EQ(catch_error([&] { runs_.log_batch(id_, refused); }).code, ErrorCode::kAlreadyExists);
  const auto run = runs_.get(id_);
  EXPECT_EQ(run.params, (Texts{{"lr", "1"}}));
  EXPECT_EQ(run.tags.at("note"), "first");
  EXPECT_EQ(run.metrics.size(), 1u);
  EXPECT_EQ(runs_.metric_history(id_, "loss").size(), 1u);
}

DatasetInput dataset(const std::string& name, const std::string& digest, const Texts& tags = {}) {
  return {{name, digest, "local", "{\"uri\": \"/data\"}", "{\"shape\": [28, 28]}", ""}, tags};
}

TEST_P(RunLogTest, DataSetsAreInputs) {
  runs_.log_inputs(id_, {dataset("digits", "d1", {{"mlflow.data.context", "training"}}),
                         dataset("digits", "d2")});
  const auto inputs = runs_.get(id_).dataset_inputs;
  ASSERT_EQ(inputs.size(), 2u);
  EXPECT_EQ(inputs[0].dataset.name, "digits");
  EXPECT_EQ(inputs[0].dataset.digest, "d1");
  EXPECT_EQ(inputs[0].dataset.source_type, "local");
  EXPECT_EQ(inputs[0].dataset.source, "{\"uri\": \"/data\"}");
  EXPECT_EQ(inputs[0].dataset.schema, "{\"shape\": [28, 28]}");
  EXPECT_EQ(inputs[0].dataset.profile, "");
  EXPECT_THAT(inputs[0].tags, ElementsAre(Pair("mlflow.data.context", "training")));
  EXPECT_EQ(inputs[1].dataset.digest, "d2");
  EXPECT_THAT(inputs[1].tags, IsEmpty());
}

TEST_P(RunLogTest, ADataSetIsOneThingInItsExperiment) {
  const auto count = [&] { return scalar("SELECT COUNT(*) FROM datasets"); };
  runs_.log_inputs(id_, {dataset("digits", "d1", {{"context", "training"}})});
  runs_.log_inputs(id_, {dataset("digits", "d1", {{"context", "testing"}})});
  EXPECT_EQ(count(), 1);
  ASSERT_EQ(runs_.get(id_).dataset_inputs.size(), 1u);
  EXPECT_EQ(runs_.get(id_).dataset_inputs[0].tags.at("context"), "testing");

  const auto second = runs_.create({});
  runs_.log_inputs(second, {dataset("digits", "d1")});
  EXPECT_EQ(count(), 1);
  EXPECT_THAT(runs_.get(second).dataset_inputs[0].tags, IsEmpty());

  const auto elsewhere = runs_.create({.experiment_id = registry_.experiments().create("other")});
  runs_.log_inputs(elsewhere, {dataset("digits", "d1")});
  EXPECT_EQ(count(), 2);
}

TEST_P(RunLogTest, DataSetsThatCannotBeKeptAreRefusedWhole) {
  auto long_name = dataset(std::string(501, 'n'), "d");
  auto long_digest = dataset("n", std::string(37, 'd'));
  auto long_tag = dataset("n", "d", {{"k", std::string(501, 'v')}});
  auto unnamed = dataset("", "d");
  for (const DatasetInput& bad : {long_name, long_digest, long_tag, unnamed}) {
    EXPECT_EQ(catch_error([&] {
                runs_.log_inputs(id_, {dataset("good", "d"), bad});
              }).code,
              ErrorCode::kInvalidArgument);
  }
  EXPECT_THAT(runs_.get(id_).dataset_inputs, IsEmpty());
}

TEST_P(RunLogTest, ModelsAreInputsAndOutputs) {
  runs_.log_inputs(id_, {}, {{"m-in", 0}});
  runs_.log_outputs(id_, {{"m-late", 20}, {"m-early", 10}});
  runs_.log_outputs(id_, {{"m-late", 20}});
  const auto run = runs_.get(id_);
  ASSERT_EQ(run.model_inputs.size(), 1u);
  EXPECT_EQ(run.model_inputs[0].model_id, "m-in");
  ASSERT_EQ(run.model_outputs.size(), 2u);
  EXPECT_EQ(run.model_outputs[0].model_id, "m-early");
  EXPECT_EQ(run.model_outputs[1].model_id, "m-late");
  EXPECT_EQ(run.model_outputs[1].step, 20);
}

}  // namespace
}  // namespace onnxop
