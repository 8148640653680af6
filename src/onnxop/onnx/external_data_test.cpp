// Which external data check_model accepts and refuses.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "onnxop/base/file.h"
#include "onnxop/onnx/test_check.h"

namespace onnxop {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using namespace testing_models;

class ExternalData : public CheckModel {
 protected:
  ExternalData() {
    fs::create_directory(folder_.path() / "parts");
    folder_.write("data.bin", Bytes(100));
    auto* tensor = graph_->mutable_initializer(1);  // conv_w: 72 bytes
    tensor->clear_raw_data();
    tensor->set_data_location(onnx::TensorProto::EXTERNAL);
    set("location", "data.bin");
  }

  void set(const std::string& key, const std::string& value) {
    auto* tensor = graph_->mutable_initializer(1);
    for (auto& entry : *tensor->mutable_external_data()) {
      if (entry.key() == key) {
        entry.set_value(value);
        return;
      }
    }
    auto* entry = tensor->add_external_data();
    entry->set_key(key);
    entry->set_value(value);
  }
};

TEST_F(ExternalData, AcceptsASoundRange) {
  EXPECT_EQ(error(), "");
  set("offset", "28");
  set("length", "72");
  EXPECT_EQ(error(), "");
  folder_.write("parts/more.bin", Bytes(100));
  set("location", "parts/more.bin");
  EXPECT_EQ(error(), "");
  const auto described = describe_model(folder_.path() / "model.onnx");
  EXPECT_THAT(described.external_files, testing::ElementsAre("parts/more.bin"));
  EXPECT_EQ(described.file_bytes, fs::file_size(folder_.path() / "model.onnx") + 100);
}

TEST_F(ExternalData, RefusesPlacesOutsideTheFolder) {
  set("location", "/etc/passwd");
  EXPECT_THAT(error(), AllOf(HasSubstr("initializer 'conv_w'"),
                             HasSubstr("absolute location '/etc/passwd'")));
  set("location", "../data.bin");
  EXPECT_THAT(error(), HasSubstr("'../data.bin' with '..'"));
  set("location", "parts/../../x");
  EXPECT_THAT(error(), HasSubstr("with '..'"));
  set("location", "");
  EXPECT_THAT(error(), HasSubstr("no location"));
  set("location", ".");
  EXPECT_THAT(error(), HasSubstr("external data"));
  set("location", "parts");
  EXPECT_THAT(error(), HasSubstr("no regular file"));
  set("location", "*/_ORT_MEM_ADDR_/*");
  EXPECT_THAT(error(), HasSubstr("no file name"));
}

TEST_F(ExternalData, RefusesSymbolicLinksOutOfTheFolder) {
  const TemporaryFolder elsewhere;
  elsewhere.write("data.bin", Bytes(100));
  fs::create_symlink(elsewhere.path() / "data.bin", folder_.path() / "link.bin");
  set("location", "link.bin");
  EXPECT_THAT(error(), HasSubstr("'link.bin' leads out of the model's folder"));
  fs::create_symlink(elsewhere.path(), folder_.path() / "away");
  set("location", "away/data.bin");
  EXPECT_THAT(error(), HasSubstr("leads out of the model's folder"));
  // A folder whose name only begins like the model's.
  const fs::path beside = folder_.path().string() + "-beside";
  fs::create_directory(beside);
  write_file_atomically(beside / "data.bin", Bytes(100));
  fs::create_symlink(beside / "data.bin", folder_.path() / "beside.bin");
  set("location", "beside.bin");
  EXPECT_THAT(error(), HasSubstr("leads out of the model's folder"));
  fs::remove_all(beside);
  fs::create_symlink("data.bin", folder_.path() / "inside.bin");
  set("location", "inside.bin");
  EXPECT_EQ(error(), "");
}

TEST_F(ExternalData, RefusesRangesThatAreNotThere) {
  set("location", "absent.bin");
  EXPECT_THAT(error(), AllOf(HasSubstr("'absent.bin'"), HasSubstr("No such file")));
  set("location", "data.bin");
  set("offset", "29");
  EXPECT_THAT(error(),
              HasSubstr("bytes 29 to 101 lie beyond the end of 'data.bin', which has 100"));
  set("offset", "18446744073709551615");
  EXPECT_THAT(error(), HasSubstr("beyond the end"));
  set("offset", "-1");
  EXPECT_THAT(error(), HasSubstr("got offset '-1', expected a number of bytes"));
  set("offset", "0");
  set("length", "71");
  EXPECT_THAT(error(), HasSubstr("got a length of 71 bytes, expected 72"));
  set("length", "many");
  EXPECT_THAT(error(), HasSubstr("got length 'many'"));
}

TEST_F(ExternalData, ReadsNoDataOfALargeModel) {
  // 8 GiB of weights in a sparse file.
  auto* tensor = graph_->mutable_initializer(1);
  tensor->set_name("large");
  tensor->clear_dims();
  tensor->add_dims(std::int64_t{1} << 31);
  *graph_->add_initializer() = *tensor;
  tensor->Clear();
  onnx::ModelProto original;
  const Bytes bytes = serialize_model(conv_model());
  ASSERT_TRUE(original.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())));
  *tensor = original.graph().initializer(1);
  fs::resize_file(folder_.path() / "data.bin", std::uintmax_t{1} << 33);
  EXPECT_EQ(error(), "");
  const auto described = describe_model(folder_.path() / "model.onnx");
  EXPECT_GT(described.parameters, std::int64_t{1} << 31);
  EXPECT_GT(described.file_bytes, std::uint64_t{1} << 33);
}

}  // namespace
}  // namespace onnxop
