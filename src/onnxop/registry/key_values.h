#pragma once
// The store's tables of keys and values that belong to a number: parameters, tags. Each has a
// column that names its owner (`run`, `model`, `experiment_id`), `key` and `value`. No part of the
// room's interface; all inside a transaction.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "onnxop/registry/run.h"

namespace onnxop {

class Session;

/// Throws Error{kInvalidArgument} for a value over `max_chars` characters, with a NUL in it, or
/// that is no UTF-8; `what` and `key` name it.
void check_value(std::string_view what, std::string_view key, std::string_view value,
                 std::size_t max_chars);

/// A table of keys and values, and the column that says to whom a row belongs.
struct KeyValueTable {
  std::string_view name;
  std::string_view owner_column;
};

/// Adds what is not there and overwrites what is.
void set_values(Session& session, const KeyValueTable& table, std::int64_t owner,
                const Texts& values);

/// The first value that was refused.
struct ValueConflict {
  std::string key;
  std::string before;
  std::string wanted;
};

/// Adds what is not there; what is there must be the same, else that is returned and the
/// transaction must not be committed.
std::optional<ValueConflict> add_fixed_values(Session& session, const KeyValueTable& table,
                                              std::int64_t owner, const Texts& values);

/// False when it was not there.
bool delete_value(Session& session, const KeyValueTable& table, std::int64_t owner,
                  std::string_view key);

/// Calls visit(owner, key, value) for all rows of those owners, in no order.
void for_each_value(Session& session, const KeyValueTable& table,
                    std::span<const std::int64_t> owners,
                    const std::function<void(std::int64_t owner, const std::string& key,
                                             const std::string& value)>& visit);

/// "1,2,3" for "… IN (1,2,3)": numbers, so nothing needs quoting.
std::string number_list(std::span<const std::int64_t> numbers);

}  // namespace onnxop
