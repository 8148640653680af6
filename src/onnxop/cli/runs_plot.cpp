#include <filesystem>
#include <memory>

#include <unistd.h>

#include "onnxop/base/clock.h"
#include "onnxop/base/error.h"
#include "onnxop/base/file.h"
#include "onnxop/base/format.h"
#include "onnxop/base/json_value.h"
#include "onnxop/cli/runs_verbs.h"
#include "onnxop/plot/chart.h"
#include "onnxop/plot/terminal.h"

namespace onnxop {
namespace {

struct Options {
  std::vector<std::string> runs;
  std::vector<std::string> metrics;
  std::string out;
  std::string x = "step";
  bool log_y = false;
  bool json = false;
};

// Seconds since the run's start, or steps.
double x_of(const Metric& metric, const Run& run, bool by_time) {
  return by_time ? static_cast<double>(metric.timestamp_ms - run.start_time_ms) / 1000
                 : static_cast<double>(metric.step);
}

std::string known_metrics(const Run& run) {
  std::vector<std::string_view> keys;
  for (const auto& [key, metric] : run.metrics) {
    keys.push_back(key);
  }
  return keys.empty() ? "none" : format("{}", join(keys, ", "));
}

LineChart chart_of(const Registry& registry, const Options& options) {
  LineChart chart{.title = format("{}", join(options.metrics, ", ")),
                  .x_label = options.x == "time" ? "seconds" : "step",
                  .y_label = options.metrics.size() == 1 ? options.metrics.front() : "",
                  .series = {},
                  .log_y = options.log_y};
  for (const std::string& id : options.runs) {
    const Run run = registry.runs().get(id);
    const std::string run_name = run.name.empty() ? run.run_id.substr(0, 8) : run.name;
    for (const std::string& key : options.metrics) {
      if (!run.metrics.contains(key)) {
        fail(ErrorCode::kNotFound, "run {} has no metric '{}'; its metrics: {}", run.run_id, key,
             known_metrics(run));
      }
      Series series{.name = options.metrics.size() == 1 ? run_name
                            : options.runs.size() == 1  ? key
                                                        : format("{} {}", run_name, key),
                    .points = {}};
      for (const Metric& metric : registry.runs().metric_history(run.run_id, key)) {
        series.points.push_back({x_of(metric, run, options.x == "time"), metric.value});
      }
      chart.series.push_back(std::move(series));
    }
  }
  return chart;
}

void write_picture(const LineChart& chart, const std::filesystem::path& path) {
  if (path.extension() == ".svg") {
    write_file_atomically(path, as_bytes(chart_svg(chart)));
  } else {
    write_file_atomically(path, chart_png(chart));
  }
}

Json chart_json(const LineChart& chart) {
  Json series = Json::array();
  for (const Series& one : chart.series) {
    Json points = Json::array();
    for (const PlotPoint& point : one.points) {
      points.push_back({point.x, metric_json(point.y)});
    }
    series.push_back({{"name", one.name}, {"points", points}});
  }
  return {{"x", chart.x_label}, {"series", series}};
}

void plot_runs(const Registry& registry, const Options& options) {
  const LineChart chart = chart_of(registry, options);
  if (!options.out.empty()) {
    write_picture(chart, options.out);
  }
  if (options.json) {
    Json json = chart_json(chart);
    json["file"] = options.out.empty() ? Json() : Json(options.out);
    print_json(json);
  } else if (options.out.empty()) {
    print_text(chart_text(chart, canvas_of(STDOUT_FILENO)));
  } else {
    print_text(options.out + "\n");
  }
}

}  // namespace

VerbAction declare_runs_plot(CLI::App& command) {
  auto options = std::make_shared<Options>();
  set_example(command,
              "onnxop runs plot 3f2a91c0 77b0c1de --metric val_loss\n"
              "  onnxop runs plot 3f2a91c0 --metric train_loss --metric val_loss --out loss.svg");
  command.add_option("RUN", options->runs, "Runs, by their ids or first digits")
      ->required()
      ->expected(1, 100);
  command.add_option("--metric", options->metrics, "Which metric; may be given several times")
      ->required()
      ->allow_extra_args(false);
  command
      .add_option("--out", options->out, "A picture's file, .svg or .png (default: the terminal)")
      ->check([](const std::string& file) {
        const auto extension = std::filesystem::path(file).extension();
        return extension == ".svg" || extension == ".png" ? std::string()
                                                          : file + " ends in neither .svg nor .png";
      });
  command.add_option("--x", options->x, "step, or time: seconds since the run's start")
      ->check(CLI::IsMember({"step", "time"}))
      ->capture_default_str();
  command.add_flag("--log-y", options->log_y, "A logarithmic axis of values");
  add_json_flag(command, options->json);
  return [options](const CliContext& context) {
    const SystemClock clock;
    plot_runs(Registry(context.store, clock, /*must_exist=*/true), *options);
  };
}

}  // namespace onnxop
