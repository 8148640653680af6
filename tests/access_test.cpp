// Who may do what, as a user sets it up: tokens made by the program, asked for by the server.

#include <csignal>
#include <memory>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "onnxop/base/file.h"
#include "support/program.h"

namespace onnxop::testing_support {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;

class Access : public testing::Test {
 protected:
  std::string new_token(const std::string& name, const std::string& roles) const {
    const auto outcome =
        run_onnxop({"token", "new", name, "--role", roles, "--file", dir_ / "tokens"});
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    EXPECT_THAT(outcome.out, MatchesRegex("onnxop_[0-9a-f]+\n"));
    return outcome.out.substr(0, outcome.out.size() - 1);
  }

  void start(const std::vector<std::string>& more = {}) {
    std::filesystem::remove(dir_ / "port");
    std::vector<std::string> args{"serve",       "--store",     test_store(),      "--port", "0",
                                  "--port-file", dir_ / "port", "--drain-seconds", "0"};
    args.insert(args.end(), more.begin(), more.end());
    server_ = std::make_unique<BackgroundProgram>(args);
    url_ = "http://127.0.0.1:" + server_->wait_for_file(dir_ / "port");
  }

  /// The status, a line's end, and the answer with its head.
  std::string curl(const std::string& path, const std::string& token = "",
                   const std::vector<std::string>& options = {}) const {
    std::vector<std::string> argv{"curl",       "--silent", "--show-error", "--include",
                                  "--max-time", "60",       url_ + path};
    if (!token.empty()) {
      argv.insert(argv.end(), {"--header", "Authorization: Bearer " + token});
    }
    argv.insert(argv.end(), options.begin(), options.end());
    const auto outcome = run_program(argv);
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    return outcome.out;
  }
  int status(const std::string& path, const std::string& token = "",
             const std::vector<std::string>& options = {}) const {
    return std::stoi(curl(path, token, options).substr(9, 3));
  }

  TempDir dir_;
  std::string url_;
  std::unique_ptr<BackgroundProgram> server_;
  const std::vector<std::string> post_{"--data-binary", "{}"};
};

TEST_F(Access, TokensOpenWhatTheirRolesMayDo) {
  const std::string infer = new_token("alice", "infer");
  const std::string manage = new_token("ops", "manage,read");
  start({"--tokens", dir_ / "tokens"});
  EXPECT_EQ(status("/health/ready"), 200);
  EXPECT_THAT(curl("/api/models"), HasSubstr("WWW-Authenticate: Bearer"));
  EXPECT_EQ(status("/api/models"), 401);
  EXPECT_EQ(status("/api/models", infer), 403);
  EXPECT_EQ(status("/api/models", manage), 200);
  EXPECT_EQ(status("/v2/models/mnist", infer), 200);
  EXPECT_EQ(status("/api/classify_digit", infer, post_), 400) << "let in, and no image";
  EXPECT_EQ(status("/v2/repository/models/mnist/load", infer, post_), 403);
  EXPECT_EQ(status("/v2/repository/models/mnist/load", manage, post_), 200);
  server_->signal(SIGTERM);
  const auto outcome = server_->wait();
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_THAT(outcome.err, HasSubstr("management request"));
  EXPECT_THAT(outcome.err, Not(HasSubstr(infer)));
  EXPECT_THAT(outcome.err, Not(HasSubstr(manage)));
}

TEST_F(Access, TokensComeAndGoWhileItRuns) {
  const std::string first = new_token("first", "infer");
  start({"--tokens", dir_ / "tokens"});
  const std::string second = new_token("second", "infer");
  for (int i = 0; i < 3000 && status("/v2", second) != 200; ++i) {
  }
  EXPECT_EQ(status("/v2", second), 200);
  EXPECT_EQ(status("/v2", first), 200);
  const std::string text = read_text_file(dir_ / "tokens");
  write_file_atomically(dir_ / "tokens", as_bytes(text.substr(text.find('\n') + 1)));
  for (int i = 0; i < 3000 && status("/v2", first) != 401; ++i) {
  }
  EXPECT_EQ(status("/v2", first), 401);
  EXPECT_EQ(status("/v2", second), 200);
}

TEST_F(Access, ATokensLineIsPrintedWhereNoFileTakesIt) {
  const auto outcome = run_onnxop({"token", "new", "bob", "--role", "read"});
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_THAT(outcome.err, MatchesRegex("bob read [0-9a-f]+\n"));
  write_file_atomically(dir_ / "tokens", as_bytes(outcome.err));
  start({"--tokens", dir_ / "tokens"});
  EXPECT_EQ(status("/metrics", outcome.out.substr(0, outcome.out.size() - 1)), 200);
  EXPECT_EQ(run_onnxop({"token", "new", "bob", "--role", "root"}).exit_code, 2);
  EXPECT_EQ(run_onnxop({"token", "new", "b b", "--role", "read"}).exit_code, 2);
  const auto twice =
      run_onnxop({"token", "new", "bob", "--role", "read", "--file", dir_ / "tokens"});
  EXPECT_EQ(twice.exit_code, 1);
  EXPECT_EQ(twice.out, "") << "no token that is of no use";
}

TEST_F(Access, OtherMachinesAreNotServedWithoutTokens) {
  for (const std::string host : {"0.0.0.0", "::", "192.0.2.1"}) {
    const auto outcome =
        run_onnxop({"serve", "--store", test_store(), "--host", host, "--port", "0"});
    EXPECT_EQ(outcome.exit_code, 2) << host;
    EXPECT_THAT(outcome.err, HasSubstr("--tokens"));
    EXPECT_THAT(outcome.err, HasSubstr("--insecure"));
  }
  const auto management = run_onnxop({"serve", "--store", test_store(), "--port", "0",
                                      "--manage-port", "0", "--manage-host", "0.0.0.0"});
  EXPECT_EQ(management.exit_code, 2);
  // That address is no machine's: with tokens, or the word, it is listening that fails.
  new_token("alice", "infer");
  for (const std::vector<std::string>& meant :
       {std::vector<std::string>{"--insecure"}, {"--tokens", dir_ / "tokens"}}) {
    std::vector<std::string> args{"serve", "--store", test_store(), "--host", "192.0.2.1"};
    args.insert(args.end(), meant.begin(), meant.end());
    const auto outcome = run_onnxop(args);
    EXPECT_EQ(outcome.exit_code, 1);
    EXPECT_THAT(outcome.err, HasSubstr("cannot listen at 192.0.2.1"));
    EXPECT_THAT(outcome.err, HasSubstr("192.0.2.1' lets other machines in"));
  }
}

TEST_F(Access, ClientsThatAskTooOftenAreSlowedDown) {
  start({"--rate-limit", "0.01/s:3"});
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(status("/v2"), 200);
  }
  EXPECT_THAT(curl("/v2"), HasSubstr("Retry-After: "));
  EXPECT_EQ(status("/v2"), 429);
  EXPECT_EQ(status("/health/ready"), 200);
}

