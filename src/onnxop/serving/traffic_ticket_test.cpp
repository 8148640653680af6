// Requests on their way through splits and shadows, with fakes in place of the models.

#include "onnxop/serving/traffic_ticket.h"

#include <cmath>
#include <semaphore>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "onnxop/base/log.h"
#include "onnxop/score/fake_scorer.h"
#include "onnxop/serving/shadow_runner.h"

namespace onnxop {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

class TrafficTicketTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { init_logging({.level = LogLevel::kError}); }

  static ModelLease model(std::int64_t version, std::shared_ptr<Scorer> scorer) {
    auto made = std::make_shared<ServedModel>();
    made->name = "mnist";
    made->version = version;
    made->contract.emplace();
    made->contract->input.name = "image";
    made->contract->input.width = 2;
    made->contract->input.height = 2;
    made->contract->output.name = "probabilities";
    made->input_dtype = DType::kFloat32;
    made->scorer = std::move(scorer);
    make_queue(*made, {.max_batch = 1});
    return made;
  }
  /// Gives the input as it is, plus that.
  static std::shared_ptr<FakeScorer> adds(float more) {
    return std::make_shared<FakeScorer>(std::vector<TensorInfo>{{"x", DType::kFloat32, {-1, 2}}},
                                        std::vector<TensorInfo>{{"y", DType::kFloat32, {-1, 2}}},
                                        [more](std::span<const NamedTensor> inputs) {
                                          std::vector<NamedTensor> outputs;
                                          outputs.push_back({"y", inputs[0].tensor.clone()});
                                          for (float& each : outputs[0].tensor.values<float>()) {
                                            each += more;
                                          }
                                          return outputs;
                                        });
  }
  static ModelLease tensors(std::int64_t version, float more) {
    auto made = std::make_shared<ServedModel>(*model(version, adds(more)));
    made->contract.reset();
    return made;
  }

  /// `champion` and `challenger`, the first of which answers to the name too.
  void serve(const ModelLease& champion, const ModelLease& challenger, const TrafficPlan& plan) {
    auto set = std::make_shared<ServingSet>();
    set->add("mnist", champion);
    set->add("mnist@champion", champion);
    if (challenger) {
      set->add("mnist@challenger", challenger);
    }
    traffic_ = std::make_shared<ModelTraffic>("mnist", plan, [this](const std::string& target) {
      auto& counters = counters_[target];
      counters = counters ? counters : std::make_shared<TargetCounters>();
      return counters;
    });
    set->set_traffic("mnist", traffic_);
    catalog_.publish(set);
  }

  AssignedModel assign(std::string_view caller = "", std::string_view name = "mnist") {
    return assign_model(core_, name, "", [caller] { return caller; });
  }

  /// Which version answered, or 0 for an error.
  template <typename Call, typename... Arguments>
  std::int64_t ask(AssignedModel assigned, Arguments... arguments) {
    std::binary_semaphore ended{0};
    const ModelLease model = assigned.model;
    bool failed = false;
    {
      std::unique_ptr<Call> call;
      const auto on_end = [&] {
        failed = call->error().has_value();
        if constexpr (std::is_same_v<Call, ImageCall>) {
          try {
            failed = failed || call->prediction(0).label.empty();
          } catch (const Error&) {
            failed = true;
          }
        }
        ended.release();
      };
      call = std::make_unique<Call>(model, std::move(arguments)..., on_end);
      call->set_ticket(std::move(assigned.ticket));
      submit(scheduler_, *call);
      ended.acquire();
      // The executor goes on with the ticket after the answer: a call behind it ends later.
      flush();
    }
    return failed ? 0 : model->version;
  }
  void flush() {
    std::binary_semaphore ended{0};
    TensorCall call(plain_, x(0), [&] { ended.release(); });
    submit(scheduler_, call);
    ended.acquire();
  }
  /// Until the shadows that were accepted have run.
  void settle() {
    std::binary_semaphore done{0};
    ASSERT_TRUE(runner_.reserve(0));
    runner_.run(0, [&] { done.release(); });
    done.acquire();
  }
  static std::vector<NamedTensor> x(float value) {
    std::vector<NamedTensor> inputs;
    inputs.push_back({"x", Tensor::of<float>({1, 2}, std::vector<float>{value, value})});
    return inputs;
  }
  std::int64_t ask_tensor(AssignedModel assigned, float value = 1) {
    return ask<TensorCall>(std::move(assigned), x(value));
  }
  std::int64_t ask_image(AssignedModel assigned, int digit) {
    const std::string text = "P5\n2 2\n255\n" + std::string(4, static_cast<char>(digit));
    return ask<ImageCall>(std::move(assigned),
                          std::vector<std::span<const std::byte>>{std::as_bytes(std::span(text))},
                          std::int64_t{1000});
  }
  ComparisonCounters::Values compared(const std::string& target, ComparisonKind kind) {
    settle();
    return counters_.at(target)->of(kind).values();
  }

