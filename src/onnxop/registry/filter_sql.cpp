#include "onnxop/registry/filter_sql.h"

#include <charconv>
#include <cmath>

#include "onnxop/base/format.h"

namespace onnxop {
namespace {

constexpr std::string_view kDatasetContext = "mlflow.data.context";

// SQLite's LIKE takes a and A for the same, its GLOB does not; other signs stand for the same.
std::string glob_of(std::string_view pattern) {
  std::string glob;
  for (const char c : pattern) {
    switch (c) {
      case '%':
        glob += '*';
        break;
      case '_':
        glob += '?';
        break;
      case '*':
      case '?':
      case '[':
        glob += '[';
        glob += c;
        glob += ']';
        break;
      default:
        glob += c;
    }
  }
  return glob;
}

std::string pattern_condition(std::string_view column, const FilterClause& clause,
                              SqlDialect dialect, SqlValues& values) {
  const std::string& pattern = clause.texts.front();
  const bool exact_case = clause.comparator == Comparator::kLike;
  if (dialect == SqlDialect::kPostgresql) {
    return format("{} {} {} ESCAPE ''", column, exact_case ? "LIKE" : "ILIKE",
                  values.bind(pattern));
  }
  return exact_case ? format("{} GLOB {}", column, values.bind(glob_of(pattern)))
                    : format("{} LIKE {}", column, values.bind(pattern));
}

template <typename ValueOf>
std::string list_condition(std::string_view column, const FilterClause& clause, SqlValues& values,
                           ValueOf&& value_of) {
  std::vector<std::string> places;
  for (const std::string& text : clause.texts) {
    places.push_back(values.bind(value_of(text)));
  }
  return format("{} {} ({})", column, comparator_text(clause.comparator), join(places, ", "));
}

long long integer_of(const std::string& text) {
  long long value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

bool is_list(Comparator comparator) {
  return comparator == Comparator::kIn || comparator == Comparator::kNotIn;
}

std::string identifier_condition(std::string_view column, const FilterClause& clause,
                                 SqlValues& values) {
  if (is_list(clause.comparator)) {
    return list_condition(column, clause, values, integer_of);
  }
  return format("{} {} {}", column, sql_operator(clause.comparator),
                values.bind(integer_of(clause.texts.front())));
}

// A whole number is bound as one, so that it is compared as the column is.
std::string number_condition(std::string_view column, const FilterClause& clause,
                             SqlValues& values) {
  constexpr double kExact = 9007199254740992;  // 2^53
  const bool whole =
      std::abs(clause.number) < kExact && std::nearbyint(clause.number) == clause.number;
  const std::string place =
      whole ? values.bind(static_cast<long long>(clause.number))
            : format("CAST({} AS DOUBLE PRECISION)", values.bind(clause.number));
  return format("{} {} {}", column, sql_operator(clause.comparator), place);
}

std::string attribute_condition(const SearchAttribute& attribute, const FilterClause& clause,
                                SqlDialect dialect, SqlValues& values) {
  switch (attribute.kind) {
    case ValueKind::kNumber:
      return number_condition(attribute.column, clause, values);
    case ValueKind::kIdentifier:
      return identifier_condition(attribute.column, clause, values);
    default:
      return text_condition_sql(attribute.column, clause, dialect, values);
  }
}

std::string key_condition(const SearchTable& table, const FilterClause& clause, SqlDialect dialect,
                          SqlValues& values) {
  const std::string key = values.bind(clause.key);
  const std::string row = format("SELECT 1 FROM {} f WHERE {} AND f.key = {}{}", table.name,
                                 table.join, key, on_datasets_sql(table.datasets, values));
  switch (clause.comparator) {
    case Comparator::kIsNull:
      return format("NOT EXISTS ({})", row);
    case Comparator::kIsNotNull:
      return format("EXISTS ({})", row);
    default:
      return format("EXISTS ({} AND {})", row,
                    clause.entity == SearchEntity::kMetric
                        ? metric_condition_sql("f", clause, values)
                        : text_condition_sql("f.value", clause, dialect, values));
  }
}

// Any of a run's data sets will do.
std::string dataset_condition(const FilterClause& clause, SqlDialect dialect, SqlValues& values) {
  const std::string_view column = find_attribute(dataset_attributes(), clause.key)->column;
  const std::string condition = text_condition_sql(column, clause, dialect, values);
  if (clause.key == "context") {
    return format(
        "EXISTS (SELECT 1 FROM run_dataset_tags t WHERE t.run = r.number AND t.key = {} AND {})",
        values.bind(std::string(kDatasetContext)), condition);
  }
  return format(
      "EXISTS (SELECT 1 FROM run_datasets i JOIN datasets d ON d.dataset = i.dataset "
      "WHERE i.run = r.number AND {})",
      condition);
}

}  // namespace

std::string condition_sql(const FilterClause& clause, const SearchTables& tables,
                          SqlDialect dialect, SqlValues& values) {
  switch (clause.entity) {
    case SearchEntity::kAttribute:
      return attribute_condition(*find_attribute(tables.grammar.attributes, clause.key), clause,
                                 dialect, values);
    case SearchEntity::kMetric:
      return key_condition(tables.metrics, clause, dialect, values);
    case SearchEntity::kParam:
      return key_condition(tables.params, clause, dialect, values);
    case SearchEntity::kTag:
      return key_condition(tables.tags, clause, dialect, values);
    case SearchEntity::kDataset:
      return dataset_condition(clause, dialect, values);
  }
  return "1 = 1";
}

std::string text_condition_sql(std::string_view column, const FilterClause& clause,
                               SqlDialect dialect, SqlValues& values) {
  switch (clause.comparator) {
    case Comparator::kLike:
    case Comparator::kIlike:
      return pattern_condition(column, clause, dialect, values);
    case Comparator::kIn:
    case Comparator::kNotIn:
      return list_condition(column, clause, values, [](const std::string& text) { return text; });
    default:
      return format("{} {} {}", column, sql_operator(clause.comparator),
                    values.bind(clause.texts.front()));
  }
}

std::string metric_condition_sql(std::string_view table, const FilterClause& clause,
                                 SqlValues& values) {
  const std::string compared =
      format("{}.value {} {}", table, sql_operator(clause.comparator), values.bind(clause.number));
  return clause.comparator == Comparator::kNotEqual
             ? format("({} OR {}.is_nan = 1)", compared, table)
             : format("{} AND {}.is_nan = 0", compared, table);
}

std::string on_datasets_sql(std::span<const MetricDataset> datasets, SqlValues& values) {
  std::vector<std::string> conditions;
  for (const MetricDataset& dataset : datasets) {
    std::string condition = format("f.dataset_name = {}", values.bind(dataset.name));
    if (!dataset.digest.empty()) {
      condition += format(" AND f.dataset_digest = {}", values.bind(dataset.digest));
    }
    conditions.push_back(std::move(condition));
  }
  return conditions.empty() ? "" : format(" AND ({})", join(conditions, " OR "));
}

std::string_view sql_operator(Comparator comparator) {
  return comparator == Comparator::kNotEqual ? "<>" : comparator_text(comparator);
}

std::string_view pattern_prefix(std::string_view pattern) {
  return pattern.substr(0, pattern.find_first_of("%_"));
}

std::string attribute_order_sql(const SearchAttribute& attribute, bool ascending) {
  const std::string order = format("{}{}", attribute.column, direction_sql(ascending));
  return attribute.nullable
             ? format("CASE WHEN {} IS NULL THEN 1 ELSE 0 END, {}", attribute.column, order)
             : order;
}

std::string_view direction_sql(bool ascending) {
  return ascending ? " ASC" : " DESC";
}

}  // namespace onnxop
