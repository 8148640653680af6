// The server on a real port, asked with raw bytes.

#include "onnxop/server/server.h"

#include <future>
#include <latch>
#include <semaphore>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "onnxop/base/error.h"
#include "onnxop/base/json_value.h"
#include "onnxop/base/log.h"
#include "onnxop/base/random.h"
#include "onnxop/server/test_client.h"

namespace onnxop::testing_server {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

class ServerTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { init_logging({.level = LogLevel::kError}); }
  ServerTest() { catalog_.publish(set_of(served("mnist", 3, scorer_))); }

  void start(ServerOptions options = {}, int executors = 2) {
    running_ = std::make_unique<RunningServer>(std::move(options), catalog_, executors);
  }
  Client connect() const { return Client(running_->port()); }
  Answer ask(std::string_view request) const { return connect().ask(request); }

  std::shared_ptr<FakeScorer> scorer_ = fake_classifier(28, 28, 1, 10);
  Catalog catalog_;
  SystemClock clock_;
  Scheduler scheduler_{1, clock_};
  ServingCore core_{catalog_, scheduler_};
  std::unique_ptr<RunningServer> running_;
};

std::string error_of(const Answer& answer) {
  EXPECT_EQ(answer.fields.at("content-type"), "application/json");
  const Json json = parse_json(answer.body, "answer");
  EXPECT_EQ(json.size(), 1U) << answer.body;
  return json.at("error").get<std::string>();
}

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

TEST_F(ServerTest, RefusesBodiesThatAreNoImages) {
  start();
  Client client = connect();
  const std::string image = image_of(1);
  const auto refused = [&](std::string_view body) {
    const Answer answer = client.ask(post("/api/classify_digit", body));
    EXPECT_EQ(answer.status, 400) << answer.body;
    return error_of(answer);
  };
  EXPECT_THAT(refused(""), HasSubstr("empty"));
  EXPECT_FALSE(refused("hello").empty());
  EXPECT_FALSE(refused(image.substr(0, 200)).empty());
  EXPECT_FALSE(refused(std::string(5000, '\0')).empty());
  EXPECT_EQ(client.ask(post("/api/classify_digit", image)).status, 200) << "the connection lives";
}

TEST_F(ServerTest, RefusesImagesWithTooManyPixels) {
  start({.max_pixels = 1000});
  EXPECT_EQ(ask(post("/api/classify_digit", image_of(1))).status, 200);
  const Answer answer = ask(post("/api/classify_digit", "P5\n60000 60000\n255\n"));
  EXPECT_EQ(answer.status, 413);
  EXPECT_THAT(error_of(answer), HasSubstr("1000"));
}

TEST_F(ServerTest, RefusesAtTheContentLength) {
  start({.limits = {.max_body_bytes = 1000}});
  Client client = connect();
  client.send("POST /api/classify_digit HTTP/1.1\r\nHost: test\r\nContent-Length: 1001\r\n\r\n");
  const auto answer = client.receive();  // nothing of the body was sent
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 413);
  EXPECT_EQ(answer->fields.at("connection"), "close");
  EXPECT_THAT(error_of(*answer), HasSubstr("1001"));
  EXPECT_TRUE(client.at_end());
  EXPECT_EQ(ask(post("/api/classify_digit", image_of(1))).status, 200);
}

TEST_F(ServerTest, AClientThatSendsOnReadsTheRefusal) {
  start({.limits = {.max_body_bytes = 1000}});
  Client client = connect();
  const std::string body(4'000'000, 'x');
  client.send(post("/api/classify_digit", body));
  const auto answer = client.receive();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 413);
}

TEST_F(ServerTest, RefusesChunkedBodiesAsTheyGrow) {
  start({.limits = {.max_body_bytes = 1000}});
  Client client = connect();
  client.send("POST /api/classify_digit HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n");
  client.send("3e0\r\n" + std::string(992, 'x') + "\r\n9\r\n");
  const auto answer = client.receive();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 413);
  const Answer huge =
      ask("POST /api/classify_digit HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n"
          "ffffffffffffffff\r\n");
  EXPECT_EQ(huge.status, 413);
}

TEST_F(ServerTest, ExpectContinueIsAnsweredBeforeTheBody) {
  start({.limits = {.max_body_bytes = 1000}});
  Client client = connect();
  const std::string image = image_of(6);
  const auto head = [&](std::string_view path, std::size_t length) {
    return format(
        "POST {} HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\nContent-Length: {}\r\n\r\n", path,
        length);
  };
  EXPECT_EQ(client.ask(head("/api/classify_digit", image.size())).status, 100);
  EXPECT_EQ(parse_json(client.ask(image).body, "answer")["label"], "6");
  const Answer large = ask(head("/api/classify_digit", 1001));
  EXPECT_EQ(large.status, 413) << "and no 100 before it";
  EXPECT_EQ(ask(head("/nothing", 10)).status, 404);
  EXPECT_EQ(ask(post("/api/classify_digit", image, "Expect: miracles\r\n")).status, 417);
}

