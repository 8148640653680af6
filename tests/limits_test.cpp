// Each limit of the service exceeded, and clients that behave badly, on the built program.

#include <csignal>
#include <memory>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include "onnxop/base/format.h"
#include "onnxop/base/json_value.h"
#include "onnxop/server/test_http_client.h"
#include "support/program.h"

namespace onnxop::testing_support {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing_server::Answer;
using testing_server::Client;

std::string get(const std::string& path, const std::string& fields = "") {
  return "GET " + path + " HTTP/1.1\r\nHost: t\r\n" + fields + "\r\n";
}

std::string post(const std::string& path, const std::string& body, const std::string& fields = "") {
  return "POST " + path + " HTTP/1.1\r\nHost: t\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n" + fields + "\r\n" + body;
}

/// A black digit as PGM.
std::string picture(int side = 28) {
  return "P5\n" + std::to_string(side) + " " + std::to_string(side) + "\n255\n" +
         std::string(static_cast<std::size_t>(side) * static_cast<std::size_t>(side), '\0');
}

class Limits : public testing::Test {
 protected:
  void start(const std::vector<std::string>& more) {
    std::vector<std::string> args{"serve",  "--store", test_store(),  "--log-level", "warning",
                                  "--port", "0",       "--port-file", dir_ / "port"};
    args.insert(args.end(), more.begin(), more.end());
    server_ = std::make_unique<BackgroundProgram>(args);
    port_ = static_cast<std::uint16_t>(std::stoi(server_->wait_for_file(dir_ / "port")));
  }

  Answer ask(const std::string& request) { return Client(port_).ask(request); }

  void expect_refused(int status, const std::string& request, const std::string& what) {
    const Answer answer = ask(request);
    EXPECT_EQ(answer.status, status) << answer.body;
    EXPECT_THAT(parse_json(answer.body, "answer")["error"].get<std::string>(), HasSubstr(what));
    EXPECT_EQ(ask(get("/health/live")).status, 200);
  }

