#include "onnxop/registry/filter.h"

#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "onnxop/base/error.h"
#include "onnxop/base/format.h"
#include "onnxop/registry/search_grammar.h"

namespace onnxop {
namespace {

using testing::HasSubstr;

// One line a comparison, so that expectations are short: "metric accuracy >= 0.9".
std::string show(const FilterClause& clause) {
  std::string text = format("{} {} {}", search_entity_name(clause.entity), clause.key,
                            comparator_text(clause.comparator));
  switch (clause.comparator) {
    case Comparator::kIsNull:
    case Comparator::kIsNotNull:
      return text;
    default:
      return text + (clause.texts.empty() ? format(" {}", clause.number)
                                          : format(" [{}]", join(clause.texts, "|")));
  }
}

std::string show(std::string_view filter, const SearchGrammar& grammar = run_grammar()) {
  std::vector<std::string> lines;
  for (const FilterClause& clause : parse_filter(filter, grammar)) {
    lines.push_back(show(clause));
  }
  return format("{}", join(lines, "; "));
}

std::string show_order(const std::vector<std::string>& order_by,
                       const SearchGrammar& grammar = run_grammar()) {
  std::vector<std::string> lines;
  for (const OrderTerm& term : parse_order_by(order_by, grammar)) {
    lines.push_back(format("{} {} {}", search_entity_name(term.entity), term.key,
                           term.ascending ? "ASC" : "DESC"));
  }
  return format("{}", join(lines, "; "));
}

std::string error_of(std::string_view filter, const SearchGrammar& grammar = run_grammar()) {
  try {
    parse_filter(filter, grammar);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
    return error.what();
  }
  return "no error";
}

// The kinds of filters that MLflow's documentation of run search shows.
TEST(Filter, TakesWhatMlflowDocuments) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"metrics.accuracy > 0.72", "metric accuracy > 0.72"},
      {"metrics.\"accuracy\" > 0.72", "metric accuracy > 0.72"},
      {"metrics.loss <= 0.15", "metric loss <= 0.15"},
      {"metrics.accuracy != 0.15", "metric accuracy != 0.15"},
      {"metrics.`f1 score` >= 1e-3", "metric f1 score >= 0.001"},
      {"params.batch_size = \"2\"", "parameter batch_size = [2]"},
      {"params.model LIKE \"GPT%\"", "parameter model LIKE [GPT%]"},
      {"params.model ilike '%llama%'", "parameter model ILIKE [%llama%]"},
      {"params.model_type != 'linear'", "parameter model_type != [linear]"},
      {"tags.\"environment\" = \"notebook\"", "tag environment = [notebook]"},
      {"tags.task ILIKE \"classif%\"", "tag task ILIKE [classif%]"},
      {"tags.mlflow.source.name = 'a.py'", "tag mlflow.source.name = [a.py]"},
      {"tags.`mlflow.parentRunId` = '1a2b'", "tag mlflow.parentRunId = [1a2b]"},
      {"tags.owner IS NULL", "tag owner IS NULL"},
      {"params.seed is  not\tnull", "parameter seed IS NOT NULL"},
      {"attributes.status = 'ACTIVE'", "attribute status = [ACTIVE]"},
      {"status != \"FAILED\"", "attribute status != [FAILED]"},
      {"attributes.start_time >= 1664067852747", "attribute start_time >= 1664067852747"},
      {"attributes.end_time < 1664067852747.5", "attribute end_time < 1664067852747.5"},
      {"created > 0", "attribute start_time > 0"},
      {"attr.`Run Name` = 'x'", "attribute run_name = [x]"},
      {"run.user_id ILIKE 'B%'", "attribute user_id ILIKE [B%]"},
      {"attributes.run_id IN ('a1', \"b2\" , 'c3')", "attribute run_id IN [a1|b2|c3]"},
      {"attributes.run_id not in ('a1',)", "attribute run_id NOT IN [a1]"},
      {"datasets.name = 'custom'", "dataset name = [custom]"},
      {"dataset.digest IN ('s8ds293b', 'jks834s2')", "dataset digest IN [s8ds293b|jks834s2]"},
      {"datasets.context LIKE '%train%'", "dataset context LIKE [%train%]"},
      {"metric.a=-1 and param.b='x'AND tag.c='y'", "metric a = -1; parameter b = [x]; tag c = [y]"},
      {"  metrics.a < .5\n AND tags.b = \"it's\"  ", "metric a < 0.5; tag b = [it's]"},
      {"parameters.\"a\"\"b\" = 'c''d'", "parameter a\"b = [c'd]"},
      {"`params`.`größe` = 'ö'", "parameter größe = [ö]"},
      {"", ""},
      {" \t\n", ""},
  };
  for (const auto& [filter, expected] : cases) {
    EXPECT_EQ(show(filter), expected) << filter;
  }
}

