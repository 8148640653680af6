// The searches of what there is little of: experiments, logged models, registered models and their
// versions. All that are found are sorted.

#include "onnxop/registry/search.h"

#include <algorithm>

#include "onnxop/base/error.h"
#include "onnxop/base/json_value.h"
#include "onnxop/registry/experiment_rows.h"
#include "onnxop/registry/experiments.h"
#include "onnxop/registry/filter_sql.h"
#include "onnxop/registry/logged_model_rows.h"
#include "onnxop/registry/logged_models.h"
#include "onnxop/registry/model_rows.h"
#include "onnxop/registry/models.h"
#include "onnxop/registry/registry_core.h"
#include "onnxop/registry/search_page.h"
#include "onnxop/registry/session.h"

namespace onnxop {
namespace {

// MLflow keeps prompts among the models and finds them by this tag alone.
constexpr std::string_view kPromptTag = "mlflow.prompt.is_prompt";

struct Search {
  const SearchTables& tables;
  std::string columns;  // two numbers
  std::string from;
  std::vector<std::string> scope;       // conditions beside the filter's
  std::vector<OrderTerm> natural = {};  // before the ties, when no order is asked for
  std::vector<OrderTerm> ties = {};     // after what is asked for
  std::span<const MetricDataset> order_datasets = {};
};

// A metric of a logged model is the latest of all runs, and of all data sets or the one asked for.
std::string logged_metric_order(const OrderTerm& term, SqlValues& values) {
  const auto latest = [&](std::string_view column) {
    const std::string key = values.bind(term.key);
    const auto datasets = std::span(&term.dataset, term.dataset.name.empty() ? 0 : 1);
    return format(
        "(SELECT f.{} FROM logged_model_metrics f WHERE f.model = m.number AND f.key = {}{} ORDER "
        "BY f.timestamp_ms DESC, f.step DESC, f.run_id LIMIT 1)",
        column, key, on_datasets_sql(datasets, values));
  };
  const std::string value = latest("value");
  return format("CASE WHEN {} = 1 THEN 1 WHEN {} IS NULL THEN 2 ELSE 0 END, {}{}", latest("is_nan"),
                value, value, direction_sql(term.ascending));
}

std::string order_sql(const Search& search, std::vector<OrderTerm> order, SqlValues& values) {
  if (order.empty()) {
    order = search.natural;
  }
  for (const OrderTerm& tie : search.ties) {
    if (std::ranges::none_of(order, [&](const OrderTerm& term) {
          return term.entity == tie.entity && term.key == tie.key;
        })) {
      order.push_back(tie);
    }
  }
  std::vector<std::string> terms;
  for (const OrderTerm& term : order) {
    terms.push_back(
        term.entity == SearchEntity::kMetric
            ? logged_metric_order(term, values)
            : attribute_order_sql(*find_attribute(search.tables.grammar.attributes, term.key),
                                  term.ascending));
  }
  return format("{}", join(terms, ", "));
}

using Rows = std::vector<std::pair<long long, long long>>;

Rows find_rows(Session& session, const Search& search, const std::vector<FilterClause>& filter,
               const std::vector<OrderTerm>& order, const SearchPage& page, SqlDialect dialect) {
  SqlValues values;
  std::vector<std::string> conditions = search.scope;
  for (const FilterClause& clause : filter) {
    conditions.push_back(condition_sql(clause, search.tables, dialect, values));
  }
  const SearchTable& metrics = search.tables.metrics;
  if (!metrics.datasets.empty() && std::ranges::none_of(filter, [](const FilterClause& clause) {
        return clause.entity == SearchEntity::kMetric;
      })) {
    conditions.push_back(format("EXISTS (SELECT 1 FROM {} f WHERE {}{})", metrics.name,
                                metrics.join, on_datasets_sql(metrics.datasets, values)));
  }
  const std::string order_by = order_sql(search, order, values);
  return select_pairs(
      session,
      format("SELECT {} FROM {} WHERE {} ORDER BY {} LIMIT {} OFFSET {}", search.columns,
             search.from, all_of(conditions), order_by, page.size + 1, page.offset),
      values);
}

// Finds and loads a page; load(session, rows) -> the items.
template <typename Item, typename Load>
Page<Item> find_page(RegistryCore& core, const Search& search, const SearchOptions& options,
                     std::string_view scope, std::vector<FilterClause> filter, Load&& load) {
  const auto order =
      parse_order_by(options.order_by, search.tables.grammar, "order_by", search.order_datasets);
  const SearchPage page = open_page(options, format("{} {}", search.tables.grammar.what, scope));
  const SqlDialect dialect =
      core.location.is_postgresql() ? SqlDialect::kPostgresql : SqlDialect::kSqlite;
  return core.database.read([&](Session& session) {
    Rows rows = find_rows(session, search, filter, order, page, dialect);
    Page<Item> result;
    result.next_page_token = close_page(page, rows);
    result.items = load(session, rows);
    return result;
  });
}

std::vector<std::int64_t> first_numbers(const Rows& rows) {
  std::vector<std::int64_t> numbers;
  for (const auto& [number, nothing] : rows) {
    numbers.push_back(number);
  }
  return numbers;
}

bool asks_for_prompts(const FilterClause& clause) {
  return (clause.comparator == Comparator::kEqual && clause.texts.front() == "true") ||
         (clause.comparator == Comparator::kNotEqual && clause.texts.front() == "false");
}

// Takes the conditions on the prompts' tag out of the filter, for what is no prompt does not have
// it. -> the condition instead: prompts only where they are asked for.
std::string take_prompt_condition(std::vector<FilterClause>& filter, std::string_view tag_rows) {
  bool prompts = false;
  std::erase_if(filter, [&](const FilterClause& clause) {
    const bool of_prompts = clause.entity == SearchEntity::kTag && clause.key == kPromptTag;
    prompts = prompts || (of_prompts && asks_for_prompts(clause));
    return of_prompts;
  });
  return format("{} (SELECT 1 FROM {} AND p.key = '{}' AND p.value = 'true')",
                prompts ? "EXISTS" : "NOT EXISTS", tag_rows, kPromptTag);
}

void check_datasets(std::span<const MetricDataset> datasets) {
  if (datasets.size() > FilterLimits::kClauses) {
    fail(ErrorCode::kInvalidArgument, "datasets: {} are too many: at most {}", datasets.size(),
         FilterLimits::kClauses);
  }
  if (std::ranges::any_of(datasets, [](const auto& dataset) { return dataset.name.empty(); })) {
    fail(ErrorCode::kInvalidArgument, "datasets: one of them has no name");
  }
}

// As the page tokens know them.
std::string text_of(const MetricDatasets& datasets) {
  Json json = Json::array();
  for (const auto* list : {&datasets.filter, &datasets.order_by}) {
    Json pairs = Json::array();
    for (const MetricDataset& dataset : *list) {
      pairs.push_back({dataset.name, dataset.digest});
    }
    json.push_back(std::move(pairs));
  }
  return dump_json(json);
}

std::string lifecycle_condition(std::string_view column, ViewType view) {
  switch (view) {
    case ViewType::kActiveOnly:
      return format("{} = 'active'", column);
    case ViewType::kDeletedOnly:
      return format("{} = 'deleted'", column);
    case ViewType::kAll:
      return "1 = 1";
  }
  return "1 = 1";
}

}  // namespace

Page<Experiment> Experiments::search(ViewType view, const SearchOptions& options) const {
  static const SearchTables kTables{
      .grammar = experiment_grammar(),
      .tags = {"experiment_tags", "f.experiment_id = e.experiment_id"}};
  const bool natural = options.order_by.empty();
  const Search search{.tables = kTables,
                      .columns = "e.experiment_id, 0",
                      .from = "experiments e",
                      .scope = {lifecycle_condition("e.lifecycle_stage", view)},
                      .natural = {{.key = "creation_time", .ascending = false}},
                      .ties = {{.key = "experiment_id", .ascending = natural}}};
  return find_page<Experiment>(core_, search, options, format("{}", static_cast<int>(view)),
                               parse_filter(options.filter, kTables.grammar),
                               [](Session& session, const Rows& rows) {
                                 return load_experiments(session, first_numbers(rows));
                               });
}

Page<LoggedModel> LoggedModels::search(std::span<const std::int64_t> experiment_ids,
                                       const SearchOptions& options,
                                       const MetricDatasets& datasets) const {
  check_datasets(datasets.filter);
  const SearchTables tables{
      .grammar = logged_model_grammar(),
      .metrics = {"logged_model_metrics", "f.model = m.number", datasets.filter},
      .params = {"logged_model_params", "f.model = m.number"},
      .tags = {"logged_model_tags", "f.model = m.number"}};
  const std::string ids = number_list(experiment_ids);
  Search search{.tables = tables,
                .columns = "m.number, 0",
                .from = "logged_models m",
                .scope = {lifecycle_condition("m.lifecycle_stage", ViewType::kActiveOnly)},
                .ties = {{.key = "creation_timestamp", .ascending = false}, {.key = "model_id"}},
                .order_datasets = datasets.order_by};
  if (!ids.empty()) {
    search.scope.push_back(format("m.experiment_id IN ({})", ids));
  }
  return find_page<LoggedModel>(core_, search, options, format("{} {}", ids, text_of(datasets)),
                                parse_filter(options.filter, tables.grammar),
                                [](Session& session, const Rows& rows) {
                                  return load_logged_models(session, first_numbers(rows));
                                });
}

Page<RegisteredModel> Models::search(const SearchOptions& options) const {
  static const SearchTables kTables{.grammar = model_grammar(),
                                    .tags = {"registered_model_tags", "f.model = m.model"}};
  auto filter = parse_filter(options.filter, kTables.grammar);
  const Search search{
      .tables = kTables,
      .columns = "m.model, 0",
      .from = "registered_models m",
      .scope = {take_prompt_condition(filter, "registered_model_tags p WHERE p.model = m.model")},
      .ties = {{.key = "name"}}};
  return find_page<RegisteredModel>(core_, search, options, "", std::move(filter),
                                    [](Session& session, const Rows& rows) {
                                      std::vector<long long> models;
                                      for (const auto& [model, nothing] : rows) {
                                        models.push_back(model);
                                      }
                                      return load_models(session, models);
                                    });
}

Page<ModelVersion> Models::search_versions(const SearchOptions& options) const {
  static const SearchTables kTables{
      .grammar = version_grammar(),
      .tags = {"version_tags", "f.model = v.model AND f.version = v.version"}};
  auto filter = parse_filter(options.filter, kTables.grammar);
  const Search search{
      .tables = kTables,
      .columns = "v.model, v.version",
      .from = "versions v JOIN registered_models m ON m.model = v.model",
      .scope = {take_prompt_condition(
          filter, "version_tags p WHERE p.model = v.model AND p.version = v.version")},
      .ties = {{.key = "name"}, {.key = "version_number", .ascending = false}}};
  return find_page<ModelVersion>(core_, search, options, "", std::move(filter),
                                 [&](Session& session, const Rows& rows) {
                                   std::vector<VersionRowKey> keys;
                                   for (const auto& [model, version] : rows) {
                                     keys.push_back({model, version});
                                   }
                                   return load_versions(session, core_, keys);
                                 });
}

}  // namespace onnxop
