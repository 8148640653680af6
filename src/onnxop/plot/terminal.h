#pragma once
// What the terminal behind a file descriptor can show. Reads the environment: not while another
// thread changes it.

#include <string_view>

#include "onnxop/plot/chart.h"

namespace onnxop {

/// Columns of the terminal and at most 20 rows; 80 x 20 without colours for what is no terminal.
/// Colours unless NO_COLOR is set or TERM is "dumb"; Unicode as names_utf8() says of LC_ALL, else
/// LC_CTYPE, else LANG.
TextCanvas canvas_of(int descriptor);

/// Whether a locale's name, such as "de_DE.UTF-8", is of one that writes UTF-8.
bool names_utf8(std::string_view locale);

}  // namespace onnxop