TEST(Filter, SaysWhatIsWrongAndWhere) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"metrics.loss",
       "at character 13: expected one of =, !=, <, <=, >, >= after 'metrics.loss', "
       "got the end"},
      {"metrics.loss LIKE 'a'", "after 'metrics.loss', got 'LIKE'"},
      {"metrics.loss > 'a'", "at character 16: expected a number to compare 'metrics.loss' with"},
      {"metrics.loss > nan", "got 'nan'"},
      {"metrics.loss > 0x10", "got '0x10'"},
      {"metrics.loss == 1", "got '=='"},
      {"metrics.val-loss > 1", "got '-loss' (a key with other than letters"},
      {"params.a = 1", "expected a text in '…' or \"…\" to compare 'params.a' with, got '1'"},
      {"params.a = b", "got 'b'"},
      {"params.a > 'b'", "expected one of =, !=, LIKE, ILIKE, IS NULL, IS NOT NULL"},
      {"params.a IN ('b')", "got 'IN'"},
      {"metrics.a IS NULL", "got 'IS NULL'"},
      {"params.a IS NOT", "got 'IS'"},
      {"params.a = 'b", "at character 12: the ' that opens here is not closed"},
      {"params.`a = 'b'", "at character 8: the ` that opens here is not closed"},
      {"params. = 'b'", "expected a key after '.', got '='"},
      {"params.`` = 'b'", "expected a key, got an empty one"},
      {"größe.x = 'a' AND", "'größe' is nothing by which runs are searched; known: attributes"},
      {"metrcs.a > 1", "did you mean 'metrics'?"},
      {"Metrics.a > 1", "did you mean 'metrics'?"},
      {"attributes.stauts = 'x'", "did you mean 'status'?; known: run_id, run_name, user_id"},
      {"lifecycle_stage = 'active'",
       "'lifecycle_stage' is no attribute by which runs are searched"},
      {"datasets.source = 'x'",
       "'source' is no attribute by which data sets are searched; known: "
       "name, digest, context"},
      {"status IN ('FINISHED')", "expected one of =, !=, LIKE, ILIKE after 'status', got 'IN'"},
      {"run_id IN ()", "expected a text in"},
      {"run_id IN 'a'", "expected a list such as ('a', 'b'), got ''a''"},
      {"run_id IN ('a' 'b')", "expected ',' or ')' in a list, got ''b')'"},
      {"run_id IN ('a', 1)", "expected a text in"},
      {"run_id IN ('a'", "expected ',' or ')' in a list, got the end"},
      {"metrics.a > 1 OR metrics.b > 1",
       "at character 15: expected AND or the end, got 'OR' (there "
       "is no OR"},
      {"metrics.a > 1 metrics.b > 1", "expected AND or the end, got 'metrics.b'"},
      {"metrics.a > 1 AND", "expected a comparison after AND, got the end"},
      {"metrics.a > 1 AND AND metrics.b > 1", "at character 19: 'AND' is no attribute"},
      {"(metrics.a > 1)", "at character 1: expected a name such as metrics.loss"},
      {"metrics.a > 1;", "expected AND or the end, got ';'"},
      {"1 = 1", "'1' is no attribute"},
  };
  for (const auto& [filter, expected] : cases) {
    const std::string error = error_of(filter);
    EXPECT_THAT(error, HasSubstr("filter: at character ")) << filter;
    EXPECT_THAT(error, HasSubstr(expected)) << filter;
  }
  EXPECT_THAT(error_of(std::string_view("a\0b", 3)), HasSubstr("NUL"));
  EXPECT_THAT(error_of("params.a = '\xff'"), HasSubstr("not UTF-8"));
}

TEST(Filter, KnowsWhatEachKindOfThingHas) {
  EXPECT_EQ(show("name LIKE 'x%' AND tags.k IS NULL AND creation_time > 5", experiment_grammar()),
            "attribute name LIKE [x%]; tag k IS NULL; attribute creation_time > 5");
  EXPECT_EQ(show("experiment_id IN ('1', '2')", experiment_grammar()),
            "attribute experiment_id IN [1|2]");
  EXPECT_THAT(error_of("experiment_id = 'x'", experiment_grammar()),
              HasSubstr("'x' is no experiment_id: expected a whole number in quotes"));
  EXPECT_THAT(error_of("experiment_id > '1'", experiment_grammar()),
              HasSubstr("expected one of =, !=, IN, NOT IN"));
  EXPECT_THAT(error_of("metrics.a > 1", experiment_grammar()), HasSubstr("experiments"));

  EXPECT_EQ(show("name = 'mnist' AND run_id IN ('a')", version_grammar()),
            "attribute name = [mnist]; attribute run_id IN [a]");
  EXPECT_EQ(show("version_number >= 3 and source_path ILIKE '%x'", version_grammar()),
            "attribute version_number >= 3; attribute source_path ILIKE [%x]");
  EXPECT_THAT(error_of("creation_timestamp > 3", version_grammar()),
              HasSubstr("known: name, run_id, source_path, version_number"));
  EXPECT_EQ(show("name NOT IN ('a', 'b') AND tags.`x y` != 'z'", model_grammar()),
            "attribute name NOT IN [a|b]; tag x y != [z]");
  EXPECT_EQ(
      show("test_accuracy >= 0.99 and latency_ms<1 AND metrics.`a b` != 2", measurement_grammar()),
      "metric test_accuracy >= 0.99; metric latency_ms < 1; metric a b != 2");
  EXPECT_THAT(error_of("test_accuracy is fine", measurement_grammar()),
              HasSubstr("expected one of =, !=, <, <=, >, >= after 'test_accuracy'"));
  EXPECT_EQ(show("metrics.acc > 0.9 AND params.lr IN ('1') AND creation_time > 1",
                 logged_model_grammar()),
            "metric acc > 0.9; parameter lr IN [1]; attribute creation_timestamp > 1");
}

