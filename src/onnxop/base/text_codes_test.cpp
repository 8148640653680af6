#include <gtest/gtest.h>

#include "onnxop/base/base64.h"
#include "onnxop/base/utf8.h"

namespace onnxop {
namespace {

TEST(Utf8, CountsCharacters) {
  EXPECT_EQ(count_utf8_characters(""), 0U);
  EXPECT_EQ(count_utf8_characters("abc"), 3U);
  EXPECT_EQ(count_utf8_characters("Grüße €😀"), 8U);
}

TEST(Utf8, RefusesWhatIsNone) {
  for (const std::string_view text :
       {"\x80", "a\xff", "\xc3", "\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80",
        "\xf8\x88\x80\x80\x80", "\xe2\x82", "\xc3("}) {
    EXPECT_FALSE(is_utf8(text));
  }
}

TEST(Base64, GoesThereAndBack) {
  EXPECT_EQ(to_base64(""), "");
  EXPECT_EQ(to_base64("f"), "Zg==");
  EXPECT_EQ(to_base64("fo"), "Zm8=");
  EXPECT_EQ(to_base64("foobar"), "Zm9vYmFy");
  std::string bytes;
  for (int i = 0; i < 256; ++i) {
    bytes += static_cast<char>(i);
    EXPECT_EQ(from_base64(to_base64(bytes)), bytes);
  }
}

TEST(Base64, RefusesWhatItDidNotMake) {
  for (const std::string_view text : {"Z", "Zg", "Zg=", "Zh==", "Zm9=", "Zm9v\n", " Zm9v",
                                      "Zm9v    ", "Zm-_", "====", "Z===", "Zg==Zg=="}) {
    EXPECT_EQ(from_base64(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace onnxop
