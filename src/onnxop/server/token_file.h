#pragma once
// The file of tokens, read again when it changes: the tokens of its last version that could be
// read.

#include <filesystem>
#include <memory>
#include <mutex>
#include <string>

#include "onnxop/server/access.h"
#include "onnxop/serving/change_watcher.h"

namespace onnxop {

/// Safe from any thread.
class TokenFile {
 public:
  /// Throws Error{kNotFound}, {kIo} or, as TokenTable::parse does, {kInvalidArgument}.
  explicit TokenFile(std::filesystem::path path, const WatchOptions& watch = {});

  std::shared_ptr<const TokenTable> tokens() const {
    const std::lock_guard lock(mutex_);
    return tokens_;
  }

  /// Looks at the file now. One that is broken or gone is logged, once, and the tokens stay.
  void refresh() noexcept;

 private:
  std::filesystem::path path_;
  std::mutex refreshing_;
  std::string text_;     // what was read last
  std::string problem_;  // what was logged last
  mutable std::mutex mutex_;
  std::shared_ptr<const TokenTable> tokens_;
  ChangeWatcher watcher_;  // ends first: it uses all else
};

/// Adds a token's line to the file, which is made if it is not there, for its owner alone to read
/// (mode 0600), and replaced as a whole. Throws Error{kInvalidArgument} where it would be a broken
/// one, as for a name that it has; {kIo}.
void append_token(const std::filesystem::path& path, std::string_view line);

}  // namespace onnxop
