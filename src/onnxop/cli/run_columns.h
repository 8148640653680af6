#pragma once
// Columns of a list of runs, named as in orders: "metrics.val_loss", "params.lr", "status".

#include <string>
#include <string_view>
#include <vector>

#include "onnxop/registry/filter.h"
#include "onnxop/registry/run.h"

namespace onnxop {

struct RunColumn {
  std::string title;
  SearchEntity entity = SearchEntity::kAttribute;
  std::string key;
};

/// "name, metrics.val_loss": separated by commas outside quotes. Throws Error{kInvalidArgument}.
std::vector<RunColumn> parse_run_columns(std::string_view text);

/// Everything that any of the runs has.
std::vector<RunColumn> all_run_columns(const std::vector<Run>& runs);

/// "" where the run has none; numbers with all their digits when `exact`.
std::string column_value(const Run& run, const RunColumn& column, bool exact);

}  // namespace onnxop
