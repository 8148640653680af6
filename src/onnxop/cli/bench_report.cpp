#include "onnxop/cli/bench_report.h"

#include <algorithm>

#include "onnxop/base/format.h"
#include "onnxop/base/json_value.h"
#include "onnxop/cli/verb.h"

namespace onnxop {
namespace {

/// Means of a request: waiting for a connection and writing; in the server's queue; computing; and
/// all the rest, which is the network and the server's work on the protocol.
struct Parts {
  double client_ms = 0, network_ms = 0, queue_ms = 0, compute_ms = 0;
};

Parts parts_of(const HttpRow& row, const ServerSplit& server) {
  const LoadFigures& figures = row.report.figures;
  Parts parts{figures.client_ms, 0, server.queue_ms, server.compute_ms};
  parts.network_ms =
      std::max(0.0, figures.latency.mean_ms - parts.client_ms - parts.queue_ms - parts.compute_ms);
  return parts;
}

std::string milliseconds(double value) {
  return format("{:.3f}", value);
}

std::string per_second(double value) {
  return value < 100 ? format("{:.1f}", value) : format("{:.0f}", value);
}

void add_latencies(const LatencySummary& latency, std::vector<std::string>& cells) {
  for (const double each :
       {latency.p50_ms, latency.p90_ms, latency.p95_ms, latency.p99_ms, latency.max_ms}) {
    cells.push_back(milliseconds(each));
  }
}

std::string http_table(const std::vector<HttpRow>& rows) {
  const bool open = std::any_of(rows.begin(), rows.end(), [](const auto& r) { return r.rate > 0; });
  const bool split = std::any_of(rows.begin(), rows.end(), [](const auto& r) { return r.server; });
  std::vector<std::string> head{"connections"};
  if (open) {
    head.emplace_back("due/s");
  }
  for (const char* each : {"answers/s", "p50 ms", "p90 ms", "p95 ms", "p99 ms", "max ms"}) {
    head.emplace_back(each);
  }
  if (split) {
    for (const char* each : {"mean ms:", "client", "network", "queue", "compute"}) {
      head.emplace_back(each);
    }
  }
  head.emplace_back("errors");
  head.emplace_back("steady");
  std::vector<std::vector<std::string>> table{head};
  for (const HttpRow& row : rows) {
    const LoadFigures& figures = row.report.figures;
    std::vector<std::string> cells{format("{}", row.connections)};
    if (open) {
      cells.push_back(per_second(row.rate));
    }
    cells.push_back(per_second(figures.per_second));
    add_latencies(figures.latency, cells);
    if (split) {
      const Parts parts = row.server ? parts_of(row, *row.server) : Parts{};
      cells.push_back(milliseconds(figures.latency.mean_ms));
      for (const double each :
           {parts.client_ms, parts.network_ms, parts.queue_ms, parts.compute_ms}) {
        cells.push_back(row.server ? milliseconds(each) : "-");
      }
    }
    cells.push_back(format("{}", figures.errors));
    cells.emplace_back(row.report.steady ? "yes" : "no");
    table.push_back(std::move(cells));
  }
  return table_text(table);
}

std::string raw_table(const std::vector<RawRow>& rows) {
  std::vector<std::vector<std::string>> table{
      {"threads", "batch", "rows/s", "p50 ms", "p90 ms", "p95 ms", "p99 ms", "max ms", "steady"}};
  for (const RawRow& row : rows) {
    std::vector<std::string> cells{format("{}", row.threads), format("{}", row.batch),
                                   per_second(row.rows_per_second)};
    add_latencies(row.report.figures.latency, cells);
    cells.emplace_back(row.report.steady ? "yes" : "no");
    table.push_back(std::move(cells));
  }
  return table_text(table);
}

double best_served(const BenchResult& result) {
  double best = 0;
  for (const HttpRow& row : result.http) {
    best = std::max(best, row.report.figures.per_second);
  }
  return best;
}

Json latency_json(const LatencySummary& latency) {
  return {{"mean", latency.mean_ms}, {"p50", latency.p50_ms}, {"p90", latency.p90_ms},
          {"p95", latency.p95_ms},   {"p99", latency.p99_ms}, {"max", latency.max_ms}};
}

Json http_json(const HttpRow& row) {
  const LoadFigures& figures = row.report.figures;
  Json errors = Json::object();
  for (const auto& [status, count] : figures.errors_by_status) {
    errors[status == 0 ? "none" : std::to_string(status)] = count;
  }
  Json json{{"connections", row.connections},
            {"rate", nullptr},
            {"steady", row.report.steady},
            {"windows", row.report.windows.size()},
            {"seconds", figures.seconds},
            {"answered", figures.answered},
            {"errors", figures.errors},
            {"errors_by_status", errors},
            {"per_second", figures.per_second},
            {"latency_ms", latency_json(figures.latency)},
            {"mean_ms", nullptr}};
  if (row.rate > 0) {
    json["rate"] = row.rate;
  }
  if (row.server) {
    const Parts parts = parts_of(row, *row.server);
    json["mean_ms"] = {{"client", parts.client_ms},
                       {"network", parts.network_ms},
                       {"queue", parts.queue_ms},
                       {"compute", parts.compute_ms},
                       {"compute_input", row.server->compute_input_ms},
                       {"compute_infer", row.server->compute_infer_ms},
                       {"compute_output", row.server->compute_output_ms}};
  }
  return json;
}

Json raw_json(const RawRow& row) {
  return {{"threads", row.threads},
          {"batch", row.batch},
          {"steady", row.report.steady},
          {"windows", row.report.windows.size()},
          {"runs", row.report.figures.answered},
          {"rows_per_second", row.rows_per_second},
          {"latency_ms", latency_json(row.report.figures.latency)}};
}

}  // namespace

std::string bench_table(const BenchResult& result) {
  std::string text;
  if (!result.http.empty()) {
    text += result.target + "\n\n" + http_table(result.http);
  }
  if (!result.raw.empty()) {
    text += format("{}ONNX Runtime alone, in this process\n\n{}", text.empty() ? "" : "\n",
                   raw_table(result.raw));
  }
  if (const RawRow* best = best_of(result.raw); best != nullptr && !result.http.empty()) {
    text +=
        format("\nserved at best {}/s: {:.1f} % of ONNX Runtime alone at best ({}/s)\n",
               per_second(best_served(result)), 100 * best_served(result) / best->rows_per_second,
               per_second(best->rows_per_second));
  }
  return text;
}

Json bench_json(const BenchResult& result) {
  Json json{{"target", result.target}, {"http", Json::array()}, {"raw", Json::array()}};
  for (const HttpRow& row : result.http) {
    json["http"].push_back(http_json(row));
  }
  for (const RawRow& row : result.raw) {
    json["raw"].push_back(raw_json(row));
  }
  if (const RawRow* best = best_of(result.raw); best != nullptr && !result.http.empty()) {
    json["served_of_raw"] = best_served(result) / best->rows_per_second;
  }
  return json;
}

}  // namespace onnxop
