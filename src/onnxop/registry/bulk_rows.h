#pragma once
// One statement for many rows: "INSERT … VALUES (…), (…), …". A row at a time costs a round trip at
// a database server, and the start and end of a statement in SQLite. No part of the room's
// interface; inside a transaction.

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <soci/soci.h>

namespace onnxop {

/// Measured: more make the statement itself dear, for SQLite looks its parameters up one by one.
inline constexpr std::size_t kRowsAtOnce = 16;

/// "(7, :v0, :v1), (7, :v2, :v3)" for two rows of two parameters that begin with "7, ".
std::string value_list(std::size_t rows, std::size_t parameters, std::string_view beginning);

/// A statement with the parameters of a fixed number of rows. A Row has `kParameters`, their
/// number, and exchange(soci::statement&), which gives its fields for them in this order.
template <typename Row>
class RowStatement {
 public:
  RowStatement(soci::session& session, const std::string& sql, std::size_t rows)
      : rows_(rows), statement_(session) {
    for (Row& row : rows_) {
      row.exchange(statement_);
    }
    statement_.alloc();
    statement_.prepare(sql);
    statement_.define_and_bind();
  }

  void execute(std::span<const Row> rows) {
    std::copy(rows.begin(), rows.end(), rows_.begin());
    statement_.execute(true);
  }

 private:
  std::vector<Row> rows_;  // what the statement is bound to
  soci::statement statement_;
};

/// Runs "`head` VALUES … `tail`" for all rows. `beginning` is what they share (value_list).
template <typename Row>
void insert_rows(soci::session& session, std::string_view head, std::string_view tail,
                 std::string_view beginning, std::span<const Row> rows) {
  const auto sql = [&](std::size_t count) {
    return std::string(head) + " VALUES " + value_list(count, Row::kParameters, beginning) + " " +
           std::string(tail);
  };
  if (rows.size() >= kRowsAtOnce) {
    RowStatement<Row> many(session, sql(kRowsAtOnce), kRowsAtOnce);
    for (; rows.size() >= kRowsAtOnce; rows = rows.subspan(kRowsAtOnce)) {
      many.execute(rows.first(kRowsAtOnce));
    }
  }
  if (!rows.empty()) {
    RowStatement<Row>(session, sql(rows.size()), rows.size()).execute(rows);
  }
}

}  // namespace onnxop
