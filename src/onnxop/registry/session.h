#pragma once
// A session with a database, and the statements that it keeps prepared: to read a statement's text
// and to plan it costs more than to run it where it writes a row or two. No part of the room's
// interface.
//
// One thread at a time.

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <typeindex>
#include <utility>

#include <soci/soci.h>

namespace onnxop {

class Session : public soci::session {
 public:
  using soci::session::session;

  /// The Statement of this name: what make() returns when it is asked for the first time, kept with
  /// what it is bound to as long as the session. One that selects is fetched to its end, or it
  /// holds on to the state of the database that it began with. For names of which there are few.
  template <typename Statement, typename Make>
  Statement& kept(std::string name, Make make) {
    std::shared_ptr<void>& statement = kept_[{typeid(Statement), std::move(name)}];
    if (!statement) {
      statement = std::shared_ptr<Statement>(new Statement(make()));
    }
    return *static_cast<Statement*>(statement.get());
  }

  /// The only Statement of its type, made by Statement(*this).
  template <typename Statement>
  Statement& kept() {
    return kept<Statement>("", [this] { return Statement(*this); });
  }

  /// When a statement failed, behind its transaction: SOCI frees what it was bound to with it
  /// alone.
  void forget_kept() { kept_.clear(); }

  /// For a FROM: the numbers of the JSON list that the parameter `:numbers` is, as `n.number`.
  std::string_view numbers_table() const { return numbers_table_; }
  void set_numbers_table(std::string_view sql) { numbers_table_ = sql; }

  /// `companion` lives as long as the session.
  void keep(std::shared_ptr<void> companion) { companion_ = std::move(companion); }

 private:
  std::string_view numbers_table_;
  std::shared_ptr<void> companion_;
  std::map<std::pair<std::type_index, std::string>, std::shared_ptr<void>> kept_;
};

/// Gives a statement the fields for its columns, in this order.
template <typename... Fields>
void exchange_into(soci::statement& statement, Fields&... fields) {
  (statement.exchange(soci::into(fields)), ...);
}

/// And those for its parameters.
template <typename... Fields>
void exchange_use(soci::statement& statement, const Fields&... fields) {
  (statement.exchange(soci::use(fields)), ...);
}

}  // namespace onnxop
