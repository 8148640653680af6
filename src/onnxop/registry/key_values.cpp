#include "onnxop/registry/key_values.h"

#include "onnxop/base/error.h"
#include "onnxop/base/utf8.h"
#include "onnxop/registry/registry_core.h"
#include "onnxop/registry/row_select.h"
#include "onnxop/registry/session.h"

namespace onnxop {
namespace {

using soci::into;
using soci::use;

// What is wrong with the text; empty when nothing is.
std::string find_fault(std::string_view text, std::size_t max_chars) {
  const auto characters = count_utf8_characters(text);
  if (!characters) {
    return "is no UTF-8";
  }
  if (*characters > max_chars) {
    return format("has {} characters, at most {} are allowed", *characters, max_chars);
  }
  if (text.find('\0') != std::string_view::npos) {
    return "has a NUL character in it";
  }
  return {};
}

// For messages: the beginning of a key, as far as it is text.
std::string shown(std::string_view key) {
  constexpr std::size_t kShown = 60;
  std::size_t end = 0;
  while (end < key.size() && end < kShown && key[end] != '\0') {
    const std::size_t length = utf8_length(key.substr(end));
    if (length == 0) {
      break;
    }
    end += length;
  }
  return end == key.size() ? std::string(key) : std::string(key.substr(0, end)) + "…";
}

struct InsertValue {
  InsertValue(Session& session, const KeyValueTable& table, std::string_view on_conflict)
      : statement((session.prepare << "INSERT INTO " << table.name << " (" << table.owner_column
                                   << ", key, value) VALUES (:owner, :key, :value) ON CONFLICT ("
                                   << table.owner_column << ", key) DO " << on_conflict,
                   use(owner), use(key), use(value))) {}

  long long owner = 0;
  std::string key;
  std::string value;
  soci::statement statement;
};

struct OwnedValue {
  void exchange(soci::statement& statement) { exchange_into(statement, owner, key, value); }

  long long owner = 0;
  std::string key;
  std::string value;
};

// One after the other, while is_good(InsertValue&) is true behind each.
template <typename IsGood>
void insert_values(Session& session, const KeyValueTable& table, std::string_view on_conflict,
                   std::int64_t owner, const Texts& values, IsGood is_good) {
  if (values.empty()) {
    return;
  }
  auto& insert = session.kept<InsertValue>(format("{} {}", table.name, on_conflict), [&] {
    return InsertValue(session, table, on_conflict);
  });
  insert.owner = owner;
  for (const auto& [key, value] : values) {
    insert.key = key;
    insert.value = value;
    insert.statement.execute(true);
    if (!is_good(insert)) {
      return;
    }
  }
}

}  // namespace

void check_key(std::string_view what, std::string_view key, std::size_t max_chars) {
  if (key.empty()) {
    fail(ErrorCode::kInvalidArgument, "a {} with an empty name", what);
  }
  if (const std::string fault = find_fault(key, max_chars); !fault.empty()) {
    fail(ErrorCode::kInvalidArgument, "the name of the {} '{}' {}", what, shown(key), fault);
  }
}

void check_value(std::string_view what, std::string_view key, std::string_view value,
                 std::size_t max_chars) {
  if (const std::string fault = find_fault(value, max_chars); !fault.empty()) {
    fail(ErrorCode::kInvalidArgument, "the value of the {} '{}' {}", what, shown(key), fault);
  }
}

void set_values(Session& session, const KeyValueTable& table, std::int64_t owner,
                const Texts& values) {
  insert_values(session, table, "UPDATE SET value = excluded.value", owner, values,
                [](const InsertValue&) { return true; });
}

std::optional<ValueConflict> add_fixed_values(Session& session, const KeyValueTable& table,
                                              std::int64_t owner, const Texts& values) {
  std::optional<ValueConflict> conflict;
  insert_values(session, table, "NOTHING", owner, values, [&](InsertValue& insert) {
    if (insert.statement.get_affected_rows() > 0) {
      return true;
    }
    std::string before;
    session << "SELECT value FROM " << table.name << " WHERE " << table.owner_column
            << " = :owner AND key = :key",
        use(insert.owner), use(insert.key), into(before);
    if (before != insert.value) {
      conflict = {insert.key, before, insert.value};
    }
    return !conflict;
  });
  return conflict;
}

bool delete_value(Session& session, const KeyValueTable& table, std::int64_t owner,
                  std::string_view key) {
  const long long number = owner;
  const std::string name(key);
  soci::statement remove = (session.prepare << "DELETE FROM " << table.name << " WHERE "
                                            << table.owner_column << " = :owner AND key = :key",
                            use(number), use(name));
  remove.execute(true);
  return remove.get_affected_rows() > 0;
}

void for_each_value(Session& session, const KeyValueTable& table,
                    std::span<const std::int64_t> owners,
                    const std::function<void(std::int64_t owner, const std::string& key,
                                             const std::string& value)>& visit) {
  for_each_row<OwnedValue>(session, owners, format("{}, key, value", table.owner_column),
                           format("{} WHERE {} = n.number", table.name, table.owner_column),
                           [&](const OwnedValue& row) { visit(row.owner, row.key, row.value); });
}

std::string number_list(std::span<const std::int64_t> numbers) {
  return format("{}", join(numbers, ","));
}

}  // namespace onnxop
