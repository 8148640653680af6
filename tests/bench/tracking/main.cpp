// onnxop-bench-tracking: the tracking interface of `onnxop serve` beside MLflow's own server.

#include <atomic>
#include <chrono>
#include <functional>
#include <iostream>
#include <map>
#include <string>
#include <thread>

#include "bench/bench.h"
#include "bench/figures.h"
#include "bench/load_round.h"
#include "bench/tracking/runs.h"
#include "bench/tracking/tracking_server.h"
#include "onnxop/base/error.h"
#include "onnxop/base/file.h"
#include "onnxop/base/json_value.h"

namespace onnxop::bench {
namespace {

constexpr int kRounds = 3;
constexpr double kSeconds = 2;
constexpr double kSecondsOfHistory = 10;  // MLflow takes seconds for one
constexpr int kRuns = 10'000;
constexpr int kManyRuns = 100'000;
constexpr int kHistory = 100'000;
constexpr int kBatch = 1000;

/// A server with the runs, the long history and the experiments that the operations ask for.
struct Subject {
  std::string name;
  std::unique_ptr<TrackingServer> server;
  int runs = 0;
  std::string experiment = {};         // holds the runs
  std::string scratch = {}, run = {};  // where is written: an experiment and a run of it
  std::atomic<long long> step = 0;     // of what is written next
  std::atomic<int> made = 0;           // runs

  Subject(std::string called, std::unique_ptr<TrackingServer> asked, int holds)
      : name(std::move(called)), server(std::move(asked)), runs(holds) {
    experiment = server->experiment_of(runs);
    scratch = server->new_experiment();
    run = server->new_run(scratch, 0);
  }

  std::string search(const std::string& filter, const std::string& order) {
    return server->post("runs/search", search_body(experiment, filter, order));
  }

