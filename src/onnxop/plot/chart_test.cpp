// Charts from plain values, in all forms.

#include "onnxop/plot/chart.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "onnxop/base/test_error.h"
#include "onnxop/image/codec.h"
#include "onnxop/plot/drawing.h"

namespace onnxop {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

LineChart two_lines() {
  return {"Loss",
          "epoch",
          "loss",
          {{"train_loss", {{1, 0.9}, {2, 0.5}, {3, 0.3}}},
           {"val_loss", {{1, 0.8}, {2, kNan}, {3, 0.4}}}}};
}

ConfusionMatrix cats_and_dogs() {
  return {"Confusion", {"cat", "dog"}, {{90, 10}, {3, 97}}};
}

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++count;
  }
  return count;
}

Rgb pixel(const Image& image, int x, int y) {
  const auto at = static_cast<std::size_t>(y * image.width + x) * 3;
  return {image.pixels[at], image.pixels[at + 1], image.pixels[at + 2]};
}

std::size_t pixels_like(const Image& image, Rgb color) {
  std::size_t count = 0;
  for (int y = 0; y < image.height; ++y) {
    for (int x = 0; x < image.width; ++x) {
      const Rgb one = pixel(image, x, y);
      count += one.r == color.r && one.g == color.g && one.b == color.b ? 1 : 0;
    }
  }
  return count;
}

TEST(ChartSvg, HasTitleNamesTicksAndLines) {
  const std::string svg = chart_svg(two_lines());
  for (const auto* part : {"<title>Loss</title>", ">train_loss</text>", ">val_loss</text>",
                           ">epoch</text>", ">0.4</text>", ">2</text>"}) {
    EXPECT_THAT(svg, HasSubstr(part));
  }
  // Two of three points stand alone at either side of the gap.
  EXPECT_EQ(count_of(svg, "<circle"), 5U);
  EXPECT_EQ(count_of(svg, "stroke-width=\"2\""), 1U);
}

TEST(ChartSvg, StandsAloneAndIsReadableInTheDark) {
  const std::string svg = chart_svg(two_lines());
  EXPECT_THAT(svg, HasSubstr("prefers-color-scheme:dark"));
  EXPECT_THAT(svg, Not(HasSubstr("<script")));
  EXPECT_THAT(svg, Not(HasSubstr("href")));
  EXPECT_THAT(svg, Not(HasSubstr("url(")));
  EXPECT_THAT(svg, Not(HasSubstr("@import")));
}

TEST(ChartSvg, TextIsEscaped) {
  LineChart chart = two_lines();
  chart.title = "<script>alert(1)</script> & \"quotes\"";
  chart.series[0].name = std::string("a\0\xff]]>", 6);
  const std::string svg = chart_svg(chart);
  EXPECT_THAT(svg, Not(HasSubstr("<script")));
  EXPECT_THAT(svg, HasSubstr("&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;quotes&quot;"));
  EXPECT_THAT(svg, HasSubstr(">a \xEF\xBF\xBD]]&gt;</text>"));
}

