#pragma once
// A statement that is put together from parts, with its values apart: a value never becomes part of
// the text. No part of the room's interface.

#include <cstdint>
#include <deque>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace onnxop {

class Session;

/// What differs between the databases, for statements that are put together here.
enum class SqlDialect { kSqlite, kPostgresql };

class SqlValues {
 public:
  using Value = std::variant<std::string, long long, double>;

  /// -> the value's placeholder, ":v3".
  std::string bind(Value value);

  const std::deque<Value>& all() const { return values_; }

 private:
  std::deque<Value> values_;
};

/// The rows of a statement that selects two whole numbers.
std::vector<std::pair<long long, long long>> select_pairs(Session& session,
                                                          const std::string& statement,
                                                          const SqlValues& values);

/// "a AND b"; "1 = 1" for no conditions.
std::string all_of(const std::vector<std::string>& conditions);

}  // namespace onnxop
