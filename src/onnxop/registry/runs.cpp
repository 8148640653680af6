// The life of runs: made, found, ended, deleted.

#include "onnxop/registry/runs.h"

#include "onnxop/base/error.h"
#include "onnxop/base/storage_error.h"
#include "onnxop/registry/experiment_rows.h"
#include "onnxop/registry/metric_points.h"
#include "onnxop/registry/process_owner.h"
#include "onnxop/registry/registry_core.h"
#include "onnxop/registry/run_names.h"
#include "onnxop/registry/run_rows.h"
#include "onnxop/registry/session.h"

namespace onnxop {
namespace {

namespace fs = std::filesystem;
using soci::into;
using soci::use;

constexpr std::size_t kRunIdDigits = 32;
constexpr std::size_t kShortestPrefix = 6;

bool is_hex(std::string_view text) {
  return text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// The name, and the tags with the name among them.
std::string settle_name(const NewRun& run, Texts& tags) {
  std::string& tag = tags[std::string(kRunNameTag)];
  if (!run.name.empty() && !tag.empty() && run.name != tag) {
    fail(ErrorCode::kInvalidArgument,
         "a run with two names: '{}', and '{}' in the tag {}: expected one of them", run.name, tag,
         kRunNameTag);
  }
  if (tag.empty()) {
    tag = run.name.empty() ? made_up_name() : run.name;
  }
  return tag;
}

// The numbers of the runs whose ids start with `prefix`, three at most, and their ids.
std::vector<std::pair<std::int64_t, std::string>> find_by_prefix(Session& session,
                                                                 const std::string& prefix) {
  const std::string end = prefix + "g";  // the letter after the last hex digit
  std::vector<std::pair<std::int64_t, std::string>> found;
  long long number = 0;
  std::string run_id;
  soci::statement select =
      (session.prepare << "SELECT number, run_id FROM runs WHERE run_id >= :prefix AND "
                          "run_id < :end ORDER BY run_id LIMIT 3",
       use(prefix), use(end), into(number), into(run_id));
  select.execute();
  while (select.fetch()) {
    found.emplace_back(number, run_id);
  }
  return found;
}

std::int64_t resolve_run(Session& session, const RegistryCore& core, const std::string& text) {
  if (text.size() < kShortestPrefix || text.size() >= kRunIdDigits || !is_hex(text)) {
    return find_run(session, core, text).number;
  }
  const auto found = find_by_prefix(session, text);
  if (found.empty()) {
    return find_run(session, core, text).number;
  }
  if (found.size() > 1) {
    fail(ErrorCode::kInvalidArgument, "'{}' could be one of several runs: {}, {}{}", text,
         found[0].second, found[1].second, found.size() > 2 ? ", …" : "");
  }
  return found.front().first;
}

Run load_run(Session& session, std::int64_t number) {
  return load_runs(session, std::span(&number, 1)).front();
}

bool has_ended(RunStatus status) {
  return status != RunStatus::kRunning && status != RunStatus::kScheduled;
}

void set_status(Session& session, std::int64_t run, RunStatus status,
                std::optional<std::int64_t> end_time_ms) {
  const std::string name(run_status_name(status));
  const long long number = run;
  const long long end = end_time_ms.value_or(0);
  soci::indicator has_end = end_time_ms ? soci::i_ok : soci::i_null;
  session << "UPDATE runs SET status = :status, end_time_ms = :end WHERE number = :run", use(name),
      use(end, has_end), use(number);
}

struct LastNumber {
  explicit LastNumber(Session& session)
      : statement((session.prepare << "SELECT COALESCE(MAX(number), 0) FROM runs", into(number))) {}

  long long number = 0;
  soci::statement statement;
};

long long next_number(Session& session) {
  auto& last = session.kept<LastNumber>();
  long long number = 0;
  last.statement.execute();
  while (last.statement.fetch()) {
    number = last.number + 1;
  }
  return number;
}

struct InsertRun {
  explicit InsertRun(Session& session)
      : statement((session.prepare
                       << "INSERT INTO runs (run_id, number, name, status, start_time_ms, owner, "
                          "experiment_id, user_id, lifecycle_stage) VALUES (:run, :number, :name, "
                          ":status, :start, :owner, :experiment, :user, :stage)",
                   use(run_id), use(number), use(name), use(status), use(start), use(owner),
                   use(experiment), use(user_id), use(stage))) {}

  void assign(const Run& run, long long its_number, const std::string& its_owner) {
    run_id = run.run_id;
    number = its_number;
    name = run.name;
    status = run_status_name(run.status);
    start = run.start_time_ms;
    owner = its_owner;
    experiment = run.experiment_id;
    user_id = run.user_id;
    stage = lifecycle_stage_name(run.lifecycle_stage);
  }

  std::string run_id, name, status, owner, user_id, stage;
  long long number = 0, start = 0, experiment = 0;
  soci::statement statement;
};

}  // namespace

Run Runs::start(const NewRun& wanted) {
  Run run{.run_id = random_hex(kRunIdDigits),
          .experiment_id = wanted.experiment_id,
          .user_id = wanted.user_id,
          .start_time_ms = wanted.start_time_ms.value_or(core_.now_ms()),
          .tags = wanted.tags};
  run.name = settle_name(wanted, run.tags);
  check_run_tags(run.tags);
  check_value("user of run", run.name, run.user_id, RunLimits::kKey);
  const std::string owner = wanted.owned ? current_process_owner() : "";
  core_.database.write([&](Session& session) {
    run.experiment_folder = require_active_experiment(session, core_, run.experiment_id);
    const long long number = next_number(session);
    auto& insert = session.kept<InsertRun>();
    insert.assign(run, number, owner);
    insert.statement.execute(true);
    discard_points(session, number);
    set_values(session, kRunTags, number, run.tags);
  });
  return run;
}

std::string Runs::create(const NewRun& run) {
  return start(run).run_id;
}

fs::path Runs::dir(std::string_view run_id) const {
  core_.database.read([&](Session& session) { find_run(session, core_, run_id); });
  const fs::path folder = core_.runs_dir() / run_id;
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) {
    fail_to_write(error, format("cannot make the run's folder {}", folder.native()));
  }
  return folder;
}

Run Runs::update(std::string_view run_id, const RunUpdate& update) {
  Texts tags;
  if (update.name && !update.name->empty()) {
    tags.emplace(kRunNameTag, *update.name);
    check_run_tags(tags);
  }
  return core_.database.write([&](Session& session) {
    const long long number = find_active_run(session, core_, run_id).number;
    if (update.status) {
      const std::string status(run_status_name(*update.status));
      session << "UPDATE runs SET status = :status WHERE number = :run", use(status), use(number);
      if (has_ended(*update.status)) {
        settle_points(session, number);
      }
    }
    if (update.end_time_ms) {
      const long long end = *update.end_time_ms;
      session << "UPDATE runs SET end_time_ms = :end WHERE number = :run", use(end), use(number);
    }
    set_run_tags(session, number, tags);
    return load_run(session, number);
  });
}

void Runs::end(std::string_view run_id, RunStatus status) {
  if (!has_ended(status)) {
    fail(ErrorCode::kInvalidArgument, "run {}: a run cannot end as {}", run_id,
         run_status_name(status));
  }
  const std::int64_t now = core_.now_ms();
  core_.database.write([&](Session& session) {
    const std::int64_t run = find_active_run(session, core_, run_id).number;
    set_status(session, run, status, now);
    settle_points(session, run);
  });
}

void Runs::reopen(std::string_view run_id) {
  const std::string self = current_process_owner();
  core_.database.write([&](Session& session) {
    const long long number = find_active_run(session, core_, run_id).number;
    std::string status;
    std::string owner;
    session << "SELECT status, owner FROM runs WHERE number = :run", use(number), into(status),
        into(owner);
    if (status == run_status_name(RunStatus::kRunning) && owner != self && !owner_is_gone(owner)) {
      fail(ErrorCode::kFailedPrecondition, "run {} is still being written by {}", run_id,
           describe_owner(owner));
    }
    set_status(session, number, RunStatus::kRunning, std::nullopt);
    session << "UPDATE runs SET owner = :owner WHERE number = :run", use(self), use(number);
  });
}

void Runs::remove(std::string_view run_id) {
  const std::string stage(lifecycle_stage_name(LifecycleStage::kDeleted));
  const long long now = core_.now_ms();
  core_.database.write([&](Session& session) {
    const RunRow run = find_run(session, core_, run_id);
    if (run.lifecycle_stage == LifecycleStage::kDeleted) {
      return;  // and it keeps the time
    }
    const long long number = run.number;
    session << "UPDATE runs SET lifecycle_stage = :stage, deleted_ms = :now WHERE number = :run",
        use(stage), use(now), use(number);
  });
}

void Runs::restore(std::string_view run_id) {
  const std::string stage(lifecycle_stage_name(LifecycleStage::kActive));
  core_.database.write([&](Session& session) {
    const long long number = find_run(session, core_, run_id).number;
    session << "UPDATE runs SET lifecycle_stage = :stage, deleted_ms = NULL WHERE number = :run",
        use(stage), use(number);
  });
}

Run Runs::get(std::string_view run_id) const {
  const std::string text(run_id);
  return core_.database.read(
      [&](Session& session) { return load_run(session, resolve_run(session, core_, text)); });
}

std::vector<Run> Runs::list() const {
  const std::string stage(lifecycle_stage_name(LifecycleStage::kActive));
  return core_.database.read([&](Session& session) {
    std::vector<std::int64_t> numbers;
    long long number = 0;
    soci::statement select = (session.prepare << "SELECT number FROM runs WHERE "
                                                 "lifecycle_stage = :stage ORDER BY number DESC",
                              use(stage), into(number));
    select.execute();
    while (select.fetch()) {
      numbers.push_back(number);
    }
    return load_runs(session, numbers);
  });
}

}  // namespace onnxop
