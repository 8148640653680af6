#pragma once
// SHA-256 (FIPS 180-4) as 64 lower-case hex digits.

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>

namespace onnxop {

/// Of bytes that come in pieces. One thread at a time.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  void update(std::span<const std::byte> bytes);
  /// Ends the computation; the object is used up.
  std::string hex_digest();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

std::string sha256_hex(std::span<const std::byte> bytes);

/// Of a file's content, read in pieces. Throws Error{kNotFound} or {kIo}.
std::string sha256_file(const std::filesystem::path& path);

}  // namespace onnxop
