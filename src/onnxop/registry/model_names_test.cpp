#include "onnxop/registry/model_names.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "onnxop/base/test_error.h"

namespace onnxop {
namespace {

TEST(ModelNames, MayHoldMostCharacters) {
  for (const std::string& good :
       {std::string("mnist"), std::string("A-1.b_c"), std::string("two words"),
        std::string("größe"), std::string("a%b"), std::string("-a"), std::string(".hidden"),
        std::string("a..b"), std::string("..."), std::string("it's"), std::string(256, 'a')}) {
    EXPECT_NO_THROW(check_model_name(good)) << good;
  }
  for (const std::string& bad :
       {std::string(), std::string("."), std::string(".."), std::string("a/b"), std::string("a:1"),
        std::string("a@b"), std::string("a\\b"), std::string("a\nb"), std::string("a\0b", 3),
        std::string("a\x7f"), std::string("\xff"), std::string(257, 'a')}) {
    EXPECT_EQ(code_of([&] { check_model_name(bad); }), ErrorCode::kInvalidArgument) << bad;
  }
}

TEST(ModelNames, Aliases) {
  for (const char* good : {"champion", "a", "1", "v", "version1", "va1", "a.b-c_d", "latest2"}) {
    EXPECT_NO_THROW(check_alias_to_set(good)) << good;
  }
  for (const std::string& bad :
       {std::string(), std::string("-a"), std::string(".a"), std::string("a b"), std::string("a/b"),
        std::string("é"), std::string("latest"), std::string("Latest"), std::string("v1"),
        std::string("V23"), std::string(129, 'a')}) {
    EXPECT_EQ(code_of([&] { check_alias_to_set(bad); }), ErrorCode::kInvalidArgument) << bad;
  }
  EXPECT_NO_THROW(check_alias("latest"));
  EXPECT_NO_THROW(check_alias("v1"));
}

TEST(ModelNames, Stages) {
  EXPECT_EQ(canonical_stage("None"), "None");
  EXPECT_EQ(canonical_stage("staging"), "Staging");
  EXPECT_EQ(canonical_stage("PRODUCTION"), "Production");
  EXPECT_EQ(canonical_stage("Archived"), "Archived");
  EXPECT_EQ(code_of([] { canonical_stage(""); }), ErrorCode::kInvalidArgument);
  EXPECT_STREQ(error_of([] { canonical_stage("prod"); }).what(),
               "'prod' is no stage; there are: None, Staging, Production, Archived");
}

TEST(ModelNames, References) {
  EXPECT_EQ(parse_model_reference("two words").name, "two words");
  EXPECT_EQ(parse_model_reference("m:3").version, 3);
  EXPECT_EQ(parse_model_reference("m@champion").alias, "champion");
  for (const char* bad : {"", ":", "@", "m:", "m:0", "m:-1", "m:1x", "m:x", "m@", "m@a b", "m:1@a",
                          "m:99999999999999999999", "../m"}) {
    EXPECT_EQ(code_of([&] { parse_model_reference(bad); }), ErrorCode::kInvalidArgument) << bad;
  }
}

TEST(ModelNames, FoldersHoldNothingThatAFileSystemOrAShellTakesForMore) {
  EXPECT_EQ(folder_for_model("mnist-1.0_b"), "mnist-1.0_b");
  EXPECT_EQ(folder_for_model("two words"), "two%20words");
  EXPECT_EQ(folder_for_model(".hidden"), "%2Ehidden");
  EXPECT_EQ(folder_for_model("größe"), "größe");
  EXPECT_EQ(folder_for_model("a%20b"), "a%2520b");  // no other name's folder
  EXPECT_EQ(folder_for_model("a~b"), "a%7Eb");
  EXPECT_EQ(folder_for_model("*?'\"$"), "%2A%3F%27%22%24");
  EXPECT_EQ(folder_for_model(std::string(256, 'a')), std::string(200, 'a'));
  std::string long_name = "a";
  for (int i = 0; i < 120; ++i) {
    long_name += "ö";
  }
  EXPECT_EQ(folder_for_model(long_name).size(), 199u);
}

}  // namespace
}  // namespace onnxop