  SystemClock clock_;
  Catalog catalog_;
  ShadowRunner runner_;
  Scheduler scheduler_{1, clock_};
  ServingCore core_{catalog_, scheduler_, nullptr, &runner_};
  ModelLease plain_ = tensors(99, 0);
  std::map<std::string, std::shared_ptr<TargetCounters>> counters_;
  std::shared_ptr<ModelTraffic> traffic_;
};

const TrafficPlan kSplit{.split = {{"champion", 75}, {"challenger", 25}}};

TEST_F(TrafficTicketTest, TheNameAloneIsSplit) {
  serve(tensors(1, 0), tensors(2, 0), kSplit);
  std::map<std::int64_t, int> answered;
  for (int i = 0; i < 100; ++i) {
    ++answered[ask_tensor(assign())];
  }
  EXPECT_THAT(answered, ElementsAre(Pair(1, 75), Pair(2, 25)));
  EXPECT_EQ(assign("", "mnist@challenger").model->version, 2);
  EXPECT_EQ(assign("", "mnist@challenger").ticket, nullptr);
  EXPECT_EQ(counters_["challenger"]->requests, 25U);
  EXPECT_EQ(assign("", "mnist@champion").ticket, nullptr);
}

TEST_F(TrafficTicketTest, ATargetThatIsNotLoadedLeavesItsShare) {
  serve(tensors(1, 0), nullptr, kSplit);
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(ask_tensor(assign()), 1);
  }
  serve(tensors(1, 0), nullptr, {.split = {{"challenger", 1}}});
  try {
    assign();
    FAIL() << "somebody answers";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::kUnavailable);
    EXPECT_THAT(e.what(), HasSubstr("no target of its split is loaded"));
  }
}

TEST_F(TrafficTicketTest, AModelWithoutTrafficHasNoTicket) {
  auto set = std::make_shared<ServingSet>();
  set->add("mnist", plain_);
  catalog_.publish(set);
  const auto never = [] {
    ADD_FAILURE() << "nobody wants to know";
    return std::string_view();
  };
  EXPECT_EQ(assign_model(core_, "mnist", "", never).ticket, nullptr);
  EXPECT_THROW(assign_model(core_, "other", "", never), Error);
}

TEST_F(TrafficTicketTest, TheShadowAnswersTooAndIsCompared) {
  serve(model(1, fake_classifier(2, 2, 1, 10)), model(2, fake_classifier(2, 2, 1, 5)),
        {.shadow = ShadowRule{"challenger", 100}});
  // Classes modulo 5 are the same up to 4.
  for (int digit = 0; digit < 10; ++digit) {
    EXPECT_EQ(ask_image(assign(), digit), 1);
  }
  const auto values = compared("challenger", ComparisonKind::kShadow);
  EXPECT_EQ(values.requests, 10U);
  EXPECT_EQ(values.agreed, 5U);
  EXPECT_EQ(values.disagreed, 5U);
  EXPECT_EQ(values.dropped + values.failed, 0U);
}

TEST_F(TrafficTicketTest, TensorsAreComparedElementByElement) {
  serve(tensors(1, 0), tensors(2, 0.25F), {.shadow = ShadowRule{"challenger", 50}});
  for (int i = 0; i < 8; ++i) {
    EXPECT_EQ(ask_tensor(assign(), i < 4 ? 1000 : 0), 1);
  }
  const auto values = compared("challenger", ComparisonKind::kShadow);
  EXPECT_EQ(values.requests, 4U);
  EXPECT_EQ(values.agreed, 2U);
  EXPECT_EQ(values.disagreed, 2U);
  EXPECT_THAT(values.largest, ElementsAre(Pair("y", 0.25)));
  EXPECT_EQ(tensors(2, 0)->stats->snapshot().runs, 0U) << "its own figures are of its callers";
}

