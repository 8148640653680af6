#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <set>

#include "onnxop/base/clock.h"
#include "onnxop/base/format.h"
#include "onnxop/base/json_value.h"
#include "onnxop/cli/runs_verbs.h"

namespace onnxop {
namespace {

// A key of parameters, metrics or tags, and its value in each run.
struct ComparedKey {
  std::string key;
  std::vector<std::optional<std::string>> texts = {};
  std::vector<Json> values = {};

  bool differs() const {
    return std::ranges::any_of(texts, [&](const auto& text) { return text != texts.front(); });
  }
};

// `values_of(run)` is a map; `text` and `json` show one of its values.
template <typename ValuesOf, typename Text, typename ToJson>
std::vector<ComparedKey> compare_values(const std::vector<Run>& runs, ValuesOf&& values_of,
                                        Text&& text, ToJson&& json) {
  std::set<std::string> keys;
  for (const Run& run : runs) {
    for (const auto& [key, value] : values_of(run)) {
      keys.insert(key);
    }
  }
  std::vector<ComparedKey> compared;
  for (const std::string& key : keys) {
    ComparedKey one{.key = key};
    for (const Run& run : runs) {
      const auto& values = values_of(run);
      const auto at = values.find(key);
      one.texts.push_back(at == values.end() ? std::nullopt : std::optional(text(at->second)));
      one.values.push_back(at == values.end() ? Json() : Json(json(at->second)));
    }
    compared.push_back(std::move(one));
  }
  return compared;
}

struct Comparison {
  std::string_view kind;
  std::vector<ComparedKey> keys;
};

std::vector<Comparison> compare_runs(const std::vector<Run>& runs, bool all) {
  const auto same = [](const std::string& value) { return value; };
  std::vector<Comparison> comparisons;
  comparisons.push_back(
      {"params", compare_values(
                     runs, [](const Run& run) -> auto& { return run.params; }, same, same)});
  comparisons.push_back(
      {"metrics", compare_values(
                      runs, [](const Run& run) -> auto& { return run.metrics; },
                      [](const Metric& metric) { return format("{}", metric.value); },
                      [](const Metric& metric) { return metric_json(metric.value); })});
  comparisons.push_back(
      {"tags", compare_values(
                   runs, [](const Run& run) -> auto& { return run.tags; }, same, same)});
  if (!all) {
    for (Comparison& comparison : comparisons) {
      std::erase_if(comparison.keys, [](const ComparedKey& key) { return !key.differs(); });
    }
  }
  return comparisons;
}

void print_comparison(const std::vector<Run>& runs, const std::vector<Comparison>& comparisons,
                      bool json) {
  Json result{{"runs", Json::array()}};
  std::vector<std::vector<std::string>> rows{{""}, {"name"}};
  for (const Run& run : runs) {
    result["runs"].push_back({{"run_id", run.run_id}, {"name", run.name}});
    rows[0].push_back(run.run_id.substr(0, 8));
    rows[1].push_back(run.name);
  }
  for (const auto& [kind, keys] : comparisons) {
    Json& section = result[std::string(kind)] = Json::object();
    for (const ComparedKey& key : keys) {
      section[key.key] = key.values;
      auto& row = rows.emplace_back(1, format("{}.{}", kind, key.key));
      for (const auto& text : key.texts) {
        row.push_back(text.value_or("-"));
      }
    }
  }
  if (json) {
    print_json(result);
  } else {
    print_text(table_text(rows));
  }
}

}  // namespace

VerbAction declare_runs_compare(CLI::App& command) {
  struct Options {
    std::vector<std::string> runs;
    bool all = false;
    bool json = false;
  };
  auto options = std::make_shared<Options>();
  set_example(command, "onnxop runs compare 3f2a91c0 77b0c1de");
  command.add_option("RUN", options->runs, "Two runs or more, by their ids or first digits")
      ->required()
      ->expected(2, 100);
  command.add_flag("--all", options->all, "Show what is the same, too");
  add_json_flag(command, options->json);
  return [options](const CliContext& context) {
    const SystemClock clock;
    const Registry registry(context.store, clock, /*must_exist=*/true);
    std::vector<Run> runs;
    for (const std::string& id : options->runs) {
      runs.push_back(registry.runs().get(id));
    }
    print_comparison(runs, compare_runs(runs, options->all), options->json);
  };
}

}  // namespace onnxop