TEST_F(ServerTest, UnknownPathsAndMethods) {
  start();
  Client client = connect();
  EXPECT_EQ(client.ask(get("/nothing")).status, 404);
  EXPECT_EQ(client.ask(post("/api/nothing", image_of(1))).status, 404) << "the body is overlooked";
  const Answer answer = client.ask(get("/api/classify_digit"));
  EXPECT_EQ(answer.status, 405);
  EXPECT_EQ(answer.fields.at("allow"), "POST");
  EXPECT_THAT(error_of(answer), HasSubstr("POST"));
  const Answer options = client.ask("OPTIONS / HTTP/1.1\r\nHost: t\r\n\r\n");
  EXPECT_EQ(options.status, 405);
  EXPECT_EQ(options.fields.at("allow"), "GET, HEAD");
  EXPECT_EQ(client.ask(get("/api/classify%5Fdigit")).status, 405) << "%5F is _";
  EXPECT_EQ(client.ask(get("http://test/health/live?x=1")).status, 200);
  EXPECT_EQ(client.ask("OPTIONS * HTTP/1.1\r\nHost: t\r\n\r\n").status, 400);
}

TEST_F(ServerTest, MalformedRequestsGet400) {
  start();
  for (const std::string request :
       {"nonsense\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/2.7\r\n\r\n", "GET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\nHost: t\n\n", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: t\r\nbad header\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: t\r\nContent-Length: -1\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 99999999999999999999999\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        "POST / HTTP/1.0\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n"}) {
    Client client = connect();
    const Answer answer = client.ask(request);
    EXPECT_EQ(answer.status, 400) << request;
    EXPECT_FALSE(error_of(answer).empty());
    client.end_of_sending();
    EXPECT_TRUE(client.at_end()) << request;
  }
  EXPECT_EQ(ask("POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: gzip, chunked\r\n\r\n").status,
            501);
}

TEST_F(ServerTest, LongHeadsAreRefused) {
  start({.limits = {.max_header_bytes = 1024, .max_target_bytes = 100}});
  EXPECT_EQ(ask(get("/" + std::string(100, 'a'))).status, 414);
  EXPECT_EQ(ask(get("/" + std::string(5000, 'a'))).status, 414);
  EXPECT_EQ(ask(get("/health/live", "A: " + std::string(900, 'a') + "\r\n")).status, 200);
  EXPECT_EQ(ask(get("/health/live", "A: " + std::string(1100, 'a') + "\r\n")).status, 431);
  std::string many;
  for (int i = 0; i < 200; ++i) {
    many += format("X-{}: y\r\n", i);
  }
  EXPECT_EQ(ask(get("/health/live", many)).status, 431);
  EXPECT_EQ(ask("POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n1;" +
                std::string(3000, 'a'))
                .status,
            400);
}

TEST_F(ServerTest, SlowHeadsAndBodiesGet408) {
  start({.limits = {.header_timeout = milliseconds(50), .body_timeout = milliseconds(50)}});
  const Answer head = ask("GET / HTTP/1.1\r\nHo");
  EXPECT_EQ(head.status, 408);
  EXPECT_THAT(error_of(head), HasSubstr("head"));
  const Answer body =
      ask("POST /api/classify_digit HTTP/1.1\r\nHost: t\r\nContent-Length: 100\r\n\r\nP5");
  EXPECT_EQ(body.status, 408);
  EXPECT_THAT(error_of(body), HasSubstr("body"));
  Client silent = connect();
  EXPECT_TRUE(silent.at_end()) << "who says nothing is not answered";
}

TEST_F(ServerTest, IdleConnectionsAreClosed) {
  start({.limits = {.idle_timeout = milliseconds(50)}});
  Client client = connect();
  EXPECT_EQ(client.ask(get("/health/live")).status, 200);
  EXPECT_TRUE(client.at_end());
}

TEST_F(ServerTest, WhoDoesNotReadIsCutOff) {
  start({.limits = {.write_timeout = milliseconds(50), .linger_timeout = milliseconds(50)}});
  Client client = connect();
  std::string requests;
  for (int i = 0; i < 100; ++i) {
    requests += get("/openapi.json");
  }
  while (client.send(requests)) {
  }
  EXPECT_EQ(ask(get("/health/live")).status, 200);
}

