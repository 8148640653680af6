// The calls of chart.h that make pictures: layout, then form.

#include "onnxop/base/error.h"
#include "onnxop/plot/drawing.h"
#include "onnxop/plot/picture_size.h"

namespace onnxop {

void check_size(const PictureSize& size) {
  constexpr int kLeast = 200;
  constexpr int kMost = 10'000;
  constexpr double kLargestScale = 4;
  for (const int length : {size.width, size.height}) {
    if (length < kLeast || length > kMost) {
      fail(ErrorCode::kInvalidArgument, "a picture of {} x {}, expected {} to {} for each",
           size.width, size.height, kLeast, kMost);
    }
  }
  if (!(size.scale > 0) || size.scale > kLargestScale) {
    fail(ErrorCode::kInvalidArgument, "a scale of {}, expected above 0 and at most {}", size.scale,
         kLargestScale);
  }
}

std::string chart_svg(const LineChart& chart, const PictureSize& size) {
  return svg_of(draw(chart, size));
}

std::string chart_svg(const ConfusionMatrix& matrix, const PictureSize& size) {
  return svg_of(draw(matrix, size));
}

Bytes chart_png(const LineChart& chart, const PictureSize& size) {
  return png_of(draw(chart, size), size.scale);
}

Bytes chart_png(const ConfusionMatrix& matrix, const PictureSize& size) {
  return png_of(draw(matrix, size), size.scale);
}

}  // namespace onnxop