TEST_F(TrafficTicketTest, AShadowThatFailsOrDoesNotFitHurtsNobody) {
  auto broken = adds(0);
  broken->fail_next(Error(ErrorCode::kInternal, "broken"), 100);
  auto challenger = std::make_shared<ServedModel>(*model(2, broken));
  challenger->contract.reset();
  serve(tensors(1, 0), challenger, {.shadow = ShadowRule{"challenger", 100}});
  EXPECT_EQ(ask_tensor(assign()), 1);
  EXPECT_EQ(compared("challenger", ComparisonKind::kShadow).failed, 1U);
  // Another model altogether: it takes images.
  serve(tensors(1, 0), model(2, fake_classifier(2, 2, 1, 10)),
        {.shadow = ShadowRule{"challenger", 100}});
  EXPECT_EQ(ask_tensor(assign()), 1);
  EXPECT_EQ(compared("challenger", ComparisonKind::kShadow).failed, 2U);
}

TEST_F(TrafficTicketTest, WhereThereIsNoRoomShadowsAreDropped) {
  serve(tensors(1, 0), tensors(2, 0), {.shadow = ShadowRule{"challenger", 100}});
  ASSERT_TRUE(runner_.reserve(ShadowLimits().max_bytes));
  EXPECT_EQ(ask_tensor(assign()), 1);
  runner_.give_back(ShadowLimits().max_bytes);
  EXPECT_EQ(compared("challenger", ComparisonKind::kShadow).dropped, 1U);
  core_.shadows = nullptr;
  EXPECT_EQ(ask_tensor(assign()), 1);
  EXPECT_EQ(counters_["challenger"]->shadow.values().dropped, 2U);
}

TEST_F(TrafficTicketTest, ACanaryIsComparedWithThePrimary) {
  serve(model(1, fake_classifier(2, 2, 1, 10)), model(2, fake_classifier(2, 2, 1, 5)),
        {.split = {{"champion", 0}, {"challenger", 1}},
         .rollback = {.max_disagreement = 0.5, .min_requests = 4}});
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(ask_image(assign(), 7), 2);
    settle();
  }
  EXPECT_THAT(traffic_->rollback()->reason, HasSubstr("disagreement 1 over 4 comparisons"));
  EXPECT_EQ(ask_image(assign(), 7), 1);
  EXPECT_EQ(compared("challenger", ComparisonKind::kCanary).disagreed, 4U);
}

TEST_F(TrafficTicketTest, OnlyTheModelsOwnFaultsRollBack) {
  auto broken = fake_classifier(2, 2, 1, 10);
  FakeScorer& scorer = *broken;
  const TrafficPlan plan{.split = {{"champion", 0}, {"challenger", 1}},
                         .rollback = {.max_error_rate = 0.4, .min_requests = 5}};
  serve(model(1, fake_classifier(2, 2, 1, 10)), model(2, std::move(broken)), plan);
  const std::string no_image = "no image";
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(
        ask<ImageCall>(assign(),
                       std::vector<std::span<const std::byte>>{std::as_bytes(std::span(no_image))},
                       std::int64_t{1000}),
        0);
  }
  EXPECT_EQ(traffic_->figures(1).requests, 0) << "the caller's own fault";
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(ask_image(assign(), 1), 2);
  }
  scorer.fail_next(Error(ErrorCode::kInternal, "broken"), 2);
  EXPECT_EQ(ask_image(assign(), 1), 0);
  EXPECT_EQ(ask_image(assign(), 1), 0);
  EXPECT_EQ(traffic_->out(), 0U) << "two of five are at the limit";
  scorer.fail_next(Error(ErrorCode::kInternal, "broken"));
  EXPECT_EQ(ask_image(assign(), 1), 0);
  EXPECT_EQ(traffic_->out(), 0b10U);
  EXPECT_EQ(ask_image(assign(), 1), 1);
}

TEST_F(TrafficTicketTest, OutputsThatAreNoAnswerAreFaults) {
  auto nan = std::make_shared<FakeScorer>(
      std::vector<TensorInfo>{{"image", DType::kFloat32, {-1, 2, 2, 1}}},
      std::vector<TensorInfo>{{"probabilities", DType::kFloat32, {-1, 2}}},
      [](std::span<const NamedTensor>) {
        std::vector<NamedTensor> outputs;
        outputs.push_back(
            {"probabilities", Tensor::of<float>({1, 2}, std::vector<float>{NAN, NAN})});
        return outputs;
      });
  serve(model(1, fake_classifier(2, 2, 1, 10)), model(2, nan),
        {.split = {{"champion", 0}, {"challenger", 1}},
         .rollback = {.max_error_rate = 0.9, .min_requests = 3}});
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(ask_image(assign(), 1), 0);
  }
  EXPECT_EQ(traffic_->out(), 0b10U);
}

}  // namespace
}  // namespace onnxop