TEST_F(ServerTest, PartialRequestsOfThoseWhoLeft) {
  start();
  const std::string request = post("/api/classify_digit", image_of(1));
  for (std::size_t length = 0; length < request.size(); length += 13) {
    Client client = connect();
    client.send(std::string_view(request).substr(0, length));
    client.end_of_sending();
    const auto answer = client.receive();
    EXPECT_EQ(answer.has_value(), length > 0) << length;
    if (answer) {
      EXPECT_EQ(answer->status, 400) << length;
    }
    Client gone = connect();
    gone.send(std::string_view(request).substr(0, length));
    gone.abort();
  }
  EXPECT_EQ(ask(request).status, 200);
}

TEST_F(ServerTest, RandomDamageIsNeverAnsweredWith200OrACrash) {
  start({.limits = {.header_timeout = milliseconds(2000), .linger_timeout = milliseconds(50)}});
  Random random(7, 0);
  const std::string good = post("/api/classify_digit", image_of(2));
  const std::size_t head = good.find("\r\n\r\n");
  for (int round = 0; round < 400; ++round) {
    std::string bytes = good;
    const std::uint32_t changes = 1 + random.below(6);
    for (std::uint32_t i = 0; i < changes; ++i) {
      const auto at = random.below(static_cast<std::uint32_t>(head));
      switch (random.below(4)) {
        case 0:
          bytes[at] = static_cast<char>(random.below(256));
          break;
        case 1:
          bytes.erase(at, 1 + random.below(5));
          break;
        case 2:
          bytes.insert(at, 1 + random.below(5), static_cast<char>(random.below(256)));
          break;
        default:
          bytes.insert(at, bytes.substr(random.below(static_cast<std::uint32_t>(head)), 20));
      }
    }
    Client client = connect();
    client.send(bytes);
    client.end_of_sending();
    while (const auto answer = client.receive()) {
      ASSERT_TRUE(answer->status >= 200 && answer->status < 600) << bytes;
      if (answer->status != 200) {
        ASSERT_LT(answer->status, 502) << bytes;
        ASSERT_NE(answer->status, 500) << bytes;
        ASSERT_FALSE(error_of(*answer).empty());
      }
    }
  }
  EXPECT_EQ(ask(good).status, 200);
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
    // All at once are more than wait for an executor; each is answered all the same.
    answered += answer->status == 200 || answer->status == 503 ? 1 : 0;
  }
  EXPECT_EQ(answered, 300);
}

/// A scorer whose runs wait until they are let go.
class Held : public ServerTest {
 protected:
  Held() {
    scorer_ = std::make_shared<FakeScorer>(fake_->inputs(), fake_->outputs(),
                                           [this](std::span<const NamedTensor> inputs) {
                                             begun_.release();
                                             go_.acquire();
                                             return fake_->run(inputs);
                                           });
    catalog_.publish(set_of(served("mnist", 1, scorer_)));
  }
  ~Held() override {
    go_.release(100);
    running_.reset();  // its executors use what goes now
  }

  std::shared_ptr<FakeScorer> fake_ = fake_classifier(28, 28, 1, 10);
  std::counting_semaphore<1000> begun_{0};
  std::counting_semaphore<1000> go_{0};
};

TEST_F(Held, AFullQueueIs429AndOthersAreStillAnswered) {
  catalog_.publish(
      set_of(served("mnist", 1, scorer_, digit_contract(), {.max_queued = 1, .max_batch = 1})));
  start({}, 1);
  Client running = connect();
  running.send(post("/api/classify_digit", image_of(1)));
  begun_.acquire();
  Client queued = connect();
  queued.send(post("/api/classify_digit", image_of(2)));
  // Which of these is queued does not matter: one is, all others are refused.
  Client third = connect();
  third.send(post("/api/classify_digit", image_of(2)));
  Client fourth = connect();
  fourth.send(post("/api/classify_digit", image_of(2)));
  EXPECT_EQ(ask(get("/health/live")).status, 200) << "scoring does not hold up the rest";
  go_.release(10);
  int refused = 0;
  for (Client* client : {&queued, &third, &fourth}) {
    const auto answer = client->receive();
    ASSERT_TRUE(answer);
    if (answer->status == 429) {
      ++refused;
      EXPECT_EQ(answer->fields.at("retry-after"), "1");
      EXPECT_THAT(error_of(*answer), HasSubstr("wait"));
    }
  }
  EXPECT_EQ(running.receive()->status, 200);
  EXPECT_GE(refused, 1);
}