  TempDir dir_;
  std::unique_ptr<BackgroundProgram> server_;
  std::uint16_t port_ = 0;
};

TEST_F(Limits, OfSizes) {
  start({"--max-body-bytes", "2000", "--max-decoded-bytes", "1500", "--max-header-bytes", "512",
         "--max-header-fields", "5", "--max-url-bytes", "100", "--max-pixels", "1000"});
  EXPECT_EQ(ask(post("/api/classify_digit", picture())).status, 200);
  expect_refused(413, post("/api/classify_digit", std::string(2001, 'x')), "2000");
  expect_refused(431, get("/health/live", "X-Long: " + std::string(600, 'x') + "\r\n"), "512");
  expect_refused(431, get("/health/live", "A: 1\r\nB: 1\r\nC: 1\r\nD: 1\r\nE: 1\r\n"), "5");
  expect_refused(414, get("/" + std::string(200, 'x')), "100");
  expect_refused(413, post("/api/classify_digit", picture(40)), "1000");
  // 1600 zeros, compressed.
  const std::string bomb = run_program({"gzip", "--stdout"}, picture(40)).out;
  expect_refused(413, post("/api/classify_digit", bomb, "Content-Encoding: gzip\r\n"), "1500");
}

TEST_F(Limits, OfInferences) {
  start({"--max-json-depth", "6", "--max-tensors", "1", "--max-elements", "1000"});
  const std::string path = "/v2/models/mnist/infer";
  const std::string deep = R"({"inputs":[{"name":"image","shape":[1],"datatype":"FP32","data":)" +
                           std::string(10, '[') + "0" + std::string(10, ']') + "}]}";
  expect_refused(400, post(path, deep), "6 deep");
  const std::string one = R"({"name":"a","shape":[1],"datatype":"FP32","data":[0]})";
  expect_refused(413, post(path, R"({"inputs":[)" + one + "," + one + "]}"), "1");
  expect_refused(
      413, post(path, R"({"inputs":[{"name":"a","shape":[1001],"datatype":"FP32","data":[]}]})"),
      "1000");
}

TEST_F(Limits, OfConnections) {
  start({"--max-connections", "2", "--max-requests-per-connection", "3"});
  Client first(port_);
  EXPECT_EQ(first.ask(get("/health/live")).status, 200);
  Client second(port_);
  EXPECT_EQ(second.ask(get("/health/live")).status, 200);
  EXPECT_EQ(Client(port_).receive()->status, 503);
  EXPECT_EQ(first.ask(get("/health/live")).fields.count("connection"), 0U);
  EXPECT_EQ(first.ask(get("/health/live")).fields.at("connection"), "close");
  EXPECT_EQ(first.receive(), std::nullopt);
}

TEST_F(Limits, OfGrpcConnections) {
  start({"--grpc-port", "0", "--grpc-port-file", dir_ / "grpc-port", "--max-grpc-connections", "1",
         "--handshake-seconds", "0.2"});
  const auto port =
      static_cast<std::uint16_t>(std::stoi(server_->wait_for_file(dir_ / "grpc-port")));
  Client first(port);
  EXPECT_EQ(Client(port).receive(), std::nullopt) << "one too many";
  EXPECT_EQ(first.receive(), std::nullopt) << "it has said nothing";
  EXPECT_EQ(ask(get("/health/live")).status, 200);
}

TEST_F(Limits, ConnectionsAreCountedInTheMetrics) {
  constexpr const char* kGrpc = "onnxop_grpc_connections";
  start({"--grpc-port", "0", "--grpc-port-file", dir_ / "grpc-port"});
  const auto port =
      static_cast<std::uint16_t>(std::stoi(server_->wait_for_file(dir_ / "grpc-port")));
  Client client(port_);
  const auto metrics = [&] { return client.ask(get("/metrics")).body; };
  EXPECT_THAT(metrics(), HasSubstr("onnxop_http_connections 1\n"));
  EXPECT_THAT(metrics(), HasSubstr(format("{} 0\n", kGrpc)));
  auto grpc = std::make_unique<Client>(port);
  const auto is_counted = [&](int open) {
    return metrics().find(format("{} {}\n", kGrpc, open)) != std::string::npos;
  };
  while (!is_counted(1)) {
  }
  grpc.reset();
  while (!is_counted(0)) {
  }
  server_.reset();
  std::filesystem::remove(dir_.path() / "port");
  start({});
  EXPECT_THAT(ask(get("/metrics")).body, Not(HasSubstr(kGrpc)));
}

TEST_F(Limits, OfTime) {
  start({"--header-seconds", "0.05", "--body-seconds", "0.05", "--idle-seconds", "0.05"});
  Client head(port_);
  head.send("GET /health/live HTTP/1.1\r\nHost:");
  EXPECT_EQ(head.receive()->status, 408);
  Client body(port_);
  body.send("POST /api/classify_digit HTTP/1.1\r\nHost: t\r\nContent-Length: 100\r\n\r\nP5");
  EXPECT_EQ(body.receive()->status, 408);
  Client idle(port_);
  EXPECT_EQ(idle.ask(get("/health/live")).status, 200);
  EXPECT_EQ(idle.receive(), std::nullopt) << "closed without a word";
  Client silent(port_);
  EXPECT_EQ(silent.receive(), std::nullopt);
}

TEST_F(Limits, MoreConnectionsThanFilesAreRefusedAtTheStart) {
  const auto outcome = run_onnxop(
      {"serve", "--store", test_store(), "--port", "0", "--max-connections", "2000000000"});
  EXPECT_NE(outcome.exit_code, 0);
  EXPECT_THAT(outcome.err, HasSubstr("ulimit"));
}

TEST_F(Limits, AThousandRequestsInOneWriteAreAnsweredInOrder) {
  start({});
  constexpr int kCount = 1000;
  std::string all;
  for (int i = 0; i < kCount; ++i) {
    all += i % 10 == 0 ? post("/api/classify_digit", picture())
                       : get(i % 2 == 0 ? "/health/live" : "/nowhere");
  }
  Client client(port_);
  ASSERT_TRUE(client.send(all));
  for (int i = 0; i < kCount; ++i) {
    const auto answer = client.receive();
    ASSERT_TRUE(answer) << i;
    EXPECT_EQ(answer->status, i % 10 == 0 || i % 2 == 0 ? 200 : 404) << i;
    EXPECT_EQ(answer->body.find("label") != std::string::npos, i % 10 == 0) << i;
  }
}

TEST_F(Limits, ClientsThatGoAwayInTheMiddleAreForgotten) {
  start({"--max-connections", "20"});
  for (int i = 0; i < 100; ++i) {
    Client half(port_);
    half.send("POST /api/classify_digit HTTP/1.1\r\nHost: t\r\nContent-Length: 100\r\n\r\nP5");
    Client whole(port_);
    whole.send(post("/api/classify_digit", picture()));
    half.abort();
    whole.abort();
    int status = 503;  // until the server has seen the two go
    while (status == 503) {
      status = ask(get("/health/live")).status;
    }
    ASSERT_EQ(status, 200);
  }
}

TEST_F(Limits, ThousandsOfIdleConnectionsAreHeldAndAnswered) {
  rlimit files{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &files), 0);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
  if (files.rlim_cur < 3000) {
    GTEST_SKIP() << "no process may have more than " << files.rlim_cur << " open files here";
  }
  start({"--max-connections", "2100"});
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 2000; ++i) {
    clients.push_back(std::make_unique<Client>(port_));
    ASSERT_EQ(clients.back()->ask(get("/health/live")).status, 200) << i;
  }
  for (const auto& client : clients) {
    EXPECT_EQ(client->ask(get("/health/live")).status, 200);
  }
}

}  // namespace
}  // namespace onnxop::testing_support
