#pragma once
// Rows of models and versions as values. All functions run inside a transaction. No part of the
// room's interface.

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "onnxop/registry/models.h"
#include "onnxop/registry/registry_core.h"

namespace onnxop {

/// What a model's other rows refer to, and where its files are.
struct ModelKey {
  long long model = 0;
  std::string name;
  std::string folder;  // below models/
};

struct VersionRowKey {
  long long model = 0;
  long long version = 0;
};

/// Throws Error{kNotFound}, naming what there is and what is near; {kInvalidArgument} for no name.
ModelKey find_model(Session& session, const RegistryCore& core, std::string_view name);
bool has_model(Session& session, std::string_view name);

/// In the order given; those that are not there are left out.
std::vector<RegisteredModel> load_models(Session& session, std::span<const long long> models);
std::vector<RegisteredModel> load_all_models(Session& session);  // by name
std::vector<ModelVersion> load_versions(Session& session, const RegistryCore& core,
                                        std::span<const VersionRowKey> versions);
std::vector<ModelVersion> load_all_versions(Session& session, const RegistryCore& core);
/// Of one model, newest first.
std::vector<ModelVersion> load_versions_of(Session& session, const RegistryCore& core,
                                           const ModelKey& model);
/// Throws Error{kNotFound}, naming those that there are; {kInvalidArgument} for numbers below 1.
ModelVersion load_version(Session& session, const RegistryCore& core, const ModelKey& model,
                          std::int64_t version);
std::vector<ModelFile> load_version_files(Session& session, const VersionRowKey& version);

/// "; did you mean 'x'?" or "".
std::string did_you_mean(std::string_view word, const std::vector<std::string>& known);

std::filesystem::path version_folder(const RegistryCore& core, std::string_view folder,
                                     std::int64_t version);

}  // namespace onnxop
