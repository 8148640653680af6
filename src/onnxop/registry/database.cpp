#include "onnxop/registry/database.h"

#include <exception>

namespace onnxop {

Database::Database(std::unique_ptr<Dialect> dialect, const Clock& clock)
    : dialect_(std::move(dialect)),
      reads_(dialect_, DatabaseConnection::Use::kRead),
      clock_(clock) {
  try {
    reads_.open();
    group_ = GroupCommit::of(dialect_);
  } catch (...) {
    reads_.rethrow_as_error();
  }
}

Database::~Database() = default;

std::set<std::string> Database::tables() {
  return read([this](Session& session) {
    std::set<std::string> names;
    std::string name;
    soci::statement select = (session.prepare << dialect_->select_tables(), soci::into(name));
    select.execute();
    while (select.fetch()) {
      names.insert(name);
    }
    return names;
  });
}

void Database::write_grouped(std::function<void(Session&)> body, bool waits_for_disk) {
  GroupedWrite write{.body = std::move(body), .waits_for_disk = waits_for_disk};
  group_->run(write, clock_);
  if (write.error) {
    std::rethrow_exception(write.error);
  }
}

}  // namespace onnxop
