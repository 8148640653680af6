// The Scorers around a Scorer, and what they are made of.

#include <cmath>
#include <cstring>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "onnxop/onnx/test_models.h"
#include "onnxop/score/checked_scorer.h"
#include "onnxop/score/fake_scorer.h"
#include "onnxop/score/timed_scorer.h"

namespace onnxop {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing_models::error_of;

std::vector<NamedTensor> one(const std::string& name, Shape shape, std::vector<float> values) {
  std::vector<NamedTensor> list;
  list.push_back({name, Tensor::of<float>(std::move(shape), values)});
  return list;
}

std::vector<TensorInfo> info(const std::string& name) {
  return {{name, DType::kFloat32, {-1, 2}}};
}

/// y = x + by
std::unique_ptr<FakeScorer> adder(float by, const std::string& out = "y") {
  return std::make_unique<FakeScorer>(info("x"), info(out),
                                      [by, out](std::span<const NamedTensor> in) {
                                        Tensor result = in[0].tensor.clone();
                                        for (float& each : result.values<float>()) {
                                          each += by;
                                        }
                                        std::vector<NamedTensor> outputs;
                                        outputs.push_back({out, std::move(result)});
                                        return outputs;
                                      });
}

// --- check_inputs ---

std::string input_error(std::vector<NamedTensor> inputs) {
  const std::vector<TensorInfo> declared{{"a", DType::kFloat32, {-1, 2}}, {"b", DType::kInt64, {}}};
  return error_of([&] { check_inputs(declared, inputs); });
}

TEST(CheckInputs, TakesThemInAnyOrder) {
  std::vector<NamedTensor> inputs;
  inputs.push_back({"b", Tensor(DType::kInt64, {})});
  inputs.push_back({"a", Tensor(DType::kFloat32, {7, 2})});
  EXPECT_EQ(input_error(std::move(inputs)), "");
}

TEST(CheckInputs, SaysWhatIsWrong) {
  EXPECT_THAT(input_error({}), AllOf(HasSubstr("invalid_argument"), HasSubstr("'a': missing"),
                                     HasSubstr("float32 [?, 2]")));
  EXPECT_THAT(input_error(one("c", {1}, {1})), AllOf(HasSubstr("'c': unknown"), HasSubstr("a, b")));
  EXPECT_THAT(input_error(one("a", {1, 3}, {1, 2, 3})),
              HasSubstr("got shape [1, 3], expected [?, 2]"));
  EXPECT_THAT(input_error(one("a", {2}, {1, 2})), HasSubstr("got shape [2]"));
  EXPECT_THAT(input_error(one("b", {}, {1})), HasSubstr("got type float32, expected int64"));
  auto twice = one("a", {1, 2}, {1, 2});
  twice.push_back({"a", Tensor(DType::kFloat32, {1, 2})});
  EXPECT_THAT(input_error(std::move(twice)), HasSubstr("given twice"));
  auto undefined = one("a", {1, 2}, {1, 2});
  undefined.push_back({"b", Tensor()});
  EXPECT_THAT(input_error(std::move(undefined)), HasSubstr("got type undefined"));
}

// --- FakeScorer ---

TEST(FakeScorer, ComputesAndCounts) {
  const auto scorer = adder(1);
  EXPECT_THAT(scorer->run(one("x", {1, 2}, {1, 2}))[0].tensor.values<float>(), ElementsAre(2, 3));
  EXPECT_THAT(error_of([&] { scorer->run(one("z", {1, 2}, {1, 2})); }), HasSubstr("unknown"));
  EXPECT_EQ(scorer->runs(), 2);
}

TEST(FakeScorer, FailsAsPlanned) {
  const auto scorer = adder(1);
  scorer->fail_next(Error(ErrorCode::kInternal, "first"), 2);
  scorer->fail_next(Error(ErrorCode::kUnavailable, "second"));
  const auto run = [&] { return error_of([&] { scorer->run(one("x", {1, 2}, {1, 2})); }); };
  EXPECT_EQ(run(), "internal: first");
  EXPECT_EQ(run(), "internal: first");
  EXPECT_EQ(run(), "unavailable: second");
  EXPECT_EQ(run(), "");
}

TEST(FakeScorer, ClassifiesByTheFirstElement) {
  const auto scorer = fake_classifier(1, 2, 1, 3);
  const auto outputs = scorer->run(one("image", {2, 1, 2, 1}, {4, 9, 2, 9}));
  EXPECT_THAT(outputs[0].tensor.shape(), ElementsAre(2, 3));
  EXPECT_THAT(outputs[0].tensor.values<float>(), ElementsAre(0, 1, 0, 0, 0, 1));
  EXPECT_THAT(scorer->run(one("image", {1, 1, 2, 1}, {-1, 0}))[0].tensor.values<float>(),
              ElementsAre(0, 0, 1));
  EXPECT_EQ(scorer->run(one("image", {0, 1, 2, 1}, {}))[0].tensor.size(), 0);
}

// --- TimedScorer ---

TEST(TimedScorer, ReportsTheClocksTime) {
  FakeClock clock;
  std::vector<ScoreTiming> timings;
  auto inner =
      std::make_unique<FakeScorer>(info("x"), info("y"), [&](std::span<const NamedTensor>) {
        clock.advance(std::chrono::milliseconds(250));
        return one("y", {1, 2}, {0, 0});
      });
  FakeScorer& fake = *inner;
  TimedScorer scorer(std::move(inner), clock,
                     [&](const ScoreTiming& timing) { timings.push_back(timing); });
  EXPECT_EQ(scorer.inputs()[0].name, "x");
  EXPECT_EQ(scorer.outputs()[0].name, "y");
  scorer.run(one("x", {1, 2}, {1, 2}));
  ASSERT_EQ(timings.size(), 1U);
  EXPECT_DOUBLE_EQ(timings[0].seconds, 0.25);
  EXPECT_FALSE(timings[0].failed);

  fake.fail_next(Error(ErrorCode::kInternal, "broken"));
  EXPECT_EQ(error_of([&] { scorer.run(one("x", {1, 2}, {1, 2})); }), "internal: broken");
  ASSERT_EQ(timings.size(), 2U);
  EXPECT_TRUE(timings[1].failed);
}

// --- CheckedScorer ---

TEST(CheckedScorer, LetsSmallDifferencesPass) {
  CheckedScorer scorer(adder(1), adder(1.001F), 0.01);
  EXPECT_THAT(scorer.run(one("x", {1, 2}, {1, 2}))[0].tensor.values<float>(), ElementsAre(2, 3));
}

TEST(CheckedScorer, ThrowsOrReportsLargeOnes) {
  CheckedScorer throwing(adder(1), adder(2), 0.01);
  EXPECT_THAT(error_of([&] {
                throwing.run(one("x", {1, 2}, {1, 2}));
              }),
              AllOf(HasSubstr("internal"), HasSubstr("output 'y', element 0: 2 and 3")));
  std::vector<OutputDifference> seen;
  CheckedScorer reporting(adder(1), adder(2), 0.01,
                          [&](const OutputDifference& d) { seen.push_back(d); });
  EXPECT_THAT(reporting.run(one("x", {1, 2}, {1, 2}))[0].tensor.values<float>(), ElementsAre(2, 3));
  ASSERT_EQ(seen.size(), 1U);
  EXPECT_DOUBLE_EQ(seen[0].largest, 1);
}

TEST(CheckedScorer, RefusesEnginesOfDifferentModels) {
  EXPECT_THAT(error_of([] { CheckedScorer(adder(1), adder(1, "z"), 0); }),
              HasSubstr("different outputs"));
  EXPECT_THAT(error_of([] { CheckedScorer(adder(1), fake_classifier(1, 1, 1, 2), 0); }),
              HasSubstr("different inputs"));
  EXPECT_THAT(error_of([] { CheckedScorer(adder(1), adder(1), -1); }), HasSubstr("tolerance"));
}

// --- compare_outputs ---

std::vector<NamedTensor> raw(DType dtype, std::vector<std::uint8_t> bytes) {
  Tensor tensor(dtype, {static_cast<std::int64_t>(bytes.size() / dtype_size(dtype))});
  std::memcpy(tensor.bytes().data(), bytes.data(), bytes.size());
  std::vector<NamedTensor> list;
  list.push_back({"y", std::move(tensor)});
  return list;
}

TEST(CompareOutputs, ReadsEveryType) {
  struct Case {
    DType dtype;
    std::vector<std::uint8_t> a, b;
    double apart;
  };
  const std::vector<Case> cases{
      {DType::kUint8, {255}, {1}, 254},
      {DType::kInt8, {255}, {1}, 2},
      {DType::kBool, {0}, {1}, 1},
      {DType::kUint16, {255, 255}, {0, 0}, 65535},
      {DType::kInt16, {255, 255}, {0, 0}, 1},
      {DType::kUint32, {255, 255, 255, 255}, {0, 0, 0, 0}, 4294967295.0},
      {DType::kInt32, {254, 255, 255, 255}, {0, 0, 0, 0}, 2},
      {DType::kUint64, {0, 0, 0, 0, 1, 0, 0, 0}, {0, 0, 0, 0, 0, 0, 0, 0}, 4294967296.0},
      {DType::kInt64, {255, 255, 255, 255, 255, 255, 255, 255}, {0, 0, 0, 0, 0, 0, 0, 0}, 1},
      {DType::kFloat64, {0, 0, 0, 0, 0, 0, 0xF0, 0x3F}, {0, 0, 0, 0, 0, 0, 0, 0}, 1},
      {DType::kFloat16, {0x00, 0x3C}, {0x00, 0xC0}, 3},                     // 1 and -2
      {DType::kFloat16, {0x01, 0x00}, {0x00, 0x00}, std::ldexp(1.0, -24)},  // smallest subnormal
      {DType::kBfloat16, {0x80, 0x3F}, {0x00, 0x40}, 1},                    // 1 and 2
  };
  for (const Case& each : cases) {
    EXPECT_DOUBLE_EQ(compare_outputs(raw(each.dtype, each.a), raw(each.dtype, each.b)).largest,
                     each.apart)
        << dtype_name(each.dtype);
    EXPECT_EQ(compare_outputs(raw(each.dtype, each.a), raw(each.dtype, each.a)).largest, 0);
  }
}

TEST(CompareOutputs, TakesNanAndInfinityForWhatTheyAre) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float infinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ(compare_outputs(one("y", {2}, {nan, infinity}), one("y", {2}, {nan, infinity})).largest,
            0);
  EXPECT_EQ(compare_outputs(one("y", {1}, {nan}), one("y", {1}, {1})).largest,
            std::numeric_limits<double>::infinity());
  EXPECT_EQ(compare_outputs(one("y", {1}, {infinity}), one("y", {1}, {-infinity})).largest,
            std::numeric_limits<double>::infinity());
}

