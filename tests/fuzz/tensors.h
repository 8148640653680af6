#pragma once
// What every inference request that is read without an error has.

#include <cstdint>
#include <set>
#include <string>

#include "fuzz/fuzz.h"
#include "onnxop/wire/oip_request.h"

namespace onnxop::fuzz {

/// Every element that the shapes promise is there, within the limits.
inline void require_sound(const InferRequest& request, const InferLimits& limits) {
  require(request.inputs.size() <= limits.max_tensors);
  require(request.outputs.size() <= limits.max_tensors);
  std::int64_t elements = 0;
  std::set<std::string> names;
  std::uint64_t sum = 0;  // of all bytes: a sanitizer sees them read
  for (const auto& [name, tensor] : request.inputs) {
    require(names.insert(name).second);
    elements += tensor.size();
    if (tensor.dtype() == DType::kString) {
      require(tensor.strings().size() == static_cast<std::size_t>(tensor.size()));
      for (const std::string& text : tensor.strings()) {
        sum += text.size();
      }
      continue;
    }
    require(tensor.bytes().size() ==
            static_cast<std::size_t>(tensor.size()) * dtype_size(tensor.dtype()));
    for (const std::byte each : tensor.bytes()) {
      sum += std::to_integer<std::uint64_t>(each);
    }
  }
  require(elements <= limits.max_elements);
  volatile const std::uint64_t seen = sum;
  static_cast<void>(seen);
}

}  // namespace onnxop::fuzz
