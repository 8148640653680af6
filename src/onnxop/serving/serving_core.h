#pragma once
// What the servers of all protocols share. Everything in it outlives them, and is safe from any
// thread.

#include <string>
#include <string_view>

#include "onnxop/batch/scheduler.h"
#include "onnxop/serving/catalog.h"
#include "onnxop/serving/model_manager.h"

namespace onnxop {

class ShadowRunner;

inline constexpr std::string_view kStickyHeader = "x-user-id";

struct ServingCore {
  Catalog& catalog;
  Scheduler& scheduler;
  ModelManager* manager = nullptr;  // null: nothing can be loaded or unloaded
  ShadowRunner* shadows = nullptr;  // null: nothing is compared
  /// The header field, or key of gRPC's metadata, that says who asks; lower case; "": none does.
  std::string sticky_header = std::string(kStickyHeader);
};

/// Throws Error{kUnsupported} where there is none.
ModelManager& manager_of(const ServingCore& core);

/// The model that answers for `name` ("mnist", "mnist@champion") and `version` ("3", "" for none).
/// Throws Error{kNotFound} that says what is served; {kUnavailable} for one that is known, but not
/// loaded; {kInvalidArgument} for a version that is no number, or given beside an alias.
ModelLease resolve_model(const ServingSet& set, std::string_view name, std::string_view version);

}  // namespace onnxop
