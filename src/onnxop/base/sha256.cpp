#include "onnxop/base/sha256.h"

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <vector>

#include <openssl/evp.h>

#include "onnxop/base/error.h"

namespace onnxop {

struct Sha256::State {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  ~State() { EVP_MD_CTX_free(context); }
};

Sha256::Sha256() : state_(std::make_unique<State>()) {
  if (EVP_DigestInit_ex(state_->context, EVP_sha256(), nullptr) != 1) {
    fail(ErrorCode::kInternal, "SHA-256 is not available in OpenSSL");
  }
}

Sha256::~Sha256() = default;

void Sha256::update(std::span<const std::byte> bytes) {
  if (EVP_DigestUpdate(state_->context, bytes.data(), bytes.size()) != 1) {
    fail(ErrorCode::kInternal, "SHA-256 failed");
  }
}

std::string Sha256::hex_digest() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  if (EVP_DigestFinal_ex(state_->context, digest.data(), &size) != 1) {
    fail(ErrorCode::kInternal, "SHA-256 failed");
  }
  std::string hex;
  for (unsigned i = 0; i < size; ++i) {
    hex += format("{:02x}", digest[i]);
  }
  return hex;
}

std::string sha256_hex(std::span<const std::byte> bytes) {
  Sha256 hash;
  hash.update(bytes);
  return hash.hex_digest();
}

std::string sha256_file(const std::filesystem::path& path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rbe"),
                                                             &std::fclose);
  if (!file) {
    fail(errno == ENOENT ? ErrorCode::kNotFound : ErrorCode::kIo, "{}: cannot open: {}",
         path.string(), std::strerror(errno));
  }
  Sha256 hash;
  std::vector<std::byte> piece(1 << 18);
  while (const std::size_t n = std::fread(piece.data(), 1, piece.size(), file.get())) {
    hash.update(std::span(piece).first(n));
  }
  if (std::ferror(file.get()) != 0) {
    fail(ErrorCode::kIo, "{}: cannot read: {}", path.string(), std::strerror(errno));
  }
  return hash.hex_digest();
}

}  // namespace onnxop
