#include "onnxop/server/tls_credentials.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "onnxop/base/process.h"
#include "onnxop/base/test_error.h"
#include "onnxop/base/test_folder.h"
#include "onnxop/server/test_certificates.h"

namespace onnxop::testing_server {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class TlsCredentialsTest : public testing::Test {
 protected:
  TlsCredentialsTest() { authority_.issue("server"); }

  TlsFiles good() const {
    return {authority_.certificate("server"), authority_.key("server"), authority_.certificate()};
  }

  static std::string problem_of(const TlsFiles& files) {
    return error_of([&] { const TlsCredentials credentials(files); }).what();
  }

  TestFolder folder_;
  TestAuthority authority_{folder_.path(), "authority"};
};

TEST_F(TlsCredentialsTest, ReadsWhatIsThere) {
  const TlsCredentials credentials(good());
  EXPECT_NE(credentials.context(TlsProtocol::kHttp1), nullptr);
  EXPECT_NE(credentials.context(TlsProtocol::kHttp2), nullptr);
  EXPECT_NE(credentials.context(TlsProtocol::kHttp1), credentials.context(TlsProtocol::kHttp2));
  const std::string chain = read_text_file(good().certificate) + read_text_file(good().client_ca);
  EXPECT_NO_THROW(TlsCredentials({folder_.write("chain.pem", chain), good().key, {}}));
}

TEST_F(TlsCredentialsTest, ErrorsNameTheFile) {
  TlsFiles files = good();
  files.certificate = folder_.path() / "none.pem";
  EXPECT_EQ(code_of([&] { const TlsCredentials credentials(files); }), ErrorCode::kNotFound);
  EXPECT_THAT(problem_of(files), AllOf(HasSubstr("certificate"), HasSubstr("none.pem")));
  files = good();
  files.key = folder_.path();
  EXPECT_THAT(problem_of(files), AllOf(HasSubstr("key"), HasSubstr(folder_.path().string())));
  files = good();
  std::swap(files.certificate, files.key);
  EXPECT_THAT(problem_of(files), AllOf(HasSubstr("server.key"), HasSubstr("no certificate")));
  files = good();
  files.key = files.certificate;
  EXPECT_THAT(problem_of(files), AllOf(HasSubstr("server.pem"), HasSubstr("no private key")));
  files = good();
  files.client_ca = folder_.write("text.pem", std::string_view("hello"));
  EXPECT_THAT(problem_of(files), AllOf(HasSubstr("text.pem"), HasSubstr("no certificate")));
  std::string damaged = read_text_file(good().certificate);
  damaged.replace(damaged.size() / 2, 4, "!!!!");
  files = good();
  files.certificate = folder_.write("damaged.pem", damaged);
  EXPECT_THAT(problem_of(files), AllOf(HasSubstr("damaged.pem"), HasSubstr("certificate 1")));
}

TEST_F(TlsCredentialsTest, TheKeyIsTheCertificates) {
  authority_.issue("other");
  TlsFiles files = good();
  files.key = authority_.key("other");
  EXPECT_THAT(problem_of(files),
              AllOf(HasSubstr("server.pem"), HasSubstr("other.key"), HasSubstr("not that of")));
}

TEST_F(TlsCredentialsTest, NobodyIsAskedForAPassword) {
  const auto encrypted = folder_.path() / "encrypted.key";
  const ProcessResult made = run_process({"openssl", "pkcs8", "-topk8", "-in", good().key.string(),
                                          "-out", encrypted.string(), "-passout", "pass:secret"});
  ASSERT_EQ(made.exit_code, 0) << made.output;
  TlsFiles files = good();
  files.key = encrypted;
  EXPECT_THAT(problem_of(files), AllOf(HasSubstr("encrypted.key"), HasSubstr("password")));
}

}  // namespace
}  // namespace onnxop::testing_server
