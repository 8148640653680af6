#pragma once
// Which registered versions have no files but a run's or a logged model's: versions without a
// model.onnx are downloaded from where they were registered from. No part of the room's interface;
// inside a transaction.

#include <string>
#include <vector>

namespace onnxop {

class Session;

/// Those that need the artifacts of the run: "digits:3", by name and number.
std::vector<std::string> versions_that_need_run(Session& session, const std::string& run_id);

/// Those that need the artifacts of the logged model.
std::vector<std::string> versions_that_need_model(Session& session, const std::string& model_id);

}  // namespace onnxop
