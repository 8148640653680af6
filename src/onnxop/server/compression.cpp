#include "onnxop/server/compression.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <memory>
#include <string>

#include <zlib.h>

#include "onnxop/base/error.h"

namespace onnxop {
namespace {

constexpr std::size_t kChunk = 64U << 10;
constexpr std::size_t kWorthIt = 1024;  // bytes; less is not encoded
constexpr int kGzipWindow = 15 + 16;
constexpr int kAnyWindow = 15 + 32;  // gzip or zlib, as the bytes say
constexpr int kFastLevel = 1;

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return result;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) {
    text.remove_prefix(1);
  }
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) {
    text.remove_suffix(1);
  }
  return text;
}

Bytef* zlib_bytes(const std::byte* bytes) {
  return reinterpret_cast<Bytef*>(const_cast<std::byte*>(bytes));
}

}  // namespace

std::vector<std::byte> decompressed(std::span<const std::byte> from, std::size_t padding,
                                    std::uint64_t max_bytes, std::string_view what) {
  z_stream stream{};
  if (::inflateInit2(&stream, kAnyWindow) != Z_OK) {
    fail(ErrorCode::kInternal, "zlib cannot be begun");
  }
  const std::unique_ptr<z_stream, int (*)(z_stream*)> end(&stream, ::inflateEnd);
  stream.next_in = zlib_bytes(from.data());
  stream.avail_in = static_cast<uInt>(from.size());
  std::vector<std::byte> to(padding);
  int status = Z_OK;
  while (status == Z_OK) {
    const std::size_t before = to.size();
    to.resize(before + kChunk);
    stream.next_out = zlib_bytes(to.data() + before);
    stream.avail_out = static_cast<uInt>(kChunk);
    status = ::inflate(&stream, Z_NO_FLUSH);
    to.resize(to.size() - stream.avail_out);
    if (to.size() - padding > max_bytes) {
      fail(ErrorCode::kTooLarge, "the decoded {} has more than {} bytes, expected at most that",
           what, max_bytes);
    }
  }
  if (status != Z_STREAM_END || stream.avail_in > 0) {
    fail(ErrorCode::kInvalidArgument, "the {} is neither gzip nor deflate, as it should be: {}",
         what,
         stream.msg != nullptr    ? stream.msg
         : status == Z_STREAM_END ? "bytes are left behind its end"
                                  : "it ends early");
  }
  return to;
}

void decode_body(Request& request, std::uint64_t max_bytes) {
  const std::string encoding = lower(trimmed(request.field("content-encoding")));
  if (encoding.empty() || encoding == "identity") {
    return;
  }
  if (encoding != "gzip" && encoding != "x-gzip" && encoding != "deflate") {
    fail(ErrorCode::kUnsupported, "Content-Encoding: got '{}', expected gzip, deflate or none",
         encoding);
  }
  request.body = decompressed(request.content(), request.body_padding, max_bytes, "body");
}

Encoding accepted_encoding(std::string_view accept) {
  double gzip = 0;
  double deflate = 0;
  while (!accept.empty()) {
    const std::string_view item = accept.substr(0, accept.find(','));
    accept.remove_prefix(std::min(accept.size(), item.size() + 1));
    const auto semicolon = item.find(';');
    const std::string name = lower(trimmed(item.substr(0, semicolon)));
    double quality = 1;
    if (semicolon != std::string_view::npos) {
      const std::string_view parameter = trimmed(item.substr(semicolon + 1));
      if (lower(parameter.substr(0, 2)) == "q=") {
        std::from_chars(parameter.data() + 2, parameter.data() + parameter.size(), quality);
      }
    }
    if (name == "gzip" || name == "x-gzip" || name == "*") {
      gzip = std::max(gzip, quality);
    } else if (name == "deflate") {
      deflate = quality;
    }
  }
  return gzip > 0 && gzip >= deflate ? Encoding::kGzip
         : deflate > 0               ? Encoding::kDeflate
                                     : Encoding::kIdentity;
}

void encode_body(Response& response, Encoding encoding) {
  if (encoding == Encoding::kIdentity || response.size() < kWorthIt) {
    return;
  }
  z_stream stream{};
  const int window = encoding == Encoding::kGzip ? kGzipWindow : MAX_WBITS;
  if (::deflateInit2(&stream, kFastLevel, Z_DEFLATED, window, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
    return;  // unencoded is right, too
  }
  const std::unique_ptr<z_stream, int (*)(z_stream*)> end(&stream, ::deflateEnd);
  std::string to(::deflateBound(&stream, static_cast<uLong>(response.size())), '\0');
  stream.next_out = reinterpret_cast<Bytef*>(to.data());
  stream.avail_out = static_cast<uInt>(to.size());
  const auto put = [&](const std::byte* bytes, std::size_t size, int flush) {
    stream.next_in = zlib_bytes(bytes);
    stream.avail_in = static_cast<uInt>(size);
    return ::deflate(&stream, flush);
  };
  put(reinterpret_cast<const std::byte*>(response.body.data()), response.body.size(), Z_NO_FLUSH);
  for (const auto& part : response.tail) {
    put(part.data(), part.size(), Z_NO_FLUSH);
  }
  if (put(nullptr, 0, Z_FINISH) != Z_STREAM_END) {
    return;
  }
  to.resize(to.size() - stream.avail_out);
  response.body = std::move(to);
  response.tail.clear();
  response.tail_owner.reset();
  response.fields.emplace_back("Content-Encoding",
                               encoding == Encoding::kGzip ? "gzip" : "deflate");
  response.fields.emplace_back("Vary", "Accept-Encoding");
}

}  // namespace onnxop
