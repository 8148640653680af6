#pragma once
// Content-Encoding gzip and deflate (RFC 9110, section 8.4.1). Safe from any thread.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "onnxop/server/http_message.h"

namespace onnxop {

enum class Encoding : std::uint8_t { kIdentity, kGzip, kDeflate };

/// Puts the decoded body in place of the request's, if it is encoded. Throws Error{kUnsupported}
/// for another encoding, {kInvalidArgument} for bytes that are none or end early, {kTooLarge} as
/// soon as more than `max_bytes` come out.
void decode_body(Request& request, std::uint64_t max_bytes);

/// The bytes of `what`, gzip or deflate as they say themselves, behind `padding` bytes of zero. The
/// same errors.
std::vector<std::byte> decompressed(std::span<const std::byte> bytes, std::size_t padding,
                                    std::uint64_t max_bytes, std::string_view what);

/// The best of the two that an Accept-Encoding field allows, by its q values; kIdentity where none
/// is asked for.
Encoding accepted_encoding(std::string_view accept_encoding);

/// Encodes body and tail, where that is worth it, and says so in the fields.
void encode_body(Response& response, Encoding encoding);

}  // namespace onnxop
