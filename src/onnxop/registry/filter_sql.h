#pragma once
// Filters and orders (filter.h) as SQL conditions and ORDER BY terms, with all values bound. Pure
// functions. No part of the room's interface.

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "onnxop/registry/filter.h"
#include "onnxop/registry/search_grammar.h"
#include "onnxop/registry/sql_values.h"

namespace onnxop {

/// A table of keys and values, and how its rows, as `f`, refer to what is searched.
struct SearchTable {
  std::string_view name;  // "run_params"
  std::string_view join;  // "f.run = r.number"
  /// Of metrics: only those on one of these; none: all.
  std::span<const MetricDataset> datasets = {};
};

struct SearchTables {
  const SearchGrammar& grammar;
  SearchTable metrics = {};
  SearchTable params = {};
  SearchTable tags = {};
};

/// What a clause asks of a row: an expression over the tables that the grammar's columns name.
std::string condition_sql(const FilterClause& clause, const SearchTables& tables,
                          SqlDialect dialect, SqlValues& values);

/// `column` is a text: = != LIKE ILIKE IN NOT IN.
std::string text_condition_sql(std::string_view column, const FilterClause& clause,
                               SqlDialect dialect, SqlValues& values);

/// `table` has the columns `value` and `is_nan`. Of NaN, only != is true.
std::string metric_condition_sql(std::string_view table, const FilterClause& clause,
                                 SqlValues& values);

/// " AND (…)": rows, as `f`, on one of these data sets; "" for none.
std::string on_datasets_sql(std::span<const MetricDataset> datasets, SqlValues& values);

std::string_view sql_operator(Comparator comparator);  // of = != < <= > >=

/// What a pattern must begin with, before its first '%' or '_'.
std::string_view pattern_prefix(std::string_view pattern);

/// "a DESC, b": of an attribute; what has no value is last.
std::string attribute_order_sql(const SearchAttribute& attribute, bool ascending);

std::string_view direction_sql(bool ascending);  // " ASC", " DESC"

}  // namespace onnxop
