#include "onnxop/workflow/run_origin.h"

#include <algorithm>
#include <array>
#include <optional>
#include <sstream>
#include <string_view>
#include <vector>

#include <pwd.h>
#include <unistd.h>

#include "onnxop/base/error.h"
#include "onnxop/base/file.h"

namespace onnxop {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMostBytes = 1 << 24;  // packed-refs of large repositories are megabytes

std::optional<std::string> text_of(const fs::path& file) {
  try {
    std::string text = read_text_file(file, kMostBytes);
    text.erase(text.find_last_not_of(" \r\n") + 1);
    return text;
  } catch (const Error&) {
    return std::nullopt;
  }
}

bool is_commit(std::string_view text) {
  return (text.size() == 40 || text.size() == 64) &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

/// The repository of the working folder at `folder`: `.git`, or where a file of that name points
/// to.
std::optional<fs::path> repository_at(const fs::path& folder) {
  constexpr std::string_view kPointer = "gitdir: ";
  const fs::path git = folder / ".git";
  std::error_code error;
  if (fs::is_directory(git, error)) {
    return git;
  }
  const auto pointer = text_of(git);
  if (!pointer || !pointer->starts_with(kPointer)) {
    return std::nullopt;
  }
  return folder / pointer->substr(kPointer.size());
}

/// Where a working folder shares its branches with others, they are in the first one's repository.
fs::path common_repository(const fs::path& repository) {
  const auto common = text_of(repository / "commondir");
  return common ? repository / *common : repository;
}

std::string packed_reference(const fs::path& repository, const std::string& reference) {
  std::istringstream lines(text_of(repository / "packed-refs").value_or(""));
  for (std::string line; std::getline(lines, line);) {
    const auto space = line.find(' ');
    if (space != std::string::npos && std::string_view(line).substr(space + 1) == reference) {
      return line.substr(0, space);
    }
  }
  return {};
}

std::string commit_in(const fs::path& repository) {
  constexpr std::string_view kReference = "ref: ";
  const auto head = text_of(repository / "HEAD");
  if (!head) {
    return {};
  }
  if (!head->starts_with(kReference)) {
    return *head;
  }
  const std::string reference = head->substr(kReference.size());
  if (reference.find("..") != std::string::npos || reference.starts_with('/')) {
    return {};
  }
  const fs::path common = common_repository(repository);
  const auto loose = text_of(common / reference);
  return loose ? *loose : packed_reference(common, reference);
}

}  // namespace

std::string current_user() {
  std::array<char, 4096> buffer{};
  passwd entry{};
  passwd* found = nullptr;
  if (::getpwuid_r(::geteuid(), &entry, buffer.data(), buffer.size(), &found) == 0 &&
      found != nullptr) {
    return entry.pw_name;
  }
  return std::to_string(::geteuid());
}

std::string git_commit(const fs::path& folder) {
  std::error_code error;
  fs::path at = fs::absolute(folder, error);
  while (!error) {
    if (const auto repository = repository_at(at)) {
      std::string commit = commit_in(*repository);
      return is_commit(commit) ? commit : std::string();
    }
    if (!at.has_relative_path()) {
      return {};
    }
    at = at.parent_path();
  }
  return {};
}

}  // namespace onnxop
