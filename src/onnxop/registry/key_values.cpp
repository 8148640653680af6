#include "onnxop/registry/key_values.h"

#include <soci/soci.h>

#include "onnxop/base/error.h"
#include "onnxop/base/utf8.h"
#include "onnxop/registry/registry_core.h"

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

void set_values(soci::session& session, const KeyValueTable& table, std::int64_t owner,
                const Texts& values) {
  if (values.empty()) {
    return;
  }
  const long long number = owner;
  std::string key;
  std::string value;
  soci::statement upsert =
      (session.prepare << "INSERT INTO " << table.name << " (" << table.owner_column
                       << ", key, value) VALUES (:owner, :key, :value) ON CONFLICT ("
                       << table.owner_column << ", key) DO UPDATE SET value = excluded.value",
       use(number), use(key), use(value));
  for (const auto& [name, text] : values) {
    key = name;
    value = text;
    upsert.execute(true);
  }
}

std::optional<ValueConflict> add_fixed_values(soci::session& session, const KeyValueTable& table,
                                              std::int64_t owner, const Texts& values) {
  if (values.empty()) {
    return std::nullopt;
  }
  const long long number = owner;
  std::string key;
  std::string value;
  std::string before;
  soci::statement insert =
      (session.prepare << "INSERT INTO " << table.name << " (" << table.owner_column
                       << ", key, value) VALUES (:owner, :key, :value) ON CONFLICT ("
                       << table.owner_column << ", key) DO NOTHING",
       use(number), use(key), use(value));
  for (const auto& [name, text] : values) {
    key = name;
    value = text;
    insert.execute(true);
    if (insert.get_affected_rows() > 0) {
      continue;
    }
    session << "SELECT value FROM " << table.name << " WHERE " << table.owner_column
            << " = :owner AND key = :key",
        use(number), use(key), into(before);
    if (before != value) {
      return ValueConflict{key, before, value};
    }
  }
  return std::nullopt;
}

bool delete_value(soci::session& session, const KeyValueTable& table, std::int64_t owner,
                  std::string_view key) {
  const long long number = owner;
  const std::string name(key);
  soci::statement remove = (session.prepare << "DELETE FROM " << table.name << " WHERE "
                                            << table.owner_column << " = :owner AND key = :key",
                            use(number), use(name));
  remove.execute(true);
  return remove.get_affected_rows() > 0;
}

void for_each_value(soci::session& session, const KeyValueTable& table,
                    std::span<const std::int64_t> owners,
                    const std::function<void(std::int64_t owner, const std::string& key,
                                             const std::string& value)>& visit) {
  if (owners.empty()) {
    return;
  }
  long long owner = 0;
  std::string key;
  std::string value;
  soci::statement select =
      (session.prepare << "SELECT " << table.owner_column << ", key, value FROM " << table.name
                       << " WHERE " << table.owner_column << " IN (" << number_list(owners) << ")",
       into(owner), into(key), into(value));
  select.execute();
  while (select.fetch()) {
    visit(owner, key, value);
  }
}

std::string number_list(std::span<const std::int64_t> numbers) {
  return format("{}", join(numbers, ","));
}

}  // namespace onnxop
