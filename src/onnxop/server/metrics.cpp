#include "onnxop/server/metrics.h"

#include <utility>
#include <vector>

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include "onnxop/base/format.h"
#include "onnxop/score/ort_memory.h"
#include "onnxop/server/process_figures.h"
#include "onnxop/serving/model_traffic.h"

namespace onnxop {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::vector<ClientMetric::Label>;

class Families {
 public:
  explicit Families(std::vector<MetricFamily>& families) : families_(families) {}

  void begin(std::string name, std::string help, MetricType type) {
    families_.push_back({std::move(name), std::move(help), type, {}});
  }

  void add(Labels labels, double value) {
    ClientMetric& metric = families_.back().metric.emplace_back();
    metric.label = std::move(labels);
    metric.counter.value = value;
    metric.gauge.value = value;
  }

  template <std::size_t kBounds>
  void add(Labels labels, const Histogram<kBounds>& histogram) {
    const auto values = histogram.values();
    ClientMetric& metric = families_.back().metric.emplace_back();
    metric.label = std::move(labels);
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < kBounds; ++i) {
      sum += values.counts[i];
      metric.histogram.bucket.push_back({sum, histogram.bounds()[i]});
    }
    metric.histogram.sample_count = sum + values.counts[kBounds];
    metric.histogram.sample_sum = values.sum;
  }

  /// A family with one metric.
  void single(std::string name, std::string help, MetricType type, double value) {
    begin(std::move(name), std::move(help), type);
    add({}, value);
  }

 private:
  std::vector<MetricFamily>& families_;
};

Labels labels_of(const ServedModel& model) {
  return {{"model", model.name}, {"version", format("{}", model.version)}};
}

template <typename Value>
void add_of_models(Families& families, const std::vector<ModelLease>& models, const Value& value) {
  for (const ModelLease& model : models) {
    families.add(labels_of(*model), value(*model));
  }
}

void add_requests(Families& families, const std::vector<ModelLease>& models) {
  families.begin("onnxop_requests_total", "Requests answered, by HTTP's status, for gRPC too",
                 MetricType::Counter);
  for (const ModelLease& model : models) {
    for (const auto& [key, count] : model->stats->snapshot().requests) {
      Labels labels = labels_of(*model);
      labels.push_back({"protocol", std::string(protocol_name(key.first))});
      labels.push_back({"status", format("{}", key.second)});
      families.add(std::move(labels), static_cast<double>(count));
    }
  }
}

void add_histograms(Families& families, const std::vector<ModelLease>& models) {
  const auto add = [&](const char* name, const char* help, auto member) {
    families.begin(name, help, MetricType::Histogram);
    for (const ModelLease& model : models) {
      families.add(labels_of(*model), (*model->stats).*member);
    }
  };
  add("onnxop_queue_seconds", "From the queue's end to an executor", &ModelStats::queue_seconds);
  add("onnxop_preprocess_seconds", "Decoding and preprocessing, of the whole batch",
      &ModelStats::preprocess_seconds);
  add("onnxop_compute_seconds", "The run of the engine, of the whole batch",
      &ModelStats::compute_seconds);
  add("onnxop_request_seconds", "From a request's first byte to its answer's last",
      &ModelStats::total_seconds);
  add("onnxop_batch_rows", "Rows that the engine ran together", &ModelStats::batch_rows);
}

void add_models(Families& families, const ServingCore& core) {
  const auto set = core.catalog.snapshot();
  const std::vector<ModelLease>& models = set->models();
  add_requests(families, models);
  add_histograms(families, models);
  families.begin("onnxop_inferences_total", "Rows that were answered", MetricType::Counter);
  add_of_models(families, models, [](const ServedModel& model) {
    return static_cast<double>(model.stats->snapshot().rows);
  });
  families.begin("onnxop_executions_total", "Runs of the engine", MetricType::Counter);
  add_of_models(families, models, [](const ServedModel& model) {
    return static_cast<double>(model.stats->snapshot().runs);
  });
  families.begin("onnxop_queue_length", "Requests that wait for an executor", MetricType::Gauge);
  add_of_models(families, models, [](const ServedModel& model) {
    return static_cast<double>(model.queue->waiting());
  });
  families.begin("onnxop_batch_limit", "Rows that are joined at most", MetricType::Gauge);
  add_of_models(families, models, [](const ServedModel& model) {
    return static_cast<double>(model.queue->max_rows());
  });
}

