#include "onnxop/server/trace.h"

#include <set>
#include <vector>

#include <gtest/gtest.h>

namespace onnxop {
namespace {

constexpr std::string_view kTrace = "0af7651916cd43dd8448eb211c80319c";
const std::string kParent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

TEST(Trace, KeepsTheTraceAndHasASpanOfItsOwn) {
  const auto context = read_traceparent(kParent);
  ASSERT_TRUE(context);
  EXPECT_EQ(context->trace(), kTrace);
  EXPECT_EQ(context->parent(), "b7ad6b7169203331");
  const auto returned = read_traceparent(context->traceparent());
  ASSERT_TRUE(returned) << context->traceparent();
  EXPECT_EQ(returned->trace(), kTrace);
  EXPECT_EQ(returned->parent(), context->span());
  EXPECT_TRUE(context->traceparent().ends_with("-01"));
}

TEST(Trace, SpansDiffer) {
  std::set<std::string> spans;
  for (int i = 0; i < 1000; ++i) {
    spans.emplace(read_traceparent(kParent)->span());
  }
  EXPECT_EQ(spans.size(), 1000U);
}

TEST(Trace, ALaterVersionMaySayMore) {
  EXPECT_TRUE(read_traceparent("01" + kParent.substr(2)));
  EXPECT_TRUE(read_traceparent("01" + kParent.substr(2) + "-what.comes"));
  EXPECT_FALSE(read_traceparent("01" + kParent.substr(2) + "what.comes"));
}

TEST(Trace, OtherTextsAreNone) {
  for (const std::string& text : std::vector<std::string>{
           "", "00", kParent + "-more", kParent.substr(0, 54), "ff" + kParent.substr(2),
           "0g" + kParent.substr(2), "00-00000000000000000000000000000000-b7ad6b7169203331-01",
           "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
           "00-0AF7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
           "00-0af7651916cd43dd8448eb211c80319c_b7ad6b7169203331-01",
           "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0x"}) {
    EXPECT_FALSE(read_traceparent(text)) << text;
  }
}

}  // namespace
}  // namespace onnxop
