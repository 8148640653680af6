#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "onnxop/base/error.h"
#include "onnxop/base/test_error.h"
#include "onnxop/base/test_folder.h"
#include "onnxop/data/dataset.h"

namespace onnxop {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

Dataset load(std::string_view text, const CsvOptions& options) {
  const TestFolder folder;
  return load_csv(folder.write("a.csv", text), options);
}

std::string message_of(std::string_view text, const CsvOptions& options) {
  const Error error = error_of([&] { load(text, options); });
  EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
  return error.what();
}

std::vector<float> numbers(const Tensor& tensor) {
  const auto values = tensor.values<float>();
  return {values.begin(), values.end()};
}

const CsvOptions kKind{{"kind"}};

TEST(Csv, FeaturesAndClasses) {
  const Dataset data = load("a,kind,b\n1,yes,2.5\n-3e1,no, 4 \n0,yes,.5\n", kKind);
  EXPECT_EQ(data.samples.shape(), (Shape{3, 2}));
  EXPECT_THAT(numbers(data.samples), ElementsAre(1, 2.5F, -30, 4, 0, 0.5F));
  EXPECT_THAT(data.labels, ElementsAre("no", "yes"));
  EXPECT_THAT(data.classes, ElementsAre(1, 0, 1));
  EXPECT_EQ(data.outputs(), 2);
  EXPECT_EQ(data.sample_shape(), (Shape{2}));
  EXPECT_EQ(data.sha256.size(), 64U);
}

TEST(Csv, ClassesThatAreNumbersAreSortedAsNumbers) {
  const Dataset data = load("a,kind\n1,10\n1,b\n1,9\n1,-1\n1,a\n1,10\n", kKind);
  EXPECT_THAT(data.labels, ElementsAre("-1", "9", "10", "a", "b"));
  EXPECT_THAT(data.classes, ElementsAre(2, 4, 1, 0, 3, 2));
}

TEST(Csv, RegressionTargetsComeInTheOrderAskedFor) {
  const Dataset data = load("y,a,x\n1,2,3\n4,5,6\n", {{"x", "y"}, false});
  EXPECT_EQ(data.values.shape(), (Shape{2, 2}));
  EXPECT_THAT(numbers(data.values), ElementsAre(3, 1, 6, 4));
  EXPECT_THAT(numbers(data.samples), ElementsAre(2, 5));
  EXPECT_TRUE(data.classes.empty());
  EXPECT_TRUE(data.labels.empty());
  EXPECT_EQ(data.outputs(), 2);
}

TEST(Csv, LinesMayEndInAnyWayOrNot) {
  const std::string byte_order_mark = "\xEF\xBB\xBF";
  for (const std::string& text :
       {std::string("a,kind\n1,x\n2,y\n"), std::string("a,kind\r\n1,x\r\n2,y\r\n"),
        std::string("a,kind\r1,x\r2,y"), std::string("a,kind\n1,x\n2,y"),
        byte_order_mark + "a,kind\n\n1,x\n\r\n2,y\n\n"}) {
    const Dataset data = load(text, kKind);
    EXPECT_THAT(numbers(data.samples), ElementsAre(1, 2)) << text;
    EXPECT_THAT(data.labels, ElementsAre("x", "y")) << text;
  }
}

TEST(Csv, QuotedCellsHoldCommasQuotesAndLineEnds) {
  const Dataset data = load("\"a\",\"kind\"\n\"1\",\"x, \"\"y\"\"\r\nz\"\n2,\"\"\n", kKind);
  EXPECT_THAT(numbers(data.samples), ElementsAre(1, 2));
  EXPECT_THAT(data.labels, ElementsAre("", "x, \"y\"\r\nz"));
}

TEST(Csv, TheLastCellMayBeEmpty) {
  EXPECT_THAT(load("a,kind\n1,", kKind).labels, ElementsAre(""));
  EXPECT_THAT(message_of("kind,a\nx,", kKind), HasSubstr("a.csv:2: column 'a': ''"));
}

TEST(Csv, WhatIsNoNumberIsNamedWithItsPlace) {
  for (const std::string cell : {"x", "1x", "", " ", "1 2", "nan", "inf", "1e99", "0x10", "1;2"}) {
    EXPECT_THAT(message_of("kind,a,b\nx,1,1\nx,1," + cell + "\n", kKind),
                HasSubstr("a.csv:3: column 'b': '" + cell + "' is no finite number"));
  }
  EXPECT_THAT(message_of("a,y\n1,high\n", {{"y"}, false}),
              HasSubstr("a.csv:2: column 'y': 'high'"));
}

TEST(Csv, LinesAreCountedThroughQuotedLineEnds) {
  EXPECT_THAT(message_of("kind,a\n\"x\ny\nz\",1\n\nx,oops\n", kKind), HasSubstr("a.csv:6: "));
}

TEST(Csv, RaggedLinesAreRefused) {
  EXPECT_THAT(message_of("kind,a\nx,1\nx\n", kKind), HasSubstr("a.csv:3: 1 cells, expected 2"));
  EXPECT_THAT(message_of("kind,a\nx,1,\n", kKind), HasSubstr("a.csv:2: 3 cells, expected 2"));
}

TEST(Csv, QuotesThatAreNotInPairsAreRefused) {
  EXPECT_THAT(message_of("kind,a\nx,1\n\"x,1\nx,2\n", kKind),
              HasSubstr("a.csv:3: a quote is opened and never closed"));
  EXPECT_THAT(message_of("kind,a\n\"x\"y,1\n", kKind),
              HasSubstr("a.csv:2: 'y' behind a closing quote"));
}

TEST(Csv, UnknownColumnsAreRefusedWithTheNearest) {
  EXPECT_THAT(message_of("kind,a\nx,1\n", {{"kidn"}}),
              AllOf(HasSubstr("a.csv:1: there is no column 'kidn', did you mean 'kind'?"),
                    EndsWith("there are: kind, a")));
  EXPECT_THAT(message_of("kind,a\nx,1\n", {{"temperature"}}), Not(HasSubstr("did you mean")));
}

TEST(Csv, TargetsMustBeOneColumnEach) {
  EXPECT_THAT(message_of("kind,a,kind\nx,1,y\n", kKind),
              HasSubstr("more than one column is called 'kind'"));
  EXPECT_THAT(message_of("x,y,a\n1,2,3\n", {{"x", "x"}, false}), HasSubstr("twice"));
  EXPECT_THAT(message_of("x,y,a\n1,2,3\n", {{"x", "y"}, true}),
              HasSubstr("2 target columns, expected one"));
  EXPECT_THAT(message_of("x,y,a\n1,2,3\n", {{}, false}),
              HasSubstr("0 target columns, expected one or more"));
}

TEST(Csv, NothingToLearnFromIsRefused) {
  EXPECT_THAT(message_of("", kKind), HasSubstr("empty, expected a line of column names"));
  EXPECT_THAT(message_of("\n\n", kKind), HasSubstr("empty"));
  EXPECT_THAT(message_of("kind,a\n", kKind), HasSubstr("0 rows of 1 feature columns"));
  EXPECT_THAT(message_of("kind\nx\n", kKind), HasSubstr("1 rows of 0 feature columns"));
}

TEST(Csv, AFileThatIsNotThereIsNotFound) {
  const Error error = error_of([] { load_csv("/nowhere/a.csv", kKind); });
  EXPECT_EQ(error.code(), ErrorCode::kNotFound);
}

TEST(Csv, HashDependsOnValues) {
  const CsvOptions regression{{"y"}, false};
  const std::string hash = load("a,y\n1,2\n", regression).sha256;
  EXPECT_EQ(load("\"a\",\"y\"\r\n1.0,2\r\n", regression).sha256, hash);
  EXPECT_NE(load("a,y\n1,3\n", regression).sha256, hash);
  EXPECT_NE(load("a,y\n3,2\n", regression).sha256, hash);
}

}  // namespace
}  // namespace onnxop
