#include "onnxop/server/grpc_server.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>

#include "onnxop/base/error.h"
#include "onnxop/base/log.h"
#include "onnxop/server/grpc_connection.h"
#include "onnxop/server/io_loop.h"
#include "onnxop/server/listen.h"

namespace onnxop {
namespace {

namespace asio = boost::asio;
using ErrorCodeOfSystem = boost::system::error_code;

constexpr int kControlQueue = 64;  // changes that wait

/// One thread's share of the clients.
struct Worker {
  Worker(const GrpcOptions& options, const GrpcMethods& methods,
         std::function<void()> on_connection_closed)
      : connections{options, methods, shared} {
    connections.on_closed = std::move(on_connection_closed);
  }
  /// The end of the context ends the connections, who look at the rest.
  ~Worker() {
    guard.reset();
    place.reset();
  }
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  std::optional<asio::io_context> place{std::in_place, 1};
  asio::io_context& context = *place;
  asio::executor_work_guard<IoExecutor> guard{context.get_executor()};
  GrpcThread shared{.executor = context.get_executor()};
  GrpcConnections connections;
  std::thread thread;
};

}  // namespace

class GrpcServer::Impl {
 public:
  Impl(const GrpcOptions& options, const ServingCore& core, std::string version);
  ~Impl() { stop(std::chrono::milliseconds(0)); }

  std::uint16_t port() const { return port_; }
  std::int64_t connections() const { return open_; }
  void begin_drain();
  void stop(std::chrono::milliseconds patience);

 private:
  Awaitable<void> accept_clients();
  void take_client(Socket socket, Worker& worker);
  void run(Worker& worker) const;
  void forget_one();
  static void forget_waiting(const GrpcThread& thread);
  static void wait_for_running(GrpcThread& thread);

