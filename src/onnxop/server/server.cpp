#include "onnxop/server/server.h"

#include <algorithm>
#include <csignal>
#include <deque>
#include <thread>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/signal_set.hpp>

#include "onnxop/base/error.h"
#include "onnxop/base/log.h"
#include "onnxop/server/checked_options.h"
#include "onnxop/server/connection.h"
#include "onnxop/server/io_loop.h"
#include "onnxop/server/listen.h"
#include "onnxop/server/routes.h"

namespace onnxop {
namespace {

namespace asio = boost::asio;
constexpr int kControlQueue = 64;  // requests that block
using ErrorCodeOfSystem = boost::system::error_code;

std::string address_of(const std::string& host, std::uint16_t port) {
  const bool is_v6 = host.find(':') != std::string::npos;
  return is_v6 ? format("[{}]:{}", host, port) : format("{}:{}", host, port);
}

int tracking_port_of(const ServerOptions& options) {
  return options.tracking ? options.tracking->port : -1;
}

/// What the main port answers: what has no port of its own.
std::vector<RoutePort> main_ports(const ServerOptions& options) {
  std::vector<RoutePort> ports{RoutePort::kInference};
  if (options.manage_port < 0) {
    ports.push_back(RoutePort::kManagement);
  }
  if (tracking_port_of(options) < 0) {
    ports.push_back(RoutePort::kTracking);
  }
  return ports;
}

std::unique_ptr<Executors> tracking_threads(const ServerOptions& options,
                                            int TrackingOptions::*threads, int max_queued) {
  return options.tracking ? std::make_unique<Executors>(*options.tracking.*threads, max_queued)
                          : nullptr;
}

int tracking_queue(const ServerOptions& options) {
  return options.tracking ? options.tracking->max_queued : 1;
}

/// A connection has one file on its way at most, so that all of them find room.
int file_queue(const ServerOptions& options) {
  constexpr int kOthers = 128;
  return options.limits.max_connections + kOthers;
}

/// Where clients come in.
struct Port {
  std::string title;  // in the log
  Listener listener;
  std::uint16_t number = 0;
  std::string address;
  ConnectionContext context;  // what they get there
};

/// One thread's share of the clients.
struct IoThread {
  ConnectionSet connections;  // before the context, whose end ends the connections
  asio::io_context context{1};
  asio::executor_work_guard<IoExecutor> work{context.get_executor()};
};

}  // namespace

class Server::Impl {
 public:
  Impl(ServerOptions options, const ServingCore& core);
  ~Impl();

  std::uint16_t port() const { return main_->number; }
  std::uint16_t manage_port() const { return (manage_ != nullptr ? manage_ : main_)->number; }
  std::uint16_t tracking_port() const { return (track_ != nullptr ? track_ : main_)->number; }
  void run();
  void stop();
  void stop_now();

 private:
  const Port& listen(std::string title, const std::string& host, int port,
                     const std::vector<RoutePort>& answered);
  Awaitable<void> accept_clients(Port& port);
  Awaitable<void> watch_signals();
  Awaitable<void> be_unready(std::chrono::milliseconds grace);
  Awaitable<void> watch_hangups();
  Awaitable<void> watch_drain();
  void take_client(Socket socket, IoThread& thread, const Port& port);
  void begin_drain();
  void end_if_drained();
  void run_context(IoThread& thread) const;

  IoExecutor main_executor() { return threads_.front().context.get_executor(); }

