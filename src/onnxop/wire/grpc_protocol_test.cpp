#include "onnxop/wire/grpc_protocol.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <health.pb.h>

#include "onnxop/base/error.h"
#include "onnxop/base/test_error.h"

namespace onnxop {
namespace {

using std::chrono::nanoseconds;

TEST(GrpcProtocol, Timeouts) {
  EXPECT_EQ(read_grpc_timeout("1H"), std::chrono::hours(1));
  EXPECT_EQ(read_grpc_timeout("2M"), std::chrono::minutes(2));
  EXPECT_EQ(read_grpc_timeout("30S"), std::chrono::seconds(30));
  EXPECT_EQ(read_grpc_timeout("250m"), std::chrono::milliseconds(250));
  EXPECT_EQ(read_grpc_timeout("99999999u"), std::chrono::microseconds(99'999'999));
  EXPECT_EQ(read_grpc_timeout("0n"), nanoseconds(0));
  EXPECT_EQ(read_grpc_timeout("99999999H"), nanoseconds::max());
  for (const std::string_view bad :
       {"", "1", "S", "1s", "-1S", "+1S", " 1S", "1 S", "1.5S", "123456789S", "1SS", "S1"}) {
    EXPECT_EQ(read_grpc_timeout(bad), std::nullopt) << bad;
  }
}

TEST(GrpcProtocol, MessagesOfStatuses) {
  EXPECT_EQ(grpc_message_field("plain text: 1 < 2"), "plain text: 1 < 2");
  EXPECT_EQ(grpc_message_field("100 %\n\xC3\xA4\x7F"), "100 %25%0A%C3%A4%7F");
}

TEST(GrpcProtocol, AFrameIsReadBackInPiecesOfAnySize) {
  grpc::health::v1::HealthCheckRequest message;
  message.set_service(std::string(300, 'x'));
  const std::string frame = grpc_frame(message) + grpc_frame(message);
  const auto bytes = std::as_bytes(std::span(frame));
  for (std::size_t piece = 1; piece <= frame.size(); ++piece) {
    GrpcMessageReader reader(1000);
    int messages = 0;
    for (std::size_t at = 0; at < bytes.size();) {
      at += reader.feed(bytes.subspan(at, std::min(piece, bytes.size() - at)));
      if (reader.done()) {
        EXPECT_FALSE(reader.compressed());
        EXPECT_EQ(reader.take().text(), message.SerializeAsString());
        EXPECT_FALSE(reader.began());
        ++messages;
      }
    }
    EXPECT_EQ(messages, 2) << piece;
  }
}

TEST(GrpcProtocol, AnEmptyMessageIsOne) {
  const std::string frame = grpc_frame(grpc::health::v1::HealthCheckRequest());
  EXPECT_EQ(frame, std::string(5, '\0'));
  GrpcMessageReader reader(0);
  EXPECT_EQ(reader.feed(std::as_bytes(std::span(frame))), 5U);
  EXPECT_TRUE(reader.done());
  EXPECT_EQ(reader.take().text(), "");
}

TEST(GrpcProtocol, TheEndOfAMessageIsAligned) {
  for (const std::size_t size : {100U, 101U, 112U, 4096U, 200'001U}) {
    std::string frame(5 + size, '\1');
    frame[0] = '\0';
    for (std::size_t i = 0; i < 4; ++i) {
      frame[1 + i] = static_cast<char>(size >> (24 - 8 * i));
    }
    GrpcMessageReader reader(1 << 20);
    for (std::size_t at = 0; at < frame.size();) {
      at += reader.feed(std::as_bytes(std::span(frame))
                            .subspan(at, std::min<std::size_t>(9000, frame.size() - at)));
    }
    GrpcMessage message = reader.take();
    EXPECT_EQ(message.text(), std::string(size, '\1'));
    EXPECT_EQ(message.bytes().size(), size);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(message.text().data() + size) % 16, 0U) << size;
  }
}

TEST(GrpcProtocol, WhatCannotBeIsSaidAtThePrefix) {
  const auto read = [](const std::string& bytes) {
    GrpcMessageReader reader(255);
    reader.feed(std::as_bytes(std::span(bytes)));
  };
  EXPECT_NO_THROW(read({0, 0, 0, 0, '\xFF'}));
  EXPECT_EQ(code_of([&] { read({0, 0, 0, 1, 0}); }), ErrorCode::kTooLarge);
  EXPECT_EQ(code_of([&] { read({0, '\xFF', '\xFF', '\xFF', '\xFF'}); }), ErrorCode::kTooLarge);
  EXPECT_EQ(code_of([&] { read({2, 0, 0, 0, 1}); }), ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace onnxop
