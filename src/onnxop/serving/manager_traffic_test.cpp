// Traffic of models whose versions come and go.

#include "onnxop/serving/test_model_manager.h"

namespace onnxop {
namespace {

using testing::HasSubstr;

TEST_F(ModelManagerTest, TrafficIsLoadedBeforeItHolds) {
  for (int version = 1; version <= 3; ++version) {
    put("a", version);
  }
  auto models = manager(folder());
  models.refresh();
  EXPECT_EQ(served("a:1"), 0);
  const auto traffic = [&] { return catalog_.snapshot()->answering("a")->traffic; };
  EXPECT_EQ(traffic(), nullptr);

  models.set_traffic("a", {.split = {{"3", 1}, {"1", 1}}, .shadow = ShadowRule{"2", 100}});
  ASSERT_NE(traffic(), nullptr);
  EXPECT_EQ(traffic()->loaded, 0b11U);
  EXPECT_EQ(traffic()->targets[1]->version, 1);
  EXPECT_EQ(traffic()->shadow->version, 2);
  const auto before = traffic();
  models.refresh();
  EXPECT_EQ(traffic()->traffic, before->traffic) << "what it has counted goes on";

  models.set_traffic("a", {.split = {{"3", 1}, {"2", 1}}});
  EXPECT_NE(traffic()->traffic, before->traffic);
  EXPECT_EQ(served("a:1"), 0) << "what nobody wants any more goes";
  EXPECT_EQ(served("a:2"), 2);
  models.clear_traffic("a");
  EXPECT_EQ(traffic(), nullptr);
  EXPECT_EQ(served("a:2"), 0);
  EXPECT_THROW(models.clear_traffic("a"), Error);
}

TEST_F(ModelManagerTest, TrafficThatCannotHoldChangesNothing) {
  put("a", 1);
  put("a", 2);
  broken_.insert("a/1");
  auto models = manager(folder());
  models.refresh();
  models.set_traffic("a", {.split = {{"2", 1}}});
  const auto before = catalog_.snapshot()->answering("a")->traffic->traffic;
  const auto error_of = [&](const std::string& name, const TrafficPlan& plan) {
    try {
      models.set_traffic(name, plan);
    } catch (const Error& e) {
      return format("{}: {}", error_code_name(e.code()), e.what());
    }
    return std::string();
  };
  EXPECT_THAT(error_of("a", {.split = {{"7", 1}}}),
              HasSubstr("invalid_argument: traffic: model 'a:7': there is no version '7'"));
  EXPECT_THAT(error_of("a", {.shadow = ShadowRule{"champion", 1}}),
              HasSubstr("there is no alias 'champion'"));
  EXPECT_THAT(error_of("a", {.split = {{"2", 1}, {"1", 1}}}),
              HasSubstr("failed_precondition: traffic: 'a:1': model 'a:1': broken model"));
  EXPECT_THAT(error_of("b", {.split = {{"1", 1}}}), HasSubstr("not_found: model 'b'"));
  EXPECT_THAT(error_of("a", {}), HasSubstr("neither split nor shadow"));
  EXPECT_EQ(catalog_.snapshot()->answering("a")->traffic->traffic, before);

  models.set_traffic("a", {.split = {{"1", 1}, {"2", 1}}}, true);
  EXPECT_EQ(catalog_.snapshot()->answering("a")->traffic->loaded, 0b10U) << "without it";
  broken_.clear();
  models.load("a");
  EXPECT_EQ(catalog_.snapshot()->answering("a")->traffic->loaded, 0b11U) << "once it can be loaded";
  std::filesystem::remove_all(folder_ / "models" / "a" / "1");
  models.refresh();
  EXPECT_EQ(catalog_.snapshot()->answering("a")->traffic->loaded, 0b10U);
}

}  // namespace
}  // namespace onnxop
