#include "onnxop/server/index_page.h"

#include <algorithm>
#include <initializer_list>
#include <utility>

#include "onnxop/base/format.h"
#include "onnxop/server/web_pages.h"

namespace onnxop {
namespace {

std::string escaped(std::string_view text) {
  std::string html;
  for (const char c : text) {
    switch (c) {
      case '&':
        html += "&amp;";
        break;
      case '<':
        html += "&lt;";
        break;
      case '>':
        html += "&gt;";
        break;
      case '"':
        html += "&quot;";
        break;
      case '\'':
        html += "&#39;";
        break;
      default:
        html += c;
    }
  }
  return html;
}

struct Value {
  std::string_view name;
  std::string html;
};

/// The page with each {{name}} replaced by its value; what was put in is not looked at again.
std::string filled(std::string_view page, std::initializer_list<Value> values) {
  std::string html;
  while (true) {
    const auto open = page.find("{{");
    const auto close = open == std::string_view::npos ? open : page.find("}}", open);
    html += page.substr(0, open);
    if (close == std::string_view::npos) {
      return html;
    }
    const auto name = page.substr(open + 2, close - open - 2);
    const auto* const found = std::find_if(values.begin(), values.end(),
                                           [&](const Value& value) { return value.name == name; });
    html += found == values.end() ? std::string() : found->html;
    page.remove_prefix(close + 2);
  }
}

/// Nothing that a shell or a page would read as more than a host and a port.
bool is_plain_host(std::string_view host) {
  return !host.empty() && host.size() <= 255 &&
         std::all_of(host.begin(), host.end(), [](unsigned char c) {
           return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                  std::string_view(".:-[]").find(static_cast<char>(c)) != std::string_view::npos;
         });
}

std::string input_text(const ImageInput& input) {
  return format("any image, brought to {} x {} {}", input.width, input.height,
                input.color == ImageColor::kGray ? "grey" : "RGB");
}

std::string output_text(const ContractOutput& output) {
  if (output.kind == OutputKind::kRegression) {
    return "numbers";
  }
  if (output.labels.empty()) {
    return "class probabilities";
  }
  constexpr std::size_t kShown = 10;
  const std::span shown(output.labels.data(), std::min(kShown, output.labels.size()));
  return format("{} classes: {}{}", output.labels.size(), join(shown, ", "),
                output.labels.size() > kShown ? ", …" : "");
}

std::string entry_html(const IndexEntry& entry, std::string_view origin) {
  const ModelLease& model = entry.model;
  const std::string title = !model ? format("{} (not loaded at this time)", entry.reference)
                            : model->version > 0
                                ? format("{}, version {}", model->name, model->version)
                                : model->name;
  return filled(
      web_page("model.html"),
      {{"path", escaped(entry.path)},
       {"title", escaped(title)},
       {"input", model ? escaped(input_text(model->contract->input)) : ""},
       {"output", model ? escaped(output_text(model->contract->output)) : ""},
       {"curl", escaped(format("curl --data-binary @image.png {}{}", origin, entry.path))}});
}

}  // namespace

Response index_page(std::span<const IndexEntry> entries, const IndexOrigin& origin,
                    std::string_view program_version) {
  const std::string url =
      format("{}://{}", origin.scheme, is_plain_host(origin.host) ? origin.host : origin.address);
  std::string models;
  for (const IndexEntry& entry : entries) {
    models += entry_html(entry, url);
  }
  if (entries.empty()) {
    models = web_page("no_models.html");
  }
  Response response;
  response.content_type = "text/html; charset=utf-8";
  response.body = filled(web_page("index.html"),
                         {{"models", std::move(models)}, {"version", escaped(program_version)}});
  return response;
}

}  // namespace onnxop