Labels labels_of(const ModelTraffic& traffic, const std::string& target) {
  return {{"model", traffic.model()}, {"target", target}};
}

void add_splits(Families& families, const ServingSet& set) {
  const auto add = [&](const char* name, const char* help, MetricType type, const auto& value) {
    families.begin(name, help, type);
    for (const auto& routed : set.traffic()) {
      const ModelTraffic& traffic = *routed->traffic;
      for (std::size_t i = 0; i < traffic.plan().split.size(); ++i) {
        families.add(labels_of(traffic, traffic.plan().split[i].name), value(*routed, i));
      }
    }
  };
  add("onnxop_split_requests_total", "Requests that a split gave to a target", MetricType::Counter,
      [](const RoutedTraffic& routed, std::size_t i) {
        return static_cast<double>(routed.traffic->counters(i).requests);
      });
  add("onnxop_split_share", "Part of the requests that a target gets now", MetricType::Gauge,
      [](const RoutedTraffic& routed, std::size_t i) {
        const ModelTraffic& traffic = *routed.traffic;
        return shares_of(traffic.plan().split, routed.loaded & ~traffic.out())[i];
      });
  add("onnxop_rollbacks_total", "Times that a canary lost its traffic", MetricType::Counter,
      [](const RoutedTraffic& routed, std::size_t i) {
        return static_cast<double>(routed.traffic->counters(i).rollbacks);
      });
}

/// Of shadows, and of canaries that are compared with the primary.
struct ComparedTarget {
  Labels labels;
  ComparisonCounters::Values values;
};

std::vector<ComparedTarget> compared_targets(const ServingSet& set) {
  std::vector<ComparedTarget> compared;
  const auto add = [&](const ModelTraffic& traffic, const std::string& target,
                       TargetCounters& counters, ComparisonKind kind) {
    Labels labels = labels_of(traffic, target);
    labels.push_back({"kind", std::string(comparison_kind_name(kind))});
    compared.push_back({std::move(labels), counters.of(kind).values()});
  };
  for (const auto& routed : set.traffic()) {
    const ModelTraffic& traffic = *routed->traffic;
    if (const auto& shadow = traffic.plan().shadow) {
      add(traffic, shadow->target, traffic.shadow_counters(), ComparisonKind::kShadow);
    }
    for (std::size_t i = 1; i < traffic.plan().split.size(); ++i) {
      if (traffic.plan().rollback.max_disagreement) {
        add(traffic, traffic.plan().split[i].name, traffic.counters(i), ComparisonKind::kCanary);
      }
    }
  }
  return compared;
}

void add_comparisons(Families& families, const ServingSet& set) {
  using Values = ComparisonCounters::Values;
  const std::vector<ComparedTarget> compared = compared_targets(set);
  const auto add = [&](const char* name, const char* help, std::uint64_t Values::*value) {
    families.begin(name, help, MetricType::Counter);
    for (const ComparedTarget& each : compared) {
      families.add(each.labels, static_cast<double>(each.values.*value));
    }
  };
  add("onnxop_shadow_requests_total", "Requests to be answered a second time and compared",
      &Values::requests);
  add("onnxop_shadow_dropped_total", "Of those, given up as there was no room or time",
      &Values::dropped);
  add("onnxop_shadow_failures_total", "Of those, where the second answer was an error",
      &Values::failed);
  add("onnxop_shadow_agreement_total", "Of those, where both answers agreed", &Values::agreed);
  add("onnxop_shadow_disagreement_total", "Of those, where they did not", &Values::disagreed);
  families.begin("onnxop_shadow_largest_difference", "Of any element of an output, ever seen",
                 MetricType::Gauge);
  for (const ComparedTarget& each : compared) {
    for (const auto& [output, difference] : each.values.largest) {
      Labels labels = each.labels;
      labels.push_back({"output", output});
      families.add(std::move(labels), difference);
    }
  }
}

