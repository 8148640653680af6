#pragma once
// Rows of models and versions as several methods write them, and the limits of their texts. All
// that take a session run inside a Database::write(). No part of the room's interface.

#include <cstddef>
#include <string>
#include <string_view>

#include "onnxop/registry/model_rows.h"

namespace onnxop {

/// In characters. MLflow's limits for keys and tags.
constexpr std::size_t kModelKeyChars = 250;
constexpr std::size_t kModelTagChars = 100'000;
constexpr std::size_t kModelTextChars = 1'000'000;  // of descriptions, sources, contracts

/// These throw Error{kInvalidArgument}.
void check_model_tag(std::string_view key, std::string_view value);
/// `what`: "description", "source"; of the model `name`.
void check_model_text(std::string_view what, std::string_view name, std::string_view text);

void insert_model(Session& session, const RegistryCore& core, const ModelKey& model,
                  std::string_view description);
/// The model was changed just now.
void touch_model(Session& session, const RegistryCore& core, const ModelKey& model);
void touch_version(Session& session, const RegistryCore& core, const VersionRowKey& version);

void upsert_version_tag(Session& session, const VersionRowKey& version, const std::string& key,
                        const std::string& value);
void upsert_version_metric(Session& session, const VersionRowKey& version, const std::string& key,
                           double value);
/// With all that belongs to it.
void delete_version_rows(Session& session, const VersionRowKey& version);

}  // namespace onnxop
