// The Registry's runs.

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include <soci/soci.h>
#include <unistd.h>

#include "onnxop/base/error.h"
#include "onnxop/registry/process_owner.h"
#include "onnxop/registry/registry_impl.h"

namespace onnxop {
namespace {

namespace fs = std::filesystem;
using soci::into;
using soci::use;

constexpr std::size_t kRunIdDigits = 32;
constexpr std::size_t kShortestPrefix = 6;

std::string new_run_id() {
  std::array<unsigned char, kRunIdDigits / 2> bytes{};
  if (getentropy(bytes.data(), bytes.size()) != 0) {
    fail(ErrorCode::kInternal, "no random bytes: {}", std::strerror(errno));
  }
  return format("{:02x}", join(bytes, ""));
}

bool is_hex(std::string_view text) {
  return text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

RunStatus parse_status(const std::string& name) {
  for (const RunStatus status :
       {RunStatus::kRunning, RunStatus::kFinished, RunStatus::kFailed, RunStatus::kKilled}) {
    if (run_status_name(status) == name) {
      return status;
    }
  }
  fail(ErrorCode::kDataLoss, "the store has a run with the unknown status '{}'", name);
}

// Calls row(run_id, key, value, is_nan) for the rows of `table` that belong to the runs of
// `condition`.
template <typename Value, typename Row>
void for_each_value(soci::session& session, const std::string& columns_and_table,
                    const std::string& condition, const std::string& argument, Row&& row) {
  std::string run_id;
  std::string key;
  Value value{};
  int is_nan = 0;
  soci::statement select =
      (session.prepare << "SELECT run_id, key, " << columns_and_table
                       << " WHERE run_id IN (SELECT run_id FROM runs WHERE " << condition << ")",
       use(argument), into(run_id), into(key), into(value), into(is_nan));
  select.execute();
  while (select.fetch()) {
    row(run_id, key, value, is_nan);
  }
}

// The runs of `condition`, an SQL expression with one `:argument`; newest first.
std::vector<Run> load_runs(soci::session& session, const std::string& condition,
                           const std::string& argument) {
  std::vector<Run> runs;
  std::map<std::string, std::size_t> index_of;
  {
    Run run;
    std::string status;
    long long start_time_ms = 0;
    long long end_time_ms = 0;
    soci::indicator has_end = soci::i_null;
    soci::statement select =
        (session.prepare << "SELECT run_id, name, status, start_time_ms, end_time_ms FROM runs "
                            "WHERE "
                         << condition << " ORDER BY number DESC",
         use(argument), into(run.run_id), into(run.name), into(status), into(start_time_ms),
         into(end_time_ms, has_end));
    select.execute();
    while (select.fetch()) {
      run.status = parse_status(status);
      run.start_time_ms = start_time_ms;
      run.end_time_ms.reset();
      if (has_end == soci::i_ok) {
        run.end_time_ms = end_time_ms;
      }
      index_of[run.run_id] = runs.size();
      runs.push_back(run);
    }
  }
  const auto run_of = [&](const std::string& run_id) -> Run& { return runs[index_of.at(run_id)]; };
  for_each_value<std::string>(session, "value, 0 FROM params", condition, argument,
                              [&](const auto& run, const auto& key, const auto& value, int) {
                                run_of(run).params[key] = value;
                              });
  for_each_value<std::string>(session, "value, 0 FROM tags", condition, argument,
                              [&](const auto& run, const auto& key, const auto& value, int) {
                                run_of(run).tags[key] = value;
                              });
  for_each_value<double>(session, "value, is_nan FROM latest_metrics", condition, argument,
                         [&](const auto& run, const auto& key, double value, int is_nan) {
                           run_of(run).metrics[key] = metric_from_columns(value, is_nan);
                         });
  return runs;
}

// The ids that start with `prefix`, three at most.
std::vector<std::string> find_run_ids(soci::session& session, const std::string& prefix) {
  const std::string end = prefix + "g";  // the letter after the last hex digit
  std::vector<std::string> found;
  std::string run_id;
  soci::statement select = (session.prepare << "SELECT run_id FROM runs WHERE run_id >= :prefix "
                                               "AND run_id < :end ORDER BY run_id LIMIT 3",
                            use(prefix), use(end), into(run_id));
  select.execute();
  while (select.fetch()) {
    found.push_back(run_id);
  }
  return found;
}

void set_status(soci::session& session, const std::string& run_id, RunStatus status,
                std::optional<long long> end_time_ms) {
  const std::string name(run_status_name(status));
  const long long end = end_time_ms.value_or(0);
  soci::indicator has_end = end_time_ms ? soci::i_ok : soci::i_null;
  session << "UPDATE runs SET status = :status, end_time_ms = :end WHERE run_id = :run", use(name),
      use(end, has_end), use(run_id);
}

// When a run that nobody ended was last heard of.
long long last_sign_of_life(soci::session& session, const Run& run) {
  long long latest = 0;
  session << "SELECT COALESCE(MAX(timestamp_ms), 0) FROM latest_metrics WHERE run_id = :run",
      use(run.run_id), into(latest);
  return std::max<long long>(latest, run.start_time_ms);
}

std::string read_owner(soci::session& session, const std::string& run_id) {
  std::string owner;
  session << "SELECT owner FROM runs WHERE run_id = :run", use(run_id), into(owner);
  return owner;
}

}  // namespace

void check_key(std::string_view what, std::string_view key) {
  if (key.empty()) {
    fail(ErrorCode::kInvalidArgument, "a {} with an empty name", what);
  }
}

void Registry::Impl::require_run(soci::session& session, std::string_view run_id) const {
  const std::string wanted(run_id);
  int count = 0;
  session << "SELECT COUNT(*) FROM runs WHERE run_id = :run", use(wanted), into(count);
  if (count == 0) {
    fail(ErrorCode::kNotFound, "no run '{}' in the store {}", run_id, dir.native());
  }
}

std::string Registry::create_run(std::string_view name) {
  const std::string run_id = new_run_id();
  const std::string run_name(name);
  const std::string status(run_status_name(RunStatus::kRunning));
  const std::string owner = current_process_owner();
  const long long now = impl_->now_ms();
  std::error_code error;
  fs::create_directories(run_dir(run_id), error);
  if (error) {
    fail(ErrorCode::kIo, "cannot make the run's folder {}: {}", run_dir(run_id).native(),
         error.message());
  }
  impl_->database.write([&](soci::session& session) {
    session << "INSERT INTO runs (run_id, number, name, status, start_time_ms, owner) "
               "SELECT :run, COALESCE(MAX(number), 0) + 1, :name, :status, :now, :owner FROM runs",
        use(run_id), use(run_name), use(status), use(now), use(owner);
  });
  return run_id;
}

fs::path Registry::run_dir(std::string_view run_id) const {
  if (run_id.size() != kRunIdDigits || !is_hex(run_id)) {
    fail(ErrorCode::kInvalidArgument, "'{}' is no run id: expected {} hex digits", run_id,
         kRunIdDigits);
  }
  return impl_->dir / "runs" / run_id;
}

void Registry::log_params(std::string_view run_id,
                          const std::map<std::string, std::string>& params) {
  const std::string run(run_id);
  impl_->database.write([&](soci::session& session) {
    impl_->require_run(session, run);
    for (const auto& [key, value] : params) {
      check_key("parameter", key);
      std::string before;
      session << "SELECT value FROM params WHERE run_id = :run AND key = :key", use(run), use(key),
          into(before);
      if (!session.got_data()) {
        session << "INSERT INTO params (run_id, key, value) VALUES (:run, :key, :value)", use(run),
            use(key), use(value);
      } else if (before != value) {
        fail(ErrorCode::kAlreadyExists,
             "run {}: parameter '{}' is '{}' and cannot become '{}': parameters do not change", run,
             key, before, value);
      }
    }
  });
}

void Registry::set_tag(std::string_view run_id, std::string_view key, std::string_view value) {
  check_key("tag", key);
  const std::string run(run_id);
  const std::string tag(key);
  const std::string text(value);
  impl_->database.write([&](soci::session& session) {
    impl_->require_run(session, run);
    session << "INSERT INTO tags (run_id, key, value) VALUES (:run, :key, :value) "
               "ON CONFLICT (run_id, key) DO UPDATE SET value = excluded.value",
        use(run), use(tag), use(text);
  });
}

void Registry::end_run(std::string_view run_id, RunStatus status) {
  if (status == RunStatus::kRunning) {
    fail(ErrorCode::kInvalidArgument, "run {}: a run cannot end as RUNNING", run_id);
  }
  const std::string run(run_id);
  const long long now = impl_->now_ms();
  impl_->database.write([&](soci::session& session) {
    impl_->require_run(session, run);
    set_status(session, run, status, now);
  });
}

void Registry::reopen_run(std::string_view run_id) {
  const std::string run(run_id);
  const std::string self = current_process_owner();
  impl_->database.write([&](soci::session& session) {
    impl_->require_run(session, run);
    const Run before = load_runs(session, "run_id = :run", run).front();
    const std::string owner = read_owner(session, run);
    if (before.status == RunStatus::kRunning && owner != self && !owner_is_gone(owner)) {
      fail(ErrorCode::kFailedPrecondition, "run {} is still being written by {}", run,
           describe_owner(owner));
    }
    set_status(session, run, RunStatus::kRunning, std::nullopt);
    session << "UPDATE runs SET owner = :owner WHERE run_id = :run", use(self), use(run);
  });
}

Run Registry::get_run(std::string_view run_id) const {
  const std::string prefix(run_id);
  if (prefix.size() < kShortestPrefix || prefix.size() > kRunIdDigits || !is_hex(prefix)) {
    fail(ErrorCode::kInvalidArgument,
         "'{}' is no run id: expected {} hex digits, or the first {} or more of them", run_id,
         kRunIdDigits, kShortestPrefix);
  }
  return impl_->database.read([&](soci::session& session) {
    const auto found = find_run_ids(session, prefix);
    if (found.empty()) {
      fail(ErrorCode::kNotFound, "no run '{}' in the store {}", prefix, impl_->dir.native());
    }
    if (found.size() > 1) {
      fail(ErrorCode::kInvalidArgument, "'{}' could be one of several runs: {}, {}{}", prefix,
           found[0], found[1], found.size() > 2 ? ", …" : "");
    }
    return load_runs(session, "run_id = :run", found.front()).front();
  });
}

std::vector<Run> Registry::list_runs() const {
  return impl_->database.read(
      [](soci::session& session) { return load_runs(session, "'' = :all", ""); });
}

std::vector<Run> Registry::mark_interrupted_runs() {
  const std::string running(run_status_name(RunStatus::kRunning));
  const auto abandoned = [&](soci::session& session) {
    std::vector<Run> runs = load_runs(session, "status = :status", running);
    std::erase_if(runs,
                  [&](const Run& run) { return !owner_is_gone(read_owner(session, run.run_id)); });
    return runs;
  };
  if (impl_->database.read(abandoned).empty()) {
    return {};
  }
  return impl_->database.write([&](soci::session& session) {
    std::vector<Run> runs = abandoned(session);
    for (Run& run : runs) {
      run.status = RunStatus::kKilled;
      run.end_time_ms = last_sign_of_life(session, run);
      set_status(session, run.run_id, run.status, run.end_time_ms);
    }
    return runs;
  });
}

}  // namespace onnxop
