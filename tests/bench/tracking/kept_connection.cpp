#include "bench/tracking/kept_connection.h"

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <cstring>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "onnxop/base/error.h"

namespace onnxop::bench {
namespace {

constexpr std::string_view kEndOfHead = "\r\n\r\n";

/// The value of a header field, "" without one. `head` is in small letters.
std::string_view field(std::string_view head, std::string_view name) {
  const std::size_t at = head.find(format("\r\n{}:", name));
  if (at == std::string_view::npos) {
    return {};
  }
  const std::size_t begin = head.find_first_not_of(' ', at + name.size() + 3);
  return head.substr(begin, head.find("\r\n", begin) - begin);
}

std::size_t number(std::string_view text, int base) {
  std::size_t value = 0;
  if (std::from_chars(text.data(), text.data() + text.size(), value, base).ec != std::errc()) {
    fail(ErrorCode::kInternal, "'{}' is no length", text);
  }
  return value;
}

}  // namespace

KeptConnection::KeptConnection(std::uint16_t port, int seconds) : port_(port), seconds_(seconds) {}

KeptConnection::~KeptConnection() {
  close();
}

void KeptConnection::close() {
  if (socket_ >= 0) {
    ::close(socket_);
    socket_ = -1;
  }
  in_.clear();
}

void KeptConnection::connect() {
  close();
  socket_ = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port_);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int on = 1;
  const timeval patience{.tv_sec = seconds_, .tv_usec = 0};
  ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    const int why = errno;
    close();
    fail(ErrorCode::kUnavailable, "127.0.0.1:{}: {}", port_, std::strerror(why));
  }
}

bool KeptConnection::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) {
      return false;
    }
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

bool KeptConnection::read_more() {
  char buffer[1 << 16];
  const ssize_t got = ::recv(socket_, buffer, sizeof buffer, 0);
  if (got <= 0) {
    return false;
  }
  in_.append(buffer, static_cast<std::size_t>(got));
  return true;
}

std::string KeptConnection::read_chunks(std::size_t from) {
  const auto need = [&](auto found) {
    while (!found()) {
      if (!read_more()) {
        fail(ErrorCode::kUnavailable, "127.0.0.1:{}: the answer ends within a chunk", port_);
      }
    }
  };
  std::string body;
  for (;;) {
    std::size_t line = 0;
    need([&] { return (line = in_.find("\r\n", from)) != std::string::npos; });
    const std::size_t size = number(std::string_view(in_).substr(from, line - from), 16);
    need([&] { return in_.size() >= line + 2 + size + 2; });
    body.append(in_, line + 2, size);
    from = line + 2 + size + 2;
    if (size == 0) {
      in_.erase(0, from);
      return body;
    }
  }
}

HttpAnswer KeptConnection::read_answer() {
  std::size_t end = 0;
  while ((end = in_.find(kEndOfHead)) == std::string::npos) {
    if (!read_more()) {
      fail(ErrorCode::kUnavailable, "127.0.0.1:{}: no answer", port_);
    }
  }
  std::string head = in_.substr(0, end + 2);
  std::transform(head.begin(), head.end(), head.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (!head.starts_with("http/1.1 ") || head.size() < 12) {
    fail(ErrorCode::kInternal, "'{}' is no HTTP", head);
  }
  HttpAnswer answer;
  answer.status = static_cast<int>(number(std::string_view(head).substr(9, 3), 10));
  const std::size_t begin = end + kEndOfHead.size();
  if (field(head, "transfer-encoding") == "chunked") {
    answer.body = read_chunks(begin);
  } else {
    const std::size_t size = number(field(head, "content-length"), 10);
    while (in_.size() < begin + size) {
      if (!read_more()) {
        fail(ErrorCode::kUnavailable, "127.0.0.1:{}: half an answer", port_);
      }
    }
    answer.body = in_.substr(begin, size);
    in_.erase(0, begin + size);
  }
  if (field(head, "connection") == "close") {
    close();
  }
  return answer;
}

HttpAnswer KeptConnection::send(std::string_view method, std::string_view path,
                                std::string_view json) {
  std::string request = format("{} {} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\n", method, path, port_);
  if (method != "GET") {
    request += format("Content-Type: application/json\r\nContent-Length: {}\r\n", json.size());
  }
  request += "\r\n";
  request += json;
  // A kept connection may have been closed by the server; that shows before the first byte of an
  // answer, and only then a request is sent again.
  if (socket_ >= 0 && write(request) && read_more()) {
    return read_answer();
  }
  connect();
  if (!write(request)) {
    fail(ErrorCode::kUnavailable, "127.0.0.1:{}: the request was not taken", port_);
  }
  return read_answer();
}

std::string ConnectionPool::send(std::string_view method, std::string_view path,
                                 std::string_view json) {
  std::unique_ptr<KeptConnection> connection;
  {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      connection = std::move(idle_.back());
      idle_.pop_back();
    }
  }
  if (!connection) {
    connection = std::make_unique<KeptConnection>(port_);
  }
  HttpAnswer answer = connection->send(method, path, json);
  if (answer.status != 200) {
    fail(ErrorCode::kInternal, "{} {} is answered with {}: {}", method, path, answer.status,
         answer.body.substr(0, 300));
  }
  const std::lock_guard lock(mutex_);
  idle_.push_back(std::move(connection));
  return std::move(answer.body);
}

}  // namespace onnxop::bench
