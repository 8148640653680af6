#include <string>

#include <gtest/gtest.h>

#include "onnxop/base/test_error.h"
#include "onnxop/registry/artifacts.h"

namespace onnxop {
namespace {

TEST(ArtifactPath, IsWrittenWithoutSuperfluousSlashes) {
  EXPECT_EQ(check_artifact_path("a"), "a");
  EXPECT_EQ(check_artifact_path("0/run/artifacts/model/MLmodel"), "0/run/artifacts/model/MLmodel");
  EXPECT_EQ(check_artifact_path("a//b///c/"), "a/b/c");
  EXPECT_EQ(check_artifact_path("a b/ü/100%/50%off/..."), "a b/ü/100%/50%off/...");
  EXPECT_EQ(check_artifact_path("a/b:c"), "a/b:c");
  EXPECT_EQ(check_artifact_path("12:30.log"), "12:30.log");
  EXPECT_EQ(check_artifact_path("~a"), "~a");
  EXPECT_EQ(check_artifact_path(std::string(2600, 'a')).size(), 2600u);
}

TEST(ArtifactPath, WhatIsNone) {
  for (const std::string& bad : {std::string(),           std::string("/"),
                                 std::string("//"),       std::string("/etc/passwd"),
                                 std::string("x:y"),      std::string("."),
                                 std::string(".."),       std::string("a/.."),
                                 std::string("a/../b"),   std::string("./a"),
                                 std::string("a/./b"),    std::string("a\\b"),
                                 std::string("..\\a"),    std::string("a\0b", 3),
                                 std::string("a\nb"),     std::string("a\x7f"),
                                 std::string("C:/x"),     std::string("file:///x"),
                                 std::string("s3://x"),   std::string("a/%2e%2e/b"),
                                 std::string("%2E%2E/b"), std::string("a/%252e%252e/b"),
                                 std::string("a%2Fb"),    std::string("a/b%00"),
                                 std::string("a/\xff"),   std::string(2601, 'a')}) {
    EXPECT_EQ(code_of([&] { check_artifact_path(bad); }), ErrorCode::kInvalidArgument) << bad;
  }
}

}  // namespace
}  // namespace onnxop
