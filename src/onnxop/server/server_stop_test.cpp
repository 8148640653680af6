// How the server ends, and what it does while models are busy.

#include <csignal>
#include <semaphore>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "onnxop/base/json_value.h"
#include "onnxop/server/test_server.h"

namespace onnxop::testing_server {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

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

TEST_F(Held, ReadinessGoesDownFirst) {
  std::atomic<int> told{0};
  ServerOptions options{.drain_grace = std::chrono::hours(1), .handle_signals = true};
  options.on_drain = [&] { ++told; };
  start(std::move(options));
  Client idle = connect();
  EXPECT_EQ(idle.ask(get("/health/ready")).status, 200);
  running_->server().stop();
  running_->server().stop();
  int ready = 200;
  while (ready == 200) {
    ready = ask(get("/health/ready")).status;
  }
  EXPECT_EQ(ready, 503);
  EXPECT_EQ(told, 1);
  go_.release(2);
  Client late = connect();  // somebody who has not heard of it
  const auto answer = late.ask(post("/api/classify_digit", image_of(4)));
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.fields.at("connection"), "close");
  EXPECT_EQ(idle.ask(get("/health/live")).status, 200) << "open connections are not cut off";
  ::kill(::getpid(), SIGTERM);
  ::kill(::getpid(), SIGTERM);
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

}  // namespace
}  // namespace onnxop::testing_server