TEST_F(Held, StopFinishesWhatIsInFlight) {
  start();
  Client idle = connect();
  EXPECT_EQ(idle.ask(get("/health/ready")).status, 200);
  Client half = connect();
  EXPECT_EQ(half.ask(get("/health/ready")).status, 200);
  half.send("GET /health/ready HTTP/1.1\r\nHost:");
  Client busy = connect();
  busy.send(post("/api/classify_digit", image_of(8)));
  begun_.acquire();

  running_->server().stop();
  running_->server().stop();
  EXPECT_TRUE(idle.at_end()) << "who waits for nothing is closed";
  EXPECT_THROW(connect(), std::runtime_error) << "and nobody new is let in";
  half.send(" t\r\n\r\n");
  const auto not_ready = half.receive();
  ASSERT_TRUE(not_ready);
  EXPECT_EQ(not_ready->status, 503);
  EXPECT_EQ(not_ready->fields.at("connection"), "close");
  EXPECT_THAT(error_of(*not_ready), HasSubstr("shutting down"));
  go_.release();
  const auto answer = busy.receive();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(answer->fields.at("connection"), "close");
  EXPECT_EQ(parse_json(answer->body, "answer")["label"], "8");
  EXPECT_TRUE(busy.at_end());
  running_->wait();
}

TEST_F(Held, AStopThatTakesTooLongCutsOff) {
  start({.drain_timeout = milliseconds(20)});
  Client client = connect();
  EXPECT_EQ(client.ask(get("/health/live")).status, 200);
  client.send("GET / HTTP");
  running_->server().stop();
  running_->wait();
  EXPECT_EQ(client.receive(), std::nullopt);
}

TEST_F(Held, ASecondSignalEndsItAtOnce) {
  start({.handle_signals = true});
  Client idle = connect();
  EXPECT_EQ(idle.ask(get("/health/live")).status, 200);
  Client client = connect();
  client.send(post("/api/classify_digit", image_of(8)));
  begun_.acquire();
  ::kill(::getpid(), SIGTERM);
  EXPECT_TRUE(idle.at_end()) << "the first one was seen";
  ::kill(::getpid(), SIGTERM);
  go_.release();
  running_->wait();
}

TEST_F(Held, StopNowDropsConnections) {
  start();
  Client client = connect();
  client.send(post("/api/classify_digit", image_of(8)));
  begun_.acquire();
  running_->server().stop_now();
  go_.release();
  running_->wait();
  running_.reset();
  EXPECT_EQ(client.receive(), std::nullopt);
}

TEST_F(Held, AClientThatLeavesWhileItsImageIsScored) {
  start();
  {
    Client client = connect();
    client.send(post("/api/classify_digit", image_of(8)));
    begun_.acquire();
    client.abort();
  }
  go_.release(2);
  EXPECT_EQ(ask(post("/api/classify_digit", image_of(8))).status, 200);
}

TEST_F(ServerTest, StopBeforeRunEndsIt) {
  Server server({.port = 0}, core_);
  server.stop();
  server.run();
}

TEST_F(ServerTest, ASignalBeforeRunIsKeptForIt) {
  Server server({.port = 0, .handle_signals = true}, core_);
  ::kill(::getpid(), SIGINT);
  server.run();
}

TEST_F(ServerTest, SignalsEndItGracefully) {
  start({.handle_signals = true});
  EXPECT_EQ(ask(get("/health/live")).status, 200);
  ::kill(::getpid(), SIGTERM);
  running_->wait();
  EXPECT_THROW(connect(), std::runtime_error);
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

TEST_F(ServerTest, ImpossibleOptionsAreRefused) {
  const auto code_of = [&](ServerOptions options) -> std::optional<ErrorCode> {
    options.port = options.port == 8080 ? 0 : options.port;
    try {
      const Server server(std::move(options), core_);
    } catch (const Error& e) {
      return e.code();
    }
    return std::nullopt;
  };
  EXPECT_EQ(code_of({}), std::nullopt);
  EXPECT_EQ(code_of({.port = 70000}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code_of({.io_threads = -1}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code_of({.limits = {.max_connections = 0}}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code_of({.limits = {.idle_timeout = milliseconds(0)}}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code_of({.routes = {{"models", "mnist"}}}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code_of({.routes = {{"x/y", "mnist"}}}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code_of({.routes = {{"x", "nothing"}}}), ErrorCode::kNotFound);
  EXPECT_EQ(code_of({.routes = {{"x", "mnist"}, {"x", "mnist"}}}), ErrorCode::kAlreadyExists);
  EXPECT_EQ(code_of({.host = "no.such.host.invalid"}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code_of({.host = "192.0.2.1"}), ErrorCode::kFailedPrecondition);
  start();
  EXPECT_EQ(code_of({.port = running_->port()}), ErrorCode::kFailedPrecondition);
  catalog_.publish(set_of(served("mnist", 1, scorer_, std::nullopt)));
  EXPECT_EQ(code_of({.routes = {{"x", "mnist"}}}), ErrorCode::kFailedPrecondition);
  EXPECT_EQ(code_of({}), std::nullopt) << "the default route is for an image model only";
}

}  // namespace
}  // namespace onnxop::testing_server
