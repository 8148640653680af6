#pragma once
// Sudden death for tests: children that die after a random time, so that every step of their work
// is hit at some point.

#include <functional>
#include <random>
#include <stdexcept>
#include <vector>

#include <gtest/gtest.h>
#include <sys/time.h>

#include "onnxop/registry/test_store.h"

namespace onnxop {

class Kills {
 protected:
  /// What a child calls when it has been told that something is done.
  using Acknowledge = std::function<void(std::int64_t)>;

  /// Runs `body` in a child that is killed after `microseconds`; returns what it acknowledged.
  static std::vector<std::int64_t> run_and_kill(suseconds_t microseconds,
                                                const std::function<void(Acknowledge)>& body) {
    int channel[2];
    if (pipe(channel) != 0) {
      throw std::runtime_error("no pipe");
    }
    const pid_t child = fork_child([&] {
      close(channel[0]);
      signal(SIGALRM, [](int) { kill(getpid(), SIGKILL); });
      const itimerval timer{{0, 0}, {0, microseconds}};
      setitimer(ITIMER_REAL, &timer, nullptr);
      body([&](std::int64_t value) {
        if (::write(channel[1], &value, sizeof value) != sizeof value) {
          _exit(2);
        }
      });
    });
    close(channel[1]);
    std::vector<std::int64_t> acknowledged;
    for (std::int64_t value = 0; ::read(channel[0], &value, sizeof value) == sizeof value;) {
      acknowledged.push_back(value);
    }
    close(channel[0]);
    EXPECT_EQ(wait_for(child), -SIGKILL);
    return acknowledged;
  }

  suseconds_t random_time(suseconds_t most) {
    return std::uniform_int_distribution<suseconds_t>(1, most)(random_);
  }

  std::mt19937 random_{20261124};
};

}  // namespace onnxop
