// SHA-256, random numbers, clock, spelling and processes: small parts with known answers.

#include <algorithm>
#include <array>
#include <numeric>
#include <set>
#include <string_view>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include "onnxop/base/clock.h"
#include "onnxop/base/error.h"
#include "onnxop/base/file.h"
#include "onnxop/base/nearest.h"
#include "onnxop/base/process.h"
#include "onnxop/base/random.h"
#include "onnxop/base/secret.h"
#include "onnxop/base/sha256.h"
#include "onnxop/base/thread_priority.h"

namespace onnxop {
namespace {

TEST(Sha256, KnownAnswers) {  // FIPS 180-4 examples
  EXPECT_EQ(sha256_hex(as_bytes("abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256_hex({}), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  Sha256 pieces;
  pieces.update(as_bytes("a"));
  pieces.update(as_bytes("bc"));
  EXPECT_EQ(pieces.hex_digest(), sha256_hex(as_bytes("abc")));
}

TEST(Sha256, OfAFile) {
  EXPECT_EQ(sha256_file("/dev/null"), sha256_hex({}));
  EXPECT_THROW(sha256_file("/nowhere/at/all"), Error);
}

TEST(Secret, IsNeverTheSame) {
  std::set<Bytes> seen;
  for (int i = 0; i < 100; ++i) {
    Bytes bytes(16);
    fill_secret(bytes);
    EXPECT_TRUE(seen.insert(bytes).second);
  }
}

TEST(Secret, ComparesAsTextsDo) {
  EXPECT_TRUE(equal_in_constant_time("", ""));
  EXPECT_TRUE(equal_in_constant_time("abc", "abc"));
  EXPECT_FALSE(equal_in_constant_time("abc", "abd"));
  EXPECT_FALSE(equal_in_constant_time("abc", "ab"));
}

TEST(Philox, KnownAnswers) {  // the vectors of Random123's kat_vectors
  const std::array<std::uint32_t, 4> zeros = philox4x32({0, 0, 0, 0}, {0, 0});
  EXPECT_EQ(zeros, (std::array<std::uint32_t, 4>{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  const std::array<std::uint32_t, 4> ones =
      philox4x32({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff});
  EXPECT_EQ(ones, (std::array<std::uint32_t, 4>{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
}

TEST(Random, DependsOnSeedAndStreamOnly) {
  Random a(1, 2);
  Random b(1, 2);
  Random other_stream(1, 3);
  bool differs = false;
  for (int i = 0; i < 100; ++i) {
    const auto value = a.next_u32();
    EXPECT_EQ(value, b.next_u32());
    differs |= value != other_stream.next_u32();
  }
  EXPECT_TRUE(differs);
}

TEST(Random, UniformAndBelowCoverTheirRanges) {
  Random random(7, 0);
  double sum = 0;
  std::array<int, 10> counts{};
  for (int i = 0; i < 100'000; ++i) {
    const float value = random.uniform();
    ASSERT_GE(value, 0.0F);
    ASSERT_LT(value, 1.0F);
    sum += value;
    ++counts.at(random.below(10));
  }
  EXPECT_NEAR(sum / 100'000, 0.5, 0.01);
  for (const int count : counts) {
    EXPECT_NEAR(count, 10'000, 500);
  }
}

TEST(Random, ShuffleIsAPermutation) {
  std::vector<std::uint32_t> values(1000);
  std::iota(values.begin(), values.end(), 0U);
  auto shuffled = values;
  Random(3, 0).shuffle(shuffled);
  EXPECT_NE(shuffled, values);
  std::sort(shuffled.begin(), shuffled.end());
  EXPECT_EQ(shuffled, values);
}

TEST(Clock, FormatsUtcWithMilliseconds) {
  FakeClock clock;
  EXPECT_EQ(format_time(clock.wall()), "2023-11-14T22:13:20.000Z");
  const auto before = clock.steady();
  clock.advance(std::chrono::milliseconds(1234));
  EXPECT_EQ(format_time(clock.wall()), "2023-11-14T22:13:21.234Z");
  EXPECT_DOUBLE_EQ(seconds_between(before, clock.steady()), 1.234);
  EXPECT_EQ(format_time(clock.wall() + std::chrono::milliseconds(65)), "2023-11-14T22:13:21.299Z");
  EXPECT_EQ(format_time(WallTime{}), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(format_time(WallTime{} - std::chrono::milliseconds(1)), "1969-12-31T23:59:59.999Z");
}

TEST(NearestWord, FindsTyposOnly) {
  constexpr std::array<std::string_view, 3> kWords{"epochs", "batch_size", "seed"};
  EXPECT_EQ(nearest_word("epohcs", kWords), "epochs");
  EXPECT_EQ(nearest_word("Batchsize", kWords), "batch_size");
  EXPECT_EQ(nearest_word("temperature", kWords), std::nullopt);
  EXPECT_EQ(nearest_word(std::string(100'000, 'x'), kWords), std::nullopt);
}

TEST(Process, GivesOutputAndExitCode) {
  const auto result = run_process({"sh", "-c", "echo out; echo err >&2; pwd; exit 3"}, "/usr");
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_EQ(result.output, "out\nerr\n/usr\n");
}

TEST(Process, SaysThatAProgramIsMissing) {
  const auto result = run_process({"no-such-program-at-all"});
  EXPECT_EQ(result.exit_code, 127);
  EXPECT_THAT(result.output, testing::HasSubstr("no-such-program-at-all"));
}

TEST(Process, KeepsTheEndOfLongOutput) {
  const auto result =
      run_process({"sh", "-c", "head -c 300000 /dev/zero | tr '\\0' x; echo end; kill -9 $$"});
  EXPECT_EQ(result.exit_code, 128 + 9);
  EXPECT_LE(result.output.size(), 64U * 1024);
  EXPECT_TRUE(result.output.ends_with("xend\n"));
}

TEST(ThreadPriority, IsOfTheThreadAlone) {
  const auto nice = [] { return ::getpriority(PRIO_PROCESS, static_cast<id_t>(::gettid())); };
  const int before = nice();
  int lowered = -1;
  std::thread([&] {
    lower_thread_priority(19);
    lowered = nice();
  }).join();
  EXPECT_EQ(lowered, 19);
  EXPECT_EQ(nice(), before);
}

}  // namespace
}  // namespace onnxop
