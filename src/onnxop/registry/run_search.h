#pragma once
// The search of runs inside a transaction. No part of the room's interface.

#include <cstdint>
#include <vector>

#include "onnxop/registry/run_search_sql.h"

namespace onnxop {

/// From so many runs on, going along the order's index until a page of a hundred is full costs less
/// than sorting them, unless they are less than one in two hundred of all.
constexpr std::int64_t kFewRuns = 5000;

/// The numbers of the runs from `offset` on, at most `limit`. What is found does not depend on
/// `few`, only how: by sorting where a condition leaves less than that.
std::vector<std::int64_t> find_runs(Session& session, const RunQuery& query, SqlDialect dialect,
                                    std::int64_t limit, std::int64_t offset,
                                    std::int64_t few = kFewRuns);

}  // namespace onnxop
