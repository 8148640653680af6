// The server on a real port, asked with raw bytes.

#include "onnxop/server/server.h"

#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "onnxop/base/error.h"
#include "onnxop/base/json_value.h"
#include "onnxop/server/test_server.h"

namespace onnxop::testing_server {
namespace {

using testing::HasSubstr;

TEST_F(ServerTest, ClassifiesAnImage) {
  start();
  const Answer answer = ask(post("/api/classify_digit", image_of(7)));
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, R"({"prediction":[[[0,0,0,0,0,0,0,1,0,0]]],"label":"7","confidence":1,)"
                         R"("model":"mnist","version":3})");
  EXPECT_EQ(answer.fields.at("content-type"), "application/json");
  EXPECT_TRUE(answer.fields.contains("date"));
  EXPECT_FALSE(answer.fields.contains("connection"));
}

TEST_F(ServerTest, ResizesImagesOfOtherSizes) {
  start();
  const Answer answer = ask(post("/api/classify_digit", image_of(4, 300, 200)));
  EXPECT_EQ(parse_json(answer.body, "answer")["label"], "4") << answer.body;
}

TEST_F(ServerTest, KeepsTheConnection) {
  start();
  Client client = connect();
  for (int i = 0; i < 50; ++i) {
    const Answer answer = client.ask(post("/api/classify_digit", image_of(i % 10)));
    ASSERT_EQ(parse_json(answer.body, "answer")["label"], format("{}", i % 10));
    ASSERT_EQ(client.ask(get("/health/live")).status, 200);
  }
}

TEST_F(ServerTest, AnswersPipelinedRequestsInOrder) {
  start({}, 3);
  Client client = connect();
  std::string requests;
  for (int i = 0; i < 100; ++i) {
    requests += i % 3 == 0 ? get("/health/live") : post("/api/classify_digit", image_of(i % 10));
    requests += i % 7 == 0 ? "\r\n" : "";  // an empty line between requests is overlooked
  }
  std::thread sender([&] { EXPECT_TRUE(client.send(requests)); });
  for (int i = 0; i < 100; ++i) {
    const auto answer = client.receive();
    ASSERT_TRUE(answer);
    const Json json = parse_json(answer->body, "answer");
    ASSERT_EQ(i % 3 == 0 ? json["status"] : json["label"],
              i % 3 == 0 ? "live" : format("{}", i % 10));
  }
  sender.join();
}

TEST_F(ServerTest, TakesRequestsByteByByte) {
  start();
  Client client = connect();
  for (const char byte : post("/api/classify_digit", image_of(5))) {
    ASSERT_TRUE(client.send(std::string_view(&byte, 1)));
  }
  EXPECT_EQ(parse_json(client.receive()->body, "answer")["label"], "5");
}

TEST_F(ServerTest, TakesChunkedBodies) {
  start();
  const std::string image = image_of(9);
  std::string request =
      "POST /api/classify_digit HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (std::size_t i = 0; i < image.size(); i += 100) {
    const auto chunk = std::string_view(image).substr(i, 100);
    request += format("{:x};name=value\r\n{}\r\n", chunk.size(), chunk);
  }
  request += "0\r\nTrailer: ignored\r\n\r\n";
  Client client = connect();
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(parse_json(client.ask(request).body, "answer")["label"], "9");
  }
}

