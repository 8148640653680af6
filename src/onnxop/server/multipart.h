#pragma once
// The files of a multipart/form-data body (RFC 7578). Safe from any thread.

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

namespace onnxop {

/// True for a Content-Type of that kind.
bool is_multipart(std::string_view content_type);

/// The contents of all parts, in order; they look into `body`. Throws Error{kInvalidArgument} for a
/// content type without a boundary, a body that does not end with it, a part without an empty line
/// behind its fields, and no or more than `max_parts` parts.
std::vector<std::span<const std::byte>> multipart_files(std::span<const std::byte> body,
                                                        std::string_view content_type,
                                                        std::size_t max_parts);

}  // namespace onnxop
