// Who may do what: roles, files of tokens, verdicts, exposure.

#include "onnxop/server/access.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "onnxop/base/file.h"
#include "onnxop/base/sha256.h"
#include "onnxop/base/test_error.h"

namespace onnxop {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Roles, AreReadFromAList) {
  const RoleSet roles = parse_roles("read,infer");
  EXPECT_TRUE(roles.has(Role::kInfer));
  EXPECT_TRUE(roles.has(Role::kRead));
  EXPECT_FALSE(roles.has(Role::kManage));
  for (const std::string bad :
       {"", "admin", "infer,", ",infer", "infer,infer", "Infer", "infer read"}) {
    EXPECT_EQ(code_of([&] { parse_roles(bad); }), ErrorCode::kInvalidArgument) << bad;
  }
}

TEST(Roles, EachMayDoWhatTheDocumentationSays) {
  struct Row {
    Permission permission;
    bool infer, read, track, manage;
  };
  for (const Row& row : {Row{Permission::kOpen, true, true, true, true},
                         Row{Permission::kDescribe, true, true, true, true},
                         Row{Permission::kInfer, true, false, false, true},
                         Row{Permission::kRead, false, true, true, true},
                         Row{Permission::kTrack, false, false, true, true},
                         Row{Permission::kManage, false, false, false, true},
                         Row{Permission::kUnset, false, false, false, false}}) {
    EXPECT_EQ(permits(parse_roles("infer"), row.permission), row.infer);
    EXPECT_EQ(permits(parse_roles("read"), row.permission), row.read);
    EXPECT_EQ(permits(parse_roles("track"), row.permission), row.track);
    EXPECT_EQ(permits(parse_roles("manage"), row.permission), row.manage);
    EXPECT_EQ(permits({}, row.permission), row.permission == Permission::kOpen);
  }
}

TEST(TokenTable, FindsTokensByTheirText) {
  const std::string secret = new_secret();
  const std::string other = new_secret();
  EXPECT_EQ(secret.size(), 7U + 64U);
  EXPECT_NE(secret, other);
  const TokenTable table =
      TokenTable::parse("# who\n\n" + token_line("alice", "infer,read", secret) + "\r\n  " +
                            token_line("bob.2", "manage", other),
                        "tokens");
  ASSERT_EQ(table.tokens().size(), 2U);
  ASSERT_NE(table.find(secret), nullptr);
  EXPECT_EQ(table.find(secret)->name, "alice");
  EXPECT_EQ(table.find(other)->name, "bob.2");
  EXPECT_EQ(table.find(""), nullptr);
  EXPECT_EQ(table.find(secret + "0"), nullptr);
  EXPECT_EQ(table.find(table.tokens()[0].sha256), nullptr) << "a hash is no token";
}

TEST(TokenTable, ABrokenFileIsRefusedWithItsLine) {
  const std::string hash(64, 'a');
  for (const std::string& bad :
       {std::string("alice infer"), "alice infer " + hash + " more", "al/ice infer " + hash,
        "-alice infer " + hash, std::string(65, 'a') + " infer " + hash, "alice admin " + hash,
        "alice infer " + hash.substr(1), "alice infer " + std::string(64, 'A'),
        "alice infer " + hash + "\nalice read " + std::string(64, 'b'),
        "alice infer " + hash + "\nbob read " + hash, std::string("# nothing\n"), std::string()}) {
    EXPECT_EQ(code_of([&] { TokenTable::parse(bad, "tokens"); }), ErrorCode::kInvalidArgument)
        << bad;
  }
  const Error error = error_of(
      [&] { TokenTable::parse("a infer " + hash + "\nb infer onnxop_secret", "the file"); });
  EXPECT_THAT(error.what(), HasSubstr("the file line 2"));
  EXPECT_THAT(error.what(), Not(HasSubstr("onnxop_secret"))) << "it may be a token";
  EXPECT_EQ(code_of([] { token_line("a b", "infer", "x"); }), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code_of([] { token_line("a", "all", "x"); }), ErrorCode::kInvalidArgument);
}

