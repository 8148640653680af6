#include "onnxop/registry/experiments.h"

#include <algorithm>
#include <optional>

#include "onnxop/base/error.h"
#include "onnxop/registry/artifacts.h"
#include "onnxop/registry/experiment_rows.h"
#include "onnxop/registry/registry_core.h"
#include "onnxop/registry/row_select.h"

namespace onnxop {
namespace {

using soci::into;
using soci::use;

// MLflow's limits, in characters.
constexpr std::size_t kName = 500;
constexpr std::size_t kTagKey = 250;
constexpr std::size_t kTagValue = 20'000;
constexpr std::size_t kFolderBytes = 1000;  // not MLflow's: a path has to fit behind it

const std::string kActive(lifecycle_stage_name(LifecycleStage::kActive));
const std::string kDeleted(lifecycle_stage_name(LifecycleStage::kDeleted));

struct SelectStage {
  explicit SelectStage(Session& session)
      : statement((session.prepare << "SELECT lifecycle_stage, artifact_location FROM experiments "
                                      "WHERE experiment_id = :id",
                   use(id), into(stage), into(folder))) {}

  long long id = 0;
  std::string stage;
  std::string folder;
  soci::statement statement;
};

struct ExperimentFields {
  void exchange(soci::statement& statement) {
    exchange_into(statement, id, experiment.name, stage, experiment.artifact_folder, created,
                  updated);
  }

