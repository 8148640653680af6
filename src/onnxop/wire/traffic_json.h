#pragma once
// The bodies of /api/models/{model}/traffic.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace onnxop {

/// What a PUT asks for; what it left out is none. Only the shape is checked here.
struct TrafficRequest {
  struct Shadow {
    std::string target;
    std::optional<double> percent;
  };
  struct Rollback {
    std::optional<double> max_error_rate;
    std::optional<double> max_disagreement;
    std::optional<std::int64_t> min_requests;
    std::optional<double> compare_percent;
  };

  std::vector<std::pair<std::string, std::int64_t>> split;  // in the text's order
  std::optional<Shadow> shadow;
  std::optional<Rollback> rollback;
};

/// Reads {"split": {"champion": 90, "challenger": 10}, "shadow": {"target": "challenger",
/// "percent": 100}, "rollback": {"max_error_rate": 0.05, …}}. Throws Error{kInvalidArgument} for
/// what is no JSON, a value of another kind, a key that is not known (with the nearest that is) or
/// given twice, and a rollback without a limit.
TrafficRequest parse_traffic_request(std::string_view json);

/// What a GET tells.
struct TrafficReport {
  struct Comparisons {
    std::uint64_t requests = 0, dropped = 0, failed = 0, agreed = 0, disagreed = 0;
    std::vector<std::pair<std::string, double>> largest_difference;  // by output
  };
  struct Target {
    std::string name;
    std::optional<std::int64_t> version;  // that is loaded
    double share = 0;                     // of the requests, now
    std::uint64_t requests = 0;
    std::optional<Comparisons> comparisons;  // of a canary with the primary
  };
  struct Shadow {
    std::optional<std::int64_t> version;  // that is loaded
    Comparisons comparisons;
  };
  struct RolledBack {
    std::string target, reason;
    std::int64_t requests = 0, faults = 0, comparisons = 0, disagreements = 0;
  };

  std::string model;
  TrafficRequest plan;
  std::vector<Target> targets;
  std::optional<Shadow> shadow;
  std::optional<RolledBack> rolled_back;
};

/// {"model", "split", "shadow", "rollback", "targets", "shadowed", "rolled_back"}; null for what
/// there is not.
std::string traffic_report_json(const TrafficReport& report);

}  // namespace onnxop
