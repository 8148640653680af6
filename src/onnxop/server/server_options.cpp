#include "onnxop/server/server_options.h"

#include <algorithm>

#include "onnxop/base/error.h"

namespace onnxop {
namespace {

constexpr std::size_t kLongestName = 128;

bool is_alphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= kLongestName && is_alphanumeric(text.front()) &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return is_alphanumeric(c) || c == '.' || c == '_' || c == '-'; });
}

}  // namespace

ModelRoute parse_model_route(std::string_view text) {
  const auto equals = text.find('=');
  if (equals == std::string_view::npos || equals + 1 == text.size()) {
    fail(ErrorCode::kInvalidArgument, "route '{}': expected NAME=MODEL, like classify_digit=mnist",
         text);
  }
  const auto name = text.substr(0, equals);
  if (!is_name(name)) {
    fail(ErrorCode::kInvalidArgument,
         "route '{}': the name '{}' is none; expected up to {} letters, digits, '.', '_' and '-', "
         "a letter or digit first",
         text, name, kLongestName);
  }
  if (name == "models") {
    fail(ErrorCode::kInvalidArgument, "route '{}': /api/models is the list of models", text);
  }
  return {std::string(name), std::string(text.substr(equals + 1))};
}

std::vector<std::string> route_models(const std::vector<ModelRoute>& routes) {
  std::vector<std::string> models;
  for (const ModelRoute& route : routes) {
    models.push_back(route.model);
  }
  return models;
}

}  // namespace onnxop
