// Nanoseconds that a request spends on finding out who answers it.

#include <benchmark/benchmark.h>

#include "onnxop/serving/shadow_runner.h"
#include "onnxop/serving/traffic_ticket.h"

namespace onnxop {
namespace {

class Serving {
 public:
  explicit Serving(int targets) {
    auto set = std::make_shared<ServingSet>();
    TrafficPlan plan{.rollback = {.max_error_rate = 0.5}};
    for (int i = 1; i <= targets; ++i) {
      set->add(format("mnist:{}", i), model(i));
      plan.split.push_back({format("{}", i), 100 - i});
    }
    set->add("mnist", model(targets));
    if (targets > 1) {
      set->set_traffic("mnist",
                       std::make_shared<ModelTraffic>("mnist", plan, [](const std::string&) {
                         return std::make_shared<TargetCounters>();
                       }));
    }
    set_ = std::move(set);
  }

  AssignedModel assign(std::string_view caller) const {
    return assign_model(core_, *set_, "mnist", [caller] { return caller; });
  }

 private:
  static ModelLease model(int version) {
    auto made = std::make_shared<ServedModel>();
    made->name = "mnist";
    made->version = version;
    return made;
  }

  SystemClock clock_;
  Catalog catalog_;
  Scheduler scheduler_{1, clock_};
  ServingCore core_{catalog_, scheduler_};
  std::shared_ptr<const ServingSet> set_;
};

/// Targets of the split (1: there is none), and whether the caller says who he is.
void assign(benchmark::State& state) {
  const Serving serving(static_cast<int>(state.range(0)));
  const std::string_view caller = state.range(1) == 0 ? "" : "0b5a3c1e-user-4711@example.org";
  for (auto _ : state) {
    benchmark::DoNotOptimize(serving.assign(caller));
  }
}
BENCHMARK(assign)->Args({1, 0})->Args({2, 0})->Args({2, 1})->Args({16, 0})->Args({16, 1});

}  // namespace
}  // namespace onnxop
