#pragma once
// The words of a spec and what they mean, for reading and writing alike.

#include <string_view>

#include "onnxop/train/spec.h"
#include "onnxop/train/spec_node.h"

namespace onnxop {

template <typename T>
using Words = SpecMap::Choices<T>;

inline const Words<DataKind> kDataKinds = {{"mnist", DataKind::kMnist},
                                           {"idx", DataKind::kIdx},
                                           {"folder", DataKind::kFolder},
                                           {"csv", DataKind::kCsv}};
inline const Words<SplitKind> kSplitKinds = {{"last", SplitKind::kLast},
                                             {"random", SplitKind::kRandom}};
inline const Words<ImageColor> kColors = {{"gray", ImageColor::kGray}, {"rgb", ImageColor::kRgb}};
inline const Words<ImageResize> kResizes = {{"area", ImageResize::kArea},
                                            {"bilinear", ImageResize::kBilinear},
                                            {"nearest", ImageResize::kNearest}};
inline const Words<ActivationKind> kActivations = {
    {"linear", ActivationKind::kLinear},        {"relu", ActivationKind::kRelu},
    {"leaky_relu", ActivationKind::kLeakyRelu}, {"elu", ActivationKind::kElu},
    {"sigmoid", ActivationKind::kSigmoid},      {"tanh", ActivationKind::kTanh},
    {"softmax", ActivationKind::kSoftmax}};
inline const Words<PaddingKind> kPaddings = {{"valid", PaddingKind::kValid},
                                             {"same", PaddingKind::kSame}};
inline const Words<InitializerKind> kInitializers = {
    {"glorot_uniform", InitializerKind::kGlorotUniform},
    {"glorot_normal", InitializerKind::kGlorotNormal},
    {"he_uniform", InitializerKind::kHeUniform},
    {"he_normal", InitializerKind::kHeNormal}};
inline const Words<Precision> kPrecisions = {{"float32", Precision::kFloat32},
                                             {"bf16", Precision::kBfloat16}};
inline const Words<LossKind> kLosses = {
    {"categorical_crossentropy", LossKind::kCategoricalCrossentropy},
    {"mean_squared_error", LossKind::kMeanSquaredError}};
inline const Words<OptimizerKind> kOptimizers = {{"SGD", OptimizerKind::kSgd},
                                                 {"RMSprop", OptimizerKind::kRmsprop},
                                                 {"Adam", OptimizerKind::kAdam},
                                                 {"AdamW", OptimizerKind::kAdamW},
                                                 {"Adadelta", OptimizerKind::kAdadelta}};
inline const Words<ScheduleKind> kSchedules = {{"constant", ScheduleKind::kConstant},
                                               {"step", ScheduleKind::kStep},
                                               {"cosine", ScheduleKind::kCosine}};
inline const Words<MonitorKind> kMonitors = {{"val_loss", MonitorKind::kValLoss},
                                             {"val_accuracy", MonitorKind::kValAccuracy}};

template <typename T>
std::string_view word_of(const Words<T>& words, T value) {
  for (const auto& [word, meaning] : words) {
    if (meaning == value) {
      return word;
    }
  }
  return "";
}

}  // namespace onnxop
