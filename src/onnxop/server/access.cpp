#include "onnxop/server/access.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

#include <boost/asio/ip/address.hpp>

#include "onnxop/base/file.h"
#include "onnxop/base/secret.h"
#include "onnxop/base/sha256.h"

namespace onnxop {
namespace {

constexpr std::size_t kLongestName = 64;
constexpr std::size_t kHashDigits = 64;
constexpr std::string_view kBlanks = " \t\r";

bool is_name(std::string_view text) {
  const auto alphanumeric = [](unsigned char c) { return c < 0x80 && std::isalnum(c) != 0; };
  return !text.empty() && text.size() <= kLongestName &&
         alphanumeric(static_cast<unsigned char>(text.front())) &&
         std::all_of(text.begin(), text.end(), [&](unsigned char c) {
           return alphanumeric(c) || c == '.' || c == '_' || c == '-';
         });
}

void check_name(std::string_view name) {
  if (!is_name(name)) {
    fail(
        ErrorCode::kInvalidArgument,
        "'{}' is no name of a token; expected up to {} letters, digits, '.', '_' and '-', a letter "
        "or digit first",
        name, kLongestName);
  }
}

bool is_hash(std::string_view text) {
  return text.size() == kHashDigits && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

Role parse_role(std::string_view word) {
  constexpr std::array<std::pair<std::string_view, Role>, 4> kRoles{{{"infer", Role::kInfer},
                                                                     {"read", Role::kRead},
                                                                     {"track", Role::kTrack},
                                                                     {"manage", Role::kManage}}};
  for (const auto& [name, role] : kRoles) {
    if (word == name) {
      return role;
    }
  }
  fail(ErrorCode::kInvalidArgument, "'{}' is no role, expected infer, read, track or manage", word);
}

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  while (true) {
    line.remove_prefix(std::min(line.find_first_not_of(kBlanks), line.size()));
    if (line.empty()) {
      return words;
    }
    words.push_back(line.substr(0, line.find_first_of(kBlanks)));
    line.remove_prefix(words.back().size());
  }
}

Token parse_line(const std::vector<std::string_view>& words) {
  if (words.size() != 3) {
    fail(ErrorCode::kInvalidArgument, "got {} words, expected NAME ROLE[,ROLE] SHA256",
         words.size());
  }
  check_name(words[0]);
  if (!is_hash(words[2])) {
    // It may be a token that was put there by mistake: it is not repeated.
    fail(ErrorCode::kInvalidArgument,
         "the third word is no SHA-256, expected {} hexadecimal digits in lower case", kHashDigits);
  }
  return {std::string(words[0]), parse_roles(words[1]), std::string(words[2])};
}

std::string hash_of(std::string_view secret) {
  return sha256_hex(as_bytes(secret));
}

/// What stands behind "Bearer "; the scheme's letters may be large or small (RFC 9110, 11.1).
std::optional<std::string_view> bearer_of(std::string_view authorization) {
  constexpr std::string_view kScheme = "bearer ";
  if (authorization.size() <= kScheme.size() ||
      !std::equal(kScheme.begin(), kScheme.end(), authorization.begin(), [](char a, char b) {
        return a == static_cast<char>(std::tolower(static_cast<unsigned char>(b)));
      })) {
    return std::nullopt;
  }
  const auto words = words_of(authorization.substr(kScheme.size()));
  return words.size() == 1 ? std::optional(words[0]) : std::nullopt;
}

Verdict unauthenticated(const std::string& message) {
  return {nullptr, Error(ErrorCode::kUnauthenticated, message)};
}

}  // namespace

RoleSet parse_roles(std::string_view text) {
  RoleSet roles;
  while (true) {
    const auto comma = text.find(',');
    const Role role = parse_role(text.substr(0, comma));
    if (roles.has(role)) {
      fail(ErrorCode::kInvalidArgument, "the role '{}' is given twice", text.substr(0, comma));
    }
    roles.add(role);
    if (comma == std::string_view::npos) {
      return roles;
    }
    text.remove_prefix(comma + 1);
  }
}

std::string_view permission_name(Permission permission) {
  switch (permission) {
    case Permission::kOpen:
      return "open";
    case Permission::kDescribe:
      return "describe";
    case Permission::kInfer:
      return "infer";
    case Permission::kRead:
      return "read";
    case Permission::kTrack:
      return "track";
    case Permission::kManage:
      return "manage";
    case Permission::kUnset:
      break;
  }
  return "unset";
}

std::string_view roles_with(Permission permission) {
  switch (permission) {
    case Permission::kOpen:
      return "none";
    case Permission::kDescribe:
      return "infer, read, track or manage";
    case Permission::kInfer:
      return "infer or manage";
    case Permission::kRead:
      return "read, track or manage";
    case Permission::kTrack:
      return "track or manage";
    case Permission::kManage:
    case Permission::kUnset:
      break;
  }
  return "manage";
}

bool permits(const RoleSet& roles, Permission permission) {
  switch (permission) {
    case Permission::kOpen:
      return true;
    case Permission::kDescribe:
      return !roles.empty();
    case Permission::kInfer:
      return roles.has(Role::kInfer) || roles.has(Role::kManage);
    case Permission::kRead:
      return roles.has(Role::kRead) || roles.has(Role::kTrack) || roles.has(Role::kManage);
    case Permission::kTrack:
      return roles.has(Role::kTrack) || roles.has(Role::kManage);
    case Permission::kManage:
      return roles.has(Role::kManage);
    case Permission::kUnset:
      break;
  }
  return false;
}

TokenTable TokenTable::parse(std::string_view text, std::string_view where) {
  TokenTable table;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    const auto words = words_of(line);
    if (words.empty() || words[0].starts_with('#')) {
      continue;
    }
    try {
      Token token = parse_line(words);
      for (const Token& other : table.tokens_) {
        if (other.name == token.name || other.sha256 == token.sha256) {
          fail(ErrorCode::kInvalidArgument, "the {} of '{}' is there already",
               other.name == token.name ? "name" : "hash", token.name);
        }
      }
      table.tokens_.push_back(std::move(token));
    } catch (const Error& e) {
      fail(e.code(), "{} line {}: {}", where, number, e.what());
    }
  }
  if (table.tokens_.empty()) {
    fail(ErrorCode::kInvalidArgument, "{}: there is no token in it, expected one at least", where);
  }
  return table;
}