TEST_F(ServerTest, Http10ClosesUnlessAskedNotTo) {
  start();
  Client once = connect();
  EXPECT_EQ(once.ask("GET /health/live HTTP/1.0\r\n\r\n").fields.at("connection"), "close");
  EXPECT_TRUE(once.at_end());
  Client twice = connect();
  for (int i = 0; i < 2; ++i) {
    const auto answer = twice.ask("GET /health/live HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    EXPECT_EQ(answer.fields.at("connection"), "keep-alive");
  }
}

TEST_F(ServerTest, ClosesWhenTheClientSaysSo) {
  start();
  Client client = connect();
  const Answer answer = client.ask(get("/health/live", "Connection: close\r\n"));
  EXPECT_EQ(answer.fields.at("connection"), "close");
  EXPECT_TRUE(client.at_end());
}

TEST_F(ServerTest, HeadIsGetWithoutABody) {
  start();
  Client client = connect();
  for (const std::string path : {"/", "/health/live", "/api/models", "/openapi.json"}) {
    const Answer full = client.ask(get(path));
    const Answer head = client.ask(format("HEAD {} HTTP/1.1\r\nHost: test\r\n\r\n", path));
    EXPECT_EQ(head.status, 200) << path;
    EXPECT_EQ(head.fields.at("content-length"), full.fields.at("content-length")) << path;
    EXPECT_EQ(head.fields.at("content-type"), full.fields.at("content-type")) << path;
  }
}

TEST_F(ServerTest, ManyClientsAtOnceGetTheirOwnAnswers) {
  start({.io_threads = 2}, 3);
  constexpr int kClients = 32;
  std::vector<std::thread> clients;
  std::atomic<int> right{0};
  for (int c = 0; c < kClients; ++c) {
    clients.emplace_back([&, c] {
      Client client = connect();
      for (int i = 0; i < 30; ++i) {
        const int digit = (c + i) % 10;
        const Answer answer = client.ask(post("/api/classify_digit", image_of(digit)));
        right += parse_json(answer.body, "answer")["label"] == format("{}", digit) ? 1 : 0;
      }
    });
  }
  for (std::thread& client : clients) {
    client.join();
  }
  EXPECT_EQ(right, kClients * 30);
}

TEST_F(ServerTest, TooManyConnectionsAreToldSo) {
  start({.limits = {.max_connections = 3}});
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 3; ++i) {
    clients.push_back(std::make_unique<Client>(running_->port()));
    EXPECT_EQ(clients.back()->ask(get("/health/live")).status, 200);
  }
  Client fourth = connect();
  const auto answer = fourth.receive();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 503);
  EXPECT_EQ(answer->fields.at("retry-after"), "1");
  EXPECT_THAT(error_of(*answer), HasSubstr("3 connections"));
  EXPECT_EQ(clients[0]->ask(get("/health/live", "Connection: close\r\n")).status, 200);
  EXPECT_TRUE(clients[0]->at_end());
}

TEST_F(ServerTest, HundredsOfConnections) {
  start();
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 300; ++i) {
    clients.push_back(std::make_unique<Client>(running_->port()));
  }
  for (auto& client : clients) {
    client->send(post("/api/classify_digit", image_of(3)));
  }
  int answered = 0;
  for (auto& client : clients) {
    const auto answer = client->receive();
    ASSERT_TRUE(answer);
    // All at once are more than may wait for the model; each is answered all the same.
    answered += answer->status == 200 || answer->status == 429 ? 1 : 0;
  }
  EXPECT_EQ(answered, 300);
}

TEST_F(ServerTest, FaultsOfTheModelAre500WithAnIdAndNoDetails) {
  start();
  for (const auto code :
       {ErrorCode::kInternal, ErrorCode::kInvalidArgument, ErrorCode::kDataLoss}) {
    scorer_->fail_next(Error(code, "secret details"));
    testing::internal::CaptureStderr();
    const Answer answer = ask(post("/api/classify_digit", image_of(1)));
    const std::string log = testing::internal::GetCapturedStderr();
    EXPECT_EQ(answer.status, 500);
    const std::string message = error_of(answer);
    EXPECT_THAT(message, Not(HasSubstr("secret")));
    EXPECT_THAT(log, HasSubstr("secret details"));
    const std::string id = message.substr(message.rfind(' ') + 1);
    EXPECT_THAT(log, HasSubstr(id));
  }
  scorer_->fail_next(Error(ErrorCode::kUnavailable, "busy"));
  const Answer answer = ask(post("/api/classify_digit", image_of(1)));
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.fields.at("retry-after"), "1");
}

TEST_F(ServerTest, ANewSetIsServedFromTheNextRequestOn) {
  start();
  Client client = connect();
  EXPECT_THAT(client.ask(post("/api/classify_digit", image_of(1))).body,
              HasSubstr("\"version\":3"));
  catalog_.publish(set_of(served("mnist", 4, scorer_)));
  EXPECT_THAT(client.ask(post("/api/classify_digit", image_of(1))).body,
              HasSubstr("\"version\":4"));
  catalog_.publish(std::make_shared<ServingSet>());
  EXPECT_EQ(client.ask(post("/api/classify_digit", image_of(1))).status, 503);
  EXPECT_EQ(client.ask(get("/health/ready")).status, 503);
  EXPECT_EQ(client.ask(get("/health/live")).status, 200);
  EXPECT_EQ(client.ask(get("/")).status, 200);
}

TEST_F(ServerTest, ListsModels) {
  start({.routes = {{"a", "mnist"}, {"b", "mnist"}}});
  const Json models = parse_json(ask(get("/api/models")).body, "models")["models"];
  ASSERT_EQ(models.size(), 1U);
  EXPECT_EQ(models[0]["name"], "mnist");
  EXPECT_EQ(models[0]["version"], 3);
  EXPECT_EQ(models[0]["routes"], Json({"/api/a", "/api/b"}));
  EXPECT_EQ(models[0]["input"]["width"], 28);
}

}  // namespace
}  // namespace onnxop::testing_server
