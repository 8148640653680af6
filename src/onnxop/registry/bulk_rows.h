#pragma once
// One statement for many rows: "INSERT … VALUES (…), (…), …". A row at a time costs a round trip at
// a database server, and the start and end of a statement in SQLite. No part of the room's
// interface; inside a transaction.

#include <algorithm>
#include <bit>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "onnxop/base/format.h"
#include "onnxop/registry/session.h"

namespace onnxop {

inline constexpr std::size_t kRowsAtOnce = 64;

/// "(:v0, :v1), (:v2, :v3)" for two rows of two parameters.
std::string value_list(std::size_t rows, std::size_t parameters);

/// A statement with the parameters of a fixed number of rows. A Row has `kParameters`, their
/// number, and exchange(soci::statement&), which gives its fields for them in this order.
template <typename Row>
class RowStatement {
 public:
  RowStatement(Session& session, const std::string& sql, std::size_t rows)
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

/// Runs "`head` VALUES … `tail`" for all rows. The session keeps the statements, for 1, 2, 4 … and
/// kRowsAtOnce rows.
template <typename Row>
void insert_rows(Session& session, std::string_view head, std::string_view tail,
                 std::span<const Row> rows) {
  while (!rows.empty()) {
    const std::size_t count = std::min(kRowsAtOnce, std::bit_floor(rows.size()));
    session
        .kept<RowStatement<Row>>(
            format("{} {}", count, head),
            [&] {
              return RowStatement<Row>(
                  session,
                  format("{} VALUES {} {}", head, value_list(count, Row::kParameters), tail),
                  count);
            })
        .execute(rows.first(count));
    rows = rows.subspan(count);
  }
}

}  // namespace onnxop
