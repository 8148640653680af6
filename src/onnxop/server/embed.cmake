# cmake -DOUT=x.cpp -DFILES="a.html;b.html" -P embed.cmake: writes a source file that holds the files' content.
set(entries "")
foreach(file IN LISTS FILES)
  get_filename_component(name ${file} NAME)
  file(READ ${file} content)
  string(APPEND entries "    {\"${name}\", R\"page(${content})page\"},\n")
endforeach()
file(WRITE ${OUT} "#include \"onnxop/server/web_pages.h\"

#include <array>
#include <utility>

#include \"onnxop/base/error.h\"

namespace onnxop {
namespace {

constexpr std::pair<std::string_view, std::string_view> kPages[] = {
${entries}};

}  // namespace

std::string_view web_page(std::string_view name) {
  for (const auto& [page_name, content] : kPages) {
    if (page_name == name) {
      return content;
    }
  }
  fail(ErrorCode::kInternal, \"there is no page '{}' in the program\", name);
}

}  // namespace onnxop
")
