// A drawing as SVG. Colours for light are attributes, which every renderer knows; those for dark
// are a style sheet, which says more than an attribute where the reader prefers dark.

#include <map>

#include "onnxop/base/format.h"
#include "onnxop/plot/drawing.h"
#include "onnxop/plot/text.h"

namespace onnxop {
namespace {

std::string hex(Rgb color) {
  return format("#{:02x}{:02x}{:02x}", color.r, color.g, color.b);
}

std::string escaped(std::u32string_view text) {
  std::string escaped;
  for (const char32_t c : text) {
    switch (c) {
      case U'&':
        escaped += "&amp;";
        break;
      case U'<':
        escaped += "&lt;";
        break;
      case U'>':
        escaped += "&gt;";
        break;
      case U'"':
        escaped += "&quot;";
        break;
      case U'\'':
        escaped += "&#39;";
        break;
      default:
        escaped += to_utf8({&c, 1});
    }
  }
  return escaped;
}

/// A hundredth of a pixel is enough; without trailing zeros.
std::string length(double value) {
  std::string text = format("{:.2f}", value);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') {
    text.pop_back();
  }
  return text == "-0" ? "0" : text;
}

std::string class_of(Paint paint) {
  constexpr std::string_view kLetters = "bimgsho";  // as in Role
  return format("{}{}", kLetters[static_cast<std::size_t>(paint.role)], paint.index);
}

class SvgWriter {
 public:
  std::string write(const Drawing& drawing) {
    for (const auto& shape : drawing.shapes) {
      std::visit([this](const auto& one) { add(one); }, shape);
    }
    const std::string title = escaped(drawing.title);
    std::string svg = format(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"onnxop-plot\" width=\"{0}\" "
        "height=\"{1}\" viewBox=\"0 0 {0} {1}\" role=\"img\"{2}>\n",
        drawing.width, drawing.height, title.empty() ? "" : format(" aria-label=\"{}\"", title));
    if (!title.empty()) {
      svg += format("<title>{}</title>\n", title);
    }
    svg += "<style>@media (prefers-color-scheme:dark){";
    for (const auto& [name, rule] : dark_rules_) {
      svg += format(".onnxop-plot .{}{{{}}}", name, rule);
    }
    svg += "}</style>\n";
    svg +=
        "<g font-family=\"system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',sans-serif\">\n";
    return svg + body_ + "</g>\n</svg>\n";
  }

 private:
  /// The attributes that colour a shape.
  std::string fill(Paint paint) {
    dark_rules_[class_of(paint)] = "fill:" + hex(color_of(paint, Theme::kDark));
    return format("class=\"{}\" fill=\"{}\"", class_of(paint), hex(color_of(paint, Theme::kLight)));
  }

  std::string line(Paint paint) {
    const std::string name = class_of(paint) + "l";
    dark_rules_[name] = "stroke:" + hex(color_of(paint, Theme::kDark));
    return format("class=\"{}\" stroke=\"{}\"", name, hex(color_of(paint, Theme::kLight)));
  }

  void add(const Box& box) {
    body_ += format("<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" {}/>\n", length(box.x),
                    length(box.y), length(box.width), length(box.height), fill(box.paint));
  }

  void add(const Disc& disc) {
    body_ += format("<circle cx=\"{}\" cy=\"{}\" r=\"{}\" {}/>\n", length(disc.center.x),
                    length(disc.center.y), length(disc.radius), fill(disc.paint));
  }

  void add(const Stroke& stroke) {
    std::string points;
    for (const auto& [x, y] : stroke.points) {
      points += format("{}{},{}", points.empty() ? "" : " ", length(x), length(y));
    }
    std::string dash;
    if (stroke.dash != Dash::kSolid) {
      const auto [on, off] = dash_lengths(stroke.dash);
      dash = format(" stroke-dasharray=\"{} {}\"", length(on * stroke.width),
                    length(off * stroke.width));
    }
    body_ += format(
        "<polyline points=\"{}\" fill=\"none\" {} stroke-width=\"{}\" "
        "stroke-linejoin=\"round\"{}/>\n",
        points, line(stroke.paint), length(stroke.width), dash);
  }

  void add(const Label& label) {
    constexpr std::array<std::string_view, 3> kAnchors{"start", "middle", "end"};
    const std::string x = length(label.x);
    const std::string y = length(label.y);
    body_ +=
        format("<text x=\"{}\" y=\"{}\" font-size=\"{}\" text-anchor=\"{}\"{}{} {}>{}</text>\n", x,
               y, length(label.size), kAnchors[static_cast<std::size_t>(label.anchor)],
               label.bold ? " font-weight=\"600\"" : "",
               label.upward ? format(" transform=\"rotate(-90 {} {})\"", x, y) : "",
               fill(label.paint), escaped(label.text));
  }

  std::map<std::string, std::string> dark_rules_;
  std::string body_;
};

}  // namespace

std::string svg_of(const Drawing& drawing) {
  return SvgWriter().write(drawing);
}

}  // namespace onnxop
