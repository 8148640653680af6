// The tracking API over sockets: files of any size, who may ask, and where it is answered.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "onnxop/server/test_gate.h"
#include "onnxop/server/test_server.h"
#include "onnxop/server/test_tracking.h"

namespace onnxop::testing_server {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* kFiles = "/api/2.0/mlflow-artifacts/artifacts/";
constexpr const char* kJson = "Content-Type: application/json\r\n";

std::string put(const std::string& path, std::string_view body, std::string_view fields = "") {
  return format("PUT {}{} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n{}\r\n{}", kFiles,
                path, body.size(), fields, body);
}

std::string fetch(const std::string& path, std::string_view fields = "") {
  return format("GET {}{} HTTP/1.1\r\nHost: localhost\r\n{}\r\n", kFiles, path, fields);
}

std::string create(const std::string& name, const std::string& fields = "Host: localhost\r\n") {
  const std::string body = format(R"({{"name": "{}"}})", name);
  return format(
      "POST /api/2.0/mlflow/experiments/create HTTP/1.1\r\nContent-Length: {}\r\n{}{}\r\n{}",
      body.size(), kJson, fields, body);
}

class TrackingServerTest : public ServerTest {
 protected:
  void track(ServerOptions options = {}) {
    options.tracking.emplace(tracking_.options());
    start(std::move(options));
  }

  std::vector<std::string> staged() const {
    std::vector<std::string> names;
    if (!std::filesystem::exists(tracking_.folder() / "artifacts")) {
      return names;
    }
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(tracking_.folder() / "artifacts")) {
      const std::string path = entry.path().string();
      if (entry.is_regular_file() && path.find("/sha256/") == std::string::npos) {
        names.push_back(path);
      }
    }
    return names;
  }

  static std::string large(std::size_t bytes) {
    std::string text(bytes, '\0');
    for (std::size_t i = 0; i < bytes; ++i) {
      text[i] = static_cast<char>(i * 2654435761U >> 13);
    }
    return text;
  }

  TestTracking tracking_;
};

TEST_F(TrackingServerTest, AFileComesBackAsItWent) {
  track({.limits = {.max_body_bytes = 1000}});
  Client client = connect();
  for (const std::size_t bytes :
       {std::size_t{0}, std::size_t{1}, std::size_t{256U << 10}, std::size_t{3'000'001}}) {
    const std::string content = large(bytes);
    const Answer answer = client.ask(put("0/r/artifacts/weights.bin", content));
    ASSERT_EQ(answer.status, 200) << answer.body;
    EXPECT_EQ(answer.body, "{}");
    const Answer got = client.ask(fetch("0/r/artifacts/weights.bin"));
    EXPECT_EQ(got.status, 200);
    EXPECT_TRUE(got.body == content) << "of " << bytes << " bytes came " << got.body.size();
    EXPECT_EQ(got.fields.at("content-type"), "application/octet-stream");
    EXPECT_EQ(got.fields.at("x-content-type-options"), "nosniff");
    client.send(
        format("HEAD {}0/r/artifacts/weights.bin HTTP/1.1\r\nHost: localhost\r\n\r\n", kFiles));
    EXPECT_EQ(client.receive(true)->fields.at("content-length"), format("{}", bytes));
  }
  EXPECT_THAT(staged(), IsEmpty());
}

TEST_F(TrackingServerTest, AFileMayComeInChunks) {
  track();
  const std::string head =
      format("PUT {}0/a HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n", kFiles);
  EXPECT_EQ(ask(head + "0\r\n\r\n").status, 200) << "as clients send an empty one";
  EXPECT_EQ(ask(fetch("0/a")).body, "");
  const std::string content = large(700'000);
  std::string chunks;
  for (std::size_t at = 0; at < content.size(); at += 70'000) {
    chunks += format("{:x}\r\n{}\r\n", 70'000, std::string_view(content).substr(at, 70'000));
  }
  EXPECT_EQ(ask(head + chunks + "0\r\n\r\n").status, 200);
  EXPECT_TRUE(ask(fetch("0/a")).body == content);
}

