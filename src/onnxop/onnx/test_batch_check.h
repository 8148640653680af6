#pragma once
// Checks what is said of a graph's batch dimension against ONNX Runtime, for tests.

#include <cmath>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "onnxop/base/random.h"
#include "onnxop/onnx/batch_dimension.h"
#include "onnxop/onnx/test_batch_graphs.h"
#include "onnxop/onnx/test_models.h"
#include "onnxop/score/ort_scorer.h"

namespace onnxop::testing_batch {

/// Random values: around 0, or small indices.
inline Tensor random_tensor(DType dtype, Shape shape, Random& random) {
  Tensor tensor(dtype, std::move(shape));
  if (dtype == DType::kFloat32) {
    for (float& each : tensor.values<float>()) {
      each = random.uniform(-2.0F, 2.0F);
    }
  } else if (dtype == DType::kInt64) {
    for (std::int64_t& each : tensor.values<std::int64_t>()) {
      each = random.below(3);
    }
  } else {
    for (std::byte& each : tensor.bytes()) {
      each = static_cast<std::byte>(random.below(2));
    }
  }
  return tensor;
}

/// `free`: the size of free dimensions other than the batch.
inline std::vector<NamedTensor> random_inputs(const Scorer& scorer, std::int64_t rows,
                                              std::int64_t free = 3) {
  Random random(7, 1);
  std::vector<NamedTensor> inputs;
  for (const TensorInfo& info : scorer.inputs()) {
    Shape shape = info.shape;
    for (std::int64_t& size : shape) {
      size = size < 0 ? free : size;
    }
    shape.front() = rows;
    inputs.push_back({info.name, random_tensor(info.dtype, std::move(shape), random)});
  }
  return inputs;
}

/// Row `row` of each tensor, as a batch of one.
inline std::vector<NamedTensor> row_of(std::span<const NamedTensor> batch, std::int64_t row) {
  std::vector<NamedTensor> single;
  for (const NamedTensor& each : batch) {
    Shape shape = each.tensor.shape();
    const auto bytes = each.tensor.bytes();
    const std::size_t size = bytes.size() / static_cast<std::size_t>(shape.front());
    shape.front() = 1;
    Tensor tensor(each.tensor.dtype(), shape);
    std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(size) * row, size,
                tensor.bytes().begin());
    single.push_back({each.name, std::move(tensor)});
  }
  return single;
}

inline void expect_equal(std::span<const NamedTensor> left, std::span<const NamedTensor> right,
                         const std::string& what) {
  ASSERT_EQ(left.size(), right.size());
  for (std::size_t i = 0; i < left.size(); ++i) {
    ASSERT_EQ(left[i].tensor.shape(), right[i].tensor.shape()) << what;
    if (left[i].tensor.dtype() != DType::kFloat32) {
      EXPECT_TRUE(std::ranges::equal(left[i].tensor.bytes(), right[i].tensor.bytes())) << what;
      continue;
    }
    const auto a = left[i].tensor.values<float>();
    const auto b = right[i].tensor.values<float>();
    for (std::size_t k = 0; k < a.size(); ++k) {
      ASSERT_NEAR(a[k], b[k], 1e-4 * std::max(1.0F, std::abs(b[k]))) << what << ", element " << k;
    }
  }
}

inline std::unique_ptr<Scorer> load(const Model& model) {
  const testing_models::TemporaryFolder folder;
  return load_ort_scorer(folder.write("model.onnx", serialize_model(model)));
}

/// A batch's rows are what each of them is alone.
inline void expect_rows_apart(Scorer& scorer) {
  const std::int64_t rows = 3;
  const auto inputs = random_inputs(scorer, rows);
  const auto outputs = scorer.run(inputs);
  for (const NamedTensor& output : outputs) {
    ASSERT_EQ(output.tensor.shape().at(0), rows) << output.name;
  }
  for (std::int64_t row = 0; row < rows; ++row) {
    expect_equal(row_of(outputs, row), scorer.run(row_of(inputs, row)),
                 "row " + std::to_string(row));
  }
}

inline void check_fixed(const Case& each) {
  const Model model = model_of(each);
  const testing_models::TemporaryFolder folder;
  const auto path = folder.write("fixed.onnx", serialize_model(model));
  EXPECT_TRUE(find_batch_dimension(path).proven);
  const auto original = load_ort_scorer(path);
  const auto changed = load_ort_scorer(folder.write("free.onnx", with_free_batch(path)));
  for (const TensorInfo& info : changed->inputs()) {
    EXPECT_EQ(info.shape.front(), -1);
  }
  const auto inputs = random_inputs(*original, each.fixed);
  expect_equal(changed->run(inputs), original->run(inputs), "free and fixed");
  expect_rows_apart(*changed);

  const Model free = with_free_batch(model_of(each));
  const BatchDimension again = find_batch_dimension(free);
  EXPECT_TRUE(again.proven) << again.reason;
  EXPECT_FALSE(again.fixed);
  const auto scorer = load(free);
  expect_equal(scorer->run(inputs), original->run(inputs), "free and fixed");
}

inline void check(const Case& each) {
  const Model model = model_of(each);
  const BatchDimension found = find_batch_dimension(model);
  if (!each.problem.empty()) {
    EXPECT_FALSE(found.proven);
    EXPECT_THAT(found.reason, ::testing::HasSubstr(each.problem));
    return;
  }
  ASSERT_TRUE(found.proven) << found.reason;
  EXPECT_EQ(found.reason, "");
  if (each.fixed >= 0) {
    EXPECT_EQ(found.fixed, each.fixed);
    check_fixed(each);
  } else {
    expect_rows_apart(*load(model));
  }
}

/// Of a node with this one attribute.
inline Attributes with(const std::string& name, std::int64_t value) {
  return {{name, value}};
}

/// Cases are named by themselves.
inline std::string name_of(const ::testing::TestParamInfo<Case>& info) {
  return info.param.name;
}

}  // namespace onnxop::testing_batch
