#include "onnxop/registry/bulk_rows.h"

namespace onnxop {

std::string value_list(std::size_t rows, std::size_t parameters) {
  std::string text;
  std::size_t number = 0;
  for (std::size_t row = 0; row < rows; ++row) {
    text += row == 0 ? "(" : ", (";
    for (std::size_t i = 0; i < parameters; ++i) {
      text += format("{}:v{}", i == 0 ? "" : ", ", number++);
    }
    text += ")";
  }
  return text;
}

}  // namespace onnxop
