#include "onnxop/wire/oip_datatype.h"

#include <string_view>

#include <gtest/gtest.h>

namespace onnxop {
namespace {

TEST(OipDatatype, NamesOfEveryType) {
  EXPECT_EQ(oip_datatype(DType::kBool), "BOOL");
  EXPECT_EQ(oip_datatype(DType::kFloat16), "FP16");
  EXPECT_EQ(oip_datatype(DType::kFloat32), "FP32");
  EXPECT_EQ(oip_datatype(DType::kBfloat16), "BF16");
  EXPECT_EQ(oip_datatype(DType::kString), "BYTES");
  EXPECT_EQ(oip_datatype(DType::kUint16), "UINT16");
  int known = 0;
  for (int number = 0; number <= 255; ++number) {
    const auto dtype = static_cast<DType>(number);
    const auto name = oip_datatype(dtype);
    if (!name.empty()) {
      ++known;
      EXPECT_EQ(dtype_of_oip(name), dtype) << name;
      EXPECT_NE(oip_datatypes().find(name), std::string_view::npos) << name;
    }
  }
  EXPECT_EQ(known, 14);
  EXPECT_EQ(oip_datatype(DType::kComplex64), "");
}

TEST(OipDatatype, OtherNamesAreNone) {
  for (const char* name : {"", "fp32", "FP32 ", "FLOAT", "STRING", "TYPE_FP32", "FP8"}) {
    EXPECT_EQ(dtype_of_oip(name), DType::kUndefined) << name;
  }
}

}  // namespace
}  // namespace onnxop
