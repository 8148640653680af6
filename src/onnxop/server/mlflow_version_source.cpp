#include "onnxop/server/mlflow_version_source.h"

#include "onnxop/base/error.h"
#include "onnxop/wire/mlflow_artifacts.h"
#include "onnxop/wire/mlflow_versions.h"

namespace onnxop {
namespace {

[[noreturn]] void refuse(const std::string& source, std::string_view expected) {
  fail(ErrorCode::kInvalidArgument, "Invalid model version source: '{}'; expected {}",
       source.substr(0, 400), expected);
}

std::string joined(const std::string& root, const std::string& below) {
  return below.empty() ? root : root + "/" + below;
}

bool is_within(const std::string& path, const std::string& root) {
  return path == root || path.starts_with(root + "/");
}

/// The one that is named here has to be the one that is named there, if it is.
void agree(std::string& named, const std::string& in_source, const std::string& source,
           std::string_view parameter) {
  if (named.empty()) {
    named = in_source;
  }
  if (named != in_source) {
    refuse(source, format("the {} that the source names, got '{}'", parameter, named));
  }
}

std::string root_of(const Registry& registry, const NewVersion& version) {
  return version.logged_model_id.empty()
             ? run_artifact_root(registry.runs().get(version.run_id))
             : logged_model_artifact_root(registry.logged_models().get(version.logged_model_id));
}

// "models:/NAME/3" or "models:/NAME@alias" -> "NAME:3", "NAME@alias"; "" for what is none of these.
std::string copied_version(const std::string& source) {
  constexpr std::string_view kScheme = "models:/";
  if (!source.starts_with(kScheme) || source.starts_with("models:/m-") ||
      source.starts_with("models://")) {
    return {};
  }
  std::string reference = source.substr(kScheme.size());
  if (const auto slash = reference.find('/'); slash != std::string::npos) {
    reference[slash] = ':';
  }
  return reference;
}

}  // namespace

std::string source_folder(const Registry& registry, NewVersion& version) {
  const std::string& text = version.source;
  const VersionSource source = parse_version_source(text);
  switch (source.kind) {
    case VersionSource::Kind::kRun:
      agree(version.run_id, source.id, text, "run_id");
      return check_artifact_path(
          joined(run_artifact_root(registry.runs().get(source.id)), source.path));
    case VersionSource::Kind::kLoggedModel:
      agree(version.logged_model_id, source.id, text, "model_id");
      return check_artifact_path(
          joined(logged_model_artifact_root(registry.logged_models().get(source.id)), source.path));
    case VersionSource::Kind::kArtifacts: {
      if (version.run_id.empty() && version.logged_model_id.empty()) {
        refuse(text, "the run_id or model_id whose artifacts it is among");
      }
      const std::string path = check_artifact_path(source.path);
      if (const std::string root = root_of(registry, version); !is_within(path, root)) {
        refuse(text,
               format("a folder in '{}', the artifacts of the {} that is named", artifact_uri(root),
                      version.logged_model_id.empty() ? "run" : "logged model"));
      }
      return path;
    }
    case VersionSource::Kind::kOther:
      break;
  }
  refuse(text, "artifacts of this server: mlflow-artifacts:/…, runs:/RUN_ID/PATH or models:/m-…");
}

std::optional<ModelVersion> find_copied(const Models& models, const std::string& source) {
  const std::string reference = copied_version(source);
  if (reference.empty()) {
    return std::nullopt;
  }
  const auto at = reference.find_last_of(":@");
  const RegisteredModel model = models.get(reference.substr(0, at));
  const std::string which = at == std::string::npos ? std::string() : reference.substr(at + 1);
  if (const auto alias = model.aliases.find(which); alias != model.aliases.end()) {
    return models.version(model.name, alias->second);
  }
  return models.version(model.name, parse_version_number(which));
}

std::string download_uri(const Registry& registry, ModelVersion version) {
  constexpr int kMostCopies = 100;
  const std::string copy = format("version {} of '{}'", version.version, version.name);
  for (int copies = 0; const auto from = find_copied(registry.models(), version.source); ++copies) {
    // A name may be given to another model, or come back in a ring.
    const bool is_it = from->run_id == version.run_id && from->sha256 == version.sha256 &&
                       from->logged_model_id == version.logged_model_id;
    if (!is_it || copies == kMostCopies) {
      fail(ErrorCode::kFailedPrecondition,
           "{} is a copy, but '{}' is not the version any more that it was copied from", copy,
           version.source);
    }
    version = *from;
  }
  NewVersion named;
  named.source = version.source;
  named.run_id = version.run_id;
  named.logged_model_id = version.logged_model_id;
  if (parse_version_source(version.source).kind == VersionSource::Kind::kOther) {
    fail(ErrorCode::kFailedPrecondition,
         "version {} of '{}' came from '{}', not from artifacts: it cannot be downloaded as a "
         "folder",
         version.version, version.name, version.source);
  }
  return artifact_uri(source_folder(registry, named));
}

}  // namespace onnxop
