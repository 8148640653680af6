#include "onnxop/server/multipart.h"

#include <algorithm>
#include <cctype>
#include <string>

#include "onnxop/base/error.h"

namespace onnxop {
namespace {

bool same_word(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) {
           return std::tolower(static_cast<unsigned char>(x)) ==
                  std::tolower(static_cast<unsigned char>(y));
         });
}

/// The parameter "boundary"; "" when there is none.
std::string boundary_of(std::string_view content_type) {
  constexpr std::string_view kName = "boundary=";
  for (std::size_t at = content_type.find(';'); at != std::string_view::npos;
       at = content_type.find(';', at)) {
    ++at;
    while (at < content_type.size() && content_type[at] == ' ') {
      ++at;
    }
    if (!same_word(content_type.substr(at, kName.size()), kName)) {
      continue;
    }
    std::string_view value = content_type.substr(at + kName.size());
    if (value.starts_with('"')) {
      value.remove_prefix(1);
      return std::string(value.substr(0, value.find('"')));
    }
    return std::string(value.substr(0, value.find_first_of("; \t")));
  }
  return {};
}

}  // namespace

bool is_multipart(std::string_view content_type) {
  constexpr std::string_view kType = "multipart/form-data";
  return same_word(content_type.substr(0, kType.size()), kType);
}

std::vector<std::span<const std::byte>> multipart_files(std::span<const std::byte> body,
                                                        std::string_view content_type,
                                                        std::size_t max_parts) {
  const std::string boundary = boundary_of(content_type);
  if (boundary.empty() || boundary.size() > 70) {
    fail(ErrorCode::kInvalidArgument,
         "Content-Type multipart/form-data: expected a boundary of 1 to 70 characters");
  }
  const std::string_view text(reinterpret_cast<const char*>(body.data()), body.size());
  const std::string delimiter = "\r\n--" + boundary;
  // The first delimiter may stand at the very beginning, without its line break.
  std::size_t at = text.starts_with(std::string_view(delimiter).substr(2)) ? delimiter.size() - 2
                                                                           : text.find(delimiter);
  if (at == std::string_view::npos) {
    fail(ErrorCode::kInvalidArgument, "the body has no part, expected one behind --{}", boundary);
  }
  at += text.starts_with(std::string_view(delimiter).substr(2)) ? 0 : delimiter.size();
  std::vector<std::span<const std::byte>> files;
  while (!text.substr(at).starts_with("--")) {
    const auto head_end = text.find("\r\n\r\n", at);
    const auto next = text.find(delimiter, at);
    if (next == std::string_view::npos || head_end == std::string_view::npos || head_end > next) {
      fail(ErrorCode::kInvalidArgument,
           "part {} of the body: expected fields, an empty line, and --{} at its end",
           files.size() + 1, boundary);
    }
    if (files.size() == max_parts) {
      fail(ErrorCode::kTooLarge, "the body has more than {} parts", max_parts);
    }
    const std::size_t begin = std::min(head_end + 4, next);
    files.push_back(body.subspan(begin, next - begin));
    at = next + delimiter.size();
  }
  if (files.empty()) {
    fail(ErrorCode::kInvalidArgument, "the body has no part");
  }
  return files;
}

}  // namespace onnxop
