#include "onnxop/base/utf8.h"

#include <string>

#include <gtest/gtest.h>

namespace onnxop {
namespace {

TEST(Utf8, TextOfAllLengths) {
  EXPECT_TRUE(is_utf8(""));
  EXPECT_TRUE(is_utf8("model"));
  EXPECT_TRUE(is_utf8("é€😀"));
  EXPECT_TRUE(is_utf8("\xf4\x8f\xbf\xbf"));  // U+10FFFF
  EXPECT_TRUE(is_utf8(std::string("a\0b", 3)));
  EXPECT_EQ(utf8_length("a"), 1u);
  EXPECT_EQ(utf8_length("éa"), 2u);
  EXPECT_EQ(utf8_length("€a"), 3u);
  EXPECT_EQ(utf8_length("😀a"), 4u);
  EXPECT_EQ(utf8_length(""), 0u);
}

TEST(Utf8, WhatIsNone) {
  for (const char* bad :
       {"\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xc3", "\xc3(", "\xe2\x82", "\xe2(\xac",
        "\xe0\x80\x80",      // overlong
        "\xed\xa0\x80",      // a surrogate
        "\xf0\x8f\xbf\xbf",  // overlong
        "\xf4\x90\x80\x80",  // beyond U+10FFFF
        "\xf5\x80\x80\x80", "\xff", "a\xfe"}) {
    EXPECT_FALSE(is_utf8(bad)) << bad;
  }
}

TEST(Utf8, APrefixCutsNoCharacter) {
  EXPECT_EQ(utf8_prefix("abc", 5), "abc");
  EXPECT_EQ(utf8_prefix("abc", 3), "abc");
  EXPECT_EQ(utf8_prefix("abc", 2), "ab");
  EXPECT_EQ(utf8_prefix("a€b", 3), "a");
  EXPECT_EQ(utf8_prefix("a€b", 4), "a€");
  EXPECT_EQ(utf8_prefix("€", 2), "");
  EXPECT_EQ(utf8_prefix("abc", 0), "");
}

}  // namespace
}  // namespace onnxop
