// A drawing as PNG, in the colours for light.

#include <cmath>

#include <agg_conv_dash.h>
#include <agg_conv_stroke.h>
#include <agg_conv_transform.h>
#include <agg_ellipse.h>
#include <agg_gsv_text.h>
#include <agg_path_storage.h>
#include <agg_pixfmt_rgb.h>
#include <agg_rasterizer_scanline_aa.h>
#include <agg_renderer_base.h>
#include <agg_renderer_scanline.h>
#include <agg_rendering_buffer.h>
#include <agg_scanline_u.h>
#include <agg_trans_affine.h>

#include "onnxop/image/codec.h"
#include "onnxop/plot/drawing.h"

namespace onnxop {
namespace {

/// The vector font has the characters of ASCII: letters of Western Europe lose their accents, of
/// other scripts each becomes a question mark.
std::string ascii_text(std::u32string_view text) {
  constexpr char32_t kFirstLetter = 0xC0;
  constexpr std::string_view kLetters =
      "AAAAAAACEEEEIIIIDNOOOOOxOUUUUYTsaaaaaaaceeeeiiiidnooooo/ouuuuyty";
  std::string ascii;
  for (const char32_t c : text) {
    if (c < 0x80) {
      ascii.push_back(static_cast<char>(c));
    } else if (c >= kFirstLetter && c < kFirstLetter + kLetters.size()) {
      ascii.push_back(kLetters[c - kFirstLetter]);
    } else {
      ascii += c == U'…' ? ".." : "?";
    }
  }
  return ascii;
}

class Painter {
 public:
  Painter(const Drawing& drawing, double scale)
      : scale_(scale),
        image_{static_cast<int>(std::lround(drawing.width * scale)),
               static_cast<int>(std::lround(drawing.height * scale)),
               3,
               {}} {
    const auto row = static_cast<std::size_t>(image_.width) * 3;
    image_.pixels.resize(row * static_cast<std::size_t>(image_.height));
    buffer_.attach(image_.pixels.data(), static_cast<unsigned>(image_.width),
                   static_cast<unsigned>(image_.height), static_cast<int>(row));
    base_.reset_clipping(true);
    rasterizer_.clip_box(0, 0, image_.width, image_.height);
  }

  void paint(const Box& box) {
    agg::path_storage path;
    path.move_to(box.x * scale_, box.y * scale_);
    path.line_to((box.x + box.width) * scale_, box.y * scale_);
    path.line_to((box.x + box.width) * scale_, (box.y + box.height) * scale_);
    path.line_to(box.x * scale_, (box.y + box.height) * scale_);
    path.close_polygon();
    fill(path, box.paint);
  }

  void paint(const Disc& disc) {
    agg::ellipse circle(disc.center.x * scale_, disc.center.y * scale_, disc.radius * scale_,
                        disc.radius * scale_);
    fill(circle, disc.paint);
  }

  void paint(const Stroke& stroke) {
    agg::path_storage path;
    for (std::size_t i = 0; i < stroke.points.size(); ++i) {
      const double x = stroke.points[i].x * scale_;
      const double y = stroke.points[i].y * scale_;
      i == 0 ? path.move_to(x, y) : path.line_to(x, y);
    }
    const double width = stroke.width * scale_;
    if (stroke.dash == Dash::kSolid) {
      fill_line(path, width, stroke.paint);
    } else {
      agg::conv_dash<agg::path_storage> dashes(path);
      const auto [on, off] = dash_lengths(stroke.dash);
      dashes.add_dash(on * width, off * width);
      fill_line(dashes, width, stroke.paint);
    }
  }

  void paint(const Label& label) {
    agg::gsv_text text;
    const double size = label.size * scale_;
    text.flip(true);
    text.size(size * kHeight, size * kWidth);
    const std::string ascii = ascii_text(label.text);
    text.text(ascii.c_str());
    double width = text.text_width();
    const double room = text_width(label.text, size);  // what the layout left for it
    if (width > room) {
      text.size(size * kHeight, size * kWidth * room / width);
      width = text.text_width();
    }
    const double start = label.anchor == Anchor::kStart    ? 0
                         : label.anchor == Anchor::kMiddle ? -width / 2
                                                           : -width;
    text.start_point(start, 0);
    agg::trans_affine place;
    if (label.upward) {
      place *= agg::trans_affine_rotation(-agg::pi / 2);
    }
    place *= agg::trans_affine_translation(label.x * scale_, label.y * scale_);
    agg::conv_transform<agg::gsv_text> placed(text, place);
    fill_line(placed, size * (label.bold ? kBoldPen : kPen), label.paint);
  }

  Bytes png() const { return encode_png(image_); }

 private:
  // Of the font's size.
  static constexpr double kHeight = 0.86;
  static constexpr double kWidth = 0.74;
  static constexpr double kPen = 0.095;
  static constexpr double kBoldPen = 0.14;

  template <typename Source>
  void fill_line(Source& source, double width, Paint color) {
    agg::conv_stroke<Source> outline(source);
    outline.width(width);
    outline.line_join(agg::round_join);
    outline.line_cap(agg::round_cap);
    fill(outline, color);
  }

  template <typename Source>
  void fill(Source& source, Paint paint) {
    const Rgb color = color_of(paint, Theme::kLight);
    rasterizer_.reset();
    source.rewind(0);
    double x = 0;
    double y = 0;
    for (unsigned command = source.vertex(&x, &y); !agg::is_stop(command);
         command = source.vertex(&x, &y)) {
      rasterizer_.add_vertex(x, y, command);
    }
    agg::render_scanlines_aa_solid(rasterizer_, scanline_, base_,
                                   agg::rgba8(color.r, color.g, color.b));
  }

  double scale_;
  Image image_;
  agg::rendering_buffer buffer_;
  agg::pixfmt_rgb24 format_{buffer_};
  agg::renderer_base<agg::pixfmt_rgb24> base_{format_};
  agg::rasterizer_scanline_aa<> rasterizer_;
  agg::scanline_u8 scanline_;
};

}  // namespace

Bytes png_of(const Drawing& drawing, double scale) {
  Painter painter(drawing, scale);
  for (const auto& shape : drawing.shapes) {
    std::visit([&](const auto& one) { painter.paint(one); }, shape);
  }
  return painter.png();
}

}  // namespace onnxop
