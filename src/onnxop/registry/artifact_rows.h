#pragma once
// Artifacts as the table holds them. No part of the room's interface; inside a transaction.

#include <string>

namespace onnxop {

class Session;

/// All that is in the folder, not the root, at any depth; there may be nothing.
void remove_artifacts_below(Session& session, const std::string& folder);

}  // namespace onnxop
