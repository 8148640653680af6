#pragma once
// The servers that are compared, each a process of its own with a store of its own, asked over
// loopback.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bench/server_process.h"
#include "bench/tracking/kept_connection.h"

namespace onnxop::bench {

class TrackingServer {
 public:
  /// `onnxop serve`, as it is without options.
  static std::unique_ptr<TrackingServer> onnxop();
  /// MLflow's own, with so many workers, or as many as it takes by itself.
  static std::unique_ptr<TrackingServer> mlflow(std::optional<int> workers);

  TrackingServer() = default;
  virtual ~TrackingServer() = default;
  TrackingServer(const TrackingServer&) = delete;
  TrackingServer& operator=(const TrackingServer&) = delete;

  /// An experiment that holds the runs 0 to `runs`. Returns its ID.
  virtual std::string experiment_of(int runs) = 0;

  /// The answer's body; `path` stands below /api/2.0/mlflow/. From any thread.
  std::string post(const std::string& path, const std::string& json) {
    return connections_->send("POST", "/api/2.0/mlflow/" + path, json);
  }
  std::string get(const std::string& path) {
    return connections_->send("GET", "/api/2.0/mlflow/" + path);
  }

  std::string new_experiment();
  /// A new run; returns its ID.
  std::string new_run(const std::string& experiment, int run);

 protected:
  std::unique_ptr<ConnectionPool> connections_;

 private:
  int experiments_ = 0;
};

/// "3.17.2"; installs it where it is not. Throws Error{kUnavailable} when that fails.
std::string mlflow_version();

}  // namespace onnxop::bench
