#include "onnxop/base/secret.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "onnxop/base/error.h"

namespace onnxop {

void fill_secret(std::span<std::byte> bytes) {
  if (RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(bytes.size())) !=
      1) {
    fail(ErrorCode::kInternal, "OpenSSL has no random numbers");
  }
}

bool equal_in_constant_time(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace onnxop
