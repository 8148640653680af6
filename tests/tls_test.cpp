// The service over TLS as a user runs it, asked with curl.

#include <csignal>
#include <memory>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "onnxop/base/file.h"
#include "onnxop/server/test_certificates.h"
#include "support/program.h"

namespace onnxop::testing_support {
namespace {

using testing::HasSubstr;
using testing_server::TestAuthority;

class ServeTls : public testing::Test {
 protected:
  ServeTls() {
    authority_.issue("first");
    authority_.issue("second");
    install("first", "first");
  }

  void install(const std::string& certificate, const std::string& key) const {
    const auto over = std::filesystem::copy_options::overwrite_existing;
    std::filesystem::copy_file(authority_.certificate(certificate), dir_ / "cert.pem", over);
    std::filesystem::copy_file(authority_.key(key), dir_ / "key.pem", over);
  }

  void start(const std::vector<std::string>& more = {}) {
    std::vector<std::string> args{
        "serve",         "--store",     test_store(), "--port",          "0",
        "--port-file",   dir_ / "port", "--tls-cert", dir_ / "cert.pem", "--tls-key",
        dir_ / "key.pem"};
    args.insert(args.end(), more.begin(), more.end());
    server_ = std::make_unique<BackgroundProgram>(args);
    url_ = "https://127.0.0.1:" + server_->wait_for_file(dir_ / "port");
  }

  Outcome curl(std::vector<std::string> more = {}) const {
    std::vector<std::string> argv{
        "curl", "--silent", "--show-error",           "--max-time",
        "30",   "--cacert", authority_.certificate(), url_ + "/health/ready"};
    argv.insert(argv.end(), more.begin(), more.end());
    return run_program(argv);
  }

  /// What a new connection is shown.
  bool serves(const std::string& name) const {
    return curl({"--verbose"}).err.find("subject: CN=" + name) != std::string::npos;
  }

  TempDir dir_;
  TestAuthority authority_{dir_.path(), "authority"};
  std::string url_;
  std::unique_ptr<BackgroundProgram> server_;
};

TEST_F(ServeTls, AnswersWhoTrustsItsCertificate) {
  start();
  const Outcome outcome = curl({"--verbose"});
  EXPECT_EQ(outcome.out, R"({"status":"ready"})");
  EXPECT_THAT(outcome.err, HasSubstr("TLSv1.3"));
  EXPECT_EQ(curl({"--tls-max", "1.2"}).exit_code, 0);
  EXPECT_NE(curl({"--cacert", authority_.certificate("second")}).exit_code, 0);
  const std::string page = curl({url_ + "/"}).out;
  EXPECT_THAT(page, HasSubstr(url_ + "/api/classify_digit"));
  server_->signal(SIGTERM);
  EXPECT_EQ(server_->wait().exit_code, 0);
}

TEST_F(ServeTls, SighupReadsTheCertificateAgain) {
  start();
  EXPECT_TRUE(serves("first"));
  install("second", "second");
  EXPECT_TRUE(serves("first"));
  server_->signal(SIGHUP);
  while (server_->running() && !serves("second")) {
  }
  server_->signal(SIGTERM);
  const Outcome outcome = server_->wait();
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_THAT(outcome.err, HasSubstr("new connections get the certificate"));
}

TEST_F(ServeTls, ABrokenNewCertificateIsLoggedAndTheOldOneGoesOn) {
  start();
  install("second", "first");
  server_->signal(SIGHUP);
  while (server_->running() && server_->log().find("key.pem") == std::string::npos) {
  }
  EXPECT_THAT(server_->log(), HasSubstr("goes on"));
  EXPECT_TRUE(serves("first"));
}

TEST_F(ServeTls, ClientsShowACertificateWhereTheyMust) {
  start({"--tls-client-ca", authority_.certificate()});
  EXPECT_NE(curl().exit_code, 0);
  const Outcome outcome =
      curl({"--cert", authority_.certificate("second"), "--key", authority_.key("second")});
  EXPECT_EQ(outcome.out, R"({"status":"ready"})") << outcome.err;
}

TEST_F(ServeTls, FilesThatCannotBeUsedEndTheStart) {
  const auto fails = [&](const std::vector<std::string>& tls) {
    std::vector<std::string> args{"serve", "--store", test_store(), "--port", "0"};
    args.insert(args.end(), tls.begin(), tls.end());
    return run_onnxop(args);
  };
  const std::string key = dir_ / "key.pem";
  const Outcome missing = fails({"--tls-cert", dir_ / "none.pem", "--tls-key", key});
  EXPECT_EQ(missing.exit_code, 1);
  EXPECT_THAT(missing.err, HasSubstr("none.pem"));
  const Outcome other = fails({"--tls-cert", authority_.certificate("second"), "--tls-key", key});
  EXPECT_EQ(other.exit_code, 1);
  EXPECT_THAT(other.err, HasSubstr("second.pem"));
  EXPECT_EQ(fails({"--tls-cert", dir_ / "cert.pem"}).exit_code, 2);
  EXPECT_EQ(fails({"--tls-client-ca", dir_ / "cert.pem"}).exit_code, 2);
}

}  // namespace
}  // namespace onnxop::testing_support
