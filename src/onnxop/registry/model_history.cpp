// What happened to models, and what was in force at a time.

#include <algorithm>
#include <charconv>

#include "onnxop/base/error.h"
#include "onnxop/registry/model_events.h"
#include "onnxop/registry/model_names.h"
#include "onnxop/registry/session.h"

namespace onnxop {
namespace {

using soci::into;
using soci::use;

std::int64_t number_of(std::string_view text) {
  std::int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

// All models that ever had the name, in the order of their making.
std::vector<long long> models_called(Session& session, const std::string& name) {
  std::vector<long long> models;
  const std::string renamed(model_event::kModelRenamed);
  long long model = 0;
  soci::statement select =
      (session.prepare << "SELECT model FROM model_events WHERE name = :name "
                          "UNION SELECT model FROM model_events WHERE event = :renamed "
                          "AND value_after = :name2 "
                          "UNION SELECT model FROM registered_models WHERE name = :name3",
       use(name), use(renamed), use(name), use(name), into(model));
  select.execute();
  while (select.fetch()) {
    models.push_back(model);
  }
  std::sort(models.begin(), models.end());
  return models;
}

// A model's life up to some event.
struct Life {
  bool there = false;
  std::string name;
  ModelState state;
};

void follow(Life& life, const ModelEvent& event) {
  life.there = event.event != model_event::kModelDeleted;
  life.name = event.event == model_event::kModelRenamed ? event.after : event.name;
  ModelState& state = life.state;
  const std::int64_t version = event.version.value_or(0);
  if (event.event == model_event::kVersionCreated) {
    state.versions.insert(version);
  } else if (event.event == model_event::kVersionDeleted) {
    state.versions.erase(version);
    state.stages.erase(version);
  } else if (event.event == model_event::kAliasSet ||
             event.event == model_event::kAliasRolledBack) {
    state.aliases[event.key] = number_of(event.after);
  } else if (event.event == model_event::kAliasDeleted) {
    state.aliases.erase(event.key);
  } else if (event.event == model_event::kStageChanged) {
    state.stages.erase(version);
    if (event.after != kNoStage) {
      state.stages[version] = event.after;
    }
  }
}

}  // namespace

void record_event(Session& session, const RegistryCore& core, const ModelKey& model,
                  const ModelChange& change) {
  const long long time_ms = core.now_ms();
  const long long version = change.version.value_or(0);
  soci::indicator has_version = change.version ? soci::i_ok : soci::i_null;
  const std::string event(change.event);
  session << "INSERT INTO model_events (number, time_ms, actor, model, name, version, event, key, "
             "value_before, value_after) SELECT COALESCE(MAX(number), 0) + 1, :time, :actor, "
             ":model, :name, :version, :event, :key, :before, :after FROM model_events",
      use(time_ms), use(core.actor), use(model.model), use(model.name), use(version, has_version),
      use(event), use(change.key), use(change.before), use(change.after);
}

long long next_model_number(Session& session) {
  long long highest = 0;
  session << "SELECT COALESCE(MAX(model), 0) FROM (SELECT model FROM registered_models UNION ALL "
             "SELECT model FROM model_events UNION ALL SELECT model FROM claims) known",
      into(highest);
  return highest + 1;
}

std::vector<ModelEvent> load_model_events(Session& session, long long model) {
  std::vector<ModelEvent> events;
  ModelEvent row;
  long long time_ms = 0;
  long long version = 0;
  soci::indicator has_version = soci::i_ok;
  soci::statement select =
      (session.prepare << "SELECT time_ms, actor, name, version, event, key, value_before, "
                          "value_after FROM model_events WHERE model = :model ORDER BY number",
       use(model), into(time_ms), into(row.actor), into(row.name), into(version, has_version),
       into(row.event), into(row.key), into(row.before), into(row.after));
  select.execute();
  while (select.fetch()) {
    row.time_ms = time_ms;
    row.version = has_version == soci::i_ok ? std::optional<std::int64_t>(version) : std::nullopt;
    events.push_back(row);
  }
  return events;
}

std::vector<ModelEvent> Models::history(std::string_view name) const {
  check_model_name(name);
  const std::string text(name);
  return core_.database.read([&](Session& session) {
    std::vector<ModelEvent> result;
    const auto models = models_called(session, text);
    if (models.empty()) {
      find_model(session, core_, name);  // throws
    }
    for (const long long model : models) {
      const auto events = load_model_events(session, model);
      Life life;
      for (const ModelEvent& event : events) {
        follow(life, event);
      }
      // One that has left the name belongs here only as long as it had it.
      for (const ModelEvent& event : events) {
        if (life.name == text || event.name == text) {
          result.push_back(event);
        }
      }
    }
    return result;
  });
}

ModelState Models::state_at(std::string_view name, std::int64_t time_ms) const {
  check_model_name(name);
  const std::string text(name);
  return core_.database.read([&](Session& session) {
    const auto models = models_called(session, text);
    if (models.empty()) {
      find_model(session, core_, name);  // throws
    }
    for (const long long model : models) {
      Life life;
      for (const ModelEvent& event : load_model_events(session, model)) {
        if (event.time_ms <= time_ms) {
          follow(life, event);
        }
      }
      if (life.there && life.name == text) {
        return life.state;
      }
    }
    fail(ErrorCode::kNotFound, "there was no model '{}' in the store {} at {}", name,
         core_.location.text(), format_time(WallTime(std::chrono::milliseconds(time_ms))));
  });
}

std::int64_t Models::last_change() const {
  return core_.database.read([](Session& session) {
    long long number = 0;
    session << "SELECT COALESCE(MAX(number), 0) FROM model_events", into(number);
    return static_cast<std::int64_t>(number);
  });
}

}  // namespace onnxop
