#include <fstream>

#include <gmock/gmock.h>

#include "onnxop/base/file.h"
#include "onnxop/base/sha256.h"
#include "onnxop/registry/test_store.h"

namespace onnxop {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::Pair;

class ModelsTest : public StoreTest {
 protected:
  ModelVersion add(const std::string& name, std::string_view content = "model bytes") {
    return registry_.register_model(name, write("in.onnx", content), "", "in.onnx");
  }

  Registry registry_{store_dir(), clock_};
};

TEST_F(ModelsTest, AVersionIsACopyThatKnowsWhereItCameFrom) {
  const auto run = registry_.create_run("r");
  const auto file = write("out.onnx", "the bytes");
  const auto version = registry_.register_model("mnist", file, run, "train digits.yaml");
  EXPECT_EQ(version.name, "mnist");
  EXPECT_EQ(version.version, 1);
  EXPECT_EQ(version.run_id, run);
  EXPECT_EQ(version.source, "train digits.yaml");
  EXPECT_EQ(version.sha256, sha256_hex(as_bytes("the bytes")));
  EXPECT_EQ(version.created_ms, 1'700'000'000'000);
  EXPECT_EQ(version.model_path, store_dir() / "models/mnist/1/model.onnx");

  std::filesystem::remove(file);
  EXPECT_EQ(read_text_file(version.model_path), "the bytes");
  const auto again = registry_.get_version("mnist", 1);
  EXPECT_EQ(again.name, version.name);
  EXPECT_EQ(again.version, version.version);
  EXPECT_EQ(again.run_id, version.run_id);
  EXPECT_EQ(again.source, version.source);
  EXPECT_EQ(again.sha256, version.sha256);
  EXPECT_EQ(again.created_ms, version.created_ms);
  EXPECT_EQ(again.model_path, version.model_path);
}

TEST_F(ModelsTest, VersionsCountUpForEachName) {
  EXPECT_EQ(add("a", "1").version, 1);
  EXPECT_EQ(add("a", "2").version, 2);
  EXPECT_EQ(add("b", "3").version, 1);
  const auto versions = registry_.list_versions("a");
  ASSERT_EQ(versions.size(), 2u);
  EXPECT_EQ(versions[0].version, 2);
  EXPECT_EQ(versions[0].run_id, "");
  EXPECT_EQ(versions[1].version, 1);
  EXPECT_EQ(read_text_file(versions[1].model_path), "1");
}

TEST_F(ModelsTest, ModelsAreListedWithTheirAliases) {
  EXPECT_THAT(registry_.list_models(), IsEmpty());
  add("b");
  add("a");
  add("b");
  registry_.set_alias("b", "champion", 1);
  const auto models = registry_.list_models();
  ASSERT_EQ(models.size(), 2u);
  EXPECT_EQ(models[0].name, "a");
  EXPECT_EQ(models[0].latest_version, 1);
  EXPECT_THAT(models[0].aliases, IsEmpty());
  EXPECT_EQ(models[1].name, "b");
  EXPECT_EQ(models[1].latest_version, 2);
  EXPECT_THAT(models[1].aliases, ElementsAre(Pair("champion", 1)));
}

TEST_F(ModelsTest, ReferencesResolve) {
  add("mnist");
  add("mnist");
  add("mnist");
  registry_.set_alias("mnist", "champion", 1);
  EXPECT_EQ(registry_.resolve("mnist").version, 3);
  EXPECT_EQ(registry_.resolve("mnist@latest").version, 3);
  EXPECT_EQ(registry_.resolve("mnist:2").version, 2);
  EXPECT_EQ(registry_.resolve("mnist@champion").version, 1);
  registry_.set_alias("mnist", "champion", 2);
  EXPECT_EQ(registry_.resolve("mnist@champion").version, 2);
}

TEST_F(ModelsTest, WhatIsNotThereIsAnsweredWithWhatIs) {
  EXPECT_THAT(catch_error([&] { registry_.resolve("mnist"); }).message,
              HasSubstr("no model 'mnist' in the store " + store_dir().string() +
                        ": it has no models yet"));
  add("mnist");
  add("mnist");
  add("resnet");
  registry_.set_alias("mnist", "champion", 2);
  const auto model = catch_error([&] { registry_.resolve("mnits"); });
  EXPECT_EQ(model.code, ErrorCode::kNotFound);
  EXPECT_THAT(model.message, HasSubstr("there are: mnist, resnet; did you mean 'mnist'?"));
  const auto far = catch_error([&] { registry_.resolve("transformer:1"); });
  EXPECT_THAT(far.message, Not(HasSubstr("did you mean")));
  const auto version = catch_error([&] { registry_.resolve("mnist:7"); });
  EXPECT_EQ(version.code, ErrorCode::kNotFound);
  EXPECT_THAT(version.message, HasSubstr("has no version 7; there are: 2, 1"));
  const auto alias = catch_error([&] { registry_.resolve("mnist@champoin"); });
  EXPECT_EQ(alias.code, ErrorCode::kNotFound);
  EXPECT_THAT(alias.message, HasSubstr("there are: champion; did you mean 'champion'?"));
  const auto none = catch_error([&] { registry_.resolve("resnet@champion"); });
  EXPECT_EQ(none.code, ErrorCode::kNotFound);
  EXPECT_THAT(none.message, HasSubstr("has no alias 'champion', nor any other"));
  EXPECT_EQ(catch_error([&] { registry_.list_versions("x"); }).code, ErrorCode::kNotFound);
  EXPECT_EQ(catch_error([&] { registry_.get_version("x", 1); }).code, ErrorCode::kNotFound);
}

TEST_F(ModelsTest, MalformedNamesAndReferences) {
  const auto file = write("in.onnx", "x");
  for (const std::string& bad :
       {std::string(), std::string(".hidden"), std::string(".."), std::string("a/b"),
        std::string("a b"), std::string("-a"), std::string("é"), std::string("a:1"),
        std::string("a\0b", 3), std::string(129, 'a')}) {
    EXPECT_EQ(catch_error([&] { registry_.register_model(bad, file, "", ""); }).code,
              ErrorCode::kInvalidArgument)
        << bad;
  }
  EXPECT_EQ(registry_.register_model(std::string(128, 'a'), file, "", "").version, 1);
  EXPECT_EQ(add("A-1.b_c").version, 1);
  for (const char* bad :
       {"", ":", "@", "mnist:", "mnist:0", "mnist:-1", "mnist:1x", "mnist:x", "mnist@", "mnist@a b",
        "mnist:1@a", "mnist:99999999999999999999", "../mnist"}) {
    EXPECT_EQ(catch_error([&] { registry_.resolve(bad); }).code, ErrorCode::kInvalidArgument)
        << bad;
  }
  EXPECT_EQ(catch_error([&] { registry_.get_version("a", 0); }).code, ErrorCode::kInvalidArgument);
}

TEST_F(ModelsTest, AliasesPointToVersionsThatAreThere) {
  add("a");
  EXPECT_EQ(catch_error([&] { registry_.set_alias("a", "x", 2); }).code, ErrorCode::kNotFound);
  EXPECT_EQ(catch_error([&] { registry_.set_alias("b", "x", 1); }).code, ErrorCode::kNotFound);
  EXPECT_EQ(catch_error([&] { registry_.set_alias("a", "", 1); }).code,
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(catch_error([&] { registry_.set_alias("a", "a/b", 1); }).code,
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(catch_error([&] { registry_.set_alias("a", "latest", 1); }).code,
            ErrorCode::kInvalidArgument);
  EXPECT_THAT(registry_.list_models().at(0).aliases, IsEmpty());
}

TEST_F(ModelsTest, CompanionsKeepTheirPlace) {
  const auto file = write("in/net.onnx", "graph");
  write("in/weights.bin", "weights");
  write("in/parts/more.bin", "more");
  const auto version =
      registry_.register_model("big", file, "", "", {"weights.bin", "parts/./more.bin"});
  EXPECT_EQ(read_text_file(version.model_path.parent_path() / "weights.bin"), "weights");
  EXPECT_EQ(read_text_file(version.model_path.parent_path() / "parts/more.bin"), "more");
  const auto files = registry_.version_files("big", 1);
  ASSERT_EQ(files.size(), 3u);
  EXPECT_EQ(files[0].path, "model.onnx");
  EXPECT_EQ(files[0].sha256, version.sha256);
  EXPECT_EQ(files[1].path, "parts/more.bin");
  EXPECT_EQ(files[2].path, "weights.bin");
  EXPECT_EQ(files[2].bytes, 7);
  EXPECT_EQ(files[2].sha256, sha256_hex(as_bytes("weights")));
  registry_.verify(version);
}

TEST_F(ModelsTest, CompanionsCannotLeaveTheFolder) {
  const auto file = write("in/net.onnx", "graph");
  write("secret", "x");
  write("in/model.onnx", "x");
  for (const char* bad :
       {"../secret", "a/../../secret", "/etc/passwd", ".", "", "a/", "model.onnx"}) {
    EXPECT_EQ(catch_error([&] { registry_.register_model("m", file, "", "", {bad}); }).code,
              ErrorCode::kInvalidArgument)
        << bad;
  }
  write("in/w", "x");
  EXPECT_EQ(catch_error([&] {
              registry_.register_model("m", file, "", "", {"w", "./w"});
            }).code,
            ErrorCode::kInvalidArgument);
  EXPECT_THAT(registry_.list_models(), IsEmpty());
  EXPECT_FALSE(std::filesystem::exists(store_dir() / "models"));
}

TEST_F(ModelsTest, WhatCannotBeRegisteredLeavesNothing) {
  const auto file = write("in.onnx", "x");
  EXPECT_EQ(catch_error([&] { registry_.register_model("m", folder_ / "no.onnx", "", ""); }).code,
            ErrorCode::kNotFound);
  EXPECT_EQ(catch_error([&] { registry_.register_model("m", folder_, "", ""); }).code,
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(catch_error([&] { registry_.register_model("m", file, "", "", {"no.bin"}); }).code,
            ErrorCode::kNotFound);
  EXPECT_EQ(
      catch_error([&] { registry_.register_model("m", file, std::string(32, 'a'), ""); }).code,
      ErrorCode::kNotFound);
  EXPECT_THAT(registry_.list_models(), IsEmpty());
  EXPECT_EQ(add("m").version, 1);  // no number was used up
}

TEST_F(ModelsTest, AFailureWhileCopyingIsTakenBack) {
  add("m");
  // A file stands where the next version's folder of the model would be made.
  std::filesystem::create_directories(store_dir() / "models");
  std::ofstream(store_dir() / "models" / "blocked") << "in the way";
  const auto caught = catch_error([&] { add("blocked"); });
  EXPECT_EQ(caught.code, ErrorCode::kIo);
  ASSERT_EQ(registry_.list_models().size(), 1u);
  std::filesystem::remove(store_dir() / "models" / "blocked");
  EXPECT_EQ(add("blocked").version, 2);  // a number given out is never given out again
}

TEST_F(ModelsTest, AFolderThatNobodyPublishedIsSteppedOver) {
  add("m");
  std::filesystem::create_directories(store_dir() / "models/m/2");
  EXPECT_EQ(add("m").version, 3);
  EXPECT_EQ(registry_.list_versions("m").size(), 2u);
}

TEST_F(ModelsTest, PublishedFilesAreReadOnly) {
  const auto version = add("m");
  using std::filesystem::perms;
  const auto permissions = std::filesystem::status(version.model_path).permissions();
  EXPECT_EQ(permissions & (perms::owner_write | perms::group_write | perms::others_write),
            perms::none);
}

TEST_F(ModelsTest, VerifyFindsWhatChanged) {
  const auto file = write("in/net.onnx", "graph");
  write("in/w", "weights");
  const auto version = registry_.register_model("m", file, "", "", {"w"});
  registry_.verify(version);

  const auto change = [&](const std::string& path, std::string_view content) {
    const auto target = version.model_path.parent_path() / path;
    std::filesystem::permissions(target, std::filesystem::perms::owner_all);
    std::ofstream(target, std::ios::binary) << content;
  };
  const auto expect_loss = [&](const std::string& what) {
    const auto caught = catch_error([&] { registry_.verify(version); });
    EXPECT_EQ(caught.code, ErrorCode::kDataLoss);
    EXPECT_THAT(caught.message, HasSubstr(what));
  };
  change("w", "weightz");
  expect_loss("models/m/1/w: its SHA-256 is");
  change("w", "weig");
  expect_loss("4 bytes, but 7 were published");
  change("w", "weights");
  registry_.verify(version);
  std::filesystem::remove(version.model_path);
  expect_loss("model.onnx: a published file is missing");
}

}  // namespace
}  // namespace onnxop