void add_connections(Families& families, const HttpStats& http,
                     std::optional<std::int64_t> grpc_connections) {
  families.begin("onnxop_http_responses_total", "Answers over HTTP, of all kinds",
                 MetricType::Counter);
  for (const auto& [status, count] : http.responses()) {
    families.add({{"status", format("{}", status)}}, static_cast<double>(count));
  }
  families.single("onnxop_http_connections", "Open connections", MetricType::Gauge,
                  static_cast<double>(http.connections.load()));
  families.single("onnxop_tls_handshake_failures_total", "Connections that never spoke HTTP",
                  MetricType::Counter, static_cast<double>(http.tls_failures.load()));
  if (grpc_connections) {
    families.single("onnxop_grpc_connections", "Open connections of gRPC", MetricType::Gauge,
                    static_cast<double>(*grpc_connections));
  }
}

void add_server(Families& families, const ServingCore& core) {
  families.single("onnxop_executors", "Threads that run models", MetricType::Gauge,
                  core.scheduler.executors());
  families.single("onnxop_executors_busy", "Of those, running one now", MetricType::Gauge,
                  core.scheduler.busy());
  const RunMemory::Sizes memory = run_memory().sizes();
  families.begin("onnxop_run_memory_bytes", "What runs have besides weights", MetricType::Gauge);
  families.add({{"state", "used"}}, static_cast<double>(memory.used));
  families.add({{"state", "kept"}}, static_cast<double>(memory.kept));
  if (core.manager != nullptr) {
    const LoadCounts counts = core.manager->counts();
    families.single("onnxop_model_loads_total", "Versions that were loaded", MetricType::Counter,
                    static_cast<double>(counts.loaded));
    families.single("onnxop_model_load_failures_total", "Versions that could not be loaded",
                    MetricType::Counter, static_cast<double>(counts.failed));
    families.single("onnxop_model_unloads_total", "Versions that were unloaded",
                    MetricType::Counter, static_cast<double>(counts.unloaded));
  }
}

void add_refused(Families& families, const AccessGate& gate) {
  families.begin("onnxop_refused_requests_total", "Requests that the gate did not let through",
                 MetricType::Counter);
  for (const Protocol protocol : {Protocol::kHttp, Protocol::kGrpc}) {
    for (const Refusal refusal : kRefusals) {
      families.add({{"protocol", std::string(protocol_name(protocol))},
                    {"reason", std::string(refusal_name(refusal))}},
                   static_cast<double>(gate.refused(protocol, refusal)));
    }
  }
}

void add_process(Families& families) {
  const ProcessFigures figures = process_figures();
  families.single("process_cpu_seconds_total", "Processor time, user and system",
                  MetricType::Counter, figures.cpu_seconds);
  families.single("process_resident_memory_bytes", "Resident memory", MetricType::Gauge,
                  figures.resident_bytes);
  families.single("process_virtual_memory_bytes", "Virtual memory", MetricType::Gauge,
                  figures.virtual_bytes);
  families.single("process_open_fds", "Open file descriptors", MetricType::Gauge,
                  figures.open_files);
  families.single("process_max_fds", "File descriptors at most", MetricType::Gauge,
                  figures.max_files);
  families.single("process_threads", "Threads", MetricType::Gauge, figures.threads);
  families.single("process_start_time_seconds", "Start, since 1970", MetricType::Gauge,
                  figures.start_seconds);
}

}  // namespace

std::string metrics_text(const ServingCore& core, const HttpStats& http, const AccessGate* gate,
                         std::string_view program_version,
                         std::optional<std::int64_t> grpc_connections) {
  std::vector<MetricFamily> all;
  Families families(all);
  families.begin("onnxop_build_info", "The program", MetricType::Gauge);
  families.add({{"version", std::string(program_version)}}, 1);
  add_models(families, core);
  const auto set = core.catalog.snapshot();
  add_splits(families, *set);
  add_comparisons(families, *set);
  add_connections(families, http, grpc_connections);
  add_server(families, core);
  if (gate != nullptr) {
    add_refused(families, *gate);
  }
  add_process(families);
  std::erase_if(all, [](const MetricFamily& family) { return family.metric.empty(); });
  return prometheus::TextSerializer().Serialize(all);
}

}  // namespace onnxop