TEST_F(Access, PagesOfOtherOriginsAreLetInByName) {
  const std::vector<std::string> from{"--header", "Origin: https://a.example"};
  start();
  EXPECT_THAT(curl("/v2", "", from), Not(HasSubstr("Access-Control")));
  start({"--cors-origin", "https://a.example", "--cors-origin", "https://b.example"});
  EXPECT_THAT(curl("/v2", "", from), HasSubstr("Access-Control-Allow-Origin: https://a.example"));
  std::vector<std::string> preflight = from;
  preflight.insert(preflight.end(),
                   {"--request", "OPTIONS", "--header", "Access-Control-Request-Method: GET"});
  EXPECT_EQ(status("/v2", "", preflight), 204);
}

TEST_F(Access, TheManagementMayBeApart) {
  start({"--manage-port", "0", "--manage-port-file", dir_ / "manage-port"});
  EXPECT_EQ(status("/v2/models/mnist"), 200);
  EXPECT_EQ(status("/metrics"), 404);
  EXPECT_EQ(status("/v2/repository/models/mnist/unload", "", post_), 404);
  const std::string inference = url_;
  url_ = "http://127.0.0.1:" + read_text_file(dir_ / "manage-port");
  EXPECT_EQ(status("/metrics"), 200);
  EXPECT_EQ(status("/v2/repository/index", "", post_), 200);
  EXPECT_EQ(status("/api/classify_digit", "", post_), 404);
  EXPECT_EQ(status("/v2/repository/models/mnist/unload", "", post_), 200);
  url_ = inference;
  EXPECT_EQ(status("/v2/models/mnist"), 404);
}

TEST_F(Access, WrongOptionsAreRefused) {
  for (const auto& options : std::vector<std::vector<std::string>>{
           {"--rate-limit", "many"}, {"--cors-origin", "example.org"}}) {
    std::vector<std::string> args{"serve", "--store", test_store(), "--port", "0"};
    args.insert(args.end(), options.begin(), options.end());
    EXPECT_EQ(run_onnxop(args).exit_code, 2) << options[0];
  }
  write_file_atomically(dir_ / "tokens", as_bytes("alice infer nonsense\n"));
  const auto broken =
      run_onnxop({"serve", "--store", test_store(), "--port", "0", "--tokens", dir_ / "tokens"});
  EXPECT_EQ(broken.exit_code, 1);
  EXPECT_THAT(broken.err, HasSubstr("line 1"));
}

}  // namespace
}  // namespace onnxop::testing_support