  /// Points of the metric "loss" of the run. Returns the seconds that the requests took.
  double log_points(int points) {
    double seconds = 0;
    for (int sent = 0; sent < points; sent += kBatch) {
      const std::string body = points_body(run, kBatch, step.fetch_add(kBatch));
      const auto start = std::chrono::steady_clock::now();
      server->post("runs/log-batch", body);
      seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    }
    return seconds;
  }
};

using Operation = std::function<void(Subject&)>;

std::vector<std::string> names_of(const std::string& answer) {
  std::vector<std::string> names;
  const Json json = parse_json(answer, "answer");
  for (const Json& run : json.value("runs", Json::array())) {
    names.push_back(run.at("info").at("run_name"));
  }
  return names;
}

/// Throws Error{kInternal} where the servers do not find the same runs.
void check_they_agree(const std::vector<Subject*>& subjects, const std::string& filter,
                      const std::string& order) {
  const auto first = names_of(subjects.front()->search(filter, order));
  for (Subject* each : subjects) {
    if (const auto found = names_of(each->search(filter, order)); found != first || found.empty()) {
      fail(ErrorCode::kInternal, "{}: {} finds {} runs, {} finds {}, or others", filter,
           subjects.front()->name, first.size(), each->name, found.size());
    }
  }
}

/// The operation from so many connections, on each of the subjects in turn. Throws Error{kInternal}
/// where none of a subject's ended within a round.
Json measure(const std::string& title, const std::vector<Subject*>& subjects, int connections,
             const Operation& operation, double seconds = kSeconds) {
  std::vector<Contender> contenders;
  for (Subject* each : subjects) {
    contenders.push_back({each->name, [each, connections, seconds, &operation] {
                            return call_round([&] { operation(*each); }, connections, seconds);
                          }});
  }
  take_turns(contenders, kRounds);
  const double own = median_of(contenders.front().rounds).per_second;
  Json json = Json::object();
  std::cout << format("{}, {} connection{}\n", title, connections, connections == 1 ? "" : "s");
  for (const Contender& each : contenders) {
    const Round round = median_of(each.rounds);
    if (round.per_second <= 0) {
      fail(ErrorCode::kInternal, "{}: {} answered nothing in {} seconds", title, each.name,
           seconds);
    }
    json[each.name] = round_json(round);
    json[each.name]["onnxop_times"] = own / round.per_second;
    std::cout << format(
        "  {:<20}{:>12.1f} a second   p50 {:>9.2f} ms   p99 {:>9.2f} ms{:>9.1f} x\n", each.name,
        round.per_second, round.p50_ms, round.p99_ms, own / round.per_second);
  }
  std::cout << std::flush;
  return json;
}

void ask_history(Subject& subject, int page) {
  const std::string path =
      format("metrics/get-history?run_id={}&metric_key=loss&max_results={}", subject.run, page);
  for (std::string token;;) {
    const std::string answer =
        subject.server->get(token.empty() ? path : path + "&page_token=" + token);
    const std::size_t at = answer.rfind("next_page_token");
    if (at == std::string::npos) {
      return;
    }
    const std::size_t begin = answer.find('"', answer.find(':', at)) + 1;
    token = answer.substr(begin, answer.find('"', begin) - begin);
    if (token.empty()) {
      return;
    }
    for (std::size_t sign = 0; (sign = token.find('=', sign)) != std::string::npos;) {
      token.replace(sign, 1, "%3D");
    }
  }
}

/// create run, log a batch, search 10,000 runs, the history of 100,000 points.
Json measure_small(const std::vector<Subject*>& subjects) {
  const std::string filter = format("metrics.accuracy > {}", threshold(kRuns, 100));
  check_they_agree(subjects, filter, "metrics.accuracy DESC");
  const std::vector<std::tuple<std::string, std::string, Operation>> operations{
      {"create_run", "create a run",
       [](Subject& at) { at.server->post("runs/create", create_body(at.scratch, ++at.made)); }},
      {"log_batch_100", "log a batch of 100 metrics",
       [](Subject& at) {
         at.server->post("runs/log-batch", metrics_body(at.run, 100, at.step++));
       }},
      {"search_10000", "search 10,000 runs by a metric: 100 found",
       [&](Subject& at) { at.search(filter, ""); }}};
  Json json = Json::object();
  for (const auto& [key, title, operation] : operations) {
    for (const int connections : {1, 8}) {
      json[key][format("connections_{}", connections)] =
          measure(title, subjects, connections, operation);
    }
  }
  json["history_100000"]["connections_1"] = measure(
      "the history of 100,000 points, as the client asks: 4 pages", subjects, 1,
      [](Subject& at) { ask_history(at, 25'000); }, kSecondsOfHistory);
  return json;
}

/// 1,000,000 points of one run, in batches of 1,000, one after the other.
Json measure_million(Subject& own, Subject& other) {
  constexpr int kPoints = 1'000'000;
  constexpr int kFewer = 50'000;
  const double seconds = own.log_points(kPoints);
  const double others = other.log_points(kFewer);
  const double times = others / kFewer / (seconds / kPoints);
  std::cout << format(
      "1,000,000 points of one run, 1,000 a request: {:.2f} s; {}: {:.2f} s for 50,000: {:.1f} x\n",
      seconds, other.name, others, times);
  return {{"onnxop_seconds", seconds}, {"mlflow_50000_seconds", others}, {"onnxop_times", times}};
}

/// The same searches among 10,000 and 100,000 runs.
Json measure_growth(Subject& few, Subject& many, Subject& others) {
  const std::vector<Subject*> all{&many, &few, &others};
  const auto selective = [](const Subject& at) {
    return format("metrics.accuracy > {}", threshold(at.runs, 20));
  };
  const std::string broad = "metrics.accuracy > 0.5 and params.optimizer = 'adam'";
  const std::string by_metric = "metrics.accuracy DESC";
  check_they_agree({&many, &others}, selective(many), by_metric);
  check_they_agree({&many, &others}, broad, by_metric);
  std::map<const Subject*, std::string> filters;
  for (Subject* each : all) {
    filters[each] = selective(*each);
  }
  Json json = Json::object();
  json["metric"] = measure("20 runs by a metric, sorted, of 100,000 (few: of 10,000)", all, 1,
                           [&](Subject& at) { at.search(filters.at(&at), by_metric); });
  json["name"] = measure("one run by its name, of 100,000 (few: of 10,000)", all, 1,
                         [&](Subject& at) { at.search("attributes.run_name = 'run-5000'", ""); });
  json["broad"] =
      measure("the best 100 by a metric and a parameter: 16,667 of 100,000 (few: 1,667)", all, 1,
              [&](Subject& at) { at.search(broad, by_metric); });
  for (const char* key : {"metric", "name", "broad"}) {
    const double growth =
        json[key][many.name]["p50_ms"].get<double>() / json[key][few.name]["p50_ms"].get<double>();
    json[key]["growth"] = growth;
    std::cout << format("{}: 10 times the runs cost {:.2f} times the search\n", key, growth);
  }
  return json;
}

void run(const std::filesystem::path& out) {
  Json result{{"processor", processor()}, {"mlflow", mlflow_version()}};
  std::cout << format("MLflow {}; filling the stores\n", result["mlflow"].get<std::string>())
            << std::flush;
  Subject own("onnxop", TrackingServer::onnxop(), kRuns);
  {
    Subject others("mlflow", TrackingServer::mlflow(std::nullopt), kRuns);
    Subject single("mlflow, 1 worker", TrackingServer::mlflow(1), kRuns);
    const std::vector<Subject*> all{&own, &others, &single};
    for (Subject* each : all) {
      each->log_points(kHistory);
    }
    result["operations"] = measure_small(all);
    result["million_points"] = measure_million(own, others);
  }
  std::cout << "filling stores of 100,000 runs\n" << std::flush;
  Subject few("few", TrackingServer::onnxop(), kRuns);
  Subject many("onnxop", TrackingServer::onnxop(), kManyRuns);
  Subject others("mlflow", TrackingServer::mlflow(std::nullopt), kManyRuns);
  result["growth"] = measure_growth(few, many, others);
  write_file_atomically(out, as_bytes(dump_json_pretty(result) + "\n"));
  std::cout << "written: " << out.string() << '\n';
}

/// What is quick to see while working on it.
void run_alone() {
  Subject own("onnxop", TrackingServer::onnxop(), kRuns);
  own.log_points(kHistory);
  measure_small({&own});
  constexpr int kPoints = 1'000'000;
  std::cout << format("1,000,000 points of one run, 1,000 a request: {:.2f} s\n",
                      own.log_points(kPoints));
}

}  // namespace
}  // namespace onnxop::bench

int main(int argc, char** argv) {
  try {
    if (argc == 3 && std::string(argv[1]) == "--out") {
      onnxop::bench::run(argv[2]);
      return 0;
    }
    if (argc == 2 && std::string(argv[1]) == "--alone") {
      onnxop::bench::run_alone();
      return 0;
    }
  } catch (const onnxop::Error& e) {
    std::cerr << "onnxop-bench-tracking: " << e.what() << '\n';
    return 1;
  }
  std::cerr << "usage: onnxop-bench-tracking --out bench-tracking.json\n"
               "       onnxop-bench-tracking --alone   (without MLflow's server beside it)\n";
  return 2;
}