const Token* TokenTable::find(std::string_view secret) const {
  const std::string hash = hash_of(secret);
  const Token* found = nullptr;
  for (const Token& token : tokens_) {
    found = equal_in_constant_time(token.sha256, hash) ? &token : found;
  }
  return found;
}

std::string new_secret() {
  std::array<std::byte, 32> bytes{};
  fill_secret(bytes);
  std::string secret = "onnxop_";
  for (const std::byte byte : bytes) {
    secret += format("{:02x}", static_cast<unsigned>(byte));
  }
  return secret;
}

std::string token_line(std::string_view name, std::string_view roles, std::string_view secret) {
  check_name(name);
  parse_roles(roles);
  return format("{} {} {}", name, roles, hash_of(secret));
}

Verdict judge(const TokenTable* tokens, const Credentials& credentials, Permission permission) {
  if (tokens == nullptr || permission == Permission::kOpen) {
    return {};
  }
  if (credentials.ambiguous) {
    return unauthenticated("there is more than one field Authorization, expected one");
  }
  if (!credentials.authorization) {
    return unauthenticated("there is no token, expected a field 'Authorization: Bearer TOKEN'");
  }
  const auto secret = bearer_of(*credentials.authorization);
  if (!secret) {
    return unauthenticated("the field Authorization is none of the kind 'Bearer TOKEN'");
  }
  const Token* const token = tokens->find(*secret);
  if (token == nullptr) {
    return unauthenticated("the token is not known");
  }
  if (!permits(token->roles, permission)) {
    return {token, Error(ErrorCode::kPermissionDenied,
                         format("the token '{}' may not do this, expected one with the role {}",
                                token->name, roles_with(permission)))};
  }
  return {token, std::nullopt};
}

bool is_loopback(std::string_view host) {
  if (host == "localhost") {
    return true;
  }
  boost::system::error_code error;
  const auto address = boost::asio::ip::make_address(std::string(host), error);
  if (error) {
    return false;
  }
  if (address.is_v6() && address.to_v6().is_v4_mapped()) {
    return boost::asio::ip::make_address_v4(boost::asio::ip::v4_mapped, address.to_v6())
        .is_loopback();
  }
  return address.is_loopback();
}

std::optional<std::string> check_exposure(const Exposure& exposure) {
  const auto host = std::find_if_not(exposure.hosts.begin(), exposure.hosts.end(), is_loopback);
  if (host == exposure.hosts.end()) {
    return std::nullopt;
  }
  if (!exposure.tokens && !exposure.insecure) {
    fail(ErrorCode::kInvalidArgument,
         "host '{}' lets other machines in, and without --tokens anyone there could use and change "
         "what is served; make a token with 'onnxop token new NAME --role infer --file tokens' and "
         "start with '--tokens tokens', or say --insecure if everyone may do everything",
         *host);
  }
  if (!exposure.tokens) {
    return format("host '{}' lets other machines in, and everyone may do everything (--insecure)",
                  *host);
  }
  if (!exposure.tls) {
    return format("host '{}' lets other machines in without TLS: tokens travel in the clear",
                  *host);
  }
  return std::nullopt;
}

}  // namespace onnxop
