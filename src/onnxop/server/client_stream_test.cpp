// The stream of one client, on a real socket.

#include "onnxop/server/client_stream.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <gtest/gtest.h>

#include "onnxop/server/listen.h"

namespace onnxop {
namespace {

namespace asio = boost::asio;

class ClientStreamTest : public testing::Test {
 protected:
  ClientStreamTest() {
    client_.connect(listener_.local_endpoint());
    listener_.accept(accepted_);
    stream_.emplace(std::move(accepted_));
  }

  asio::io_context context_{1};
  Listener listener_ = listen_at(context_.get_executor(), "127.0.0.1", 0);
  Socket client_{context_.get_executor()};
  Socket accepted_{context_.get_executor()};
  std::optional<ClientStream> stream_;
};

TEST_F(ClientStreamTest, WordOfBytesThatWereReadIsNoWordOfAClientThatWent) {
  bool gone = false;
  boost::beast::flat_buffer read;
  asio::write(client_, asio::buffer("x", 1));
  // Runs when the system's word of the byte has been fetched and is not handled yet.
  asio::post(context_, [&] {
    stream_->read_now(read, 100);
    stream_->watch([&] { gone = true; });
  });
  context_.poll();
  EXPECT_EQ(read.size(), 1U);
  EXPECT_FALSE(gone);
  client_.close();
  while (!gone && context_.run_one() > 0) {
  }
  EXPECT_TRUE(gone);
}

TEST_F(ClientStreamTest, AClientThatSendsMoreIsThere) {
  bool gone = false;
  stream_->watch([&] { gone = true; });
  asio::write(client_, asio::buffer("next", 4));
  client_.close();
  context_.run();
  EXPECT_FALSE(gone);
}

}  // namespace
}  // namespace onnxop
