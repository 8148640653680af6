// The server over TLS, on a real port.

#include <csignal>
#include <semaphore>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "onnxop/base/json_value.h"
#include "onnxop/base/test_folder.h"
#include "onnxop/server/test_certificates.h"
#include "onnxop/server/test_server.h"
#include "onnxop/server/test_tls_client.h"

namespace onnxop::testing_server {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

constexpr std::string_view kHttp11Only = "\x08http/1.1";
constexpr std::string_view kHttp2First = "\x02h2\x08http/1.1";
constexpr std::string_view kHttp2Only = "\x02h2";

class TlsServerTest : public ServerTest {
 protected:
  TlsServerTest() { authority_.issue("first"); }

  TlsFiles files(bool ask_clients = false) const {
    return {folder_.path() / "cert.pem", folder_.path() / "key.pem",
            ask_clients ? authority_.certificate() : std::filesystem::path()};
  }

  /// What the server reads from now on.
  void install(const std::string& certificate, const std::string& key) const {
    const auto over = std::filesystem::copy_options::overwrite_existing;
    std::filesystem::copy_file(authority_.certificate(certificate), files().certificate, over);
    std::filesystem::copy_file(authority_.key(key), files().key, over);
  }

  void start_tls(ServerOptions options = {}, bool ask_clients = false) {
    install("first", "first");
    certificates_ = std::make_shared<TlsCertificates>(files(ask_clients));
    options.tls = certificates_;
    start(std::move(options));
  }

  std::unique_ptr<TlsClient> connect_tls(const TlsClientOptions& options = {}) const {
    return std::make_unique<TlsClient>(running_->port(), options);
  }

  TlsClientOptions as_client(const TestAuthority& authority, const std::string& name) const {
    return {.certificate = authority.certificate(name), .key = authority.key(name)};
  }

  TestFolder folder_;
  TestAuthority authority_{folder_.path(), "authority"};
  std::shared_ptr<TlsCertificates> certificates_;
};

TEST_F(TlsServerTest, AnswersAsInClear) {
  start_tls();
  const auto client = connect_tls();
  EXPECT_EQ(client->version(), "TLSv1.3");
  for (int i = 0; i < 20; ++i) {
    const Answer answer = client->ask(post("/api/classify_digit", image_of(i % 10)));
    ASSERT_EQ(parse_json(answer.body, "answer")["label"], format("{}", i % 10));
  }
  EXPECT_EQ(client->ask(get("/health/live", "Connection: close\r\n")).status, 200);
  EXPECT_TRUE(client->at_end());
  EXPECT_TRUE(client->was_told_of_the_end());
}

TEST_F(TlsServerTest, TakesLargeBodiesAndBytesOneByOne) {
  start_tls();
  const auto client = connect_tls();
  const std::string image = image_of(6, 2000, 2000);
  EXPECT_EQ(parse_json(client->ask(post("/api/classify_digit", image)).body, "answer")["label"],
            "6");
  for (const char byte : post("/api/classify_digit", image_of(5)).substr(0, 300)) {
    ASSERT_TRUE(client->send(std::string_view(&byte, 1)));
  }
  client->send(std::string_view(post("/api/classify_digit", image_of(5))).substr(300));
  EXPECT_EQ(parse_json(client->receive()->body, "answer")["label"], "5");
}

TEST_F(TlsServerTest, WaitsForWhoReadsSlowly) {
  start_tls();
  const auto client = connect_tls();
  std::string requests;
  constexpr int kCount = 400;  // more bytes of answers than the sockets hold
  for (int i = 0; i < kCount; ++i) {
    requests += get("/openapi.json");
  }
  client->send(requests);
  const Answer other = connect_tls()->ask(get("/openapi.json"));
  for (int i = 0; i < kCount; ++i) {
    const auto answer = client->receive();
    ASSERT_TRUE(answer) << i;
    ASSERT_EQ(answer->body, other.body) << i;
  }
}

TEST_F(TlsServerTest, SpeaksTls12AndLater) {
  start_tls();
  EXPECT_EQ(connect_tls({.max_version = TLS1_2_VERSION})->ask(get("/health/live")).status, 200);
  EXPECT_THROW(connect_tls({.max_version = TLS1_1_VERSION}), std::runtime_error);
}

TEST_F(TlsServerTest, AgreesOnHttp11) {
  start_tls();
  EXPECT_EQ(connect_tls()->protocol(), "");
  EXPECT_EQ(connect_tls({.protocols = kHttp11Only})->protocol(), "http/1.1");
  EXPECT_EQ(connect_tls({.protocols = kHttp2First})->protocol(), "http/1.1");
  EXPECT_THROW(connect_tls({.protocols = kHttp2Only}), std::runtime_error);
}

TEST_F(TlsServerTest, LetsInWhoHasACertificate) {
  start_tls({}, true);
  authority_.issue("alice");
  std::filesystem::create_directory(folder_.path() / "other");
  const TestAuthority other(folder_.path() / "other", "other");
  other.issue("mallory");
  EXPECT_EQ(connect_tls(as_client(authority_, "alice"))->ask(get("/health/live")).status, 200);
  EXPECT_THROW(connect_tls()->ask(get("/health/live")), std::runtime_error);
  EXPECT_THROW(connect_tls(as_client(other, "mallory"))->ask(get("/health/live")),
               std::runtime_error);
  EXPECT_THROW(connect_tls({.max_version = TLS1_2_VERSION}), std::runtime_error);
  const Answer metrics = connect_tls(as_client(authority_, "alice"))->ask(get("/metrics"));
  EXPECT_THAT(metrics.body, HasSubstr("onnxop_tls_handshake_failures_total 3"));
}

TEST_F(TlsServerTest, NewCertificatesAreForNewConnections) {
  start_tls();
  authority_.issue("second");
  const auto old = connect_tls();
  EXPECT_EQ(old->server_name(), "first");
  install("second", "first");
  EXPECT_THROW(certificates_->reload(), Error);
  EXPECT_EQ(connect_tls()->server_name(), "first") << "a broken one changes nothing";
  install("second", "second");
  certificates_->reload();
  EXPECT_EQ(connect_tls()->server_name(), "second");
  EXPECT_EQ(connect_tls()->ask(get("/health/live")).status, 200);
  EXPECT_EQ(old->ask(get("/health/live")).status, 200) << "nobody is dropped";
}

TEST_F(TlsServerTest, SighupIsPassedOn) {
  std::counting_semaphore<> called{0};
  start({.handle_signals = true, .on_hangup = [&] {
           called.release();
           throw std::runtime_error("a broken file");
         }});
  testing::internal::CaptureStderr();
  ::kill(::getpid(), SIGHUP);
  called.acquire();
  ::kill(::getpid(), SIGHUP);
  called.acquire();
  EXPECT_EQ(ask(get("/health/live")).status, 200);
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("a broken file"));
}

