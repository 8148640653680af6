// Aliases, and what references mean.

#include <algorithm>

#include "onnxop/base/error.h"
#include "onnxop/registry/model_events.h"
#include "onnxop/registry/model_names.h"
#include "onnxop/registry/model_writes.h"
#include "onnxop/registry/session.h"

namespace onnxop {
namespace {

using soci::into;
using soci::use;

std::map<std::string, std::int64_t> load_aliases(Session& session, const ModelKey& model) {
  const std::array<long long, 1> numbers{model.model};
  return load_models(session, numbers).at(0).aliases;
}

[[noreturn]] void fail_no_alias(const RegistryCore& core, const ModelKey& model,
                                const std::map<std::string, std::int64_t>& aliases,
                                std::string_view alias) {
  if (aliases.empty()) {
    fail(ErrorCode::kNotFound, "model '{}' in the store {} has no alias '{}', nor any other",
         model.name, core.location.text(), alias);
  }
  std::vector<std::string> known;
  for (const auto& [name, version] : aliases) {
    known.push_back(name);
  }
  fail(ErrorCode::kNotFound, "model '{}' in the store {} has no alias '{}'; there are: {}{}",
       model.name, core.location.text(), alias, join(known, ", "), did_you_mean(alias, known));
}

std::int64_t alias_target(Session& session, const RegistryCore& core, const ModelKey& model,
                          const std::string& alias) {
  const auto aliases = load_aliases(session, model);
  const auto found = aliases.find(alias);
  if (found == aliases.end()) {
    fail_no_alias(core, model, aliases, alias);
  }
  return found->second;
}

void point_alias(Session& session, const RegistryCore& core, const ModelKey& model,
                 const std::string& alias, std::int64_t version, std::string_view event) {
  const auto aliases = load_aliases(session, model);
  const auto before = aliases.find(alias);
  if (before != aliases.end() && before->second == version) {
    return;
  }
  const long long number = version;
  session << "INSERT INTO version_aliases (model, alias, version) VALUES (:model, :alias, "
             ":version) ON CONFLICT (model, alias) DO UPDATE SET version = excluded.version",
      use(model.model), use(alias), use(number);
  record_event(session, core, model,
               {event, version, alias,
                before == aliases.end() ? std::string() : std::to_string(before->second),
                std::to_string(version)});
}

// The versions that the alias was set to and not rolled back from, the present one last.
std::vector<std::int64_t> alias_moves(Session& session, const ModelKey& model,
                                      const std::string& alias) {
  std::vector<std::int64_t> moves;
  for (const ModelEvent& event : load_model_events(session, model.model)) {
    if (event.key != alias) {
      continue;
    }
    if (event.event == model_event::kAliasSet) {
      moves.push_back(event.version.value_or(0));
    } else if (event.event == model_event::kAliasRolledBack) {
      moves.pop_back();
    } else if (event.event == model_event::kAliasDeleted) {
      moves.clear();
    }
  }
  return moves;
}

ModelVersion newest_with_model(Session& session, const RegistryCore& core, const ModelKey& model) {
  const auto versions = load_versions_of(session, core, model);
  const auto found =
      std::find_if(versions.begin(), versions.end(),
                   [](const ModelVersion& version) { return !version.sha256.empty(); });
  if (found != versions.end()) {
    return *found;
  }
  if (versions.empty()) {
    fail(ErrorCode::kNotFound, "model '{}' in the store {} has no versions yet", model.name,
         core.location.text());
  }
  fail(ErrorCode::kFailedPrecondition,
       "model '{}' in the store {}: none of its versions has a {}: they were registered from "
       "elsewhere",
       model.name, core.location.text(), kModelFile);
}

}  // namespace

void Models::set_alias(std::string_view name, std::string_view alias, std::int64_t version) {
  check_alias_to_set(alias);
  core_.database.write([&](Session& session) {
    const ModelKey model = find_model(session, core_, name);
    load_version(session, core_, model, version);
    point_alias(session, core_, model, std::string(alias), version, model_event::kAliasSet);
  });
}

void Models::delete_alias(std::string_view name, std::string_view alias) {
  const std::string text(alias);
  core_.database.write([&](Session& session) {
    const ModelKey model = find_model(session, core_, name);
    const std::int64_t version = alias_target(session, core_, model, text);
    session << "DELETE FROM version_aliases WHERE model = :model AND alias = :alias",
        use(model.model), use(text);
    record_event(session, core_, model,
                 {model_event::kAliasDeleted, version, text, std::to_string(version), ""});
  });
}

ModelVersion Models::rollback_alias(std::string_view name, std::string_view alias) {
  const std::string text(alias);
  return core_.database.write([&](Session& session) {
    const ModelKey model = find_model(session, core_, name);
    const std::int64_t now = alias_target(session, core_, model, text);
    const auto moves = alias_moves(session, model, text);
    if (moves.size() < 2) {
      fail(ErrorCode::kFailedPrecondition,
           "the alias '{}' of model '{}' has pointed to no version before {}", text, model.name,
           now);
    }
    const std::int64_t before = moves[moves.size() - 2];
    const auto versions = load_versions_of(session, core_, model);
    const auto found =
        std::find_if(versions.begin(), versions.end(),
                     [&](const ModelVersion& version) { return version.version == before; });
    if (found == versions.end()) {
      fail(ErrorCode::kFailedPrecondition,
           "the alias '{}' of model '{}' pointed to version {} before {}, but that was deleted: "
           "set the alias to the version that you want",
           text, model.name, before, now);
    }
    point_alias(session, core_, model, text, before, model_event::kAliasRolledBack);
    return load_version(session, core_, model, before);
  });
}

ModelVersion Models::find(std::string_view reference) const {
  const ModelReference wanted = parse_model_reference(reference);
  return core_.database.read([&](Session& session) {
    const ModelKey model = find_model(session, core_, wanted.name);
    if (!wanted.version && (!wanted.alias || *wanted.alias == kLatestAlias)) {
      return newest_with_model(session, core_, model);
    }
    const std::int64_t number =
        wanted.version ? *wanted.version : alias_target(session, core_, model, *wanted.alias);
    return load_version(session, core_, model, number);
  });
}

ModelVersion Models::resolve(std::string_view reference) const {
  ModelVersion version = find(reference);
  if (version.sha256.empty()) {
    fail(ErrorCode::kFailedPrecondition,
         "version {} of model '{}' has no {}: it was registered from {} and cannot be served from "
         "here",
         version.version, version.name, kModelFile,
         version.source.empty() ? std::string("elsewhere") : version.source);
  }
  return version;
}

}  // namespace onnxop
