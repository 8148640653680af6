#pragma once
// For tests: a gate with one token for each role.

#include <memory>
#include <string>
#include <utility>

#include "onnxop/server/access_gate.h"

namespace onnxop::testing_server {

class TestTokens {
 public:
  const std::string infer = new_secret();
  const std::string read = new_secret();
  const std::string track = new_secret();
  const std::string manage = new_secret();

  std::shared_ptr<AccessGate> gate(AccessOptions options = {}) const {
    options.tokens = [table = table_] { return table; };
    return std::make_shared<AccessGate>(std::move(options), clock_);
  }

  static std::string field(const std::string& secret) {
    return "Authorization: Bearer " + secret + "\r\n";
  }

 private:
  SystemClock clock_;
  std::shared_ptr<const TokenTable> table_ = std::make_shared<TokenTable>(TokenTable::parse(
      token_line("i", "infer", infer) + "\n" + token_line("r", "read", read) + "\n" +
          token_line("t", "track", track) + "\n" + token_line("m", "manage", manage),
      "tokens"));
};

}  // namespace onnxop::testing_server
