#include "onnxop/server/open_sockets.h"

#include <array>

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

namespace onnxop {
namespace {

int new_socket() {
  return ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

TEST(OpenSockets, KnowsWhichWereClosed) {
  OpenSockets sockets;
  EXPECT_FALSE(sockets.full(1));
  EXPECT_EQ(sockets.count(), 0U);
  const int first = new_socket();
  const int second = new_socket();
  sockets.add(first);
  EXPECT_TRUE(sockets.full(1));
  EXPECT_FALSE(sockets.full(2));
  sockets.add(second);
  EXPECT_TRUE(sockets.full(2));
  EXPECT_EQ(sockets.count(), 2U);
  ::close(first);
  EXPECT_EQ(sockets.count(), 1U);
  EXPECT_FALSE(sockets.full(2));
  EXPECT_TRUE(sockets.full(1));
  ::close(second);
}

TEST(OpenSockets, ANumberThatIsTakenAgainIsAnotherSocket) {
  OpenSockets sockets;
  const int first = new_socket();
  sockets.add(first);
  ::close(first);
  const int second = new_socket();
  ASSERT_EQ(second, first);
  EXPECT_FALSE(sockets.full(1));
  sockets.add(second);
  EXPECT_TRUE(sockets.full(1));
  ::close(second);
}

}  // namespace
}  // namespace onnxop
