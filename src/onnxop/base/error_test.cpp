#include "onnxop/base/error.h"

#include <gtest/gtest.h>

namespace onnxop {
namespace {

TEST(Error, CarriesCodeAndFormattedMessage) {
  try {
    fail(ErrorCode::kNotFound, "{}: got {}, expected {}", "f.idx", 3, 4);
    FAIL() << "nothing was thrown";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::kNotFound);
    EXPECT_STREQ(e.what(), "f.idx: got 3, expected 4");
  }
}

TEST(Error, EveryCodeHasItsOwnName) {
  EXPECT_EQ(error_code_name(ErrorCode::kInvalidArgument), "invalid_argument");
  EXPECT_EQ(error_code_name(ErrorCode::kIo), "io");
  EXPECT_NE(error_code_name(ErrorCode::kDataLoss), error_code_name(ErrorCode::kUnavailable));
}

}  // namespace
}  // namespace onnxop
