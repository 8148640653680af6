// Sudden death: children die after a random time, so that every step of their work is hit at some
// point. What is asserted holds whenever they die.

#include <algorithm>
#include <set>
#include <span>
#include <vector>

#include <gmock/gmock.h>

#include "onnxop/registry/test_kill.h"

namespace onnxop {
namespace {

namespace fs = std::filesystem;
using testing::IsEmpty;

class KillTest : public EachStoreTest, protected Kills {};
ONNXOP_ON_EACH_STORE(KillTest);

// So many metrics that a thousand of their points become a segment (metric_points.h).
std::vector<Metric> many_metrics(std::int64_t step) {
  std::vector<Metric> metrics{{"loss", 1, step, step}, {"accuracy", 1, step, step}};
  for (int key = 0; key < 98; ++key) {
    metrics.push_back({format("m{}", key), 1, step, step});
  }
  return metrics;
}

TEST_P(KillTest, ARunKeepsWhatWasAcknowledged) {
  for (int kill_number = 0; kill_number < 20; ++kill_number) {
    const auto acknowledged =
        run_and_kill(random_time(50'000), [&](const Acknowledge& acknowledge) {
          Registry registry(location(), clock_);
          const auto run = registry.runs().create({std::to_string(kill_number)});
          for (std::int64_t step = 0;; ++step) {
            registry.runs().log_batch(run, {.metrics = many_metrics(step),
                                            .params = {{"p" + std::to_string(step), "1"}},
                                            .tags = {{"step", std::to_string(step)}}});
            acknowledge(step);
          }
        });
    Registry registry(location(), clock_);
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

TEST_P(KillTest, ARunIsRemovedWholeOrStillThere) {
  constexpr int kRuns = 40;
  std::vector<std::string> ids;
  {
    Registry registry(location(), clock_);
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
      Registry registry(location(), clock_);
      while (true) {
        registry.runs().gc();
      }
    });
    Registry registry(location(), clock_);
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
  Registry registry(location(), clock_);
  registry.runs().gc();
  EXPECT_TRUE(fs::is_empty(store_dir() / "runs"));
  EXPECT_EQ(scalar("SELECT COUNT(*) FROM run_recent_metrics"), 0);
  EXPECT_EQ(scalar("SELECT COUNT(*) FROM run_params"), 0);
}

TEST_P(KillTest, AStoreBeingMadeCanBeMadeAgain) {
  for (int kill_number = 0; kill_number < 30; ++kill_number) {
    const StoreLocation place = new_location();
    run_and_kill(random_time(8'000), [&](const Acknowledge&) {
      Registry registry(place, clock_);
      while (true) {
        registry.runs().create({"a"});
      }
    });
    ASSERT_NO_THROW(Registry(place, clock_).runs().create({"b"})) << "kill " << kill_number;
  }
}

// What a program does with a store, over and over; `acknowledge` is told of each thing done: of
// points logged 1, 2, …, and of versions promoted -1, -2, ….
void use_store(const StoreLocation& place, const Clock& clock, const std::string& name,
               const fs::path& model_file, const std::function<void(std::int64_t)>& acknowledge) {
  Registry registry(place, clock);
  const auto run = registry.runs().create({.name = name});
  for (std::int64_t step = 1;; ++step) {
    registry.runs().log_batch(run, {.metrics = {{"loss", 1, step, step}}, .tags = {{"at", "x"}}});
    acknowledge(step);
    const std::string text = format("content {}", step);
    registry.artifacts().put(format("0/{}/artifacts/{}", run, step),
                             std::as_bytes(std::span(text)));
    const auto version =
        registry.models().publish({.name = name, .model_file = model_file, .run_id = run});
    registry.models().set_alias(name, "champion", version.version);
    acknowledge(-step);
  }
}

TEST_P(KillTest, ProgramsThatDieAnywhereLeaveAStoreThatIsWhole) {
  constexpr int kKills = 200;
  const auto file = write("in.onnx", std::string(20'000, 'm'));
  { Registry(location(), clock_).models().publish({.name = "shared", .model_file = file}); }
  for (int kill_number = 0; kill_number < kKills; ++kill_number) {
    const std::string name = format("m{}", kill_number);
    // Another program works beside the one that dies.
    const pid_t other = fork_child([&] {
      Registry registry(location(), clock_);
      registry.models().set_version_tag("shared", 1, name, "x");
    });
    const auto acknowledged =
        run_and_kill(random_time(60'000), [&](const Acknowledge& acknowledge) {
          use_store(location(), clock_, name, file, acknowledge);
        });
    EXPECT_EQ(wait_for(other), 0);

    Registry registry(location(), clock_, true);
    for (const auto& run : registry.runs().mark_interrupted()) {
      const auto points = registry.runs().metric_history(run.run_id, "loss").size();
      EXPECT_GE(points, static_cast<std::size_t>(
                            std::ranges::count_if(acknowledged, [](auto ack) { return ack > 0; })));
      EXPECT_EQ(run.tags.contains("at"), points > 0);
    }
    const auto promoted = std::ranges::count_if(acknowledged, [](auto ack) { return ack < 0; });
    if (promoted > 0) {
      EXPECT_GE(registry.models().resolve(name + "@champion").version, promoted);
      for (const auto& version : registry.models().versions(name)) {
        ASSERT_NO_THROW(registry.models().verify(version)) << "kill " << kill_number;
      }
    }
    EXPECT_TRUE(registry.models().version("shared", 1).tags.contains(name));
  }
  Registry registry(location(), clock_, true);
  EXPECT_THAT(registry.artifacts().verify(), IsEmpty());
  EXPECT_THAT(registry.runs().mark_interrupted(), IsEmpty());
}

}  // namespace
}  // namespace onnxop
