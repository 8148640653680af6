#pragma once
// Who may do what: roles, what each route needs, tokens and their file, and the verdict on one
// request. Pure functions and immutable values; docs/security.md says the same in words.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "onnxop/base/error.h"

namespace onnxop {

/// What a token's bearer is for. Roles are joined in a RoleSet.
enum class Role : std::uint8_t { kInfer = 1, kRead = 2, kManage = 4, kTrack = 8 };

class RoleSet {
 public:
  void add(Role role) { bits_ |= static_cast<std::uint8_t>(role); }
  bool has(Role role) const { return (bits_ & static_cast<std::uint8_t>(role)) != 0; }
  bool empty() const { return bits_ == 0; }

 private:
  std::uint8_t bits_ = 0;
};

/// "infer,read". Throws Error{kInvalidArgument} for an empty list, an unknown role, one given
/// twice.
RoleSet parse_roles(std::string_view text);

/// What a request asks leave for.
enum class Permission : std::uint8_t {
  kUnset,     // an oversight: no route has it
  kOpen,      // health: anyone, without a token too
  kDescribe,  // what there is and how it is asked: every token
  kInfer,     // an answer of a model: infer, manage
  kRead,      // lists, statistics, metrics, what was tracked: read, track, manage
  kTrack,     // what is logged, and made to be logged to: track, manage
  kManage     // what changes the server: manage
};

/// "infer"
std::string_view permission_name(Permission permission);

/// The roles that have the permission, in words: "infer or manage"; for kOpen "none".
std::string_view roles_with(Permission permission);

bool permits(const RoleSet& roles, Permission permission);

struct Token {
  std::string name;  // for logs and limits: [A-Za-z0-9][A-Za-z0-9._-]*, at most 64 bytes
  RoleSet roles;
  std::string sha256;  // of the token's text: 64 lower-case hexadecimal digits
};

/// Immutable once made; read from any thread.
class TokenTable {
 public:
  TokenTable() = default;

  /// Lines of NAME ROLE[,ROLE…] SHA256HEX; empty ones, and what follows a # at a line's beginning,
  /// are nothing. Throws Error{kInvalidArgument} with `where` and the line for all else, for a name
  /// or hash that is there twice, and for a text without any token.
  static TokenTable parse(std::string_view text, std::string_view where);

  /// Null when it is none of them. Looks at all of them in any case.
  const Token* find(std::string_view secret) const;

  const std::vector<Token>& tokens() const { return tokens_; }

 private:
  std::vector<Token> tokens_;
};

/// "onnxop_" and 64 hexadecimal digits, 256 random bits.
std::string new_secret();

/// The line of a token file, without its end. Throws Error{kInvalidArgument} for a name or roles
/// that the file could not hold.
std::string token_line(std::string_view name, std::string_view roles, std::string_view secret);

/// What a request says of itself.
struct Credentials {
  std::optional<std::string_view> authorization = {};  // the field's value
  bool ambiguous = false;                              // the field is there more than once
};

/// token: whose it is, when it is known. problem: kUnauthenticated or kPermissionDenied; none when
/// the request may go on.
struct Verdict {
  const Token* token = nullptr;
  std::optional<Error> problem = {};
};

/// `tokens` is null where everyone may do everything.
Verdict judge(const TokenTable* tokens, const Credentials& credentials, Permission permission);

/// True for 127.0.0.0/8, ::1, these mapped into IPv6, and the name localhost. Other names are not:
/// what they stand for may change.
bool is_loopback(std::string_view host);

/// To whom the server will be open, as its options say.
struct Exposure {
  std::vector<std::string> hosts;  // what it listens at
  bool tokens = false;
  bool tls = false;
  bool insecure = false;  // to be open to everyone is meant
};

/// What is worth a warning, or nothing. Throws Error{kInvalidArgument}, saying what to do, where
/// other machines would find a server that asks for no tokens, and nobody said that it is meant.
std::optional<std::string> check_exposure(const Exposure& exposure);

}  // namespace onnxop
