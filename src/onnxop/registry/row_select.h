#pragma once
// The rows that belong to many numbers, by one statement that the session keeps: a list of numbers
// as its text would be read and planned anew each time. No part of the room's interface; inside a
// transaction.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "onnxop/base/format.h"
#include "onnxop/registry/session.h"

namespace onnxop {

/// "SELECT `columns` FROM <the numbers, as n.number> CROSS JOIN `rest`". A Row has
/// exchange(soci::statement&), which gives its fields for the columns in this order.
template <typename Row>
class RowSelect {
 public:
  RowSelect(Session& session, std::string_view columns, std::string_view rest)
      : statement_(session) {
    row_.exchange(statement_);
    statement_.exchange(soci::use(numbers_, "numbers"));
    statement_.alloc();
    statement_.prepare(
        format("SELECT {} FROM {} CROSS JOIN {}", columns, session.numbers_table(), rest));
    statement_.define_and_bind();
  }

  template <typename Visit>
  void for_each(std::span<const std::int64_t> numbers, Visit&& visit) {
    numbers_ = format("[{}]", join(numbers, ","));
    statement_.execute();
    while (statement_.fetch()) {
      visit(row_);
    }
  }

 private:
  std::string numbers_;
  Row row_;
  soci::statement statement_;
};

inline constexpr std::size_t kKeptForNumbers = 1000;

/// Calls visit(Row&) for all rows. `rest`: tables, and a condition with n.number in it, of which
/// there are few.
template <typename Row, typename Visit>
void for_each_row(Session& session, std::span<const std::int64_t> numbers, std::string_view columns,
                  std::string_view rest, Visit&& visit) {
  if (numbers.empty()) {
    return;
  }
  if (numbers.size() > kKeptForNumbers) {
    // PostgreSQL's rows stay in memory as long as their statement.
    RowSelect<Row>(session, columns, rest).for_each(numbers, visit);
    return;
  }
  auto& select = session.kept<RowSelect<Row>>(
      std::string(rest), [&] { return RowSelect<Row>(session, columns, rest); });
  try {
    select.for_each(numbers, visit);
  } catch (const soci::soci_error&) {
    throw;  // the transaction has failed, and they are forgotten behind it
  } catch (...) {
    session.forget_kept();  // else this one would hold on to the state that it reads
    throw;
  }
}

}  // namespace onnxop
