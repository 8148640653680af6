#include "onnxop/registry/bulk_rows.h"

#include "onnxop/base/format.h"

namespace onnxop {

std::string value_list(std::size_t rows, std::size_t parameters, std::string_view beginning) {
  std::string text;
  std::size_t number = 0;
  for (std::size_t row = 0; row < rows; ++row) {
    text += row == 0 ? "(" : ", (";
    text += beginning;
    for (std::size_t i = 0; i < parameters; ++i) {
      text += format("{}:v{}", i == 0 ? "" : ", ", number++);
    }
    text += ")";
  }
  return text;
}

}  // namespace onnxop
