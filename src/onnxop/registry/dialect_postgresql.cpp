#include <array>
#include <mutex>

#include <soci/postgresql/soci-postgresql.h>
#include <soci/version.h>

#include "onnxop/registry/dialect.h"
#include "onnxop/registry/session.h"
#include "onnxop/registry/store_location.h"

namespace onnxop {
namespace {

constexpr std::string_view kClustered = "{clustered}";

// What is set where the URL says nothing else: no wait without an end.
constexpr auto kUrlDefaults = std::to_array<std::pair<std::string_view, std::string_view>>({
    {"connect_timeout", "10"},
    {"keepalives_idle", "10"},
    {"keepalives_interval", "5"},
    {"keepalives_count", "3"},
    {"tcp_user_timeout", "30000"},
    {"fallback_application_name", "onnxop"},
});

// libpq would write notices and warnings to standard error. What is committed is on disk, also
// where the server would answer before.
constexpr const char* kSettings =
    "SET client_encoding = 'UTF8'; SET client_min_messages = 'error'; SET lock_timeout = '30s'; "
    "SET standard_conforming_strings = on; "
    "SELECT set_config('synchronous_commit', 'on', false) "
    "WHERE current_setting('synchronous_commit') = 'off'";

constexpr std::string_view kNumbersTable =
    "(SELECT CAST(value AS BIGINT) AS number FROM "
    "json_array_elements_text(CAST(:numbers AS json))) n";

#if SOCI_VERSION < 400100
// SOCI 4.0 keeps the SQLSTATE private, and the function that gives it is in the library that is
// loaded at run time, which cannot be linked. An explicit instantiation may name what is private.
template <auto Member>
struct SqlStateMember {
  friend std::string sqlstate_member(const soci::postgresql_soci_error& error) {
    return std::string(error.*Member, 5);
  }
};
std::string sqlstate_member(const soci::postgresql_soci_error& error);
template struct SqlStateMember<&soci::postgresql_soci_error::sqlstate_>;

std::string sqlstate_of(const soci::soci_error& error) {
  const auto* postgresql = dynamic_cast<const soci::postgresql_soci_error*>(&error);
  return postgresql == nullptr ? std::string() : sqlstate_member(*postgresql);
}
#else
std::string sqlstate_of(const soci::soci_error& error) {
  return error.get_sqlstate();
}
#endif

std::string library_name() {
  return format("libsoci_postgresql.so.{}.{}", SOCI_VERSION / 100'000, SOCI_VERSION / 100 % 1000);
}

// From the system's folders alone: SOCI itself would look into the current folder too.
void load_backend() {
  static std::mutex mutex;
  static bool loaded = false;
  const std::lock_guard lock(mutex);
  if (loaded) {
    return;
  }
  const std::string library = library_name();
  try {
    soci::dynamic_backends::register_backend("postgresql", library);
  } catch (const soci::soci_error&) {
    fail(ErrorCode::kUnsupported,
         "stores in PostgreSQL need SOCI's library for it, {}, which is not installed (Debian 12: "
         "the package libsoci-postgresql4.0)",
         library);
  }
  loaded = true;
}

std::string with_defaults(std::string url) {
  const auto parameters = url.find('?');
  for (const auto& [key, value] : kUrlDefaults) {
    const std::string word = format("{}=", key);
    const bool given =
        parameters != std::string::npos && (url.find("?" + word, parameters) != std::string::npos ||
                                            url.find("&" + word, parameters) != std::string::npos);
    if (!given) {
      url += format("{}{}{}", url.find('?') == std::string::npos ? '?' : '&', word, value);
    }
  }
  return url;
}

bool is_any_of(std::string_view state, std::initializer_list<std::string_view> beginnings) {
  for (const std::string_view beginning : beginnings) {
    if (state.starts_with(beginning)) {
      return true;
    }
  }
  return false;
}

// SQLSTATE classes: PostgreSQL's documentation, appendix A.
DatabaseFailure failure_of(std::string_view state) {
  if (is_any_of(state, {"08", "57P", "53300"})) {
    return {ErrorCode::kUnavailable, "the database cannot be reached"};
  }
  if (is_any_of(state, {"55P03", "40", "57014"})) {
    return {ErrorCode::kUnavailable, "the database is held by another process for too long"};
  }
  constexpr std::string_view kRefused = "the database cannot be read or written";
  if (is_any_of(state, {"53100"})) {
    return {ErrorCode::kIo, kRefused, StorageFault::kFull};
  }
  if (is_any_of(state, {"25006"})) {
    return {ErrorCode::kIo, kRefused, StorageFault::kNotWritable};
  }
  if (is_any_of(state, {"53", "58", "42501"})) {
    return {ErrorCode::kIo, kRefused};
  }
  if (is_any_of(state, {"XX001", "XX002"})) {
    return {ErrorCode::kDataLoss, "the database is damaged"};
  }
  if (is_any_of(state, {"54"})) {
    return {ErrorCode::kTooLarge, "a value is too large for the database"};
  }
  if (is_any_of(state, {"22021", "22P05"})) {
    return {ErrorCode::kInvalidArgument, "a text is not UTF-8"};
  }
  return {ErrorCode::kInternal, "the database refused a statement"};
}

class PostgresqlDialect : public Dialect {
 public:
  explicit PostgresqlDialect(const std::string& url)
      : name_(without_password(url)), url_(with_defaults(url)) {
    check_postgresql_url(url);
  }

  const std::string& name() const override { return name_; }
  std::string address() const override { return url_; }

  std::unique_ptr<Session> connect() const override {
    load_backend();
    std::unique_ptr<Session> session;
    try {
      session = std::make_unique<Session>("postgresql", url_);
    } catch (const soci::soci_error& error) {
      fail(ErrorCode::kUnavailable, "{}: the database cannot be reached: {}", name_,
           one_line(error.get_error_message()));
    }
    session->set_numbers_table(kNumbersTable);
    *session << kSettings;
    std::string encoding;
    std::string schema;
    soci::indicator has_schema = soci::i_null;
    *session << "SELECT current_setting('server_encoding'), current_schema()", soci::into(encoding),
        soci::into(schema, has_schema);
    if (encoding != "UTF8") {
      fail(ErrorCode::kFailedPrecondition,
           "{}: the database's encoding is {}, expected UTF8 (createdb --encoding=UTF8 "
           "--template=template0)",
           name_, encoding);
    }
    if (has_schema != soci::i_ok) {
      fail(ErrorCode::kFailedPrecondition,
           "{}: the database has no schema to make tables in: its search_path names none that is "
           "there",
           name_);
    }
    return session;
  }

  void prepare_to_write(Session&) const override {}

  // The writers of one store queue at a lock that ends with the transaction, and each of their
  // statements sees what was committed before. SERIALIZABLE would have them do their work again,
  // which has effects beside the database. The first number is this program's.
  const char* begin_write() const override {
    return "BEGIN ISOLATION LEVEL READ COMMITTED, READ WRITE; "
           "SELECT pg_advisory_xact_lock(1869508216, hashtext(current_schema()))";
  }
  const char* begin_read() const override {
    return "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY";
  }
  // COMMIT alone takes a transaction back, and says nothing, when a statement in it has failed.
  const char* commit() const override { return "SELECT 1; COMMIT"; }

  std::string adapt(std::string_view statement) const override {
    constexpr std::string_view kText = " TEXT";
    std::string result(statement);
    if (const auto at = result.find(kClustered); at != std::string::npos) {
      result.erase(at, kClustered.size());
    }
    if (!statement.starts_with("CREATE TABLE") && !statement.starts_with("ALTER TABLE")) {
      return result;
    }
    for (auto at = result.find(kText); at != std::string::npos; at = result.find(kText, at + 1)) {
      result.insert(at + kText.size(), R"( COLLATE "C")");
    }
    return result;
  }

  // Without synchronous_commit a server that is killed forgets what it has acknowledged.
  void let_commits_wait(Session&, bool) const override {}

  const char* select_tables() const override {
    return "SELECT CAST(tablename AS TEXT) FROM pg_tables WHERE schemaname = current_schema()";
  }

  DatabaseFailure explain(const soci::soci_error& error) const override {
    return failure_of(sqlstate_of(error));
  }

  bool is_lost(Session& session) const override { return !session.is_connected(); }

 private:
  std::string name_;
  std::string url_;
};

}  // namespace

std::unique_ptr<Dialect> postgresql_dialect(const std::string& url) {
  return std::make_unique<PostgresqlDialect>(url);
}

}  // namespace onnxop
