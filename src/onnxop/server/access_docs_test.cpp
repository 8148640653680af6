// The tables of docs/security.md, which are what was decided: every route and method, and what it
// needs.

#include <map>
#include <sstream>

#include <gmock/gmock.h>
#include <google/protobuf/descriptor.h>
#include <gtest/gtest.h>
#include <open_inference.grpc.pb.h>

#include "onnxop/base/file.h"
#include "onnxop/base/test_source_dir.h"
#include "onnxop/server/grpc_access.h"
#include "onnxop/server/mlflow_routes.h"
#include "onnxop/server/routes.h"
#include "onnxop/server/test_client.h"

namespace onnxop::testing_server {
namespace {

using Table = std::map<std::string, std::string>;

/// What stands in the rows between <!-- name --> and <!-- /name -->, behind the first cell.
Table documented(const std::string& name) {
  const std::string page = read_text_file(source_dir() / "docs/security.md");
  const auto begin = page.find("<!-- " + name + " -->");
  std::istringstream lines(page.substr(begin, page.find("<!-- /" + name + " -->") - begin));
  Table table;
  for (std::string line; std::getline(lines, line);) {
    constexpr std::string_view kOpen = "| `";
    const auto close = line.find("` | ");
    if (line.starts_with(kOpen) && close != std::string::npos) {
      table[line.substr(kOpen.size(), close - kOpen.size())] =
          line.substr(close + 4, line.size() - close - 4 - 2);
    }
  }
  return table;
}

TEST(SecurityPage, NamesEveryRouteAndWhatItNeeds) {
  Catalog catalog;
  catalog.publish(set_of(served("mnist", 3, fake_classifier(28, 28, 1, 10))));
  const SystemClock clock;
  Scheduler scheduler(1, clock);
  const std::atomic<bool> unready{false};
  HttpStats http;
  const RouteContext context{{catalog, scheduler}, unready, "http", "127.0.0.1:8080", "1", http};
  const auto names_of = [&](RoutePort port) {
    Table names;
    const RouteTable table =
        make_routes({}, {{.name = "classify_digit", .model = "mnist"}}, context, {port});
    for (const Route* route : table.routes()) {
      const std::string& path = route->operation.path;
      names[route->operation.method + " " + (path == "/api/classify_digit" ? "/api/NAME" : path)] =
          permission_name(route->permission);
    }
    return names;
  };
  const Table inference = names_of(RoutePort::kInference);
  const Table management = names_of(RoutePort::kManagement);
  Table found = names_of(RoutePort::kAny);
  for (auto& [name, needs] : found) {
    ASSERT_TRUE(inference.contains(name) || management.contains(name)) << name;
    needs += !management.contains(name) ? " | inference"
             : inference.contains(name) ? " | both"
                                        : " | management";
  }
  EXPECT_EQ(found, documented("routes"));
}

TEST(SecurityPage, NamesEveryCallOfTheTrackingAndWhatItNeeds) {
  const TrackingOptions options;
  RouteTable table;
  add_mlflow_routes(table, options, "1");
  Table found;
  for (const Route* route : table.routes()) {
    if (route->operation.described) {
      found[route->operation.method + " " + route->operation.path] =
          permission_name(route->permission);
    }
  }
  EXPECT_EQ(found, documented("tracking"));
}

TEST(SecurityPage, NamesEveryGrpcMethodAndWhatItNeeds) {
  const auto* const service =
      inference::ModelInferRequest::descriptor()->file()->FindServiceByName("GRPCInferenceService");
  ASSERT_NE(service, nullptr);
  Table found;
  for (int i = 0; i < service->method_count(); ++i) {
    const std::string& name = service->method(i)->name();
    found[name] = permission_name(grpc_permission(name));
  }
  EXPECT_EQ(found, documented("methods"));
}

}  // namespace
}  // namespace onnxop::testing_server