TEST_F(TrackingServerTest, AFileHasALimitOfItsOwn) {
  track({.limits = {.max_body_bytes = 100}, .max_artifact_bytes = 300'000});
  EXPECT_EQ(ask(put("0/a", large(300'000))).status, 200);
  const Answer early = ask(
      format("PUT {}0/b HTTP/1.1\r\nHost: localhost\r\nContent-Length: 300001\r\n\r\n", kFiles));
  EXPECT_EQ(early.status, 413);
  EXPECT_THAT(early.body, HasSubstr(R"("error_code":)"));
  const std::string head =
      format("PUT {}0/b HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n", kFiles);
  Client client = connect();
  client.send(head);
  const std::string piece = large(100'000);
  for (int i = 0; i < 4; ++i) {
    client.send(format("{:x}\r\n{}\r\n", piece.size(), piece));
  }
  EXPECT_EQ(client.receive()->status, 413);
  EXPECT_EQ(ask(fetch("0/b")).status, 404);
  EXPECT_EQ(ask(create(std::string(200, 'a'))).status, 413) << "other bodies have theirs";
  EXPECT_THAT(staged(), IsEmpty());
}

TEST_F(TrackingServerTest, HalfAFileIsNone) {
  track();
  {
    Client client = connect();
    client.send(format("PUT {}0/a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 600000\r\n\r\n{}",
                       kFiles, large(500'000)));
    client.end_of_sending();
    EXPECT_EQ(client.receive()->status, 400);
  }
  EXPECT_EQ(ask(fetch("0/a")).status, 404);
  EXPECT_THAT(staged(), IsEmpty());
}

TEST_F(TrackingServerTest, AClientThatStallsIsNotWaitedFor) {
  track({.limits = {.body_timeout = std::chrono::milliseconds(50)}});
  Client client = connect();
  client.send(
      format("PUT {}0/a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nabc", kFiles));
  EXPECT_EQ(client.receive()->status, 408);
  EXPECT_THAT(staged(), IsEmpty());
}

TEST_F(TrackingServerTest, PartsOfAFile) {
  track();
  ask(put("0/a", "0123456789"));
  const auto part = [&](const std::string& range) {
    return ask(fetch("0/a", "Range: " + range + "\r\n"));
  };
  EXPECT_EQ(part("bytes=2-4").body, "234");
  EXPECT_EQ(part("bytes=2-4").status, 206);
  EXPECT_EQ(part("bytes=2-4").fields.at("content-range"), "bytes 2-4/10");
  EXPECT_EQ(part("bytes=7-").body, "789");
  EXPECT_EQ(part("bytes=-3").body, "789");
  EXPECT_EQ(part("bytes=8-100").body, "89");
  EXPECT_EQ(part("bytes=10-").status, 416);
  for (const char* ignored : {"lines=1-2", "bytes=a-b", "bytes=5-2", "bytes=1-2,4-5", "bytes=-"}) {
    EXPECT_EQ(part(ignored).status, 200) << ignored;
  }
  const std::string tag = part("bytes=0-0").fields.at("etag");
  const Answer same = ask(fetch("0/a", "If-None-Match: " + tag + "\r\n"));
  EXPECT_EQ(same.status, 304);
  EXPECT_EQ(same.body, "");
}

TEST_F(TrackingServerTest, OnlyItsOwnHostsAreAsked) {
  track();
  for (const char* host : {"localhost", "LOCALHOST:8080", "a.localhost", "127.0.0.1:5000",
                           "[::1]:80", "192.168.7.7", "localhost."}) {
    EXPECT_EQ(ask(create(format("for {}", host), format("Host: {}\r\n", host))).status, 200)
        << host;
  }
  for (const char* host :
       {"evil.example", "localhost.evil.example", "127.0.0.1.evil.example:80", ""}) {
    const Answer answer = ask(create("x", format("Host: {}\r\n", host)));
    EXPECT_EQ(answer.status, 403) << host;
    EXPECT_THAT(answer.body, HasSubstr("PERMISSION_DENIED"));
  }
  EXPECT_EQ(ask("GET /health HTTP/1.1\r\nHost: probe.example\r\n\r\n").body, "OK");
  EXPECT_EQ(ask("GET /v2 HTTP/1.1\r\nHost: any.example\r\n\r\n").status, 200);
}

TEST_F(TrackingServerTest, MoreHostsMayBeNamed) {
  ServerOptions options;
  options.tracking.emplace(tracking_.options());
  options.tracking->allowed_hosts = {"Track.example", "*.inner.example"};
  start(std::move(options));
  EXPECT_EQ(ask(create("a", "Host: track.example:80\r\n")).status, 200);
  EXPECT_EQ(ask(create("b", "Host: a.inner.example\r\n")).status, 200);
  EXPECT_EQ(ask(create("c", "Host: inner.example\r\n")).status, 403);
}

TEST_F(TrackingServerTest, PagesOfOtherHostsChangeNothing) {
  track();
  const std::string here = "Host: localhost\r\n";
  EXPECT_EQ(ask(create("a", here + "Origin: https://evil.example\r\n")).status, 403);
  EXPECT_EQ(ask(create("a", here + "Origin: null\r\n")).status, 403);
  EXPECT_EQ(ask(create("a", here + "Origin: http://localhost:3000\r\n")).status, 200);
}

TEST_F(TrackingServerTest, RolesOpenWhatTheyAreFor) {
  TestTokens tokens;
  track({.gate = tokens.gate()});
  const auto status = [&](const std::string& method, const std::string& path,
                          const std::string& token) {
    const std::string body = method == "GET" ? "" : "{}";
    return ask(format("{} /api/2.0/mlflow/{} HTTP/1.1\r\nHost: localhost\r\nContent-Length: "
                      "{}\r\n{}{}\r\n{}",
                      method, path, body.size(), kJson, TestTokens::field(token), body))
        .status;
  };
  const std::string get = "experiments/get?experiment_id=0";
  EXPECT_EQ(status("GET", get, "wrong"), 401);
  EXPECT_EQ(status("GET", get, tokens.infer), 403);
  EXPECT_EQ(status("GET", get, tokens.read), 200);
  EXPECT_EQ(status("GET", get, tokens.track), 200);
  EXPECT_EQ(status("POST", "runs/create", tokens.read), 403);
  EXPECT_EQ(status("POST", "runs/create", tokens.track), 200);
  EXPECT_EQ(status("POST", "runs/search", tokens.read), 200) << "a search changes nothing";
  EXPECT_EQ(status("POST", "registered-models/alias", tokens.track), 403);
  EXPECT_EQ(status("POST", "registered-models/alias", tokens.manage), 400) << "asked";
  EXPECT_EQ(status("DELETE", "registered-models/delete", tokens.track), 403);
  EXPECT_EQ(status("POST", "model-versions/transition-stage", tokens.track), 403);
  const Answer refused = ask(create("x"));
  EXPECT_EQ(refused.status, 401);
  EXPECT_THAT(refused.body, HasSubstr(R"("error_code":"UNAUTHENTICATED")"));
  const Answer large_one = ask(
      format("PUT {}0/a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 999999999\r\n\r\n", kFiles));
  EXPECT_EQ(large_one.status, 401) << "before its body comes";
}

TEST_F(TrackingServerTest, ATokensNameIsTheActor) {
  TestTokens tokens;
  track({.gate = tokens.gate()});
  const std::string body = R"({"name": "digits"})";
  EXPECT_EQ(
      ask(format("POST /api/2.0/mlflow/registered-models/create HTTP/1.1\r\nHost: localhost\r\n"
                 "Content-Length: {}\r\n{}{}\r\n{}",
                 body.size(), kJson, TestTokens::field(tokens.track), body))
          .status,
      200);
  EXPECT_EQ(tracking_.pool().take("")->models().history("digits").at(0).actor, "t");
}

TEST_F(TrackingServerTest, ItMayHaveAPortOfItsOwn) {
  ServerOptions options;
  options.tracking.emplace(tracking_.options());
  options.tracking->port = 0;
  start(std::move(options));
  ASSERT_NE(running_->server().tracking_port(), running_->port());
  EXPECT_EQ(ask(create("x")).status, 404);
  EXPECT_EQ(ask(get("/v2/models/mnist")).status, 200);
  Client apart(running_->server().tracking_port());
  EXPECT_EQ(apart.ask(create("x")).status, 200);
  EXPECT_EQ(apart.ask(get("/v2/health/live")).status, 200);
  EXPECT_EQ(apart.ask(post("/v2/models/mnist/infer", "{}")).status, 404);
}

TEST_F(TrackingServerTest, WithoutItThereIsNothing) {
  start();
  const Answer answer = ask(create("x"));
  EXPECT_EQ(answer.status, 404);
  EXPECT_THAT(answer.body, HasSubstr("ENDPOINT_NOT_FOUND"));
  EXPECT_EQ(ask("GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n").status, 404);
}

}  // namespace
}  // namespace onnxop::testing_server
