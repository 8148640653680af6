// Sudden death: children die after a random time, so that every step of their work is hit at some
// point. What is asserted holds whenever they die.

#include <set>
#include <vector>

#include <gmock/gmock.h>

#include "onnxop/registry/test_kill.h"

namespace onnxop {
namespace {

namespace fs = std::filesystem;
using testing::IsEmpty;

class KillTest : public StoreTest, protected Kills {};

TEST_F(KillTest, ARunKeepsWhatWasAcknowledged) {
  for (int kill_number = 0; kill_number < 20; ++kill_number) {
    const auto acknowledged =
        run_and_kill(random_time(50'000), [&](const Acknowledge& acknowledge) {
          Registry registry(store_dir(), clock_);
          const auto run = registry.runs().create({std::to_string(kill_number)});
          for (std::int64_t step = 0;; ++step) {
            registry.runs().log_batch(
                run, {.metrics = {{"loss", 1, step, step}, {"accuracy", 1, step, step}},
                      .params = {{"p" + std::to_string(step), "1"}},
                      .tags = {{"step", std::to_string(step)}}});
            acknowledge(step);
          }
        });
    Registry registry(store_dir(), clock_);
    const auto marked = registry.runs().mark_interrupted();
    if (marked.empty()) {
      EXPECT_THAT(acknowledged, IsEmpty());  // it died before it had a run
      continue;
    }
    ASSERT_EQ(marked.size(), 1u);
    const auto history = registry.runs().metric_history(marked[0].run_id, "loss");
    ASSERT_GE(history.size(), acknowledged.size());
    EXPECT_EQ(registry.runs().metric_history(marked[0].run_id, "accuracy").size(), history.size());
    EXPECT_EQ(marked[0].params.size(), history.size());
    if (!history.empty()) {
      EXPECT_EQ(marked[0].tags.at("step"), std::to_string(history.size() - 1));
    }
    for (std::size_t i = 0; i < history.size(); ++i) {
      EXPECT_EQ(history[i].step, static_cast<std::int64_t>(i));
    }
  }
}

TEST_F(KillTest, ARunIsRemovedWholeOrStillThere) {
  constexpr int kRuns = 40;
  std::vector<std::string> ids;
  {
    Registry registry(store_dir(), clock_);
    for (int i = 0; i < kRuns; ++i) {
      ids.push_back(registry.runs().create({}));
      registry.runs().log_batch(ids.back(),
                                {.metrics = {{"loss", 1, 1, 1}}, .params = {{"a", "b"}}});
      std::ofstream(registry.runs().dir(ids.back()) / "checkpoint") << "weights";
      registry.runs().remove(ids.back());
    }
  }
  for (int kill_number = 0; kill_number < 10; ++kill_number) {
    run_and_kill(random_time(20'000), [&](const Acknowledge&) {
      Registry registry(store_dir(), clock_);
      while (true) {
        registry.runs().gc();
      }
    });
    Registry registry(store_dir(), clock_);
    for (const std::string& id : ids) {
      try {
        const auto run = registry.runs().get(id);
        EXPECT_EQ(run.params.size(), 1u);
        EXPECT_EQ(registry.runs().metric_history(id, "loss").size(), 1u);
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::kNotFound);
        EXPECT_FALSE(fs::exists(store_dir() / "runs" / id)) << "nobody would remove it";
      }
    }
  }
  Registry registry(store_dir(), clock_);
  registry.runs().gc();
  EXPECT_TRUE(fs::is_empty(store_dir() / "runs"));
  EXPECT_EQ(scalar("SELECT COUNT(*) FROM run_metrics"), 0);
  EXPECT_EQ(scalar("SELECT COUNT(*) FROM run_params"), 0);
}

TEST_F(KillTest, AStoreBeingMadeCanBeMadeAgain) {
  for (int kill_number = 0; kill_number < 30; ++kill_number) {
    const auto dir = folder_ / std::to_string(kill_number);
    run_and_kill(random_time(8'000), [&](const Acknowledge&) {
      Registry registry(dir, clock_);
      while (true) {
        registry.runs().create({"a"});
      }
    });
    ASSERT_NO_THROW(Registry(dir, clock_).runs().create({"b"})) << "kill " << kill_number;
  }
}

}  // namespace
}  // namespace onnxop
