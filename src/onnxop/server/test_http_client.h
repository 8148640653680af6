#pragma once
// For tests, the end-to-end ones too: a client that says exactly the bytes it is told to.

#include <cerrno>
#include <cstdint>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "onnxop/base/format.h"

namespace onnxop::testing_server {

struct Answer {
  int status = 0;
  std::string head;                           // status line and fields
  std::map<std::string, std::string> fields;  // names in lower case
  std::string body;
};

/// A blocking socket. A read that takes a minute means that the server hangs: an exception.
class Client {
 public:
  explicit Client(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const timeval patience{60, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    const int on = 1;
    ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      ::close(socket_);
      throw std::runtime_error("no connection");
    }
  }
  virtual ~Client() { ::close(socket_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  /// False when the server has closed the connection.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto sent = write_some(bytes);
      if (sent <= 0) {
        return false;
      }
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }

  void end_of_sending() { ::shutdown(socket_, SHUT_WR); }

  /// The connection is gone at once, as when the client's process is killed.
  void abort() {
    const linger none{1, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &none, sizeof none);
    ::close(socket_);
    socket_ = -1;
  }

  /// The next answer; none when the connection ends before it. `head_only`: to HEAD.
  std::optional<Answer> receive(bool head_only = false) {
    std::size_t end = 0;
    while ((end = received_.find("\r\n\r\n")) == std::string::npos) {
      if (!receive_some()) {
        return std::nullopt;
      }
    }
    Answer answer;
    answer.head = received_.substr(0, end + 2);
    received_.erase(0, end + 4);
    answer.status = std::stoi(answer.head.substr(9, 3));
    std::size_t line = answer.head.find("\r\n") + 2;
    while (line < answer.head.size()) {
      const auto colon = answer.head.find(": ", line);
      const auto eol = answer.head.find("\r\n", line);
      std::string name = answer.head.substr(line, colon - line);
      for (char& c : name) {
        c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
      }
      answer.fields[name] = answer.head.substr(colon + 2, eol - colon - 2);
      line = eol + 2;
    }
    const auto length = answer.fields.find("content-length");
    const std::size_t size =
        head_only || length == answer.fields.end() ? 0 : std::stoul(length->second);
    while (received_.size() < size) {
      if (!receive_some()) {
        return std::nullopt;
      }
    }
    answer.body = received_.substr(0, size);
    received_.erase(0, size);
    return answer;
  }

  Answer ask(std::string_view request) {
    send(request);
    auto answer = receive(request.starts_with("HEAD "));
    if (!answer) {
      throw std::runtime_error("the connection ended instead of an answer to: " +
                               std::string(request.substr(0, 200)));
    }
    return *answer;
  }

  /// True when nothing comes any more, and nothing came.
  bool at_end() { return received_.empty() && !receive_some(); }

 protected:
  virtual ssize_t write_some(std::string_view bytes) {
    return ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  }
  virtual ssize_t read_some(char* to, std::size_t size) { return ::recv(socket_, to, size, 0); }
  int socket() const { return socket_; }

 private:
  bool receive_some() {
    char bytes[4096];
    const auto count = read_some(bytes, sizeof bytes);
    if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
      throw std::runtime_error("nothing came within a minute");
    }
    if (count <= 0) {
      return false;
    }
    received_.append(bytes, static_cast<std::size_t>(count));
    return true;
  }

  int socket_;
  std::string received_;
};

inline std::string get(std::string_view path, std::string_view fields = "") {
  return format("GET {} HTTP/1.1\r\nHost: test\r\n{}\r\n", path, fields);
}

inline std::string post(std::string_view path, std::string_view body,
                        std::string_view fields = "") {
  return format("POST {} HTTP/1.1\r\nHost: test\r\nContent-Length: {}\r\n{}\r\n{}", path,
                body.size(), fields, body);
}

}  // namespace onnxop::testing_server
