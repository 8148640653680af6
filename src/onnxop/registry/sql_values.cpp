#include "onnxop/registry/sql_values.h"

#include "onnxop/base/format.h"
#include "onnxop/registry/session.h"

namespace onnxop {
namespace {

std::string name_of(std::size_t index) {
  return format("v{}", index);
}

}  // namespace

std::string SqlValues::bind(Value value) {
  values_.push_back(std::move(value));
  return ":" + name_of(values_.size() - 1);
}

std::vector<std::pair<long long, long long>> select_pairs(Session& session,
                                                          const std::string& statement,
                                                          const SqlValues& values) {
  soci::statement select(session);
  std::pair<long long, long long> row;
  select.exchange(soci::into(row.first));
  select.exchange(soci::into(row.second));
  for (std::size_t i = 0; i < values.all().size(); ++i) {
    std::visit([&](const auto& value) { select.exchange(soci::use(value, name_of(i))); },
               values.all()[i]);
  }
  select.alloc();
  select.prepare(statement);
  select.define_and_bind();
  std::vector<std::pair<long long, long long>> rows;
  select.execute(false);
  while (select.fetch()) {
    rows.push_back(row);
  }
  return rows;
}

std::string all_of(const std::vector<std::string>& conditions) {
  return conditions.empty() ? "1 = 1" : format("{}", join(conditions, " AND "));
}

}  // namespace onnxop
