#include "onnxop/server/token_file.h"

#include <utility>

#include "onnxop/base/file.h"
#include "onnxop/base/log.h"
#include "onnxop/base/secret.h"

namespace onnxop {
namespace {

constexpr std::uint64_t kMostBytes = 1U << 20;

}  // namespace

TokenFile::TokenFile(std::filesystem::path path, const WatchOptions& watch)
    : path_(std::move(path)),
      text_(read_text_file(path_, kMostBytes)),
      tokens_(std::make_shared<TokenTable>(TokenTable::parse(text_, path_.string()))),
      watcher_(
          [this] {
            return std::vector<std::filesystem::path>{
                std::filesystem::absolute(path_).parent_path()};
          },
          [this] {
            refresh();
            return false;
          },
          watch) {}

void TokenFile::refresh() noexcept {
  const std::lock_guard one_at_a_time(refreshing_);
  try {
    std::string text = read_text_file(path_, kMostBytes);
    if (text == text_) {
      problem_.clear();
      return;
    }
    auto tokens = std::make_shared<const TokenTable>(TokenTable::parse(text, path_.string()));
    log_fields(
        LogLevel::kInfo, "new tokens",
        {{"file", path_.native()}, {"tokens", static_cast<std::int64_t>(tokens->tokens().size())}});
    text_ = std::move(text);
    problem_.clear();
    const std::lock_guard lock(mutex_);
    tokens_ = std::move(tokens);
  } catch (const std::exception& e) {
    if (problem_ != e.what()) {
      problem_ = e.what();
      log_error("the tokens stay as they were: {}", problem_);
    }
  }
}

void append_token(const std::filesystem::path& path, std::string_view line) {
  std::string text;
  try {
    text = read_text_file(path, kMostBytes);
  } catch (const Error& e) {
    if (e.code() != ErrorCode::kNotFound) {
      throw;
    }
  }
  if (!text.empty() && text.back() != '\n') {
    text += '\n';
  }
  text += line;
  text += '\n';
  TokenTable::parse(text, path.string());
  write_secret_file(path, as_bytes(text));
}

}  // namespace onnxop
