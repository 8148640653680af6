#include "onnxop/plot/text.h"

#include <gtest/gtest.h>

#include "onnxop/plot/terminal.h"

namespace onnxop {
namespace {

TEST(ShownText, ComesBackAsItWas) {
  for (const std::string text : {"plain", "é ß 学習 Ж 😀", ""}) {
    EXPECT_EQ(to_utf8(shown_text(text)), text);
  }
}

TEST(ShownText, WhatIsNoTextIsReplaced) {
  EXPECT_EQ(shown_text("a\xff"
                       "b"),
            U"a\xFFFD"
            U"b");
  EXPECT_EQ(shown_text("\xc3"), U"\xFFFD") << "cut off";
  EXPECT_EQ(shown_text("\xc0\xaf"), U"\xFFFD\xFFFD") << "longer than needed";
  EXPECT_EQ(shown_text("\xed\xa0\x80"), U"\xFFFD\xFFFD\xFFFD") << "half of a pair";
  EXPECT_EQ(shown_text("\xef\xbf\xbf").front(), U'\xFFFD') << "not allowed in XML";
  EXPECT_EQ(shown_text(std::string("a\0b\x1b[31m\n", 9)), U"a b [31m ")
      << "no command reaches a terminal";
  EXPECT_EQ(shown_text("\xc2\x9b"
                       "x\xe2\x80\xae"),
            U" x ");
}

TEST(ShownText, IsCutWithAnEllipsis) {
  EXPECT_EQ(cut_text(U"abcdef", 4), U"abc…");
  EXPECT_EQ(cut_text(U"abcd", 4), U"abcd");
  EXPECT_EQ(cut_text(U"abcd", 0), U"…");
}

TEST(ShownText, TakesColumns) {
  EXPECT_EQ(columns_of(U"abc"), 3U);
  EXPECT_EQ(columns_of(U"学習"), 4U);
  EXPECT_EQ(columns_of(U"e\x301"), 1U);
}

TEST(Terminal, UnicodeGoesByTheLocalesName) {
  EXPECT_TRUE(names_utf8("de_DE.UTF-8"));
  EXPECT_TRUE(names_utf8("C.utf8"));
  EXPECT_TRUE(names_utf8("ca_ES.UTF-8@valencia"));
  EXPECT_FALSE(names_utf8("de_DE.ISO-8859-15@euro"));
  EXPECT_FALSE(names_utf8("C"));
  EXPECT_FALSE(names_utf8(""));
}

}  // namespace
}  // namespace onnxop
