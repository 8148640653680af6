#include "onnxop/wire/mlflow_artifacts.h"

#include <charconv>

#include "onnxop/base/error.h"
#include "onnxop/wire/mlflow_json.h"

namespace onnxop {
namespace {

constexpr std::string_view kScheme = "mlflow-artifacts:";

std::string_view below(std::string_view path, std::string_view root) {
  if (!root.empty() && path.starts_with(root)) {
    path.remove_prefix(root.size());
  }
  return path.starts_with('/') ? path.substr(1) : path;
}

/// One layer of %XX away.
std::string unquoted_once(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned value = 0;
    const char* const digits = text.data() + i + 1;
    if (text[i] == '%' && i + 2 < text.size() &&
        std::from_chars(digits, digits + 2, value, 16).ptr == digits + 2) {
      plain += static_cast<char>(value);
      i += 2;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

[[noreturn]] void refuse(std::string_view source) {
  fail(ErrorCode::kInvalidArgument,
       "Invalid model version source: '{}'; expected a path without '..', NUL and backslashes",
       source.substr(0, 400));
}

/// However often it is encoded.
void check_plain(std::string_view source) {
  std::string text(source);
  for (std::string next = unquoted_once(text); next != text; next = unquoted_once(text)) {
    text = std::move(next);
  }
  if (text.find('\0') != std::string::npos || text.find('\\') != std::string::npos) {
    refuse(source);
  }
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find_first_of(":/?#", begin), text.size());
    if (const auto part = std::string_view(text).substr(begin, end - begin);
        part == ".." || part == ".") {
      refuse(source);
    }
    begin = end + 1;
  }
}

/// Behind "//HOST", where it begins so.
std::string_view without_authority(std::string_view rest) {
  if (!rest.starts_with("//")) {
    return rest;
  }
  const auto slash = rest.find('/', 2);
  return slash == std::string_view::npos ? std::string_view() : rest.substr(slash);
}

std::string trimmed_path(std::string_view path) {
  while (path.starts_with('/')) {
    path.remove_prefix(1);
  }
  while (path.ends_with('/')) {
    path.remove_suffix(1);
  }
  return unquoted_once(path);
}

VersionSource split_id(VersionSource::Kind kind, std::string_view rest) {
  const std::string path = trimmed_path(rest);
  const auto slash = path.find('/');
  return {kind, path.substr(0, slash),
          slash == std::string::npos ? std::string() : path.substr(slash + 1)};
}

}  // namespace

std::string artifact_uri(std::string_view path) {
  return format("{}/{}", kScheme, path);
}

std::string artifact_path_of(std::string_view uri, std::string_view parameter) {
  if (uri.empty()) {
    return {};
  }
  std::string_view path = uri;
  const bool ours = path.starts_with(kScheme);
  path.remove_prefix(ours ? kScheme.size() : 0);
  path.remove_prefix(path.starts_with("///") ? 2 : 0);  // an empty host
  if (!ours || !path.starts_with('/') || path.starts_with("//") || path.size() == 1) {
    fail(ErrorCode::kInvalidArgument,
         "Invalid value '{}' for parameter '{}' supplied: this server keeps all artifacts itself: "
         "expected mlflow-artifacts:/FOLDER, or none for a folder of its own",
         uri.substr(0, 200), parameter);
  }
  return std::string(path.substr(1));
}

std::string artifact_list_json(std::string_view root_uri, std::string_view root,
                               const std::vector<ArtifactEntry>& entries) {
  JsonWriter json;
  json.open_object();
  write_text_if_any(json, "root_uri", root_uri);
  json.key("files").open_array();
  for (const ArtifactEntry& entry : entries) {
    json.open_object().text("path", below(entry.path, root)).truth("is_dir", entry.is_dir);
    if (!entry.is_dir) {
      json.integer("file_size", entry.bytes);
    }
    json.close_object();
  }
  json.close_array().close_object();
  return json.take();
}

VersionSource parse_version_source(std::string_view source) {
  constexpr std::string_view kRoute = "/api/2.0/mlflow-artifacts/artifacts/";
  check_plain(source);
  if (source.starts_with(kScheme)) {
    return {VersionSource::Kind::kArtifacts, "",
            trimmed_path(without_authority(source.substr(kScheme.size())))};
  }
  if (source.starts_with("http:") || source.starts_with("https:")) {
    const auto at = source.find(kRoute);
    if (at != std::string_view::npos) {
      return {VersionSource::Kind::kArtifacts, "", trimmed_path(source.substr(at + kRoute.size()))};
    }
  } else if (source.starts_with("runs:/") && !source.starts_with("runs://")) {
    return split_id(VersionSource::Kind::kRun, source.substr(5));
  } else if (source.starts_with("models:/m-")) {
    return split_id(VersionSource::Kind::kLoggedModel, source.substr(7));
  }
  return {};
}

}  // namespace onnxop
