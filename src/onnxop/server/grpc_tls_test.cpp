// gRPC over TLS, on a real port.

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <open_inference.grpc.pb.h>

#include "onnxop/base/test_folder.h"
#include "onnxop/server/grpc_server.h"
#include "onnxop/server/test_certificates.h"
#include "onnxop/server/test_client.h"

namespace onnxop::testing_server {
namespace {

class GrpcTlsTest : public testing::Test {
 protected:
  GrpcTlsTest() {
    authority_.issue("server");
    std::filesystem::create_directory(folder_.path() / "new");
    catalog_.publish(set_of(served("mnist", 3, scorer_)));
    options_.port = 0;
    options_.access_log = false;
  }

  TlsFiles files(bool ask_clients) const {
    return {authority_.certificate("server"), authority_.key("server"),
            ask_clients ? authority_.certificate() : std::filesystem::path()};
  }

  void start(bool ask_clients = false) {
    certificates_ = std::make_shared<TlsCertificates>(files(ask_clients));
    options_.tls = certificates_;
    server_ = std::make_unique<GrpcServer>(options_, core_, "1.2.3");
  }

  /// Over a connection of its own.
  grpc::Status ask(const std::string& roots, const std::string& client = "") const {
    grpc::SslCredentialsOptions options{roots, "", ""};
    if (!client.empty()) {
      options.pem_cert_chain = read_text_file(authority_.certificate(client));
      options.pem_private_key = read_text_file(authority_.key(client));
    }
    grpc::ChannelArguments alone;
    alone.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    const auto stub = inference::GRPCInferenceService::NewStub(grpc::CreateCustomChannel(
        format("127.0.0.1:{}", server_->port()), grpc::SslCredentials(options), alone));
    return ask(*stub);
  }

  static grpc::Status ask(inference::GRPCInferenceService::Stub& stub) {
    grpc::ClientContext context;
    inference::ServerLiveResponse live;
    return stub.ServerLive(&context, {}, &live);
  }

  std::shared_ptr<FakeScorer> scorer_ = fake_classifier(28, 28, 1, 10);
  Catalog catalog_;
  SystemClock clock_;
  Scheduler scheduler_{1, clock_};
  ServingCore core_{catalog_, scheduler_};
  TestFolder folder_;
  TestAuthority authority_{folder_.path(), "authority"};
  std::shared_ptr<TlsCertificates> certificates_;
  GrpcOptions options_;
  std::unique_ptr<GrpcServer> server_;
};

TEST_F(GrpcTlsTest, AnswersWhoTrustsIt) {
  start();
  const auto status = ask(read_text_file(authority_.certificate()));
  EXPECT_TRUE(status.ok()) << status.error_message();
  const TestAuthority other(folder_.path() / "new", "other");
  EXPECT_EQ(ask(read_text_file(other.certificate())).error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(GrpcTlsTest, NewCertificatesAreForNewConnections) {
  start();
  const std::string old_roots = read_text_file(authority_.certificate());
  const grpc::SslCredentialsOptions trust{old_roots, "", ""};
  const auto old = inference::GRPCInferenceService::NewStub(
      grpc::CreateChannel(format("127.0.0.1:{}", server_->port()), grpc::SslCredentials(trust)));
  EXPECT_TRUE(ask(*old).ok());
  const TestAuthority fresh(folder_.path() / "new", "fresh");
  fresh.issue("server");
  const auto over = std::filesystem::copy_options::overwrite_existing;
  std::filesystem::copy_file(fresh.certificate("server"), authority_.certificate("server"), over);
  EXPECT_THROW(certificates_->reload(), Error);
  EXPECT_TRUE(ask(old_roots).ok()) << "a broken one changes nothing";
  std::filesystem::copy_file(fresh.key("server"), authority_.key("server"), over);
  certificates_->reload();
  EXPECT_TRUE(ask(read_text_file(fresh.certificate())).ok());
  EXPECT_FALSE(ask(old_roots).ok());
  EXPECT_TRUE(ask(*old).ok()) << "nobody is dropped";
}

TEST_F(GrpcTlsTest, LetsInWhoHasACertificate) {
  start(true);
  authority_.issue("alice");
  const std::string roots = read_text_file(authority_.certificate());
  EXPECT_TRUE(ask(roots, "alice").ok());
  EXPECT_FALSE(ask(roots).ok());
}

}  // namespace
}  // namespace onnxop::testing_server
