#pragma once
// Who started a run, and from what source: for its tags.

#include <filesystem>
#include <string>

namespace onnxop {

/// The user's name, else the user's number.
std::string current_user();

/// The commit that is checked out in the git working folder that `folder` lies in, read from its
/// files without git; "" where there is none.
std::string git_commit(const std::filesystem::path& folder);

}  // namespace onnxop