class JudgeTest : public testing::Test {
 protected:
  std::optional<ErrorCode> code(std::optional<std::string_view> authorization,
                                Permission permission) const {
    const Verdict verdict = judge(&table_, {.authorization = authorization}, permission);
    return verdict.problem ? std::optional(verdict.problem->code()) : std::nullopt;
  }

  std::string secret_ = new_secret();
  std::string bearer_ = "Bearer " + secret_;
  TokenTable table_ = TokenTable::parse(token_line("alice", "infer", secret_), "tokens");
};

TEST_F(JudgeTest, AsksForAKnownTokenWithTheRole) {
  EXPECT_EQ(code(bearer_, Permission::kInfer), std::nullopt);
  EXPECT_EQ(code(bearer_, Permission::kDescribe), std::nullopt);
  EXPECT_EQ(code(bearer_, Permission::kRead), ErrorCode::kPermissionDenied);
  EXPECT_EQ(code(bearer_, Permission::kManage), ErrorCode::kPermissionDenied);
  EXPECT_EQ(code(bearer_, Permission::kUnset), ErrorCode::kPermissionDenied);
  EXPECT_EQ(code(std::nullopt, Permission::kInfer), ErrorCode::kUnauthenticated);
  EXPECT_EQ(code("bEARER   " + secret_ + " ", Permission::kInfer), std::nullopt);
  const std::string other = new_secret();
  for (const std::string& wrong :
       {std::string(), std::string("Bearer"), std::string("Bearer "), secret_, "Basic " + secret_,
        "Bearer " + other, "Bearer " + secret_ + " " + secret_, "Bearer" + secret_}) {
    EXPECT_EQ(code(wrong, Permission::kInfer), ErrorCode::kUnauthenticated) << wrong;
  }
  EXPECT_TRUE(
      judge(&table_, {.authorization = bearer_, .ambiguous = true}, Permission::kInfer).problem);
}

TEST_F(JudgeTest, HealthIsOpenAndWithoutAFileAllIs) {
  EXPECT_EQ(code(std::nullopt, Permission::kOpen), std::nullopt);
  EXPECT_EQ(code("Bearer wrong", Permission::kOpen), std::nullopt);
  EXPECT_FALSE(judge(nullptr, {}, Permission::kManage).problem);
}

TEST(Exposure, OtherMachinesNeedTokensOrAWord) {
  for (const std::string host :
       {"127.0.0.1", "127.1.2.3", "::1", "localhost", "::ffff:127.0.0.1"}) {
    EXPECT_TRUE(is_loopback(host)) << host;
    EXPECT_EQ(check_exposure({.hosts = {host}}), std::nullopt);
  }
  for (const std::string host : {"0.0.0.0", "::", "10.0.0.1", "2001:db8::1", "example.org", "",
                                 "localhost.example.org", "::ffff:10.0.0.1", "128.0.0.1"}) {
    EXPECT_FALSE(is_loopback(host)) << host;
    EXPECT_EQ(code_of([&] {
                check_exposure({.hosts = {"127.0.0.1", host}});
              }),
              ErrorCode::kInvalidArgument);
    EXPECT_THAT(*check_exposure({.hosts = {host}, .insecure = true}), HasSubstr("everyone"));
    EXPECT_THAT(*check_exposure({.hosts = {host}, .tokens = true}), HasSubstr("in the clear"));
    EXPECT_EQ(check_exposure({.hosts = {host}, .tokens = true, .tls = true}), std::nullopt);
  }
  const Error error = error_of([] { check_exposure({.hosts = {"0.0.0.0"}, .tls = true}); });
  EXPECT_THAT(error.what(), HasSubstr("0.0.0.0"));
  EXPECT_THAT(error.what(), HasSubstr("onnxop token new"));
  EXPECT_THAT(error.what(), HasSubstr("--insecure"));
}

}  // namespace
}  // namespace onnxop
