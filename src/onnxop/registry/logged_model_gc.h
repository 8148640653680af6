#pragma once
// Logged models that go for good. No part of the room's interface; inside a transaction.

#include <string>
#include <vector>

namespace onnxop {

class Session;

struct DoomedModel {
  long long number = 0;
  std::string model_id;
  std::string experiment_folder;
};

/// Those for whom `condition` holds, of m, a logged model; oldest first.
std::vector<DoomedModel> find_doomed_models(Session& session, const std::string& condition);

/// With all that belongs to it but the contents of its artifacts.
void remove_logged_model(Session& session, const DoomedModel& model);

}  // namespace onnxop
