#pragma once
// The verbs of `onnxop models`, and what they share.

#include <string>
#include <string_view>

#include "onnxop/base/json.h"
#include "onnxop/cli/verb.h"
#include "onnxop/registry/registry.h"

namespace onnxop {

VerbAction declare_models_list(CLI::App& command);      // models_show.cpp
VerbAction declare_models_show(CLI::App& command);      // models_show.cpp
VerbAction declare_models_diff(CLI::App& command);      // models_diff.cpp
VerbAction declare_models_promote(CLI::App& command);   // models_promote.cpp
VerbAction declare_models_rollback(CLI::App& command);  // models_alias.cpp
VerbAction declare_models_alias(CLI::App& command);     // models_alias.cpp
VerbAction declare_models_history(CLI::App& command);   // models_history.cpp
VerbAction declare_models_tag(CLI::App& command);       // models_change.cpp
VerbAction declare_models_describe(CLI::App& command);  // models_change.cpp
VerbAction declare_models_delete(CLI::App& command);    // models_change.cpp
VerbAction declare_models_verify(CLI::App& command);    // models_verify.cpp

/// A model's name, or a version: "mnist", "mnist:3", "mnist@champion".
void show_model(const Registry& registry, const std::string& reference, bool json);

Json version_json(const ModelVersion& version);

/// Whether "mnist" or, with a number or an alias, a version of it is meant.
bool names_version(std::string_view reference);

/// Of the model `name`: "3", "latest" or "@champion". Throws Error{kNotFound}, {kInvalidArgument}.
ModelVersion find_version(const Registry& registry, const std::string& name,
                          const std::string& version);

}  // namespace onnxop
