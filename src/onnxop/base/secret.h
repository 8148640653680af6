#pragma once
// What secrets are made of, how they are compared, and their files. Safe from any thread.

#include <cstddef>
#include <filesystem>
#include <span>
#include <string_view>

namespace onnxop {

/// Fills `bytes` from the system's cryptographic generator. Throws Error{kInternal} where it fails.
void fill_secret(std::span<std::byte> bytes);

/// Takes the same time wherever two texts of one length differ.
bool equal_in_constant_time(std::string_view a, std::string_view b);

/// As write_file_atomically(), for the owner alone to read and write (mode 0600).
void write_secret_file(const std::filesystem::path& path, std::span<const std::byte> content);

}  // namespace onnxop
