#pragma once
// Deleted runs that go for good. No part of the room's interface.

#include <cstdint>
#include <optional>

#include "onnxop/registry/removed.h"

namespace onnxop {

struct RegistryCore;

struct DeletedRuns {
  std::optional<std::int64_t> before_ms = {};      // deleted before that time; none: all
  std::optional<std::int64_t> experiment_id = {};  // of this experiment; none: of all
};

/// Removes them with all that belongs to them but the contents of their artifacts, each in a
/// transaction; those that a version needs stay.
RemovedForGood remove_deleted_runs(RegistryCore& core, const DeletedRuns& which);

}  // namespace onnxop
