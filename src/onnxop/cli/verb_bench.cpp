#include <algorithm>
#include <memory>

#include "onnxop/base/error.h"
#include "onnxop/base/json_value.h"
#include "onnxop/cli/bench_report.h"
#include "onnxop/cli/verbs.h"
#include "onnxop/load/range.h"
#include "onnxop/workflow/load_model.h"
#include "onnxop/workflow/model_ref.h"

namespace onnxop {
namespace {

constexpr int kOpenLoopConnections = 64;

struct Options {
  std::string target;
  BenchRequest request;
  std::vector<std::string> bodies, images, headers, shapes;
  bool random = false;
  std::string connections, rates;
  std::string batches = "1:64:x2";
  std::string raw_model;
  WindowRule windows;
  int threads = 1;
  bool polls = false;
  double timeout_seconds = 60;
  bool json = false;

  bool is_url() const { return target.find("://") != std::string::npos; }
};

void declare_request(CLI::App& command, Options& options) {
  command
      .add_option("TARGET", options.target,
                  "http://HOST:PORT/PATH, or a model (a path to an .onnx file, or name, "
                  "name@alias, name:version in the store) to run in this process")
      ->required();
  command.add_option("--body", options.bodies, "Files that are sent, in turn");
  command.add_option("--image", options.images, "Image files that are sent, in turn");
  command.add_flag("--random", options.random,
                   "Random tensors, made from the model's metadata: for a URL .../v2/models/NAME, "
                   "which is the default there");
  command
      .add_option("--shape", options.shapes,
                  "INPUT:1,3,224,224: the shape of a random tensor whose dimensions are free; 1 "
                  "where nothing is said")
      ->allow_extra_args(false);
  command.add_option("--header", options.headers, "NAME:VALUE, sent with each request")
      ->allow_extra_args(false);
  command.add_option("--method", options.request.method,
                     "Of the requests; default: POST with a body, GET without");
  command.add_option("--seed", options.request.seed, "Of random tensors and of --rate's intervals")
      ->capture_default_str();
}

void declare_load(CLI::App& command, Options& options) {
  command.add_option("--connections", options.connections,
                     "N, N,N,… or FIRST:LAST:STEP or FIRST:LAST:xFACTOR: each is one line of the "
                     "table (default: 1,8,64; with --rate 64)");
  command.add_option("--rate", options.rates,
                     "Requests due a second, a range like --connections: an open loop");
  command.add_option("--threads", options.threads, "Of the load generator")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  command.add_flag("--poll", options.polls,
                   "The load generator looks for answers all the time instead of sleeping, so that "
                   "its own waking up is in no latency; it needs a processor for each thread");
  command
      .add_option("--duration", options.windows.seconds,
                  "Seconds of a window; three in a row have to agree within 10 %")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command
      .add_option("--requests", options.windows.requests,
                  "Requests of a window, instead of its duration")
      ->check(CLI::PositiveNumber);
  command.add_option("--windows", options.windows.most, "At most so many windows")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  command
      .add_option("--percentile", options.windows.latency_percent,
                  "Of the latency, which has to agree: 50, 90, 95 or 99")
      ->check(CLI::IsMember({50, 90, 95, 99}))
      ->capture_default_str();
  command
      .add_option("--timeout", options.timeout_seconds, "Seconds after which a request has failed")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
}

void declare_raw(CLI::App& command, Options& options) {
  command.add_option("--compare-raw", options.raw_model,
                     "Beside a URL: what ONNX Runtime alone does with this model");
  command.add_option("--batches", options.batches, "Batch sizes of ONNX Runtime alone, a range")
      ->capture_default_str();
}

std::pair<std::string, std::string> parse_header(const std::string& text) {
  const auto colon = text.find(':');
  if (colon == std::string::npos || colon == 0 || text.find_first_of("\r\n") != std::string::npos) {
    throw UsageError(format("--header '{}': expected NAME:VALUE", text));
  }
  const auto value = text.find_first_not_of(' ', colon + 1);
  return {text.substr(0, colon), value == std::string::npos ? "" : text.substr(value)};
}

void parse_shape(const std::string& text, InputShapes& shapes) {
  const auto colon = text.rfind(':');
  if (colon == std::string::npos || colon == 0) {
    throw UsageError(format("--shape '{}': expected INPUT:N,N,…", text));
  }
  const std::vector<int> sizes = parse_range(text.substr(colon + 1));
  shapes[text.substr(0, colon)] = {sizes.begin(), sizes.end()};
}

void settle(Options& options) {
  BenchRequest& request = options.request;
  request.url = options.target;
  request.files = options.bodies;
  request.files.insert(request.files.end(), options.images.begin(), options.images.end());
  for (const std::string& text : options.headers) {
    request.headers.push_back(parse_header(text));
  }
  for (const std::string& text : options.shapes) {
    parse_shape(text, request.shapes);
  }
  if (options.random && !request.files.empty()) {
    throw UsageError("--random goes with neither --body nor --image");
  }
  const bool of_http = !request.files.empty() || !request.headers.empty() ||
                       !request.method.empty() || !options.connections.empty() ||
                       !options.rates.empty() || options.polls || !options.raw_model.empty();
  if (!options.is_url() && of_http) {
    throw UsageError(
        "--body, --image, --header, --method, --connections, --rate, --poll and --compare-raw are "
        "for a URL");
  }
}

std::vector<int> connection_counts(const Options& options) {
  if (!options.connections.empty()) {
    return parse_range(options.connections);
  }
  return options.rates.empty() ? std::vector<int>{1, 8, 64}
                               : std::vector<int>{kOpenLoopConnections};
}

std::vector<HttpRow> measure_http(const Options& options) {
  const HttpBench bench = prepare_http_bench(options.request);
  if (options.random && bench.target.bodies.empty()) {
    throw UsageError("--random is for a URL .../v2/models/NAME");
  }
  const std::vector<int> rates =
      options.rates.empty() ? std::vector<int>{0} : parse_range(options.rates);
  std::vector<HttpRow> rows;
  for (const int connections : connection_counts(options)) {
    for (const int rate : rates) {
      HttpLoadOptions load;
      load.connections = connections;
      load.rate = rate;
      load.seed = options.request.seed;
      load.threads = options.threads;
      load.polls = options.polls;
      load.timeout =
          std::chrono::milliseconds(static_cast<std::int64_t>(1e3 * options.timeout_seconds));
      load.windows = options.windows;
      rows.push_back(run_http_bench(bench, load));
    }
  }
  return rows;
}

std::vector<RawRow> measure_engine(const Options& options, const std::string& reference,
                                   const CliContext& context) {
  const ModelLease model = load_model(reference, context.store);
  std::vector<RawRow> rows;
  for (const int threads : thread_counts()) {
    for (const std::int64_t batch :
         possible_batches(*model->scorer, parse_range(options.batches))) {
      rows.push_back(
          measure_raw(*model->scorer, batch, threads, options.request.shapes, options.windows));
    }
  }
  return rows;
}

void run(Options& options, const CliContext& context) {
  settle(options);
  BenchResult result{.target = options.target, .http = {}, .raw = {}};
  if (options.is_url()) {
    result.http = measure_http(options);
  }
  if (!options.is_url() || !options.raw_model.empty()) {
    result.raw =
        measure_engine(options, options.is_url() ? options.raw_model : options.target, context);
  }
  if (options.json) {
    print_json(bench_json(result));
  } else {
    print_text(bench_table(result));
  }
  const bool answered = result.http.empty() ||
                        std::any_of(result.http.begin(), result.http.end(), [](const HttpRow& row) {
                          return row.report.figures.answered > 0;
                        });
  if (!answered) {
    fail(ErrorCode::kUnavailable, "{}: no request was answered with success", options.target);
  }
}

}  // namespace

VerbAction declare_bench(CLI::App& command) {
  auto options = std::make_shared<Options>();
  set_example(command,
              "onnxop bench http://127.0.0.1:8080/api/classify_digit --image digit.png\n"
              "  onnxop bench http://127.0.0.1:8080/v2/models/mnist --connections 1:64:x2 "
              "--compare-raw mnist");
  declare_request(command, *options);
  declare_load(command, *options);
  declare_raw(command, *options);
  add_json_flag(command, options->json);
  return [options](const CliContext& context) { run(*options, context); };
}

}  // namespace onnxop
