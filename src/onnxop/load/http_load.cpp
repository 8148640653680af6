#include "onnxop/load/http_load.h"

#include <atomic>
#include <cmath>
#include <deque>
#include <list>
#include <memory>
#include <thread>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "onnxop/base/error.h"
#include "onnxop/base/random.h"
#include "onnxop/load/http_client.h"
#include "onnxop/load/load_connection.h"
#include "onnxop/load/sample_collector.h"

namespace onnxop {
namespace {

namespace asio = boost::asio;
using Tcp = asio::ip::tcp;

constexpr std::chrono::milliseconds kWatch{100};  // how often late requests are looked for
// Requests that are under way when all is measured may end, so that the server has nothing to
// complain of.
constexpr std::chrono::milliseconds kPatienceAtEnd{1000};

/// What all threads of a load share.
struct Shared {
  const HttpLoadOptions& options;
  Tcp::endpoint endpoint;
  std::vector<std::string> requests;
  SampleCollector& collector;
  std::atomic<std::int64_t> to_begin;
  std::atomic<std::size_t> turn = 0;
  std::atomic<bool> stopping = false;

  /// The next request; null when no more are to be begun.
  const std::string* next() {
    if (stopping || to_begin.fetch_sub(1) <= 0) {
      return nullptr;
    }
    return &requests[turn.fetch_add(1) % requests.size()];
  }
};

/// A part of the connections, and of the rate, on a thread of its own.
class Worker {
 public:
  Worker(Shared& shared, int index, int connections, double rate)
      : shared_(shared),
        rate_(rate),
        random_(shared.options.seed, static_cast<std::uint64_t>(index)),
        arrival_(context_),
        watch_(context_) {
    for (int i = 0; i < connections; ++i) {
      idle_.push_back(&connections_.emplace_back(context_, shared_.endpoint));
    }
  }

  /// Returns when all is over.
  void run() {
    if (rate_ > 0) {
      spawn(arrive());
    } else {
      for (LoadConnection* each : idle_) {
        spawn(ask_again_and_again(*each));
      }
    }
    asio::co_spawn(context_, watch(), asio::detached);
    if (!shared_.options.polls) {
      context_.run();
    }
    while (!context_.stopped()) {
      context_.poll();
    }
  }

  /// From any thread, once shared.stopping is set.
  void stop() {
    asio::post(context_, [this] { arrival_.cancel(); });
  }

 private:
  void spawn(asio::awaitable<void> work) {
    ++active_;
    asio::co_spawn(context_, std::move(work), [this](const std::exception_ptr&) {
      if (--active_ == 0) {
        watch_.cancel();
      }
    });
  }

  asio::awaitable<void> ask_again_and_again(LoadConnection& connection) {
    while (const std::string* request = shared_.next()) {
      const SteadyTime due = std::chrono::steady_clock::now();
      shared_.collector.add(co_await connection.exchange(*request, due));
    }
  }

  /// Makes requests due at random times.
  asio::awaitable<void> arrive() {
    SteadyTime due = std::chrono::steady_clock::now();
    while (const std::string* request = shared_.next()) {
      const double seconds = -std::log(1.0 - static_cast<double>(random_.uniform())) / rate_;
      due +=
          std::chrono::duration_cast<SteadyTime::duration>(std::chrono::duration<double>(seconds));
      if (due > std::chrono::steady_clock::now()) {
        boost::system::error_code ignored;
        arrival_.expires_at(due);
        co_await arrival_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
        if (shared_.stopping) {
          co_return;
        }
      }
      waiting_.emplace_back(request, due);
      if (!idle_.empty()) {
        LoadConnection* connection = idle_.back();
        idle_.pop_back();
        spawn(ask_what_waits(*connection));
      } else if (++unyielded_ >= kMostUnyielded) {
        unyielded_ = 0;  // far behind: let the answers in
        co_await asio::post(context_, asio::use_awaitable);
      }
    }
  }

