// What is written to runs while they go: parameters, tags, and batches of all.

#include "onnxop/base/error.h"
#include "onnxop/registry/registry_core.h"
#include "onnxop/registry/run_rows.h"
#include "onnxop/registry/runs.h"
#include "onnxop/registry/session.h"

namespace onnxop {
namespace {

using soci::use;

void check_params(const Texts& params) {
  for (const auto& [key, value] : params) {
    check_key("parameter", key, RunLimits::kKey);
    check_value("parameter", key, value, RunLimits::kParamValue);
  }
}

void add_params(Session& session, std::string_view run_id, const RunRow& run, const Texts& params) {
  if (const auto conflict = add_fixed_values(session, kRunParams, run.number, params)) {
    fail(ErrorCode::kAlreadyExists,
         "run {}: parameter '{}' is '{}' and cannot become '{}': parameters do not change", run_id,
         conflict->key, conflict->before, conflict->wanted);
  }
}

}  // namespace

void check_run_tags(const Texts& tags) {
  for (const auto& [key, value] : tags) {
    check_key("tag", key, RunLimits::kKey);
    check_value("tag", key, value, RunLimits::kTagValue);
  }
}

void set_run_tags(Session& session, std::int64_t run, const Texts& tags) {
  const auto name = tags.find(std::string(kRunNameTag));
  if (name == tags.end()) {
    set_values(session, kRunTags, run, tags);
    return;
  }
  if (name->second.empty()) {  // a run always has a name
    Texts others = tags;
    others.erase(name->first);
    set_values(session, kRunTags, run, others);
    return;
  }
  set_values(session, kRunTags, run, tags);
  const long long number = run;
  session << "UPDATE runs SET name = :name WHERE number = :run", use(name->second), use(number);
}

void Runs::log_batch(std::string_view run_id, const RunBatch& batch) {
  check_metrics(batch.metrics);
  check_params(batch.params);
  check_run_tags(batch.tags);
  core_.database.write_log([&](Session& session) {
    const RunRow run = find_active_run(session, core_, run_id);
    add_params(session, run_id, run, batch.params);
    append_metrics(session, run.number, batch.metrics);
    set_run_tags(session, run.number, batch.tags);
  });
}

void Runs::log_params(std::string_view run_id, const Texts& params) {
  check_params(params);
  core_.database.write_log([&](Session& session) {
    add_params(session, run_id, find_active_run(session, core_, run_id), params);
  });
}

void Runs::set_tag(std::string_view run_id, std::string_view key, std::string_view value) {
  const Texts tags{{std::string(key), std::string(value)}};
  check_run_tags(tags);
  core_.database.write_log([&](Session& session) {
    set_run_tags(session, find_active_run(session, core_, run_id).number, tags);
  });
}

void Runs::delete_tag(std::string_view run_id, std::string_view key) {
  core_.database.write_log([&](Session& session) {
    const RunRow run = find_active_run(session, core_, run_id);
    if (!delete_value(session, kRunTags, run.number, key)) {
      fail(ErrorCode::kNotFound, "run {} has no tag '{}'", run_id, key);
    }
  });
}

}  // namespace onnxop
