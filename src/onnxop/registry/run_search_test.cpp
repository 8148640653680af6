#include "onnxop/registry/run_search.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include <gmock/gmock.h>

#include "onnxop/base/format.h"
#include "onnxop/registry/run_rows.h"
#include "onnxop/registry/search_grammar.h"
#include "onnxop/registry/session.h"
#include "onnxop/registry/test_store.h"

namespace onnxop {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

using RunRecord = Run;  // in a test's body, Run is a method of its own

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

class RunSearchTest : public EachRegistryTest {
 protected:
  std::string add(const std::string& name, const Texts& params = {},
                  const std::vector<std::pair<std::string, double>>& metrics = {},
                  const Texts& tags = {}) {
    const std::string run = registry_.runs().create(
        {.name = name, .user_id = "ada", .start_time_ms = ++time_ms_, .tags = tags});
    RunBatch batch{.params = params};
    for (const auto& [key, value] : metrics) {
      batch.metrics.push_back({.key = key, .value = value, .timestamp_ms = 1, .step = 1});
    }
    registry_.runs().log_batch(run, batch);
    return run;
  }

  std::vector<std::string> names(const SearchOptions& options,
                                 ViewType view = ViewType::kActiveOnly) {
    std::vector<std::string> found;
    for (const RunRecord& run : registry_.runs().search({}, view, options).items) {
      found.push_back(run.name);
    }
    return found;
  }

  std::vector<std::string> names(const std::string& filter) {
    return names(SearchOptions{.filter = filter});
  }

  SqlDialect dialect() const {
    return on_postgresql() ? SqlDialect::kPostgresql : SqlDialect::kSqlite;
  }