  asio::awaitable<void> ask_what_waits(LoadConnection& connection) {
    while (!waiting_.empty() && !shared_.stopping) {
      const auto [request, due] = waiting_.front();
      waiting_.pop_front();
      shared_.collector.add(co_await connection.exchange(*request, due));
    }
    idle_.push_back(&connection);
  }

  asio::awaitable<void> watch() {
    while (active_ > 0) {
      boost::system::error_code ignored;
      watch_.expires_after(kWatch);
      co_await watch_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
      const auto patience = shared_.stopping ? std::min(shared_.options.timeout, kPatienceAtEnd)
                                             : shared_.options.timeout;
      const SteadyTime limit = std::chrono::steady_clock::now() - patience;
      for (LoadConnection& each : connections_) {
        each.give_up_older_than(limit);
      }
    }
  }

  static constexpr int kMostUnyielded = 64;

  Shared& shared_;
  double rate_;
  Random random_;
  asio::io_context context_{1};
  asio::steady_timer arrival_, watch_;
  std::list<LoadConnection> connections_;
  std::vector<LoadConnection*> idle_;
  std::deque<std::pair<const std::string*, SteadyTime>> waiting_;
  int active_ = 0;
  int unyielded_ = 0;
};

void check(const HttpLoadOptions& options) {
  check_window_rule(options.windows);
  if (options.connections < 1 || options.threads < 1 || !(options.rate >= 0) ||
      options.timeout.count() < 1 || !options.target.path.starts_with('/')) {
    fail(ErrorCode::kInvalidArgument,
         "load on '{}' with {} connections, {} threads, {} requests a second, {} ms for each: "
         "expected a path that begins with /, and numbers over 0",
         options.target.path, options.connections, options.threads, options.rate,
         options.timeout.count());
  }
}

std::vector<std::string> request_texts(const HttpTarget& target) {
  std::string headers = format("Host: {}:{}\r\n", target.host, target.port);
  for (const auto& [name, value] : target.headers) {
    headers += format("{}: {}\r\n", name, value);
  }
  std::vector<std::string> texts;
  for (const std::string& body : target.bodies) {
    texts.push_back(request_text(target.method, target.path, headers, body));
  }
  if (texts.empty()) {
    texts.push_back(request_text(target.method, target.path, headers, ""));
  }
  return texts;
}

/// Its threads, stopped and joined with it.
class Load {
 public:
  explicit Load(Shared& shared) : shared_(shared) {
    const int count = std::min(shared.options.threads, shared.options.connections);
    running_ = count;
    for (int i = 0; i < count; ++i) {
      const int connections = (shared.options.connections + count - 1 - i) / count;
      workers_.push_back(
          std::make_unique<Worker>(shared, i, connections, shared.options.rate / count));
    }
    for (const auto& each : workers_) {
      threads_.emplace_back([this, worker = each.get()] {
        worker->run();
        if (--running_ == 0) {
          shared_.collector.finish();
        }
      });
    }
  }
  ~Load() {
    shared_.stopping = true;
    for (const auto& each : workers_) {
      each->stop();
    }
    for (std::thread& each : threads_) {
      each.join();
    }
  }
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

 private:
  Shared& shared_;
  std::atomic<int> running_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<std::thread> threads_;
};

}  // namespace

LoadReport run_http_load(const HttpLoadOptions& options) {
  check(options);
  const HttpTarget& target = options.target;
  const WindowRule& rule = options.windows;
  const SystemClock clock;
  const auto address = reachable_address(target.host, target.port);
  SampleCollector collector(clock);
  Shared shared{.options = options,
                .endpoint = {asio::ip::make_address(address), target.port},
                .requests = request_texts(target),
                .collector = collector,
                .to_begin = rule.requests > 0 ? rule.requests * static_cast<std::int64_t>(rule.most)
                                              : INT64_MAX};
  std::vector<LoadWindow> windows;
  {
    const Load load(shared);
    windows = cut_windows(collector, rule, options.at_boundary);
  }
  return report_of(windows, rule);
}

}  // namespace onnxop
