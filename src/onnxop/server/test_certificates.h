#pragma once
// For tests: a certificate authority in a folder of its own, made with the program `openssl`.

#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

#include "onnxop/base/process.h"

namespace onnxop::testing_server {

class TestAuthority {
 public:
  /// `folder` is there, and holds NAME.pem and NAME.key of all that is made.
  TestAuthority(std::filesystem::path folder, const std::string& name)
      : folder_(std::move(folder)), name_(name) {
    make(name, {});
  }

  std::filesystem::path certificate() const { return certificate(name_); }
  std::filesystem::path certificate(const std::string& name) const {
    return folder_ / (name + ".pem");
  }
  std::filesystem::path key(const std::string& name) const { return folder_ / (name + ".key"); }

  /// For this machine, with `name` as its common name.
  void issue(const std::string& name) const {
    make(name, {"-CA", certificate().string(), "-CAkey", key(name_).string(), "-addext",
                "subjectAltName=IP:127.0.0.1,DNS:localhost", "-addext",
                "basicConstraints=critical,CA:FALSE"});
  }

 private:
  void make(const std::string& name, const std::vector<std::string>& more) const {
    std::vector<std::string> argv{"openssl",
                                  "req",
                                  "-x509",
                                  "-newkey",
                                  "ec",
                                  "-pkeyopt",
                                  "ec_paramgen_curve:P-256",
                                  "-nodes",
                                  "-days",
                                  "2",
                                  "-subj",
                                  "/CN=" + name,
                                  "-keyout",
                                  key(name).string(),
                                  "-out",
                                  certificate(name).string()};
    argv.insert(argv.end(), more.begin(), more.end());
    const ProcessResult result = run_process(argv);
    if (result.exit_code != 0) {
      throw std::runtime_error("openssl made no certificate: " + result.output);
    }
  }

  std::filesystem::path folder_;
  std::string name_;
};

}  // namespace onnxop::testing_server
