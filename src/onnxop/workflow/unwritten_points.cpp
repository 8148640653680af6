#include "onnxop/workflow/unwritten_points.h"

#include <bit>

#include "onnxop/base/error.h"
#include "onnxop/base/file.h"
#include "onnxop/base/json_value.h"

namespace onnxop {
namespace {

constexpr std::string_view kFileName = "unwritten_metrics.json";

}  // namespace

void save_unwritten_points(const std::filesystem::path& run_dir,
                           const std::vector<Metric>& points) {
  Json list = Json::array();
  for (const Metric& point : points) {
    // As bits: JSON has no name for what is no number.
    list.push_back(
        {point.key, point.step, point.timestamp_ms, std::bit_cast<std::uint64_t>(point.value)});
  }
  write_file_atomically(run_dir / kFileName, as_bytes(dump_json(list)));
}

std::vector<Metric> load_unwritten_points(const std::filesystem::path& run_dir) {
  const auto path = run_dir / kFileName;
  if (!std::filesystem::exists(path)) {
    return {};
  }
  const Json list = parse_json(read_text_file(path), path.string());
  std::vector<Metric> points;
  try {
    for (const Json& row : list) {
      points.push_back({row.at(0).get<std::string>(),
                        std::bit_cast<double>(row.at(3).get<std::uint64_t>()),
                        row.at(2).get<std::int64_t>(), row.at(1).get<std::int64_t>()});
    }
  } catch (const Json::exception& error) {
    fail(ErrorCode::kInvalidArgument, "{}: expected rows of key, step, time and value: {}",
         path.string(), error.what());
  }
  return points;
}

void remove_unwritten_points(const std::filesystem::path& run_dir) {
  std::error_code error;
  std::filesystem::remove(run_dir / kFileName, error);
}

}  // namespace onnxop
