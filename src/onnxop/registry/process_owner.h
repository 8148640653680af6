#pragma once
// Names a process so that another one can tell later whether it is gone: a number alone is used
// again, and means something else in another container or after a restart.

#include <string>
#include <string_view>

namespace onnxop {

/// The calling process as one word-separated line, for a database column.
std::string current_process_owner();

/// True only when the named process surely has ended; false for one of another machine or
/// container, and for text that names none.
bool owner_is_gone(std::string_view owner_text);

/// True only when the named process surely runs; false for one of another machine or container.
bool owner_is_alive(std::string_view owner_text);

/// For people: "process 123 on HOST".
std::string describe_owner(std::string_view owner_text);

}  // namespace onnxop
