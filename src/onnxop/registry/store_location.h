#pragma once
// Where a store lies: a folder for files and, in it or at a PostgreSQL server, the database.

#include <filesystem>
#include <string>
#include <string_view>

namespace onnxop {

struct StoreLocation {
  StoreLocation() = default;
  /// A folder with its database in it (SQLite).
  StoreLocation(std::filesystem::path dir) : folder(std::move(dir)) {}  // NOLINT: a folder is one
  StoreLocation(std::string url, std::filesystem::path dir)
      : database_url(std::move(url)), folder(std::move(dir)) {}

  std::string database_url;      // "postgresql://user:password@host/name"; "": `folder`/onnxop.db
  std::filesystem::path folder;  // artifacts/, models/, runs/

  bool is_postgresql() const { return !database_url.empty(); }
  /// For messages: the folder, or the URL without its password.
  std::string text() const;
};

/// Throws Error{kInvalidArgument} for a URL that libpq might read otherwise than it was meant, and
/// then show a part of the password in its own message: signs in it that should be encoded.
void check_postgresql_url(std::string_view url);

/// The URL with neither its password nor its parameters, which may hold one too.
std::string without_password(std::string_view url);

/// "postgresql://…" or "postgres://…" with files in `files_folder`, or else a folder. Throws
/// Error{kInvalidArgument} for another scheme, and as check_postgresql_url().
StoreLocation parse_store_location(std::string_view text,
                                   const std::filesystem::path& files_folder);

}  // namespace onnxop
