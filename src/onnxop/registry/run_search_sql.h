#pragma once
// How a search of runs goes through the tables. The database is told where to begin, for without
// statistics it guesses: with the runs of the rarest condition when those are few, and else along
// an index in the order that is asked for, until the page is full. No part of the room's interface.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "onnxop/registry/filter.h"
#include "onnxop/registry/run.h"
#include "onnxop/registry/sql_values.h"

namespace onnxop {

struct RunQuery {
  std::vector<std::int64_t> experiment_ids = {};  // none: all
  ViewType view = ViewType::kActiveOnly;
  std::vector<FilterClause> filter = {};
  std::vector<OrderTerm> order = {};  // then start_time DESC, run_id
};

/// A statement and its values; selects a number and 0.
struct SqlStatement {
  std::string text = {};
  SqlValues values = {};
};

/// Somewhere to begin: rows of an index, each with its run.
struct SearchStart {
  std::string tables = {};  // with `runs r` among them
  bool by_row = false;      // they are found by a row `x` of another table
  /// The condition that makes these rows, for a statement with these values; none: the filter's own
  /// will do.
  std::function<std::string(SqlValues&)> narrow = {};
  const FilterClause* answered = nullptr;  // of the query's filter: `narrow` says all that it does
  /// The part of a statement behind FROM that has these rows alone, for count_statement().
  SqlStatement rows = {};
};

/// Where a search can begin, by conditions for which there is an index; the experiments, of which
/// the rows are most, are last.
std::vector<SearchStart> possible_starts(const RunQuery& query, SqlDialect dialect);

/// How many rows a start has, counted up to a limit.
SqlStatement count_statement(const SearchStart& start, std::int64_t limit);

/// The numbers of the runs from `offset` on, at most `limit`, beginning at `start`; sorts all that
/// are found.
SqlStatement sorted_statement(const RunQuery& query, const SearchStart& start, SqlDialect dialect,
                              std::int64_t limit, std::int64_t offset);

/// Whether the first order term has an index to go along.
bool has_order_index(const RunQuery& query);
/// Whether the runs of that index are but a part: those that have a value for the term.
bool order_index_is_partial(const RunQuery& query);

/// The same along the index of the first order term. Of a partial index, of those runs alone.
SqlStatement ordered_statement(const RunQuery& query, SqlDialect dialect, std::int64_t limit,
                               std::int64_t offset);
/// How many runs a partial index gives in all.
SqlStatement count_ordered_statement(const RunQuery& query, SqlDialect dialect);
/// Whether the filter asks for a value of that term, so that a partial index has all.
bool order_index_has_all(const RunQuery& query);
/// The runs that a partial index leaves out.
SqlStatement leftover_statement(const RunQuery& query, SqlDialect dialect, std::int64_t limit,
                                std::int64_t offset);

}  // namespace onnxop
