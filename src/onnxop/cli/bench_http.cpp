#include "onnxop/cli/bench_http.h"

#include <filesystem>
#include <string_view>

#include "onnxop/base/error.h"
#include "onnxop/base/file.h"

namespace onnxop {
namespace {

constexpr std::uint64_t kMostBodyBytes = std::uint64_t{1} << 30;
constexpr int kRandomBodies = 4;

std::string content_type(const std::string& file) {
  const std::string extension = std::filesystem::path(file).extension();
  const std::pair<std::string_view, std::string_view> known[] = {
      {".png", "image/png"},        {".jpg", "image/jpeg"}, {".jpeg", "image/jpeg"},
      {".webp", "image/webp"},      {".gif", "image/gif"},  {".bmp", "image/bmp"},
      {".json", "application/json"}};
  for (const auto& [ending, type] : known) {
    if (extension == ending) {
      return std::string(type);
    }
  }
  return "application/octet-stream";
}

/// The path of a model of the Open Inference Protocol, without "/infer"; "" for another.
std::string model_path(std::string path) {
  constexpr std::string_view kModels = "/v2/models/";
  constexpr std::string_view kInfer = "/infer";
  if (path.ends_with(kInfer)) {
    path.resize(path.size() - kInfer.size());
  }
  std::string_view rest = path;
  if (!rest.starts_with(kModels)) {
    return "";
  }
  rest.remove_prefix(kModels.size());
  const auto slash = rest.find('/');
  if (slash == std::string_view::npos) {
    return rest.empty() ? "" : path;
  }
  const std::string_view version = rest.substr(slash);
  const bool is_version =
      version.starts_with("/versions/") && version.find('/', 10) == std::string_view::npos;
  return slash > 0 && is_version ? path : "";
}

bool has_header(const BenchRequest& request, std::string_view wanted) {
  for (const auto& [name, value] : request.headers) {
    if (std::equal(name.begin(), name.end(), wanted.begin(), wanted.end(), [](char a, char b) {
          return std::tolower(static_cast<unsigned char>(a)) ==
                 std::tolower(static_cast<unsigned char>(b));
        })) {
      return true;
    }
  }
  return false;
}

std::string ask_metadata(HttpUrl url) {
  const HttpAnswer answer = http_get(url);
  if (answer.status == 404) {
    fail(ErrorCode::kNotFound, "http://{}:{}{}: no such model: {}", url.host, url.port, url.path,
         answer.body.substr(0, 200));
  }
  if (answer.status != 200) {
    fail(ErrorCode::kUnavailable, "http://{}:{}{}: status {}: {}", url.host, url.port, url.path,
         answer.status, answer.body.substr(0, 200));
  }
  return answer.body;
}

/// Bodies whose JSON has one size, because the header that says it is the same for all.
void add_random_bodies(const BenchRequest& request, const std::string& metadata,
                       HttpTarget& target) {
  const InferBody first = random_infer_body(metadata, request.shapes, request.seed);
  target.bodies.push_back(first.bytes);
  for (int i = 1; i < kRandomBodies; ++i) {
    InferBody more =
        random_infer_body(metadata, request.shapes, request.seed + static_cast<std::uint64_t>(i));
    if (more.header_size == first.header_size) {
      target.bodies.push_back(std::move(more.bytes));
    }
  }
  target.headers.emplace_back("Content-Type", "application/octet-stream");
  target.headers.emplace_back("Inference-Header-Content-Length", std::to_string(first.header_size));
}

std::optional<ServerTimes> ask_times(const HttpUrl& url) {
  try {
    const HttpAnswer answer = http_get(url);
    return answer.status == 200 ? std::optional(parse_server_times(answer.body)) : std::nullopt;
  } catch (const Error&) {
    return std::nullopt;  // a server that does not tell, or not like this
  }
}

/// Of the windows that the figures are of.
std::optional<ServerSplit> split_of_last(const std::vector<std::optional<ServerTimes>>& times,
                                         std::size_t windows) {
  if (times.size() < windows + 1 || windows == 0) {
    return std::nullopt;
  }
  const auto& before = times[times.size() - 1 - windows];
  const auto& after = times.back();
  if (!before || !after) {
    return std::nullopt;
  }
  const ServerSplit split = split_of(difference(*before, *after));
  return split.requests > 0 ? std::optional(split) : std::nullopt;
}

}  // namespace

HttpBench prepare_http_bench(const BenchRequest& request) {
  HttpUrl url = parse_http_url(request.url);
  const std::string model = model_path(url.path);
  HttpBench bench;
  HttpTarget& target = bench.target;
  target.host = url.host;
  target.port = url.port;
  target.path = model.empty() ? url.path : model + "/infer";
  target.headers = request.headers;
  for (const std::string& file : request.files) {
    target.bodies.push_back(read_text_file(file, kMostBodyBytes));
  }
  if (!request.files.empty() && !has_header(request, "content-type")) {
    target.headers.emplace_back("Content-Type", content_type(request.files.front()));
  }
  if (request.files.empty() && !model.empty()) {
    add_random_bodies(request, ask_metadata({url.host, url.port, model}), target);
  } else if (!request.shapes.empty()) {
    fail(ErrorCode::kInvalidArgument,
         "shapes are for random tensors: expected a URL .../v2/models/NAME and no body");
  }
  const bool has_body = !target.bodies.empty();
  target.method = !request.method.empty() ? request.method : has_body ? "POST" : "GET";
  bench.stats = {url.host, url.port, model.empty() ? "/v2/models/stats" : model + "/stats"};
  return bench;
}

HttpRow run_http_bench(const HttpBench& bench, HttpLoadOptions options) {
  std::vector<std::optional<ServerTimes>> times;
  options.target = bench.target;
  options.at_boundary = [&] { times.push_back(ask_times(bench.stats)); };
  HttpRow row{.connections = options.connections,
              .rate = options.rate,
              .report = run_http_load(options),
              .server = std::nullopt};
  row.server = split_of_last(times, std::min(options.windows.steady, row.report.windows.size()));
  return row;
}

}  // namespace onnxop