TEST_F(TlsServerTest, PlainHttpIsToldSo) {
  start_tls();
  const Answer answer = ask(get("/health/live"));
  EXPECT_EQ(answer.status, 400);
  EXPECT_THAT(error_of(answer), HasSubstr("https://"));
}

TEST_F(TlsServerTest, SilenceAndNonsenseAreNoHandshake) {
  start_tls({.limits = {.handshake_timeout = milliseconds(50)}});
  Client silent = connect();
  EXPECT_TRUE(silent.at_end());
  Client nonsense = connect();
  nonsense.send("\x16\x03\x01\x00\x05hello hello");
  EXPECT_EQ(nonsense.receive(), std::nullopt);
  EXPECT_EQ(connect_tls()->ask(get("/health/live")).status, 200);
}

TEST_F(TlsServerTest, TooManyConnectionsAreToldSo) {
  start_tls({.limits = {.max_connections = 1}});
  const auto first = connect_tls();
  EXPECT_EQ(first->ask(get("/health/live")).status, 200);
  const auto answer = connect_tls()->receive();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 503);
}

TEST_F(TlsServerTest, TimeLimitsHold) {
  start_tls({.limits = {.header_timeout = milliseconds(50),
                        .body_timeout = milliseconds(50),
                        .idle_timeout = milliseconds(50)}});
  EXPECT_EQ(connect_tls()->ask("GET / HTTP/1.1\r\nHo").status, 408);
  EXPECT_EQ(connect_tls()
                ->ask("POST /api/classify_digit HTTP/1.1\r\nHost: t\r\nContent-Length: 9\r\n\r\nP")
                .status,
            408);
  const auto idle = connect_tls();
  EXPECT_EQ(idle->ask(get("/health/live")).status, 200);
  EXPECT_TRUE(idle->at_end());
}

TEST_F(TlsServerTest, StopClosesWhoWaits) {
  start_tls();
  const auto idle = connect_tls();
  EXPECT_EQ(idle->ask(get("/health/live")).status, 200);
  running_->server().stop();
  EXPECT_TRUE(idle->at_end());
  EXPECT_TRUE(idle->was_told_of_the_end());
  running_->wait();
}

TEST_F(TlsServerTest, WhoLeavesTheQueueIsNotScored) {
  std::counting_semaphore<> begun{0};
  std::counting_semaphore<> go{0};
  const auto held = std::make_shared<FakeScorer>(scorer_->inputs(), scorer_->outputs(),
                                                 [&](std::span<const NamedTensor> inputs) {
                                                   begun.release();
                                                   go.acquire();
                                                   return scorer_->run(inputs);
                                                 });
  const ModelLease model = served("mnist", 1, held);
  catalog_.publish(set_of(model));
  install("first", "first");
  start({.tls = std::make_shared<TlsCertificates>(files())}, 1);
  const auto running = connect_tls();
  running->send(post("/api/classify_digit", image_of(1)));
  begun.acquire();
  const auto polite = connect_tls();
  const auto killed = connect_tls();
  const auto eager = connect_tls();
  for (TlsClient* client : {polite.get(), killed.get(), eager.get()}) {
    client->send(post("/api/classify_digit", image_of(2)));
  }
  while (model->queue->waiting() < 3) {
    std::this_thread::yield();
  }
  eager->send(get("/health/live"));  // who asks for more is still there
  polite->say_goodbye();
  killed->abort();
  while (model->queue->waiting() > 1) {
    std::this_thread::yield();
  }
  go.release(2);
  EXPECT_EQ(running->receive()->status, 200);
  EXPECT_EQ(parse_json(eager->receive()->body, "answer")["label"], "2");
  EXPECT_EQ(eager->receive()->status, 200);
  running_.reset();  // its executors use what goes now
}

}  // namespace
}  // namespace onnxop::testing_server
