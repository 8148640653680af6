#pragma once
// Writing the history of models: a row in the transaction of the change itself. No part of the
// room's interface.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "onnxop/registry/model_rows.h"

namespace onnxop {

namespace model_event {
constexpr std::string_view kModelCreated = "model_created";
constexpr std::string_view kModelRenamed = "model_renamed";
constexpr std::string_view kModelDeleted = "model_deleted";
constexpr std::string_view kVersionCreated = "version_created";
constexpr std::string_view kVersionDeleted = "version_deleted";
constexpr std::string_view kAliasSet = "alias_set";
constexpr std::string_view kAliasRolledBack = "alias_rolled_back";
constexpr std::string_view kAliasDeleted = "alias_deleted";
constexpr std::string_view kStageChanged = "stage_changed";
constexpr std::string_view kDescriptionChanged = "description_changed";
constexpr std::string_view kTagSet = "tag_set";
constexpr std::string_view kTagDeleted = "tag_deleted";
constexpr std::string_view kMetricMeasured = "metric_measured";
}  // namespace model_event

/// What happened to a model, or to one version of it.
struct ModelChange {
  std::string_view event;
  std::optional<std::int64_t> version = {};
  std::string key = {};
  std::string before = {};
  std::string after = {};
};

/// Inside a Database::write().
void record_event(Session& session, const RegistryCore& core, const ModelKey& model,
                  const ModelChange& change);

/// Greater than every number that a model has or had.
long long next_model_number(Session& session);

/// The model's events so far, oldest first, under all its names.
std::vector<ModelEvent> load_model_events(Session& session, long long model);

}  // namespace onnxop