  ServerOptions options_;
  std::atomic<bool> unready_{false};   // a graceful stop has begun
  std::atomic<bool> draining_{false};  // its grace is over
  HttpStats stats_;
  std::vector<ModelRoute> model_routes_;
  RouteContext route_context_;
  std::deque<RouteTable> routes_;  // of each port; a deque: its elements do not move
  KnownHosts hosts_;
  std::deque<IoThread> threads_;
  asio::basic_signal_set<IoExecutor> signals_;
  asio::basic_signal_set<IoExecutor> hangups_;
  Timer drain_deadline_;
  // They end before the contexts, to which their jobs report.
  Executors control_;
  std::unique_ptr<Executors> tracking_;
  std::unique_ptr<Executors> tracking_writes_;
  std::unique_ptr<Executors> files_;
  Lanes lanes_;
  std::deque<Port> ports_;
  const Port* main_ = nullptr;
  const Port* manage_ = nullptr;  // null: the main port answers what it would
  const Port* track_ = nullptr;   // likewise
};

Server::Impl::Impl(ServerOptions options, const ServingCore& core)
    : options_(checked_options(std::move(options))),
      model_routes_(checked_model_routes(options_, core.catalog)),
      route_context_{core, unready_, options_.tls ? "https" : "http", {}, ONNXOP_VERSION, stats_},
      hosts_(options_.tracking ? options_.tracking->allowed_hosts : std::vector<std::string>()),
      threads_(static_cast<std::size_t>(options_.io_threads)),
      signals_(main_executor()),
      hangups_(main_executor()),
      drain_deadline_(main_executor()),
      control_(1, kControlQueue),
      tracking_(tracking_threads(options_, &TrackingOptions::threads, tracking_queue(options_))),
      tracking_writes_(
          tracking_threads(options_, &TrackingOptions::writers, tracking_queue(options_))),
      files_(tracking_threads(options_, &TrackingOptions::threads, file_queue(options_))),
      lanes_{control_, tracking_.get(), tracking_writes_.get(), files_.get()} {
  if (options_.manage_port >= 0) {
    manage_ = &listen("management apart", options_.manage_host, options_.manage_port,
                      {RoutePort::kManagement});
  }
  if (tracking_port_of(options_) >= 0) {
    track_ = &listen("tracking apart", options_.tracking->host, options_.tracking->port,
                     {RoutePort::kTracking});
  }
  main_ = &listen("serving", options_.host, options_.port, main_ports(options_));
  route_context_.address = main_->address;
  if (options_.handle_signals) {
    signals_.add(SIGINT);  // one that comes before run() is kept for it
    signals_.add(SIGTERM);
    if (options_.on_hangup) {
      hangups_.add(SIGHUP);
    }
  }
  for (IoThread& thread : threads_) {
    thread.connections.on_closed = [this] {
      if (--stats_.connections == 0 && draining_) {
        asio::post(main_executor(), [this] { end_if_drained(); });
      }
    };
  }
}

const Port& Server::Impl::listen(std::string title, const std::string& host, int port,
                                 const std::vector<RoutePort>& answered) {
  const RouteTable& routes =
      routes_.emplace_back(make_routes(options_, model_routes_, route_context_, answered));
  Listener listener = listen_at(main_executor(), host, port);
  const std::uint16_t number = listener.local_endpoint().port();
  return ports_.emplace_back(Port{std::move(title),
                                  std::move(listener),
                                  number,
                                  address_of(host, number),
                                  {options_, routes, lanes_, hosts_, unready_, draining_, stats_}});
}

Server::Impl::~Impl() {
  lanes_.stop();
  for (IoThread& thread : threads_) {
    thread.connections.on_closed = [] {};  // those that stop_now() has cut off
  }
}

void Server::Impl::run() {
  if (options_.handle_signals) {
    asio::co_spawn(main_executor(), watch_signals(), asio::detached);
    asio::co_spawn(main_executor(), watch_hangups(), asio::detached);
  }
  for (Port& port : ports_) {
    asio::co_spawn(main_executor(), accept_clients(port), asio::detached);
    std::vector<LogField> fields;
    const std::string url = format("{}://{}", route_context_.scheme, port.address);
    fields.push_back({"url", std::string_view(url)});
    if (&port == main_) {
      fields.push_back({"routes", static_cast<std::int64_t>(model_routes_.size())});
    }
    log_fields(LogLevel::kInfo, port.title, fields);
  }
  std::vector<std::thread> others;
  for (std::size_t i = 1; i < threads_.size(); ++i) {
    others.emplace_back([this, &thread = threads_[i]] { run_context(thread); });
  }
  run_context(threads_.front());
  for (std::thread& other : others) {
    other.join();
  }
  lanes_.stop();
  for (IoThread& thread : threads_) {
    for (Connection* connection : thread.connections.open) {
      connection->drop();
    }
  }
  log_info("stopped");
}

void Server::Impl::run_context(IoThread& thread) const {
  while (!thread.context.stopped()) {
    try {
      run_io_loop(thread.context, thread.connections, options_.spin);
    } catch (const std::exception& e) {
      log_error("an I/O thread goes on after: {}", e.what());
    }
  }
}

void Server::Impl::stop() {
  asio::co_spawn(main_executor(), be_unready(options_.drain_grace), asio::detached);
}

void Server::Impl::stop_now() {
  for (IoThread& thread : threads_) {
    thread.context.stop();
  }
}

Awaitable<void> Server::Impl::accept_clients(Port& port) {
  std::size_t next = 0;
  while (port.listener.is_open()) {
    IoThread& thread = threads_[next++ % threads_.size()];
    Socket socket(thread.context.get_executor());
    ErrorCodeOfSystem error;
    co_await port.listener.async_accept(socket, asio::redirect_error(kUseAwaitable, error));
    if (!error) {
      take_client(std::move(socket), thread, port);
    } else if (port.listener.is_open() && error != asio::error::connection_aborted) {
      // Most likely no file descriptors are left; some are given back when connections end.
      log_warning("no connection can be accepted: {}", error.message());
      Timer pause(main_executor());
      pause.expires_after(std::chrono::milliseconds(100));
      co_await pause.async_wait(asio::redirect_error(kUseAwaitable, error));
    }
  }
}

void Server::Impl::take_client(Socket socket, IoThread& thread, const Port& port) {
  // The management is let in when all connections for inference are taken.
  constexpr int kForManagement = 16;
  // Room for the refused, who stay a moment to read why; beyond it they are just closed.
  constexpr int kRefusedAtOnce = 64;
  const int most = options_.limits.max_connections + (&port == manage_ ? kForManagement : 0);
  if (stats_.connections >= most + kRefusedAtOnce) {
    return;
  }
  ErrorCodeOfSystem ignored;
  socket.set_option(asio::ip::tcp::no_delay(true), ignored);
  const bool refused = ++stats_.connections > most;
  const auto executor = thread.context.get_executor();
  auto connection =
      std::make_unique<Connection>(std::move(socket), port.context, thread.connections);
  asio::co_spawn(executor,
                 refused ? Connection::refuse(std::move(connection))
                         : Connection::serve(std::move(connection)),
                 asio::detached);
}

Awaitable<void> Server::Impl::watch_signals() {
  ErrorCodeOfSystem error;
  const int first = co_await signals_.async_wait(asio::redirect_error(kUseAwaitable, error));
  if (error) {
    co_return;
  }
  const auto grace = first == SIGTERM ? options_.drain_grace : std::chrono::milliseconds(0);
  log_info(
      "signal {}: not ready any more; after {} ms requests in flight are finished; a second signal "
      "ends at once",
      first, grace.count());
  asio::co_spawn(main_executor(), be_unready(grace), asio::detached);
  co_await signals_.async_wait(asio::redirect_error(kUseAwaitable, error));
  if (!error) {
    stop_now();
  }
}

Awaitable<void> Server::Impl::be_unready(std::chrono::milliseconds grace) {
  if (unready_.exchange(true)) {
    co_return;
  }
  options_.on_drain();
  ErrorCodeOfSystem error;
  Timer end_of_grace(main_executor());
  end_of_grace.expires_after(grace);
  co_await end_of_grace.async_wait(asio::redirect_error(kUseAwaitable, error));
  begin_drain();
}

Awaitable<void> Server::Impl::watch_hangups() {
  ErrorCodeOfSystem error;
  while (true) {
    co_await hangups_.async_wait(asio::redirect_error(kUseAwaitable, error));
    if (error) {
      co_return;
    }
    try {
      options_.on_hangup();
    } catch (const std::exception& e) {
      log_error("SIGHUP changed nothing: {}", e.what());
    }
  }
}

void Server::Impl::begin_drain() {
  if (draining_.exchange(true)) {
    return;
  }
  ErrorCodeOfSystem ignored;
  for (Port& port : ports_) {
    port.listener.close(ignored);
  }
  for (IoThread& thread : threads_) {
    asio::post(thread.context.get_executor(), [&open = thread.connections.open] {
      for (Connection* connection : open) {
        connection->close_if_idle();
      }
    });
  }
  asio::co_spawn(main_executor(), watch_drain(), asio::detached);
  end_if_drained();
}

Awaitable<void> Server::Impl::watch_drain() {
  ErrorCodeOfSystem error;
  drain_deadline_.expires_after(options_.drain_timeout);
  co_await drain_deadline_.async_wait(asio::redirect_error(kUseAwaitable, error));
  if (!error) {
    log_warning("{} connections are cut off after {} milliseconds of waiting",
                stats_.connections.load(), options_.drain_timeout.count());
    stop_now();
  }
}

void Server::Impl::end_if_drained() {
  if (draining_ && stats_.connections == 0) {
    stop_now();
  }
}

Server::Server(ServerOptions options, const ServingCore& core)
    : impl_(std::make_unique<Impl>(std::move(options), core)) {}

Server::~Server() = default;

std::uint16_t Server::port() const {
  return impl_->port();
}

std::uint16_t Server::manage_port() const {
  return impl_->manage_port();
}

std::uint16_t Server::tracking_port() const {
  return impl_->tracking_port();
}

void Server::run() {
  impl_->run();
}

void Server::stop() {
  impl_->stop();
}

void Server::stop_now() {
  impl_->stop_now();
}

}  // namespace onnxop
