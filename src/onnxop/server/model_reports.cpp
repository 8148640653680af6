#include "onnxop/server/model_reports.h"

#include <cmath>

#include "onnxop/base/format.h"
#include "onnxop/serving/model_config.h"

namespace onnxop {
namespace {

StatDuration duration_of(const ModelStats::Runs& runs) {
  return {runs.count, static_cast<std::uint64_t>(std::llround(runs.seconds * 1e9))};
}

}  // namespace

OipModel describe_served(const ServedModel& model, const ServingSet& set) {
  OipModel described{model.name, {}, model.scorer->inputs(), model.scorer->outputs()};
  for (const ModelLease& each : set.models()) {
    if (each->name == model.name) {
      described.versions.push_back(format("{}", each->version));
    }
  }
  return described;
}

OipConfig config_of(const ServedModel& model, const ServingCore& core) {
  OipConfig config;
  config.max_batch = model.batchable ? model.queue->max_rows() : 0;
  config.executors = core.scheduler.executors();
  config.max_queue = model.queue->options().max_queued;
  if (model.config) {
    config.own = &model.config->triton;
    config.max_batch = config.own->max_batch_size.value_or(config.max_batch);
  }
  return config;
}

OipStatistics statistics_of(const ServedModel& model) {
  const ModelStats::Snapshot stats = model.stats->snapshot();
  OipStatistics result;
  result.name = model.name;
  result.version = format("{}", model.version);
  result.last_inference_ms = stats.last_run_ms;
  result.inference_count = stats.rows;
  result.execution_count = stats.runs;
  result.success = duration_of(stats.success);
  result.fail = duration_of(stats.failure);
  result.queue = duration_of(stats.queue);
  result.compute_input = duration_of(stats.preprocess);
  result.compute_infer = duration_of(stats.compute);
  result.compute_output = {stats.success.count, 0};
  for (const auto& [rows, runs] : stats.by_rows) {
    result.batches.push_back({rows, {runs.count, 0}, duration_of(runs), {runs.count, 0}});
  }
  return result;
}

std::vector<IndexedVersion> index_of(const ServingCore& core) {
  std::vector<IndexedVersion> versions;
  if (core.manager != nullptr) {
    for (const VersionStatus& status : core.manager->index()) {
      versions.push_back(
          {status.name, status.version, version_state_name(status.state), status.reason});
    }
    return versions;
  }
  for (const ModelLease& model : core.catalog.snapshot()->models()) {
    versions.push_back({model->name, model->version, "READY", ""});
  }
  return versions;
}

}  // namespace onnxop
