#pragma once
// Tables as comma-separated values (RFC 4180, lines ending in LF).

#include <span>
#include <string>
#include <vector>

namespace onnxop {

std::string csv_text(std::span<const std::vector<std::string>> rows);

}  // namespace onnxop