  long long id = 0, created = 0, updated = 0;
  std::string stage;
  Experiment experiment;
};

void check_tags(const Texts& tags) {
  for (const auto& [key, value] : tags) {
    check_key("tag of an experiment", key, kTagKey);
    check_value("tag of an experiment", key, value, kTagValue);
  }
}

bool consists_of(std::string_view text, std::string_view characters) {
  return text.find_first_not_of(characters) == std::string_view::npos;
}

bool is_id(std::string_view part) {
  constexpr std::size_t kIdDigits = 32;
  part.remove_prefix(part.starts_with("m-") ? 2 : 0);
  return part.size() == kIdDigits && consists_of(part, "0123456789abcdef");
}

// -> without superfluous slashes.
std::string check_artifact_folder(std::string_view folder) {
  if (folder.empty()) {
    return {};
  }
  if (folder.size() > kFolderBytes) {
    fail(ErrorCode::kInvalidArgument,
         "the folder of an experiment's artifacts has {} bytes: expected at most {}", folder.size(),
         kFolderBytes);
  }
  const std::string path = check_artifact_path(folder);
  std::string_view rest = path;
  for (bool first = true; !rest.empty(); first = false) {
    const std::string_view part = rest.substr(0, rest.find('/'));
    rest.remove_prefix(std::min(part.size() + 1, rest.size()));
    if (is_id(part) || (first && consists_of(part, "0123456789"))) {
      fail(ErrorCode::kInvalidArgument,
           "'{}' cannot be the folder of an experiment's artifacts: '{}' is that of {}", path, part,
           is_id(part) ? "a run or model" : "an experiment without a folder of its choice");
    }
  }
  return path;
}

[[noreturn]] void fail_no_experiment(const RegistryCore& core, std::int64_t id) {
  fail(ErrorCode::kNotFound, "no experiment {} in the store {}", id, core.location.text());
}

Experiment find_experiment(Session& session, const RegistryCore& core, std::int64_t id) {
  auto found = load_experiments(session, std::span(&id, 1));
  if (found.empty()) {
    fail_no_experiment(core, id);
  }
  return std::move(found.front());
}

std::optional<std::int64_t> find_id(Session& session, const std::string& name) {
  long long id = 0;
  session << "SELECT experiment_id FROM experiments WHERE name = :name", use(name), into(id);
  return session.got_data() ? std::optional<std::int64_t>(id) : std::nullopt;
}

void require_free_name(Session& session, const std::string& name) {
  const auto id = find_id(session, name);
  if (!id) {
    return;
  }
  std::string stage;
  const long long number = *id;
  session << "SELECT lifecycle_stage FROM experiments WHERE experiment_id = :id", use(number),
      into(stage);
  fail(ErrorCode::kAlreadyExists, "there is an experiment '{}' already: {}{}", name, *id,
       stage == kDeleted ? ", deleted; restore it, or take another name" : "");
}

std::int64_t add_experiment(Session& session, const std::string& name, const std::string& folder,
                            const Texts& tags, std::int64_t now_ms) {
  const long long now = now_ms;
  long long id = 0;
  session << "SELECT COALESCE(MAX(number), 0) + 1 FROM (SELECT MAX(experiment_id) AS number FROM "
             "experiments UNION ALL SELECT number FROM last_numbers WHERE what = 'experiment') n",
      into(id);
  const std::string location = folder.empty() ? format("{}", id) : folder;
  session << "INSERT INTO experiments (experiment_id, name, lifecycle_stage, artifact_location, "
             "created_ms, updated_ms) VALUES (:id, :name, :stage, :location, :created, :updated)",
      use(id), use(name), use(kActive), use(location), use(now), use(now);
  set_values(session, kExperimentTags, id, tags);
  return id;
}

void set_stage(Session& session, std::int64_t experiment, const std::string& stage,
               std::int64_t updated_ms) {
  const long long id = experiment;
  const long long updated = updated_ms;
  session << "UPDATE experiments SET lifecycle_stage = :stage, updated_ms = :updated WHERE "
             "experiment_id = :id",
      use(stage), use(updated), use(id);
}

}  // namespace

std::vector<Experiment> load_experiments(Session& session, std::span<const std::int64_t> ids) {
  std::map<std::int64_t, Experiment> found;
  for_each_row<ExperimentFields>(
      session, ids,
      "experiment_id, name, lifecycle_stage, artifact_location, created_ms, updated_ms",
      "experiments WHERE experiment_id = n.number", [&](ExperimentFields& row) {
        row.experiment.experiment_id = row.id;
        row.experiment.lifecycle_stage =
            row.stage == kDeleted ? LifecycleStage::kDeleted : LifecycleStage::kActive;
        row.experiment.created_ms = row.created;
        row.experiment.updated_ms = row.updated;
        found.emplace(row.id, row.experiment);
      });
  for_each_value(session, kExperimentTags, ids,
                 [&](auto id, auto& key, auto& value) { found.at(id).tags.emplace(key, value); });
  std::vector<Experiment> experiments;
  experiments.reserve(found.size());
  for (const std::int64_t id : ids) {
    if (const auto at = found.find(id); at != found.end()) {
      experiments.push_back(std::move(at->second));
      found.erase(at);
    }
  }
  return experiments;
}

std::string require_active_experiment(Session& session, const RegistryCore& core,
                                      std::int64_t experiment_id) {
  auto& select = session.kept<SelectStage>();
  select.id = experiment_id;
  std::optional<std::string> stage;
  select.statement.execute();
  while (select.statement.fetch()) {
    stage = select.stage;
  }
  if (!stage) {
    fail_no_experiment(core, experiment_id);
  }
  if (*stage != kActive) {
    fail(ErrorCode::kFailedPrecondition,
         "experiment {} is deleted and cannot be written: restore it first", experiment_id);
  }
  return select.folder;
}

std::int64_t Experiments::create(std::string_view name, const Texts& tags,
                                 std::string_view artifact_folder) {
  check_key("experiment", name, kName);
  const std::string folder = check_artifact_folder(artifact_folder);
  check_tags(tags);
  return core_.database.write([&](Session& session) {
    require_free_name(session, std::string(name));
    return add_experiment(session, std::string(name), folder, tags, core_.now_ms());
  });
}

Experiment Experiments::get(std::int64_t experiment_id) const {
  return core_.database.read(
      [&](Session& session) { return find_experiment(session, core_, experiment_id); });
}

Experiment Experiments::get_by_name(std::string_view name) const {
  return core_.database.read([&](Session& session) {
    const auto id = find_id(session, std::string(name));
    if (!id) {
      fail(ErrorCode::kNotFound, "no experiment '{}' in the store {}", name, core_.location.text());
    }
    return find_experiment(session, core_, *id);
  });
}

std::int64_t Experiments::get_or_create(std::string_view name) {
  check_key("experiment", name, kName);
  return core_.database.write([&](Session& session) {
    if (const auto id = find_id(session, std::string(name))) {
      require_active_experiment(session, core_, *id);
      return *id;
    }
    return add_experiment(session, std::string(name), "", {}, core_.now_ms());
  });
}

void Experiments::rename(std::int64_t experiment_id, std::string_view name) {
  check_key("experiment", name, kName);
  const std::string wanted(name);
  const long long id = experiment_id;
  const long long now = core_.now_ms();
  core_.database.write([&](Session& session) {
    require_active_experiment(session, core_, id);
    if (find_id(session, wanted) == experiment_id) {
      return;
    }
    require_free_name(session, wanted);
    session << "UPDATE experiments SET name = :name, updated_ms = :now WHERE experiment_id = :id",
        use(wanted), use(now), use(id);
  });
}

// The time of the deletion tells the runs that went with the experiment from those that had been
// deleted before, so it is later than all of theirs. A deleted experiment is not changed, so its
// updated_ms stays that time.
void Experiments::remove(std::int64_t experiment_id) {
  if (experiment_id == kDefaultExperiment) {
    fail(ErrorCode::kInvalidArgument, "the default experiment (0) cannot be deleted");
  }
  const long long id = experiment_id;
  core_.database.write([&](Session& session) {
    if (find_experiment(session, core_, id).lifecycle_stage == LifecycleStage::kDeleted) {
      fail(ErrorCode::kNotFound, "experiment {} is deleted already", experiment_id);
    }
    long long last_deletion = 0;
    session << "SELECT COALESCE(MAX(deleted_ms), 0) FROM runs WHERE experiment_id = :id", use(id),
        into(last_deletion);
    const long long now = std::max<long long>(core_.now_ms(), last_deletion + 1);
    set_stage(session, id, kDeleted, now);
    session << "UPDATE runs SET lifecycle_stage = :deleted, deleted_ms = :now WHERE "
               "experiment_id = :id AND lifecycle_stage = :active",
        use(kDeleted), use(now), use(id), use(kActive);
  });
}

void Experiments::restore(std::int64_t experiment_id) {
  const long long id = experiment_id;
  core_.database.write([&](Session& session) {
    const Experiment experiment = find_experiment(session, core_, id);
    if (experiment.lifecycle_stage == LifecycleStage::kActive) {
      fail(ErrorCode::kNotFound, "experiment {} is not deleted", experiment_id);
    }
    const long long deleted_ms = experiment.updated_ms;
    session << "UPDATE runs SET lifecycle_stage = :active, deleted_ms = NULL WHERE "
               "experiment_id = :id AND lifecycle_stage = :deleted AND deleted_ms = :time",
        use(kActive), use(id), use(kDeleted), use(deleted_ms);
    set_stage(session, id, kActive, core_.now_ms());
  });
}

void Experiments::set_tag(std::int64_t experiment_id, std::string_view key,
                          std::string_view value) {
  const Texts tags{{std::string(key), std::string(value)}};
  check_tags(tags);
  core_.database.write([&](Session& session) {
    require_active_experiment(session, core_, experiment_id);
    set_values(session, kExperimentTags, experiment_id, tags);
  });
}

void Experiments::delete_tag(std::int64_t experiment_id, std::string_view key) {
  core_.database.write([&](Session& session) {
    require_active_experiment(session, core_, experiment_id);
    if (!delete_value(session, kExperimentTags, experiment_id, key)) {
      fail(ErrorCode::kNotFound, "experiment {} has no tag '{}'", experiment_id, key);
    }
  });
}

}  // namespace onnxop