  std::int64_t time_ms_ = 1000;
};
ONNXOP_ON_EACH_STORE(RunSearchTest);

TEST_P(RunSearchTest, ComparesMetricsAsNumbersAndNanAsNothing) {
  add("low", {}, {{"loss", 0.1}});
  add("high", {}, {{"loss", 10}});
  add("nan", {}, {{"loss", kNan}});
  add("inf", {}, {{"loss", std::numeric_limits<double>::infinity()}});
  add("none");
  EXPECT_THAT(names("metrics.loss < 9"), ElementsAre("low"));
  EXPECT_THAT(names("metrics.loss >= 0"), ElementsAre("inf", "high", "low"));
  EXPECT_THAT(names("metrics.loss = 10"), ElementsAre("high"));
  EXPECT_THAT(names("metrics.loss = 0"), IsEmpty());
  EXPECT_THAT(names("metrics.loss != 10"), ElementsAre("inf", "nan", "low"));
}

TEST_P(RunSearchTest, TheExperimentIsCountedLastAndNoFurtherThanAsked) {
  for (int i = 0; i < 5; ++i) {
    add("run", {}, {{"loss", i}});
  }
  const RunQuery query{.filter = parse_filter("metrics.loss > 2", run_grammar())};
  const auto starts = possible_starts(query, dialect());
  ASSERT_EQ(starts.size(), 2u);
  Database database(dialect_of(location()), clock_);
  const auto count = [&](const SearchStart& start, std::int64_t limit) {
    const SqlStatement statement = count_statement(start, limit);
    return database.read([&](Session& session) {
      return select_pairs(session, statement.text, statement.values).front().first;
    });
  };
  EXPECT_EQ(count(starts[0], 100), 2);
  EXPECT_EQ(count(starts[1], 100), 5);
  EXPECT_EQ(count(starts[1], 3), 3);
}

TEST_P(RunSearchTest, SortsNanAndMissingLast) {
  add("low", {{"lr", "1"}}, {{"loss", 0.1}});
  add("none");
  add("high", {{"lr", "2"}}, {{"loss", 10}});
  add("nan", {}, {{"loss", kNan}});
  add("low again", {{"lr", "2"}}, {{"loss", 0.1}});
  EXPECT_THAT(names(SearchOptions{.order_by = {"metrics.loss"}}),
              ElementsAre("low again", "low", "high", "nan", "none"));
  EXPECT_THAT(names(SearchOptions{.order_by = {"metrics.loss DESC"}}),
              ElementsAre("high", "low again", "low", "nan", "none"));
  EXPECT_THAT(names(SearchOptions{.order_by = {"params.lr DESC", "start_time"}}),
              ElementsAre("high", "low again", "low", "none", "nan"));
  EXPECT_THAT(names(SearchOptions{.order_by = {"tags.`mlflow.runName`"}}),
              ElementsAre("high", "low", "low again", "nan", "none"));
}

TEST_P(RunSearchTest, LikeMindsCaseAndIlikeDoesNot) {
  add("a", {{"net", "ResNet*50"}});
  add("b", {{"net", "resnet?18[x]"}});
  add("c", {{"net", "größe_1"}});
  EXPECT_THAT(names("params.net LIKE 'res%'"), ElementsAre("b"));
  EXPECT_THAT(names("params.net LIKE 'Res%'"), ElementsAre("a"));
  EXPECT_THAT(names("params.net LIKE '%et*5_'"), ElementsAre("a"));
  EXPECT_THAT(names("params.net LIKE '%?__[x]'"), ElementsAre("b"));
  EXPECT_THAT(names("params.net LIKE '%*%'"), ElementsAre("a"));
  EXPECT_THAT(names("params.net LIKE 'gr__e_1'"), ElementsAre("c"));
  EXPECT_THAT(names("params.net LIKE '%\\%'"), IsEmpty());
  EXPECT_THAT(names("params.net ILIKE 'RES%'"), ElementsAre("b", "a"));
  EXPECT_THAT(names("params.net ILIKE 'resnet*50'"), ElementsAre("a"));
}

TEST_P(RunSearchTest, FindsByAttributesTagsAndNull) {
  const std::string a = add("a", {}, {}, {{"team", "x"}});
  const std::string b = add("b", {{"seed", "1"}}, {}, {{"team", "y"}});
  registry_.runs().end(b, RunStatus::kFailed);
  EXPECT_THAT(names("status = 'FAILED'"), ElementsAre("b"));
  EXPECT_THAT(names("attributes.run_name LIKE 'a' and user_id = 'ada'"), ElementsAre("a"));
  EXPECT_THAT(names(format("run_id IN ('{}', 'other')", b)), ElementsAre("b"));
  EXPECT_THAT(names(format("run_id NOT IN ('{}')", b)), ElementsAre("a"));
  EXPECT_THAT(names(format("artifact_uri = 'mlflow-artifacts:/0/{}/artifacts'", a)),
              ElementsAre("a"));
  EXPECT_THAT(names("start_time > 1001"), ElementsAre("b"));
  EXPECT_THAT(names("start_time >= 1000.5 AND start_time < 1001.5"), ElementsAre("a"));
  EXPECT_THAT(names("end_time > 0"), ElementsAre("b"));
  EXPECT_THAT(names("params.seed IS NULL"), ElementsAre("a"));
  EXPECT_THAT(names("params.seed IS NOT NULL"), ElementsAre("b"));
  EXPECT_THAT(names("tags.team = 'x'"), ElementsAre("a"));
  EXPECT_THAT(names("tags.team != 'x'"), ElementsAre("b"));
  EXPECT_THAT(names("tags.team = '' AND tags.x = 'OR 1=1'"), IsEmpty());
  EXPECT_THAT(names("tags.team = '); DROP TABLE runs; --'"), IsEmpty());
  EXPECT_THAT(names(SearchOptions{.order_by = {"end_time"}}), ElementsAre("b", "a"));
}

TEST_P(RunSearchTest, FindsByDatasets) {
  const std::string run = add("a");
  add("b");
  registry_.runs().log_inputs(run, {{.dataset = {.name = "mnist", .digest = "d1"},
                                     .tags = {{"mlflow.data.context", "train"}}},
                                    {.dataset = {.name = "mnist-test", .digest = "d2"},
                                     .tags = {{"mlflow.data.context", "test"}}}});
  EXPECT_THAT(names("datasets.name = 'mnist'"), ElementsAre("a"));
  EXPECT_THAT(names("dataset.digest IN ('d2', 'x') AND datasets.context = 'test'"),
              ElementsAre("a"));
  EXPECT_THAT(names("datasets.context LIKE 'T%'"), IsEmpty());
}

TEST_P(RunSearchTest, SearchesExperimentsAndViewsThatAreNamed) {
  const std::int64_t other = registry_.experiments().create("other");
  add("default");
  const std::string gone = add("gone");
  registry_.runs().create({.name = "other", .experiment_id = other, .start_time_ms = 5000});
  registry_.runs().remove(gone);
  const auto search = [&](std::vector<std::int64_t> experiments, ViewType view) {
    std::vector<std::string> found;
    for (const RunRecord& run : registry_.runs().search(experiments, view, {}).items) {
      found.push_back(run.name);
    }
    return found;
  };
  EXPECT_THAT(search({}, ViewType::kActiveOnly), ElementsAre("other", "default"));
  EXPECT_THAT(search({0}, ViewType::kActiveOnly), ElementsAre("default"));
  EXPECT_THAT(search({0}, ViewType::kDeletedOnly), ElementsAre("gone"));
  EXPECT_THAT(search({0, other, 77}, ViewType::kAll), ElementsAre("other", "gone", "default"));
  EXPECT_THAT(search({77}, ViewType::kAll), IsEmpty());
}

TEST_P(RunSearchTest, GivesPagesWithTokensThatBelongToTheirSearch) {
  for (const char* name : {"1", "2", "3", "4", "5"}) {
    add(name, {}, {{"loss", 1}});
  }
  SearchOptions options{.filter = "metrics.loss > 0", .max_results = 2};
  const auto first = registry_.runs().search({}, ViewType::kActiveOnly, options);
  EXPECT_EQ(first.items.front().name, "5");
  ASSERT_FALSE(first.next_page_token.empty());
  options.page_token = first.next_page_token;
  options.max_results = 3;
  const auto second = registry_.runs().search({}, ViewType::kActiveOnly, options);
  EXPECT_EQ(second.items.size(), 3U);
  EXPECT_EQ(second.items.front().name, "3");
  EXPECT_EQ(second.next_page_token, "");

  const auto error_of = [&](const SearchOptions& wrong) {
    return catch_error([&] { registry_.runs().search({}, ViewType::kActiveOnly, wrong); });
  };
  SearchOptions other = options;
  other.filter = "metrics.loss > 1";
  EXPECT_THAT(error_of(other).message, HasSubstr("belongs to another search"));
  for (const std::string& damaged : {options.page_token.substr(4), std::string("%"),
                                     std::string("e30="), std::string("bnVsbA==")}) {
    SearchOptions wrong = options;
    wrong.page_token = damaged;
    EXPECT_EQ(error_of(wrong).code, ErrorCode::kInvalidArgument);
    EXPECT_THAT(error_of(wrong).message, HasSubstr("no token of a search")) << damaged;
  }
  EXPECT_THAT(error_of({.max_results = 0}).message, HasSubstr("expected 1 to 50000"));
}

// A slow reference: every run is looked at, one comparison after the other.
bool like(std::string_view text, std::string_view pattern) {
  if (pattern.empty()) {
    return text.empty();
  }
  if (pattern[0] == '%') {
    return like(text, pattern.substr(1)) || (!text.empty() && like(text.substr(1), pattern));
  }
  return !text.empty() && (pattern[0] == '_' || pattern[0] == text[0]) &&
         like(text.substr(1), pattern.substr(1));
}

bool compare(double a, Comparator comparator, double b) {
  switch (comparator) {
    case Comparator::kEqual:
      return a == b;
    case Comparator::kNotEqual:
      return a != b;
    case Comparator::kLess:
      return a < b;
    case Comparator::kLessEqual:
      return a <= b;
    case Comparator::kGreater:
      return a > b;
    default:
      return a >= b;
  }
}

bool matches(const RunRecord& run, const FilterClause& clause) {
  if (clause.entity == SearchEntity::kMetric) {
    const auto at = run.metrics.find(clause.key);
    return at != run.metrics.end() && compare(at->second.value, clause.comparator, clause.number);
  }
  if (clause.key == "run_name") {
    return clause.comparator == Comparator::kLike ? like(run.name, clause.texts.front())
                                                  : run.name == clause.texts.front();
  }
  if (clause.entity == SearchEntity::kAttribute) {
    return compare(static_cast<double>(run.start_time_ms), clause.comparator, clause.number);
  }
  const Texts& texts = clause.entity == SearchEntity::kParam ? run.params : run.tags;
  const auto at = texts.find(clause.key);
  switch (clause.comparator) {
    case Comparator::kIsNull:
      return at == texts.end();
    case Comparator::kIsNotNull:
      return at != texts.end();
    case Comparator::kEqual:
      return at != texts.end() && at->second == clause.texts.front();
    case Comparator::kNotEqual:
      return at != texts.end() && at->second != clause.texts.front();
    default:
      return at != texts.end() && like(at->second, clause.texts.front());
  }
}

// (0 value, 1 NaN, 2 none), then the value.
std::tuple<int, double, std::string> sort_value(const RunRecord& run, const OrderTerm& term) {
  if (term.entity == SearchEntity::kMetric) {
    const auto at = run.metrics.find(term.key);
    if (at == run.metrics.end()) {
      return {2, 0, ""};
    }
    const double value = at->second.value;
    return std::isnan(value) ? std::tuple(1, 0.0, "") : std::tuple(0, value, "");
  }
  if (term.entity == SearchEntity::kAttribute) {
    return {0, static_cast<double>(run.start_time_ms), ""};
  }
  const Texts& texts = term.entity == SearchEntity::kParam ? run.params : run.tags;
  const auto at = texts.find(term.key);
  return at == texts.end() ? std::tuple(2, 0.0, "") : std::tuple(0, 0.0, at->second);
}

bool is_before(const RunRecord& a, const RunRecord& b, const std::vector<OrderTerm>& order) {
  for (const OrderTerm& term : order) {
    const auto [class_a, number_a, text_a] = sort_value(a, term);
    const auto [class_b, number_b, text_b] = sort_value(b, term);
    if (class_a != class_b) {
      return class_a < class_b;
    }
    if (std::tie(number_a, text_a) != std::tie(number_b, text_b)) {
      return (std::tie(number_a, text_a) < std::tie(number_b, text_b)) == term.ascending;
    }
  }
  return a.start_time_ms != b.start_time_ms ? a.start_time_ms > b.start_time_ms
                                            : a.run_id < b.run_id;
}

TEST_P(RunSearchTest, FindsTheSameAsASlowReference) {
  std::mt19937 random(11);
  const auto any = [&](std::uint32_t below) { return random() % below; };
  constexpr std::array<double, 6> kValues{-1, 0, 0.5, 0.5, 2, kNan};
  const std::vector<std::string> texts{
      "a", "ab", "b", "", std::string(70, 'a'), std::string(64, 'a') + "b"};
  for (int i = 0; i < 120; ++i) {
    time_ms_ = 1000 + any(40);
    Texts params;
    Texts tags;
    std::vector<std::pair<std::string, double>> metrics;
    for (const char* key : {"x", "y"}) {
      if (any(3) > 0) {
        params[key] = texts[any(6)];
      }
      if (any(3) > 0) {
        tags[key] = texts[any(6)];
      }
      if (any(3) > 0) {
        metrics.emplace_back(key, kValues[any(6)]);
      }
    }
    const std::string& name = texts[any(6)];
    add(name.empty() ? "run" : name, params, metrics, tags);
  }
  const std::vector<RunRecord> all = registry_.runs().list();
  ASSERT_EQ(all.size(), 120U);
  const std::vector<std::string> clauses{"metrics.x >= 0.5",
                                         "metrics.x < 0.5",
                                         "metrics.y != 0",
                                         "metrics.y = 0",
                                         "params.x = 'a'",
                                         "params.x != 'a'",
                                         "params.y LIKE 'a%'",
                                         "params.y LIKE '%b'",
                                         "tags.x IS NULL",
                                         "tags.y IS NOT NULL",
                                         "tags.x = ''",
                                         "start_time > 1020",
                                         "run_name = 'a'",
                                         "run_name = '" + texts[4] + "'",
                                         "run_name LIKE 'a%'",
                                         "run_name LIKE '" + texts[5] + "%'",
                                         "params.x = '" + texts[4] + "'",
                                         "tags.y LIKE '" + texts[5] + "%'"};
  const std::vector<std::string> orders{"metrics.x",      "metrics.x DESC", "metrics.y ASC",
                                        "params.x",       "params.y DESC",  "tags.x DESC",
                                        "start_time ASC", "start_time DESC"};
  Database database(dialect_of(location()), clock_);
  for (int i = 0; i < 200; ++i) {
    std::string filter;
    for (std::uint32_t left = any(3); left > 0; --left) {
      filter += (filter.empty() ? "" : " AND ") + clauses[any(clauses.size())];
    }
    std::vector<std::string> order_by;
    for (std::uint32_t left = any(3); left > 0; --left) {
      const std::string& order = orders[any(orders.size())];
      const std::string key = order.substr(0, order.find(' '));
      if (std::ranges::none_of(order_by, [&](auto& before) { return before.starts_with(key); })) {
        order_by.push_back(order);
      }
    }
    const RunQuery query{
        .experiment_ids = any(2) == 0 ? std::vector<std::int64_t>{0} : std::vector<std::int64_t>{},
        .filter = parse_filter(filter, run_grammar()),
        .order = parse_order_by(order_by, run_grammar())};
    std::vector<RunRecord> expected;
    std::ranges::copy_if(all, std::back_inserter(expected), [&](const RunRecord& run) {
      return std::ranges::all_of(query.filter, [&](auto& clause) { return matches(run, clause); });
    });
    std::ranges::sort(expected, [&](const RunRecord& a, const RunRecord& b) {
      return is_before(a, b, query.order);
    });
    for (const std::int64_t few : {1, 30, 1000}) {
      std::vector<std::string> found;
      const std::int64_t limit = 1 + any(60);
      database.read([&](Session& session) {
        for (std::int64_t offset = 0;; offset += limit) {
          const auto numbers = find_runs(session, query, dialect(), limit, offset, few);
          for (const RunRecord& run : load_runs(session, numbers)) {
            found.push_back(run.run_id);
          }
          if (static_cast<std::int64_t>(numbers.size()) < limit) {
            break;
          }
        }
      });
      std::vector<std::string> wanted;
      for (const RunRecord& run : expected) {
        wanted.push_back(run.run_id);
      }
      ASSERT_EQ(found, wanted) << filter << " ORDER BY " << format("{}", join(order_by, ", "))
                               << " few " << few << " limit " << limit;
    }
  }
}

}  // namespace
}  // namespace onnxop
