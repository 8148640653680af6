#include "onnxop/wire/mlflow_artifacts.h"

#include <gtest/gtest.h>

#include "onnxop/base/error.h"

namespace onnxop {
namespace {

using Kind = VersionSource::Kind;

void expect_source(std::string_view text, Kind kind, std::string_view id, std::string_view path) {
  const VersionSource source = parse_version_source(text);
  EXPECT_EQ(source.kind, kind) << text;
  EXPECT_EQ(source.id, id) << text;
  EXPECT_EQ(source.path, path) << text;
}

TEST(ArtifactLocation, IsAFolderOfThisServer) {
  EXPECT_EQ(artifact_path_of("", "where"), "");
  EXPECT_EQ(artifact_path_of("mlflow-artifacts:/vision/digits", "where"), "vision/digits");
  EXPECT_EQ(artifact_path_of("mlflow-artifacts:///vision", "where"), "vision");
  for (const char* other :
       {"s3://bucket/x", "/tmp/x", "file:///tmp/x", "x", "mlflow-artifacts:", "mlflow-artifacts:/",
        "mlflow-artifacts:x", "mlflow-artifacts://host/x", "mlflow-artifacts:////x"}) {
    try {
      artifact_path_of(other, "where");
      FAIL() << other;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
      EXPECT_NE(std::string(error.what()).find(other), std::string::npos);
      EXPECT_NE(std::string(error.what()).find("mlflow-artifacts:/FOLDER"), std::string::npos);
    }
  }
}

TEST(VersionSource, IsReadAsClientsWriteIt) {
  expect_source("mlflow-artifacts:/0/r/artifacts/model", Kind::kArtifacts, "",
                "0/r/artifacts/model");
  expect_source("mlflow-artifacts:/0/r/artifacts/model/", Kind::kArtifacts, "",
                "0/r/artifacts/model");
  expect_source("mlflow-artifacts://host:1/0/r/artifacts", Kind::kArtifacts, "", "0/r/artifacts");
  expect_source("http://h:1/api/2.0/mlflow-artifacts/artifacts/0/r/artifacts/m", Kind::kArtifacts,
                "", "0/r/artifacts/m");
  expect_source("mlflow-artifacts:/0/r/artifacts/a%20b", Kind::kArtifacts, "", "0/r/artifacts/a b");
  expect_source("runs:/abc/model/x", Kind::kRun, "abc", "model/x");
  expect_source("runs:/abc", Kind::kRun, "abc", "");
  expect_source("models:/m-12", Kind::kLoggedModel, "m-12", "");
  expect_source("models:/m-12/sub", Kind::kLoggedModel, "m-12", "sub");
  for (const char* other : {"s3://bucket/x", "/tmp/model", "file:///tmp/x", "models:/digits/3",
                            "runs://host/abc", "http://h/x", ""}) {
    expect_source(other, Kind::kOther, "", "");
  }
}

TEST(VersionSource, NothingLeadsOutOfItsFolder) {
  for (const char* bad :
       {"mlflow-artifacts:/0/../1", "mlflow-artifacts:/0/%2e%2e/1", "mlflow-artifacts:/0/%252e./1",
        "mlflow-artifacts:/0/.%25252e/1", "runs:/abc/../def", "models:/m-1/..",
        "mlflow-artifacts:/0/a%00b", "mlflow-artifacts:/0/a%2500b", "runs:/abc/a\\..\\b",
        "runs:/abc/a%5cb", "runs:/abc/..%2f..%2fx", "../x", "mlflow-artifacts:../0/1", "runs:..",
        "mlflow-artifacts:/0/./1", "runs:/abc/x?/../y"}) {
    EXPECT_THROW(parse_version_source(bad), Error) << bad;
  }
}

TEST(ArtifactList, IsRelativeToItsRoot) {
  EXPECT_EQ(
      artifact_list_json("mlflow-artifacts:/0/r/artifacts", "0/r/artifacts",
                         {{"0/r/artifacts/model", true, 0}, {"0/r/artifacts/a.txt", false, 7}}),
      R"({"root_uri":"mlflow-artifacts:/0/r/artifacts","files":[)"
      R"({"path":"model","is_dir":true},{"path":"a.txt","is_dir":false,"file_size":7}]})");
  EXPECT_EQ(artifact_list_json("", "", {{"0", true, 0}}),
            R"({"files":[{"path":"0","is_dir":true}]})");
}

}  // namespace
}  // namespace onnxop
