// Artifacts over MLflow's REST API: listed, uploaded to a file, downloaded from one.

#include <array>
#include <charconv>

#include "onnxop/base/error.h"
#include "onnxop/server/mlflow_table.h"
#include "onnxop/wire/mlflow_artifacts.h"

namespace onnxop {
namespace {

constexpr std::string_view kFilePath = "/mlflow-artifacts/artifacts/{path*}";
constexpr std::string_view kDone = "{}";
// Clients compare its beginning to find that they have to send files whole.
constexpr std::string_view kNoMultipart =
    "Multipart upload is not supported for the current artifact repository";

std::string list_of_run(MlflowCall& call) {
  const std::string root = run_artifact_root(call.registry().runs().get(call.fields().run_id()));
  const std::string below = call.fields().text("path");
  return artifact_list_json(artifact_uri(root), root,
                            call.registry().artifacts().list(
                                below.empty() ? root : root + "/" + check_artifact_path(below)));
}

/// For people's programs, which see no more than the name's end.
std::string_view content_type_of(std::string_view path) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 12> kTypes{
      {{".txt", "text/plain; charset=utf-8"},
       {".log", "text/plain; charset=utf-8"},
       {".md", "text/plain; charset=utf-8"},
       {".yaml", "text/plain; charset=utf-8"},
       {".yml", "text/plain; charset=utf-8"},
       {"/MLmodel", "text/plain; charset=utf-8"},
       {".csv", "text/csv"},
       {".json", "application/json"},
       {".png", "image/png"},
       {".jpg", "image/jpeg"},
       {".jpeg", "image/jpeg"},
       {".svg", "image/svg+xml"}}};
  for (const auto& [end, type] : kTypes) {
    if (path.ends_with(end)) {
      return type;
    }
  }
  return "application/octet-stream";
}

Response json_response(std::string body) {
  Response response;
  response.body = std::move(body);
  return response;
}

/// What "bytes=0-99", "bytes=100-" or "bytes=-100" leave of the file. False where there is nothing
/// in it; other ranges are ignored (RFC 9110, 14.2).
bool cut_to_range(std::string_view range, FileBody& file, bool& is_part) {
  constexpr std::string_view kUnit = "bytes=";
  const auto dash = range.find('-');
  if (!range.starts_with(kUnit) || dash == std::string_view::npos || file.bytes == 0 ||
      range.find(',') != std::string_view::npos) {
    return true;
  }
  const auto number = [](std::string_view digits, std::uint64_t& value) {
    const auto end = digits.data() + digits.size();
    return std::from_chars(digits.data(), end, value).ptr == end && !digits.empty();
  };
  const std::string_view first = range.substr(kUnit.size(), dash - kUnit.size());
  const std::string_view last = range.substr(dash + 1);
  std::uint64_t from = 0;
  std::uint64_t to = file.bytes - 1;
  if (first.empty()) {
    std::uint64_t count = 0;
    if (!number(last, count)) {
      return true;
    }
    from = file.bytes - std::min(count, file.bytes);
  } else if (!number(first, from) || (!last.empty() && (!number(last, to) || to < from))) {
    return true;
  }
  if (from >= file.bytes) {
    return false;
  }
  file.offset = from;
  file.bytes = std::min(to, file.bytes - 1) - from + 1;
  is_part = true;
  return true;
}

Response download(Registry& registry, const Request& request) {
  const std::string path = check_artifact_path(request.path_values.at(0));
  const auto artifact = registry.artifacts().find(path);
  if (!artifact) {
    fail(ErrorCode::kNotFound, "there is no artifact '{}'", path);
  }
  Response response;
  const std::string tag = format("\"{}\"", artifact->sha256);
  response.fields = {{"ETag", tag},
                     {"Accept-Ranges", "bytes"},
                     // Whatever it is, no browser shall take it for a page of this server.
                     {"Content-Disposition", "attachment"},
                     {"X-Content-Type-Options", "nosniff"}};
  response.content_type = content_type_of(path);
  if (request.field("if-none-match").find(tag) != std::string_view::npos) {
    response.status = 304;
    return response;
  }
  FileBody file(registry.artifacts().file(*artifact));
  const std::uint64_t whole = file.bytes;
  bool is_part = false;
  if (!cut_to_range(request.field("range"), file, is_part)) {
    Response refusal =
        mlflow_error_response(416, "BAD_REQUEST", format("the artifact has {} bytes", whole));
    refusal.fields.emplace_back("Content-Range", format("bytes */{}", whole));
    return refusal;
  }
  if (is_part) {
    response.status = 206;
    response.fields.emplace_back("Content-Range", format("bytes {}-{}/{}", file.offset,
                                                         file.offset + file.bytes - 1, whole));
  }
  response.file = std::move(file);
  return response;
}

Response upload(Registry& registry, const Request& request) {
  const std::string path = check_artifact_path(request.path_values.at(0));
  if (!request.field("content-encoding").empty()) {
    fail(ErrorCode::kUnsupported, "an artifact is taken as it is: expected no Content-Encoding");
  }
  registry.artifacts().put_staged(path, request.body_file->take());
  return json_response(std::string(kDone));
}

/// What is not there is gone already.
Response remove(Registry& registry, const Request& request) {
  const std::string path = check_artifact_path(request.path_values.at(0));
  if (registry.artifacts().find(path) || !registry.artifacts().list(path).empty()) {
    registry.artifacts().remove(path);
  }
  return json_response(std::string(kDone));
}

std::string list(MlflowCall& call) {
  const std::string folder = call.fields().text("path");
  const std::string path = folder.empty() ? folder : check_artifact_path(folder);
  return artifact_list_json("", path, call.registry().artifacts().list(path));
}

Route on_files(std::string method, std::string id, std::string summary, Permission permission,
               std::function<Response(const Request&)> handler) {
  return {.operation = {.method = std::move(method),
                        .id = std::move(id),
                        .summary = std::move(summary),
                        .answer = ApiSchema::kJson,
                        .errors = {400, 403, 404, 413, 500, 501, 503}},
          .permission = permission,
          .handler = std::move(handler),
          .lane = Lane::kFiles};
}

using UseArtifacts = Response (*)(Registry&, const Request&);

std::function<Response(const Request&)> with_artifacts(const TrackingOptions& options,
                                                       UseArtifacts use) {
  return [&options, use](const Request& request) {
    return MlflowTable::with_registry(options, request,
                                      [&](Registry& registry) { return use(registry, request); });
  };
}

void add_files(MlflowTable& table) {
  const TrackingOptions& options = table.options();
  Route get = on_files("GET", "downloadArtifact", "An artifact, or a range of it",
                       Permission::kRead, with_artifacts(options, download));
  get.operation.answer = ApiSchema::kFile;
  get.operation.errors = {400, 403, 404, 416, 500, 503};
  table.add_route(kFilePath, std::move(get));
  Route put = on_files("PUT", "uploadArtifact", "A new artifact, or new content of one",
                       Permission::kTrack, with_artifacts(options, upload));
  put.operation.body = ApiBody::kFile;
  put.operation.errors = {400, 403, 408, 413, 500, 501, 503};
  put.body_file = [&options] {
    return std::make_shared<BodyFile>(
        options.registries->take("")->artifacts().blobs().new_staging_file());
  };
  table.add_route(kFilePath, std::move(put));
  table.add_route(kFilePath,
                  on_files("DELETE", "deleteArtifact", "Delete an artifact, or a folder of them",
                           Permission::kManage, with_artifacts(options, remove)));
  Route all =
      on_files("GET", "listAllArtifacts", "What is in a folder of artifacts", Permission::kRead,
               with_artifacts(options, [](Registry& registry, const Request& request) {
                 MlflowCall call(registry, request);
                 return json_response(list(call));
               }));
  all.lane = Lane::kTracking;
  table.add_route("/mlflow-artifacts/artifacts", std::move(all));
}

}  // namespace

void add_mlflow_artifacts(MlflowTable& table) {
  table.add({"GET", "artifacts/list", "listArtifacts", "What is in a folder of a run"},
            list_of_run);
  add_files(table);
  for (const char* step : {"create", "complete", "abort"}) {
    Route route{.operation = {.method = "POST",
                              .id = format("{}MultipartUpload", step),
                              .summary = "Not possible: files are uploaded whole",
                              .body = ApiBody::kOptionalJson,
                              .answer = ApiSchema::kJson,
                              .errors = {403, 501}},
                .permission = Permission::kTrack,
                .handler = [](const Request&) {
                  return mlflow_error_response(501, "NOT_IMPLEMENTED", kNoMultipart);
                }};
    table.add_route(format("/mlflow-artifacts/mpu/{}/{{path*}}", step), std::move(route));
  }
}

}  // namespace onnxop
