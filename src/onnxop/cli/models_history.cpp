#include <memory>

#include "onnxop/base/clock.h"
#include "onnxop/base/error.h"
#include "onnxop/base/format.h"
#include "onnxop/base/json_value.h"
#include "onnxop/base/time_text.h"
#include "onnxop/cli/models_verbs.h"

namespace onnxop {
namespace {

Json event_json(const ModelEvent& event) {
  return {{"time", time_text(event.time_ms)},
          {"time_ms", event.time_ms},
          {"actor", event.actor},
          {"name", event.name},
          {"version", event.version ? Json(*event.version) : Json()},
          {"event", event.event},
          {"key", event.key},
          {"before", event.before},
          {"after", event.after}};
}

std::string change_text(const ModelEvent& event) {
  if (event.before.empty() && event.after.empty()) {
    return "";
  }
  return format("{} -> {}", event.before.empty() ? "-" : event.before,
                event.after.empty() ? "-" : event.after);
}

void print_events(const Registry& registry, const std::string& name, bool json) {
  const auto events = registry.models().history(name);
  if (events.empty()) {
    registry.models().get(name);  // says what there is
  }
  Json list = Json::array();
  std::vector<std::vector<std::string>> rows{{"time", "who", "event", "version", "what", "change"}};
  for (const ModelEvent& event : events) {
    list.push_back(event_json(event));
    rows.push_back({time_text(event.time_ms), event.actor.empty() ? "-" : event.actor, event.event,
                    event.version ? format("{}", *event.version) : "-",
                    event.key.empty() ? "-" : event.key, change_text(event)});
  }
  if (json) {
    print_json({{"name", name}, {"events", list}});
  } else {
    print_text(table_text(rows));
  }
}

void print_state(const Registry& registry, const std::string& name, std::int64_t time_ms,
                 bool json) {
  const ModelState state = registry.models().state_at(name, time_ms);
  Json stages = Json::object();
  for (const auto& [version, stage] : state.stages) {
    stages[format("{}", version)] = stage;
  }
  if (json) {
    print_json({{"name", name},
                {"at", time_text(time_ms)},
                {"aliases", state.aliases},
                {"stages", stages},
                {"versions", state.versions}});
    return;
  }
  std::vector<std::vector<std::string>> rows{{"at", time_text(time_ms)}};
  for (const auto& [alias, version] : state.aliases) {
    rows.push_back({"@" + alias, format("version {}", version)});
  }
  for (const auto& [version, stage] : state.stages) {
    rows.push_back({stage, format("version {}", version)});
  }
  rows.push_back(
      {"versions", state.versions.empty() ? "none" : format("{}", join(state.versions, ", "))});
  print_text(table_text(rows));
}

}  // namespace

VerbAction declare_models_history(CLI::App& command) {
  struct Options {
    std::string name;
    std::string at;
    bool json = false;
  };
  auto options = std::make_shared<Options>();
  set_example(command,
              "onnxop models history mnist\n"
              "  onnxop models history mnist --at 2026-05-03T14:00");
  command.add_option("NAME", options->name, "The model; a deleted one too")->required();
  command.add_option("--at", options->at,
                     "What was in force then: 2026-05-03T14:00 (local), 2026-05-03T14:00Z, "
                     "2026-05-03 (at the end of that day)");
  add_json_flag(command, options->json);
  return [options](const CliContext& context) {
    const SystemClock clock;
    const std::int64_t at = options->at.empty() ? 0 : parse_time_text(options->at).last_ms;
    const Registry registry(context.store, clock, /*must_exist=*/true);
    if (options->at.empty()) {
      print_events(registry, options->name, options->json);
    } else {
      print_state(registry, options->name, at, options->json);
    }
  };
}

}  // namespace onnxop