TEST(Filter, TakesOrdersOfEachKindOfThing) {
  EXPECT_EQ(show_order({"metrics.loss ASC", "params.`a b`", "tag.\"x\" desc", "Created DESC"}),
            "metric loss ASC; parameter a b ASC; tag x DESC; attribute start_time DESC");
  EXPECT_EQ(show_order({"timestamp DESC", "name"}, model_grammar()),
            "attribute last_updated_timestamp DESC; attribute name ASC");
  EXPECT_EQ(show_order({"version_number DESC"}, version_grammar()),
            "attribute version_number DESC");
}

TEST(Filter, RefusesOrdersThatAreNone) {
  const auto error_of_order = [](const std::vector<std::string>& order_by) -> std::string {
    try {
      parse_order_by(order_by, run_grammar());
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  };
  EXPECT_THAT(error_of_order({"metrics.loss DOWN"}),
              HasSubstr("order_by: at character 14: expected ASC, DESC or the end after "
                        "'metrics.loss', got 'DOWN'"));
  EXPECT_THAT(error_of_order({"metrics.loss ASC, metrics.b"}), HasSubstr("got ','"));
  EXPECT_THAT(error_of_order({"datasets.name"}),
              HasSubstr("'datasets' is nothing by which runs are ordered"));
  EXPECT_THAT(error_of_order({"created", "attributes.start_time DESC"}),
              HasSubstr("the attribute 'start_time' stands there twice"));
  EXPECT_THAT(error_of_order({""}), HasSubstr("expected a name"));
  EXPECT_THAT(error_of_order(std::vector<std::string>(17, "metrics.a")), HasSubstr("at most 16"));
}

TEST(Filter, BoundsWhatItTakes) {
  std::string many = "metrics.a > 1";
  for (int i = 1; i < 100; ++i) {
    many += " AND metrics.a > 1";
  }
  EXPECT_EQ(parse_filter(many, run_grammar()).size(), 100U);
  EXPECT_THAT(error_of(many + " AND metrics.a > 1"), HasSubstr("more than 100 comparisons"));

  std::string list = "run_id IN ('a'";
  for (int i = 1; i < 5000; ++i) {
    list += ",'a'";
  }
  EXPECT_EQ(parse_filter(list + ")", run_grammar()).front().texts.size(), 5000U);
  EXPECT_THAT(error_of(list + ",'a')"), HasSubstr("more than 5000 values"));

  EXPECT_THAT(error_of(std::string(300'000, ' ')), HasSubstr("300000 bytes are too many"));
  EXPECT_THAT(error_of("params.a LIKE '" + std::string(1025, '%') + "'"),
              HasSubstr("a pattern of 1025 bytes is too long"));
  EXPECT_THAT(error_of(std::string(100'000, '(')), HasSubstr("expected a name"));
  EXPECT_THAT(error_of("params.a = " + std::string(99'999, '\'')), HasSubstr("not closed"));
}

// Whatever comes in is a list of comparisons or an Error, never anything else.
TEST(Filter, SurvivesDamage) {
  const std::vector<std::string> texts{
      "metrics.`a b` >= -1.5e-3 AND params.\"x\"\"y\" NOT LIKE 'z''%' AND run_id NOT IN ('a', "
      "\"b\")",
      "tags.größe IS NOT NULL and datasets.context ILIKE 'ü%' AND attributes.start_time < 12"};
  const auto parse = [](std::string_view text) {
    for (const SearchGrammar* grammar : {&run_grammar(), &version_grammar()}) {
      try {
        parse_filter(text, *grammar);
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
        EXPECT_LT(std::string_view(error.what()).size(), 1000U);
      }
      try {
        parse_order_by(std::vector<std::string>{std::string(text)}, *grammar);
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
      }
    }
  };
  std::mt19937 random(7);
  for (const std::string& text : texts) {
    for (std::size_t length = 0; length <= text.size(); ++length) {
      parse(text.substr(0, length));
      parse(text.substr(length));
    }
    for (int i = 0; i < 2'000; ++i) {
      std::string damaged = text;
      for (std::uint32_t changes = random() % 4 + 1; changes > 0; --changes) {
        const std::size_t at = random() % damaged.size();
        constexpr std::string_view kParts = " '\"`.()<>=!,%_AN0-";
        switch (random() % 3) {
          case 0:
            damaged[at] = static_cast<char>(random());
            break;
          case 1:
            damaged.insert(at, 1, kParts[random() % kParts.size()]);
            break;
          default:
            damaged.erase(at, random() % 8);
        }
        if (damaged.empty()) {
          damaged = "'";
        }
      }
      parse(damaged);
    }
  }
}

}  // namespace
}  // namespace onnxop