TEST(ChartSvg, ALongSeriesIsThinnedAndItsPeakStays) {
  LineChart chart{"Steps", "step", "", {{"batch_loss", {}}}};
  for (int i = 0; i < 1'000'000; ++i) {
    chart.series[0].points.push_back(
        {static_cast<double>(i), i == 700'001 ? 100.0 : 0.01 * (i % 7)});
  }
  const std::string svg = chart_svg(chart);
  EXPECT_LT(svg.size(), 100'000U);
  EXPECT_THAT(svg, HasSubstr(">100</text>"));
}

TEST(ChartSvg, ManySeriesAreToldApartAndTheLegendEnds) {
  LineChart chart{"Runs", "step", "", {}};
  for (int i = 0; i < 100; ++i) {
    chart.series.push_back(
        {"run of a long name " + std::to_string(i), {{0, 1.0 * i}, {1, 2.0 * i}}});
  }
  const std::string svg = chart_svg(chart);
  EXPECT_THAT(svg, HasSubstr("stroke-dasharray"));
  EXPECT_THAT(svg, HasSubstr(" more</text>"));
}

TEST(Charts, NothingToDrawIsSaid) {
  LineChart chart{"Loss", "step", "", {{"a", {{1, 0}, {2, -1}, {kNan, 1}}}}};
  chart.log_y = true;
  EXPECT_THAT(chart_svg(chart), HasSubstr("no points"));
  EXPECT_THAT(chart_text(chart, {}), HasSubstr("no points"));
  EXPECT_THAT(chart_text(LineChart{}, {}), HasSubstr("no points"));
}

TEST(Charts, TheSameValuesGiveTheSameBytes) {
  EXPECT_EQ(chart_svg(two_lines()), chart_svg(two_lines()));
  EXPECT_EQ(chart_png(two_lines()), chart_png(two_lines()));
  EXPECT_EQ(chart_png(cats_and_dogs()), chart_png(cats_and_dogs()));
}

TEST(ChartPng, HasTheSizeAndTheColours) {
  const Image image = decode_image(chart_png(two_lines(), {400, 300, 1.5}));
  EXPECT_EQ(image.width, 600);
  EXPECT_EQ(image.height, 450);
  EXPECT_EQ(pixel(image, 1, 1).r, 255);
  for (int series = 0; series < 2; ++series) {
    EXPECT_GT(pixels_like(image, color_of({Role::kSeries, series}, Theme::kLight)), 50U) << series;
  }
}

TEST(ChartPng, DrawsTheMatrix) {
  const Image image = decode_image(chart_png(cats_and_dogs(), {300, 300, 1}));
  EXPECT_GT(pixels_like(image, color_of({Role::kHeat, 10}, Theme::kLight)), 2000U);
}

TEST(Charts, SizesOutOfRangeAreRefused) {
  for (const PictureSize& size :
       {PictureSize{199, 300, 1}, PictureSize{300, 10'001, 1}, PictureSize{300, 300, 0},
        PictureSize{300, 300, 4.1}, PictureSize{300, 300, kNan}}) {
    EXPECT_EQ(code_of([&] { chart_png(two_lines(), size); }), ErrorCode::kInvalidArgument);
    EXPECT_EQ(code_of([&] { chart_svg(cats_and_dogs(), size); }), ErrorCode::kInvalidArgument);
  }
}

TEST(ConfusionSvg, ShowsCountsAndLabels) {
  const std::string svg = chart_svg(cats_and_dogs());
  for (const auto* part : {">cat</text>", ">dog</text>", ">90</text>", ">97</text>", ">true</text>",
                           ">predicted</text>"}) {
    EXPECT_THAT(svg, HasSubstr(part));
  }
}

TEST(ConfusionSvg, AThousandClassesAreDrawnInGroups) {
  ConfusionMatrix matrix{"Many", {}, {}};
  for (int i = 0; i < 1000; ++i) {
    matrix.labels.push_back("n" + std::to_string(i));
    matrix.counts.emplace_back(1000);
    matrix.counts.back()[static_cast<std::size_t>(i)] = 5;
  }
  const std::string svg = chart_svg(matrix);
  EXPECT_LT(svg.size(), 2'000'000U);
  EXPECT_THAT(svg, HasSubstr("groups of"));
  EXPECT_THAT(svg, HasSubstr(">n0…"));
}

TEST(Confusion, WhatIsNoMatrixIsRefused) {
  const std::vector<ConfusionMatrix> wrong{
      {}, {"", {"a"}, {}}, {"", {"a"}, {{1, 2}}}, {"", {"a"}, {{-1}}}};
  for (const ConfusionMatrix& matrix : wrong) {
    EXPECT_EQ(code_of([&] { chart_svg(matrix); }), ErrorCode::kInvalidArgument);
    EXPECT_EQ(code_of([&] { chart_text(matrix, {}); }), ErrorCode::kInvalidArgument);
  }
}

TEST(ChartText, AsciiHoldsNothingElse) {
  LineChart chart = two_lines();
  chart.title = "Löss";
  for (const std::string& text : {chart_text(chart, {}), chart_text(cats_and_dogs(), {})}) {
    EXPECT_TRUE(std::ranges::all_of(text, [](char c) {
      return c == '\n' || (c >= ' ' && c < 127);
    })) << text;
  }
  EXPECT_THAT(chart_text(chart, {}), HasSubstr("L?ss\n  * train_loss  + val_loss\n"));
}

TEST(ChartText, ALineOfBraille) {
  LineChart chart{"accuracy", "epoch", "", {{"accuracy", {{0, 0}, {10, 1}}}}};
  EXPECT_EQ(chart_text(chart, {.columns = 40, .rows = 10, .unicode = true}),
            "accuracy\n"
            "1.0 ┤                              ⢀⣀⠤⠒\n"
            "    │                         ⢀⡠⠤⠒⠉⠁\n"
            "    │                    ⣀⡠⠔⠒⠉⠁\n"
            "0.5 ┤               ⣀⠤⠔⠒⠉\n"
            "    │         ⢀⣀⠤⠔⠊⠉\n"
            "    │    ⢀⣀⠤⠒⠊⠁\n"
            "0.0 ┤ ⠤⠒⠉⠁\n"
            "    └─┬───────────────┬───────────────┬─\n"
            "      0               5       epoch  10\n");
}

TEST(ChartText, KeepsToTheCanvas) {
  for (const int columns : {10, 40, 80, 200}) {
    const std::string text = chart_text(two_lines(), {columns, 20, false, false});
    std::size_t start = 0;
    std::size_t lines = 0;
    for (auto end = text.find('\n'); end != std::string::npos; end = text.find('\n', start)) {
      EXPECT_LE(end - start, static_cast<std::size_t>(std::max(columns, 40)));
      start = end + 1;
      ++lines;
    }
    EXPECT_LE(lines, 20U);
  }
}

TEST(ChartText, TheMatrixAsATable) {
  EXPECT_EQ(chart_text(cats_and_dogs(), {}),
            "Confusion\n"
            "true   cat    dog\n"
            "cat     90#    10.\n"
            "dog      3.    97#\n");
}

}  // namespace
}  // namespace onnxop
