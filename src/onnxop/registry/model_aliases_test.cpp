#include <gmock/gmock.h>

#include "onnxop/registry/test_models.h"

namespace onnxop {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

class ModelAliasesTest : public ModelStoreTest {
 protected:
  void add_versions(int count) {
    for (int i = 0; i < count; ++i) {
      add("m");
    }
  }
  std::int64_t champion() const { return models_.resolve("m@champion").version; }
};
ONNXOP_ON_EACH_STORE(ModelAliasesTest);

TEST_P(ModelAliasesTest, ReferencesResolve) {
  add_versions(3);
  models_.set_alias("m", "champion", 1);
  EXPECT_EQ(models_.resolve("m").version, 3);
  EXPECT_EQ(models_.resolve("m@latest").version, 3);
  EXPECT_EQ(models_.resolve("m:2").version, 2);
  EXPECT_EQ(champion(), 1);
  models_.set_alias("m", "champion", 2);
  EXPECT_EQ(champion(), 2);
  EXPECT_THAT(models_.version("m", 2).aliases, ElementsAre("champion"));
  EXPECT_THAT(models_.version("m", 1).aliases, IsEmpty());
}

TEST_P(ModelAliasesTest, WhatIsNotThereIsAnsweredWithWhatIs) {
  add_versions(2);
  add("resnet");
  models_.set_alias("m", "champion", 2);
  const auto alias = catch_error([&] { models_.resolve("m@champoin"); });
  EXPECT_EQ(alias.code, ErrorCode::kNotFound);
  EXPECT_THAT(alias.message, HasSubstr("there are: champion; did you mean 'champion'?"));
  const auto none = catch_error([&] { models_.resolve("resnet@champion"); });
  EXPECT_EQ(none.code, ErrorCode::kNotFound);
  EXPECT_THAT(none.message, HasSubstr("has no alias 'champion', nor any other"));
  EXPECT_THAT(catch_error([&] { models_.resolve("m:7"); }).message,
              HasSubstr("has no version 7; there are: 2, 1"));
  EXPECT_EQ(catch_error([&] { models_.resolve("m:x"); }).code, ErrorCode::kInvalidArgument);
  models_.create("empty");
  EXPECT_EQ(catch_error([&] { models_.resolve("empty"); }).code, ErrorCode::kNotFound);
}

TEST_P(ModelAliasesTest, VersionsWithoutAModelAreNotResolved) {
  add_versions(1);
  add_bare("m");
  models_.set_alias("m", "champion", 2);
  EXPECT_EQ(models_.resolve("m").version, 1);
  EXPECT_EQ(models_.resolve("m@latest").version, 1);
  for (const char* reference : {"m:2", "m@champion"}) {
    const auto caught = catch_error([&] { models_.resolve(reference); });
    EXPECT_EQ(caught.code, ErrorCode::kFailedPrecondition);
    EXPECT_THAT(caught.message,
                HasSubstr("version 2 of model 'm' has no model.onnx: it was registered from "
                          "mlflow-artifacts:/0/run/artifacts/model"));
    EXPECT_EQ(models_.find(reference).version, 2) << "but they are there";
  }
  EXPECT_EQ(models_.find("m").version, 1);
  EXPECT_EQ(models_.find("m@latest").version, 1);
  add_bare("bare");
  const auto caught = catch_error([&] { models_.resolve("bare"); });
  EXPECT_EQ(caught.code, ErrorCode::kFailedPrecondition);
  EXPECT_THAT(caught.message, HasSubstr("none of its versions has a model.onnx"));
}

TEST_P(ModelAliasesTest, PointToVersionsThatAreThere) {
  add_versions(1);
  const auto code = [&](const char* name, const char* alias, std::int64_t version) {
    return catch_error([&] { models_.set_alias(name, alias, version); }).code;
  };
  EXPECT_EQ(code("m", "x", 2), ErrorCode::kNotFound);
  EXPECT_EQ(code("n", "x", 1), ErrorCode::kNotFound);
  EXPECT_EQ(code("m", "", 1), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code("m", "a/b", 1), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code("m", "latest", 1), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code("m", "v1", 1), ErrorCode::kInvalidArgument);
  EXPECT_THAT(models_.list().at(0).aliases, IsEmpty());
}

TEST_P(ModelAliasesTest, AreDeleted) {
  add_versions(1);
  models_.set_alias("m", "champion", 1);
  models_.delete_alias("m", "champion");
  EXPECT_THAT(models_.get("m").aliases, IsEmpty());
  EXPECT_EQ(catch_error([&] { models_.delete_alias("m", "champion"); }).code, ErrorCode::kNotFound);
}

TEST_P(ModelAliasesTest, ARollbackTakesTheLastMoveBackAndTheNextTheOneBefore) {
  add_versions(4);
  for (const int version : {1, 2, 3}) {
    models_.set_alias("m", "champion", version);
  }
  models_.set_alias("m", "champion", 3);  // no move
  models_.set_alias("m", "other", 4);
  EXPECT_EQ(models_.rollback_alias("m", "champion").version, 2);
  EXPECT_EQ(champion(), 2);
  EXPECT_EQ(models_.rollback_alias("m", "champion").version, 1);
  EXPECT_EQ(champion(), 1);
  const auto caught = catch_error([&] { models_.rollback_alias("m", "champion"); });
  EXPECT_EQ(caught.code, ErrorCode::kFailedPrecondition);
  EXPECT_THAT(caught.message, HasSubstr("has pointed to no version before 1"));
  EXPECT_EQ(champion(), 1);
  EXPECT_EQ(models_.resolve("m@other").version, 4);

  models_.set_alias("m", "champion", 4);
  EXPECT_EQ(models_.rollback_alias("m", "champion").version, 1);
  EXPECT_EQ(catch_error([&] { models_.rollback_alias("m", "none"); }).code, ErrorCode::kNotFound);
}

TEST_P(ModelAliasesTest, ARollbackDoesNotGoBeyondADeletion) {
  add_versions(3);
  models_.set_alias("m", "champion", 1);
  models_.set_alias("m", "champion", 2);
  models_.delete_alias("m", "champion");
  models_.set_alias("m", "champion", 3);
  EXPECT_EQ(catch_error([&] { models_.rollback_alias("m", "champion"); }).code,
            ErrorCode::kFailedPrecondition);
  models_.set_alias("m", "champion", 1);
  models_.remove_version("m", 3);
  const auto caught = catch_error([&] { models_.rollback_alias("m", "champion"); });
  EXPECT_EQ(caught.code, ErrorCode::kFailedPrecondition);
  EXPECT_THAT(caught.message, HasSubstr("pointed to version 3 before 1, but that was deleted"));
  EXPECT_EQ(champion(), 1);
}

TEST_P(ModelAliasesTest, ARenamedModelIsRolledBackToo) {
  add_versions(2);
  models_.set_alias("m", "champion", 1);
  models_.set_alias("m", "champion", 2);
  models_.rename("m", "n");
  EXPECT_EQ(models_.rollback_alias("n", "champion").version, 1);
}

}  // namespace
}  // namespace onnxop
