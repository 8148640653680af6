#pragma once
// What the fuzz targets share. A target is a file NAME_fuzz.cpp with one function, which gets any
// bytes whatever and must come back: an Error of a kind that wrong bytes may cause is an answer,
// everything else (another exception, a sanitizer's report, a wait, memory without end) a finding.
// libFuzzer calls the function (preset fuzz), and replay.cpp in every other build.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <initializer_list>
#include <span>

#include "onnxop/base/error.h"
#include "onnxop/base/file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace onnxop::fuzz {

inline std::span<const std::byte> bytes_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const std::byte*>(data), size};
}

/// Ends the program, for the fuzzer to report, unless `holds`.
inline void require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

/// Runs it; an Error of one of the codes is an answer.
template <typename Action>
void allow(std::initializer_list<ErrorCode> codes, Action action) {
  try {
    action();
  } catch (const Error& e) {
    for (const ErrorCode code : codes) {
      if (e.code() == code) {
        return;
      }
    }
    throw;
  }
}

/// A file in a folder of its own, with other bytes at each call, for what reads files.
class InputFile {
 public:
  InputFile();
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  const std::filesystem::path& write(std::span<const std::byte> bytes);

 private:
  std::filesystem::path folder_;
  std::filesystem::path path_;
};

}  // namespace onnxop::fuzz
