#include <algorithm>
#include <charconv>
#include <iostream>
#include <iterator>
#include <memory>

#include "onnxop/base/clock.h"
#include "onnxop/base/error.h"
#include "onnxop/base/json_value.h"
#include "onnxop/cli/csv_text.h"
#include "onnxop/cli/run_columns.h"
#include "onnxop/cli/runs_verbs.h"

namespace onnxop {
namespace {

constexpr std::int64_t kLargestPage = 10'000;

struct Options {
  std::string filter;
  std::vector<std::string> order_by;
  std::string columns;
  std::vector<std::string> experiments;
  std::string view = "active";
  std::int64_t limit = 100;
  bool json = false;
  bool csv = false;
};

struct FoundRuns {
  std::vector<Run> runs;
  bool more = false;
};

FoundRuns find_runs(const Registry& registry, const Options& options) {
  const auto experiments = find_experiments(registry, options.experiments);
  const ViewType view = options.view == "all"       ? ViewType::kAll
                        : options.view == "deleted" ? ViewType::kDeletedOnly
                                                    : ViewType::kActiveOnly;
  SearchOptions search{.filter = options.filter, .order_by = options.order_by};
  FoundRuns found;
  for (std::int64_t left = options.limit; left > 0;) {
    search.max_results = std::min(left, kLargestPage);
    auto page = registry.runs().search(experiments, view, search);
    left -= static_cast<std::int64_t>(page.items.size());
    std::ranges::move(page.items, std::back_inserter(found.runs));
    search.page_token = page.next_page_token;
    found.more = !page.next_page_token.empty();
    if (!found.more) {
      break;
    }
  }
  return found;
}

std::vector<std::vector<std::string>> table_of(const std::vector<Run>& runs,
                                               const std::vector<RunColumn>& columns, bool exact) {
  std::vector<std::vector<std::string>> rows(1);
  for (const RunColumn& column : columns) {
    rows.front().push_back(column.title);
  }
  for (const Run& run : runs) {
    auto& row = rows.emplace_back();
    for (const RunColumn& column : columns) {
      const std::string value = column_value(run, column, exact);
      row.push_back(value.empty() && !exact ? "-" : value);
    }
  }
  return rows;
}

std::vector<RunColumn> usual_columns() {
  auto columns = parse_run_columns(
      "run_id,run_name,status,start_time,metrics.val_accuracy,"
      "metrics.test_accuracy");
  const std::vector<std::string> titles{"run",     "name",         "status",
                                        "started", "val accuracy", "test accuracy"};
  for (std::size_t i = 0; i < titles.size(); ++i) {
    columns[i].title = titles[i];
  }
  return columns;
}

void print_runs(const FoundRuns& found, const Options& options) {
  if (options.json) {
    Json list = Json::array();
    for (const auto& run : found.runs) {
      list.push_back(run_report_json(run));
    }
    print_json({{"runs", list}, {"more", found.more}});
    return;
  }
  if (options.csv) {
    const auto columns =
        options.columns.empty() ? all_run_columns(found.runs) : parse_run_columns(options.columns);
    print_text(csv_text(table_of(found.runs, columns, /*exact=*/true)));
  } else {
    const auto columns =
        options.columns.empty() ? usual_columns() : parse_run_columns(options.columns);
    print_text(table_text(table_of(found.runs, columns, /*exact=*/false)));
  }
  if (found.more) {
    std::cerr << "onnxop: there are more runs: --limit\n";
  }
}

}  // namespace

std::vector<std::int64_t> find_experiments(const Registry& registry,
                                           const std::vector<std::string>& names) {
  std::vector<std::int64_t> ids;
  for (const std::string& name : names) {
    std::int64_t id = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), id);
    const bool number = error == std::errc() && end == name.data() + name.size();
    ids.push_back(
        (number ? registry.experiments().get(id) : registry.experiments().get_by_name(name))
            .experiment_id);
  }
  return ids;
}

VerbAction declare_runs_list(CLI::App& command) {
  auto options = std::make_shared<Options>();
  set_example(command,
              "onnxop runs list --filter \"metrics.val_accuracy > 0.99 AND params.optimizer = "
              "'adam'\" --order-by \"metrics.val_loss ASC\"\n"
              "  onnxop runs list --columns run_id,params.lr,metrics.val_loss --csv");
  command.add_option("--filter", options->filter,
                     "Only runs that this holds for: MLflow's grammar");
  command
      .add_option("--order-by", options->order_by,
                  "\"metrics.loss DESC\"; may be given several times (default: newest first)")
      ->allow_extra_args(false);
  command.add_option("--columns", options->columns,
                     "What to show: run_id,status,metrics.loss,params.lr,tags.owner");
  command
      .add_option("--experiment", options->experiments,
                  "Only runs of this experiment, by name or number; may be given several times")
      ->allow_extra_args(false);
  command.add_option("--view", options->view, "active, deleted or all")
      ->check(CLI::IsMember({"active", "deleted", "all"}))
      ->capture_default_str();
  command.add_option("--limit", options->limit, "At most so many runs")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  CLI::Option* csv = command.add_flag("--csv", options->csv,
                                      "Comma-separated values; without --columns, all there are");
  if (command.get_option_no_throw("--json") == nullptr) {
    add_json_flag(command, options->json);
  }
  csv->excludes(command.get_option("--json"));
  CLI::Option* json = command.get_option("--json");
  return [options, json](const CliContext& context) {
    options->json = json->count() > 0;
    const SystemClock clock;
    const Registry registry(context.store, clock, /*must_exist=*/true);
    if (!options->columns.empty()) {
      parse_run_columns(options->columns);  // wrong ones are said before the search
    }
    print_runs(find_runs(registry, *options), *options);
  };
}

}  // namespace onnxop
