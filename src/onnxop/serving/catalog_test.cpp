// Loading models from a store and from files, with a fake in place of the engine.

#include "onnxop/serving/catalog.h"

#include <fstream>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include "onnxop/base/error.h"
#include "onnxop/base/json_value.h"
#include "onnxop/base/sha256.h"
#include "onnxop/base/test_folder.h"
#include "onnxop/onnx/model_file.h"
#include "onnxop/score/fake_scorer.h"
#include "onnxop/serving/test_fake_model.h"

namespace onnxop {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

Contract digit_contract(int size = 8) {
  Contract contract;
  contract.input.name = "image";
  contract.input.width = size;
  contract.input.height = size;
  contract.output.name = "probabilities";
  return contract;
}

class CatalogTest : public testing::Test {
 protected:
  /// A model file; what it computes does not matter, the engine is a fake.
  fs::path model_file(const std::string& name, const std::optional<Contract>& contract,
                      const std::string& note = "") {
    Model model = fake_model(note);
    if (contract) {
      model.metadata[std::string(kContractKey)] = dump_json(contract_to_json(*contract));
    }
    write_file_atomically(folder_ / name, serialize_model(model));
    return folder_ / name;
  }

  LoadScorer loader() {
    return [this](const fs::path& path, std::span<const std::byte>) -> std::shared_ptr<Scorer> {
      loaded_.push_back(path);
      if (next_scorer_) {
        return std::exchange(next_scorer_, nullptr);
      }
      return last_ = std::shared_ptr<FakeScorer>(fake_classifier(8, 8, 1, 10));
    };
  }

  std::string error_of(const ModelSource& source) {
    try {
      load_served_model(source, loader());
    } catch (const Error& e) {
      return format("{}: {}", error_code_name(e.code()), e.what());
    }
    return "";
  }

  FakeClock clock_;
  const TestFolder own_folder_;
  const fs::path folder_ = own_folder_.path();
  std::vector<fs::path> loaded_;
  std::shared_ptr<FakeScorer> last_;
  std::shared_ptr<Scorer> next_scorer_;
};

TEST_F(CatalogTest, AFileIsLoadedAndRunOnce) {
  const fs::path file = model_file("digits.onnx", digit_contract());
  const ModelLease model = load_served_model(source_of(file), loader(), {.max_batch = 1});
  EXPECT_EQ(model->name, "digits");
  EXPECT_EQ(model->version, 0);
  EXPECT_EQ(model->sha256, sha256_file(file));
  ASSERT_TRUE(model->contract);
  EXPECT_FALSE(model->contract_guessed);
  EXPECT_EQ(model->input_dtype, DType::kFloat32);
  EXPECT_EQ(last_->runs(), 1);
  EXPECT_EQ(load_served_model(source_of(file, "other"), loader())->name, "other");
}

TEST_F(CatalogTest, WithoutAContractItIsGuessed) {
  const ModelLease model =
      load_served_model(source_of(model_file("m.onnx", std::nullopt)), loader(), {.max_batch = 1});
  ASSERT_TRUE(model->contract);
  EXPECT_TRUE(model->contract_guessed);
  EXPECT_EQ(model->contract->input.height, 8);
  EXPECT_EQ(last_->runs(), 1);
}

TEST_F(CatalogTest, AModelThatTakesNoImagesHasNoContract) {
  next_scorer_ = std::make_shared<FakeScorer>(
      std::vector<TensorInfo>{{"x", DType::kInt64, {-1, 3}}},
      std::vector<TensorInfo>{{"y", DType::kFloat32, {-1}}},
      [](std::span<const NamedTensor>) { return std::vector<NamedTensor>(); });
  const ModelLease model =
      load_served_model(source_of(model_file("m.onnx", std::nullopt)), loader());
  EXPECT_FALSE(model->contract);
}

TEST_F(CatalogTest, AModelThatDoesNotFitItsContractIsRefused) {
  EXPECT_THAT(error_of(source_of(model_file("a.onnx", digit_contract(9)))),
              HasSubstr("invalid_argument"));
  Contract other_input = digit_contract();
  other_input.input.name = "picture";
  EXPECT_THAT(error_of(source_of(model_file("b.onnx", other_input))), HasSubstr("'picture'"));
  Contract labels = digit_contract();
  labels.output.labels = {"only", "two"};
  EXPECT_THAT(error_of(source_of(model_file("c.onnx", labels))), HasSubstr("2 values"));
  next_scorer_ = std::make_shared<FakeScorer>(
      std::vector<TensorInfo>{{"image", DType::kInt64, {-1, 8, 8, 1}}},
      std::vector<TensorInfo>{{"probabilities", DType::kFloat32, {-1, 10}}}, nullptr);
  EXPECT_THAT(error_of(source_of(model_file("d.onnx", digit_contract()))), HasSubstr("int64"));
  EXPECT_THAT(error_of(source_of(folder_ / "none.onnx")), HasSubstr("not_found"));
}

TEST_F(CatalogTest, StoredFilesMustBeWhatWasPublished) {
  Registry registry(folder_ / "store", clock_);
  const auto version = registry.models().publish(
      {.name = "mnist", .model_file = model_file("m.onnx", digit_contract()), .source = "test"});
  const ModelSource source = source_of(registry, version);
  ASSERT_EQ(source.files.size(), 1U);
  EXPECT_EQ(load_served_model(source, loader())->sha256, version.sha256);
  fs::permissions(version.model_path, fs::perms::owner_all);
  std::ofstream(version.model_path, std::ios::app) << "x";
  loaded_.clear();
  EXPECT_THAT(error_of(source), HasSubstr("data_loss: mnist:1"));
  EXPECT_THAT(loaded_, ElementsAre()) << "it is not even given to the engine";
}

TEST_F(CatalogTest, LeasesOutliveTheSetTheyCameFrom) {
  const auto make = [this](const std::string& note) {
    auto set = std::make_shared<ServingSet>();
    set->add("m",
             load_served_model(source_of(model_file("m.onnx", digit_contract(), note)), loader()));
    return set;
  };
  Catalog catalog;
  EXPECT_EQ(catalog.snapshot()->find("m"), nullptr);
  catalog.publish(make("old"));
  ModelLease lease = catalog.snapshot()->find("m");
  const std::weak_ptr<const ServedModel> watched = lease;
  catalog.publish(make("new"));
  EXPECT_NE(catalog.snapshot()->find("m"), lease);
  EXPECT_FALSE(watched.expired());
  EXPECT_EQ(lease->name, "m");
  lease.reset();
  EXPECT_TRUE(watched.expired());
}

TEST_F(CatalogTest, ReadersSeeOneSetOrTheOther) {
  const ModelLease model =
      load_served_model(source_of(model_file("m.onnx", digit_contract())), loader());
  Catalog catalog;
  const auto set = [&] {
    auto made = std::make_shared<ServingSet>();
    made->add("a", model);
    made->add("b", model);
    return made;
  };
  catalog.publish(set());
  std::thread writer([&] {
    for (int i = 0; i < 1000; ++i) {
      catalog.publish(set());
    }
  });
  for (int i = 0; i < 1000; ++i) {
    const auto current = catalog.snapshot();
    ASSERT_EQ(current->find("a"), current->find("b"));
    ASSERT_EQ(current->models().size(), 1U);
  }
  writer.join();
}

}  // namespace
}  // namespace onnxop
