#include "onnxop/base/storage_error.h"

#include <optional>

#include <gtest/gtest.h>

#include "onnxop/base/file.h"
#include "onnxop/base/folder.h"
#include "onnxop/base/test_error.h"
#include "onnxop/base/test_folder.h"

namespace onnxop {
namespace {

std::optional<StorageFault> fault_of(std::errc reason) {
  try {
    fail_to_write(std::make_error_code(reason), "/the/path: cannot write");
  } catch (const StorageError& e) {
    EXPECT_EQ(e.code(), ErrorCode::kIo);
    EXPECT_TRUE(std::string_view(e.what()).starts_with("/the/path: cannot write: ")) << e.what();
    return e.fault();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::kIo);
    EXPECT_TRUE(std::string_view(e.what()).starts_with("/the/path: cannot write: ")) << e.what();
  }
  return std::nullopt;
}

TEST(StorageError, SaysWhyNothingCanBeStored) {
  EXPECT_EQ(fault_of(std::errc::no_space_on_device), StorageFault::kFull);
  EXPECT_EQ(fault_of(std::errc::read_only_file_system), StorageFault::kNotWritable);
  EXPECT_EQ(fault_of(std::errc::permission_denied), StorageFault::kNotWritable);
  EXPECT_EQ(fault_of(std::errc::operation_not_permitted), StorageFault::kNotWritable);
  EXPECT_EQ(fault_of(std::errc::io_error), std::nullopt);
  EXPECT_EQ(fault_of(std::errc::is_a_directory), std::nullopt);
}

// /sys and /proc can be written to by nobody who makes a file there.
TEST(StorageError, IsWhatAWriteEndsWith) {
  EXPECT_THROW(write_file_atomically("/sys/kernel/onnxop-test", as_bytes("x")), StorageError);
  const TestFolder folder;
  EXPECT_THROW(copy_to_new_file(folder.write("from", "x"), "/sys/kernel/onnxop-test"),
               StorageError);
  EXPECT_THROW(make_folders("/sys/kernel/onnxop-test/below"), StorageError);
}

TEST(StorageError, SaysWhichFolderCannotBeMade) {
  const TestFolder folder;
  make_folders(folder.path() / "a" / "b");
  make_folders(folder.path() / "a" / "b");  // it may be there
  const auto below_file = folder.write("file", "x") / "below";
  const Error caught = error_of([&] { make_folders(below_file); });
  EXPECT_EQ(caught.code(), ErrorCode::kIo);
  EXPECT_TRUE(std::string_view(caught.what())
                  .starts_with(below_file.string() + ": cannot make the folder: "))
      << caught.what();
}

}  // namespace
}  // namespace onnxop
