#include "onnxop/plot/terminal.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <string>

#include <sys/ioctl.h>
#include <unistd.h>

namespace onnxop {
namespace {

std::string_view variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string_view() : std::string_view(value);
}

}  // namespace

bool names_utf8(std::string_view locale) {
  std::string codeset(locale.substr(std::min(locale.find('.'), locale.size())));
  std::ranges::transform(codeset, codeset.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return codeset.starts_with(".utf-8") || codeset.starts_with(".utf8");
}

TextCanvas canvas_of(int descriptor) {
  TextCanvas canvas;
  std::string_view locale;
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    locale = locale.empty() ? variable(name) : locale;
  }
  canvas.unicode = names_utf8(locale);
  if (::isatty(descriptor) == 0) {
    return canvas;
  }
  canvas.color = variable("NO_COLOR").empty() && variable("TERM") != "dumb";
  winsize size{};
  if (::ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 0) {
    canvas.columns = size.ws_col;
    canvas.rows = std::min<int>(canvas.rows, size.ws_row);
  }
  return canvas;
}

}  // namespace onnxop
