// The JSON and the sources of MLflow's REST API. The first byte says which.

#include <string>

#include "fuzz/fuzz.h"
#include "onnxop/base/json_writer.h"
#include "onnxop/wire/mlflow_artifacts.h"
#include "onnxop/wire/mlflow_fields.h"
#include "onnxop/wire/mlflow_metrics.h"

namespace onnxop {
namespace {

void read_fields(std::string_view json) {
  const MlflowFields fields(json);
  const auto ask = [](auto&& question) {
    fuzz::allow({ErrorCode::kInvalidArgument}, [&] { question(); });
  };
  ask([&] { fields.run_id(); });
  ask([&] { fields.experiment_ids(); });
  ask([&] { fields.view_type("run_view_type"); });
  ask([&] { fuzz::require(fields.max_results(10, 100) <= 100); });
  ask([&] { fields.pairs("tags"); });
  ask([&] { fields.number("value"); });
  ask([&] { fields.integer("timestamp"); });
  ask([&] { fields.truth("archive_existing_versions"); });
  ask([&] { fields.objects("datasets"); });
  ask([&] { log_metric_of(fields); });
}

void read_batch(std::string_view json) {
  const LogBatch log = parse_log_batch(json);
  fuzz::require(!log.run_id.empty());
  fuzz::require(log.batch.metrics.size() <= 1000 && log.batch.params.size() <= 100);
  for (const Metric& metric : log.batch.metrics) {
    fuzz::require(!metric.key.empty());
  }
  // What is written can be read.
  MlflowFields{metric_history_json({log.batch.metrics, log.run_id})};
}

void read_source(std::string_view text) {
  const VersionSource source = parse_version_source(text);
  const std::string path = "/" + source.path + "/";
  fuzz::require(path.find("/../") == std::string::npos && path.find('\0') == std::string::npos);
}

}  // namespace
}  // namespace onnxop

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace onnxop;
  if (size == 0) {
    return 0;
  }
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  fuzz::allow({ErrorCode::kInvalidArgument, ErrorCode::kTooLarge}, [&] {
    switch (data[0] % 3) {
      case 0:
        return read_fields(text);
      case 1:
        return read_batch(text);
      default:
        return read_source(text);
    }
  });
  return 0;
}