TEST(CompareOutputs, RefusesWhatCannotBeCompared) {
  EXPECT_THAT(error_of([] { compare_outputs(one("y", {1}, {1}), one("z", {1}, {1})); }),
              HasSubstr("one engine only"));
  EXPECT_THAT(error_of([] { compare_outputs(one("y", {1}, {1}), {}); }), HasSubstr("1 outputs"));
  EXPECT_THAT(error_of([] {
                compare_outputs(one("y", {2}, {1, 2}), one("y", {2, 1}, {1, 2}));
              }),
              AllOf(HasSubstr("[2]"), HasSubstr("[2, 1]")));
  EXPECT_THAT(error_of([] {
                compare_outputs(raw(DType::kComplex64, std::vector<std::uint8_t>(8)),
                                raw(DType::kComplex64, std::vector<std::uint8_t>(8)));
              }),
              HasSubstr("unsupported"));
}

TEST(AllClose, IsAbsoluteAndRelativeToTheFirst) {
  const auto close = [](const std::vector<float>& a, const std::vector<float>& b) {
    const auto size = static_cast<std::int64_t>(a.size());
    return all_close(Tensor::of<float>({size}, a), Tensor::of<float>({size}, b), 0.5, 0.25);
  };
  EXPECT_TRUE(close({0, 100, -4}, {0.5, 125.5, -2.5}));
  EXPECT_FALSE(close({0}, {0.6F}));
  EXPECT_FALSE(close({100}, {126}));
  const float infinity = std::numeric_limits<float>::infinity();
  EXPECT_TRUE(close({infinity}, {infinity}));
  EXPECT_FALSE(close({infinity}, {1}));
  EXPECT_FALSE(close({1}, {NAN}));
  EXPECT_FALSE(all_close(Tensor(DType::kFloat32, {2}), Tensor(DType::kFloat32, {1, 2}), 1, 1));
  EXPECT_FALSE(all_close(Tensor(DType::kFloat32, {2}), Tensor(DType::kFloat64, {2}), 1, 1));
}

}  // namespace
}  // namespace onnxop
