#pragma once
// The verbs of `onnxop runs`, and what they share.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "onnxop/base/clock.h"
#include "onnxop/base/json.h"
#include "onnxop/cli/verb.h"
#include "onnxop/registry/registry.h"

namespace onnxop {

VerbAction declare_runs_list(CLI::App& command);       // runs_list.cpp
VerbAction declare_runs_show(CLI::App& command);       // runs_show.cpp
VerbAction declare_runs_compare(CLI::App& command);    // runs_compare.cpp
VerbAction declare_runs_plot(CLI::App& command);       // runs_plot.cpp
VerbAction declare_runs_delete(CLI::App& command);     // runs_change.cpp
VerbAction declare_runs_restore(CLI::App& command);    // runs_change.cpp
VerbAction declare_runs_gc(CLI::App& command);         // runs_change.cpp
VerbAction declare_runs_artifacts(CLI::App& command);  // runs_artifacts.cpp

/// What there is to know of one run.
void show_run(const Registry& registry, const std::string& id, bool json);

Json run_report_json(const Run& run);
/// Finite values as numbers, others as "NaN", "Infinity", "-Infinity".
Json metric_json(double value);

/// What goes for good, of `runs gc` and `experiments gc`.
struct GcOptions {
  std::string deleted_before;
  std::string older_than;
  bool json = false;
};
/// `what`: "runs".
void add_gc_options(CLI::App& command, GcOptions& options, std::string_view what);
/// In milliseconds since 1970; none: whenever it was deleted. Throws Error{kInvalidArgument}.
std::optional<std::int64_t> deleted_before(const GcOptions& options, const Clock& clock);

/// What stays for the sake of registered versions: [{"id": …, "versions": ["digits:3"]}], and a
/// line for each of a `what` ("run").
Json kept_json(const std::vector<NeededByVersions>& kept);
std::string kept_text(std::string_view what, const std::vector<NeededByVersions>& kept);

/// Experiments by name or number. Throws Error{kNotFound}.
std::vector<std::int64_t> find_experiments(const Registry& registry,
                                           const std::vector<std::string>& names);

}  // namespace onnxop