  const GrpcOptions options_;
  const ServingCore core_;
  const std::string version_;
  std::atomic<bool> draining_{false};
  Executors control_{1, kControlQueue};  // for what blocks
  const GrpcMethods methods_;
  std::atomic<std::int64_t> open_{0};
  std::uint64_t taken_ = 0;  // connections, ever
  bool was_full_ = false;
  std::mutex mutex_;
  std::condition_variable all_gone_;
  std::deque<Worker> workers_;  // the first also accepts
  Listener listener_;
  std::uint16_t port_ = 0;
  std::atomic<bool> ending_{false};  // stop() has begun
};

GrpcServer::Impl::Impl(const GrpcOptions& options, const ServingCore& core, std::string version)
    : options_(options),
      core_(core),
      version_(std::move(version)),
      methods_(make_grpc_methods({options_, core_, version_, draining_, control_})),
      workers_([this] {
        std::deque<Worker> made;
        for (int i = 0; i < std::max(options_.threads, 1); ++i) {
          made.emplace_back(options_, methods_, [this] { forget_one(); });
        }
        return made;
      }()),
      listener_(listen_at(workers_.front().context.get_executor(), options_.host, options_.port)),
      port_(listener_.local_endpoint().port()) {
  asio::co_spawn(workers_.front().context, accept_clients(), asio::detached);
  for (Worker& worker : workers_) {
    worker.thread = std::thread([this, &worker] { run(worker); });
  }
  log_fields(LogLevel::kInfo, "serving gRPC",
             {{"address", format("{}:{}", options_.host, port_)},
              {"tls", options_.tls ? std::string_view("yes") : std::string_view("no")}});
}

void GrpcServer::Impl::run(Worker& worker) const {
  while (!worker.context.stopped()) {
    try {
      run_io_loop(worker.context, worker.shared.activity, options_.spin);
    } catch (const std::exception& e) {
      log_error("an I/O thread of gRPC goes on after: {}", e.what());
    }
  }
}

Awaitable<void> GrpcServer::Impl::accept_clients() {
  while (listener_.is_open()) {
    Worker& worker = workers_[taken_ % workers_.size()];
    Socket socket(worker.context.get_executor());
    ErrorCodeOfSystem error;
    co_await listener_.async_accept(socket, asio::redirect_error(kUseAwaitable, error));
    if (!error) {
      take_client(std::move(socket), worker);
    } else if (listener_.is_open() && error != asio::error::connection_aborted) {
      // Most likely no file descriptors are left; some are given back when connections end.
      log_warning("no gRPC connection can be accepted: {}", error.message());
      Timer pause(workers_.front().context.get_executor());
      pause.expires_after(std::chrono::milliseconds(100));
      co_await pause.async_wait(asio::redirect_error(kUseAwaitable, error));
    }
  }
}

void GrpcServer::Impl::take_client(Socket socket, Worker& worker) {
  const int most = options_.limits.max_connections;
  const bool full = open_ >= most;
  if (full && !std::exchange(was_full_, full)) {
    log_warning("there are {} gRPC connections already: more are refused", most);
  }
  was_full_ = full;
  if (full) {
    return;
  }
  ErrorCodeOfSystem ignored;
  socket.set_option(asio::ip::tcp::no_delay(true), ignored);
  ++open_;
  // A tenth more or less, so that those who came together do not all come again together.
  const auto age = options_.limits.max_age * (90 + 7 * taken_++ % 21) / 100;
  asio::post(worker.context, [this, &worker, age, taken = std::move(socket)]() mutable {
    if (ending_) {
      forget_one();
      return;
    }
    std::shared_ptr<GrpcConnection> connection;
    try {
      connection = std::make_shared<GrpcConnection>(std::move(taken), worker.connections, age);
    } catch (...) {
      forget_one();
      throw;
    }
    asio::co_spawn(worker.context, GrpcConnection::serve(std::move(connection)), asio::detached);
  });
}

void GrpcServer::Impl::forget_one() {
  const std::lock_guard lock(mutex_);
  if (--open_ == 0) {
    all_gone_.notify_all();
  }
}

void GrpcServer::Impl::begin_drain() {
  draining_ = true;
  for (Worker& worker : workers_) {
    asio::post(worker.context, [&open = worker.connections.open] {
      for (GrpcConnection* connection : open) {
        connection->tell_drain();
      }
    });
  }
}

void GrpcServer::Impl::stop(std::chrono::milliseconds patience) {
  if (ending_.exchange(true)) {
    return;
  }
  asio::post(workers_.front().context, [this] {
    ErrorCodeOfSystem ignored;
    listener_.close(ignored);
  });
  for (Worker& worker : workers_) {
    asio::post(worker.context, [&open = worker.connections.open] {
      for (GrpcConnection* connection : open) {
        connection->retire();
      }
    });
  }
  {
    std::unique_lock lock(mutex_);
    all_gone_.wait_for(lock, patience, [this] { return open_ == 0; });
  }
  for (Worker& worker : workers_) {
    worker.context.stop();
  }
  for (Worker& worker : workers_) {
    worker.thread.join();
  }
  control_.stop();
  for (Worker& worker : workers_) {
    forget_waiting(worker.shared);
  }
  for (Worker& worker : workers_) {
    for (GrpcConnection* connection : worker.connections.open) {
      connection->drop();
    }
    wait_for_running(worker.shared);
  }
}

void GrpcServer::Impl::forget_waiting(const GrpcThread& thread) {
  const auto left = thread.elsewhere;
  for (const auto& work : left) {
    work->give_up();
  }
}

void GrpcServer::Impl::wait_for_running(GrpcThread& thread) {
  for (int count = *thread.at_work; count > 0; count = *thread.at_work) {
    thread.at_work->wait(count);
  }
  thread.elsewhere.clear();
}

GrpcServer::GrpcServer(const GrpcOptions& options, const ServingCore& core,
                       std::string program_version)
    : impl_(std::make_unique<Impl>(options, core, std::move(program_version))) {}

GrpcServer::~GrpcServer() = default;

std::uint16_t GrpcServer::port() const {
  return impl_->port();
}

std::int64_t GrpcServer::connections() const {
  return impl_->connections();
}

void GrpcServer::begin_drain() {
  impl_->begin_drain();
}

void GrpcServer::stop(std::chrono::milliseconds patience) {
  impl_->stop(patience);
}

}  // namespace onnxop
