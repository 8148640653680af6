#include "onnxop/wire/grpc_reflection.h"

#include <gmock/gmock.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>
#include <gtest/gtest.h>
#include <reflection_v1.pb.h>

#include "onnxop/base/error.h"
#include "onnxop/base/test_error.h"

namespace onnxop {
namespace {

using grpc::reflection::v1::ServerReflectionRequest;
using grpc::reflection::v1::ServerReflectionResponse;

ServerReflectionResponse ask(const ServerReflectionRequest& request) {
  const std::string frame = answer_reflection(request.SerializeAsString());
  ServerReflectionResponse response;
  EXPECT_TRUE(response.ParseFromString(frame.substr(5)));
  EXPECT_EQ(response.original_request().SerializeAsString(), request.SerializeAsString());
  return response;
}

TEST(GrpcReflection, ListsTheServices) {
  ServerReflectionRequest request;
  request.set_list_services("");
  std::vector<std::string> names;
  const ServerReflectionResponse response = ask(request);
  for (const auto& service : response.list_services_response().service()) {
    names.push_back(service.name());
  }
  EXPECT_THAT(names, testing::UnorderedElementsAre("inference.GRPCInferenceService",
                                                   "grpc.health.v1.Health",
                                                   "grpc.reflection.v1.ServerReflection",
                                                   "grpc.reflection.v1alpha.ServerReflection"));
}

TEST(GrpcReflection, AClientCanBuildTheServiceFromIt) {
  for (const std::string symbol :
       {"inference.GRPCInferenceService", "inference.GRPCInferenceService.ModelInfer",
        "inference.ModelInferRequest.InferInputTensor"}) {
    ServerReflectionRequest request;
    request.set_file_containing_symbol(symbol);
    const auto response = ask(request);
    ASSERT_EQ(response.file_descriptor_response().file_descriptor_proto_size(), 1) << symbol;
    google::protobuf::FileDescriptorProto file;
    ASSERT_TRUE(file.ParseFromString(response.file_descriptor_response().file_descriptor_proto(0)));
    google::protobuf::DescriptorPool pool;
    ASSERT_NE(pool.BuildFile(file), nullptr);
    EXPECT_EQ(pool.FindServiceByName("inference.GRPCInferenceService")->method_count(), 12);
    ServerReflectionRequest by_name;
    by_name.set_file_by_filename(file.name());
    EXPECT_EQ(ask(by_name).file_descriptor_response().SerializeAsString(),
              response.file_descriptor_response().SerializeAsString());
  }
}

TEST(GrpcReflection, WhatIsNotServedIsNotShown) {
  // Messages of the program's own, too.
  for (const std::string symbol : {"nothing", "google.protobuf.FileDescriptorProto", ""}) {
    ServerReflectionRequest request;
    request.set_file_containing_symbol(symbol);
    EXPECT_EQ(ask(request).error_response().error_code(), 5) << symbol;
  }
  ServerReflectionRequest extension;
  extension.mutable_file_containing_extension()->set_containing_type("inference.ModelConfig");
  EXPECT_EQ(ask(extension).error_response().error_code(), 5);
  ServerReflectionRequest extensions;
  extensions.set_all_extension_numbers_of_type("inference.ModelConfig");
  EXPECT_EQ(ask(extensions).all_extension_numbers_response().extension_number_size(), 0);
  extensions.set_all_extension_numbers_of_type("nothing");
  EXPECT_EQ(ask(extensions).error_response().error_code(), 5);
  EXPECT_EQ(ask({}).error_response().error_code(), 3);
  EXPECT_EQ(code_of([] { answer_reflection("\x0A"); }), ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace onnxop
