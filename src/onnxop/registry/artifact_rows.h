#pragma once
// Artifacts as the table holds them. No part of the room's interface; inside a transaction.

#include <string>

namespace soci {
class session;
}

namespace onnxop {

/// All that is in the folder, not the root, at any depth; there may be nothing.
void remove_artifacts_below(soci::session& session, const std::string& folder);

}  // namespace onnxop
