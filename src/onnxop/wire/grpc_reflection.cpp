#include "onnxop/wire/grpc_reflection.h"

#include <functional>
#include <map>
#include <vector>

#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>
#include <health.pb.h>
#include <open_inference.pb.h>
#include <reflection_v1.pb.h>
#include <reflection_v1alpha.pb.h>

#include "onnxop/base/error.h"
#include "onnxop/wire/grpc_protocol.h"

namespace onnxop {
namespace {

using google::protobuf::FileDescriptor;
using grpc::reflection::v1::ServerReflectionRequest;
using grpc::reflection::v1::ServerReflectionResponse;

/// The files with what is served. Other messages of the program are nobody's business.
std::vector<const FileDescriptor*> files() {
  return {inference::ModelInferRequest::descriptor()->file(),
          grpc::health::v1::HealthCheckRequest::descriptor()->file(),
          ServerReflectionRequest::descriptor()->file(),
          grpc::reflection::v1alpha::ServerReflectionRequest::descriptor()->file()};
}

using Symbols = std::map<std::string, const FileDescriptor*, std::less<>>;

void add_message(const google::protobuf::Descriptor& message, Symbols& symbols) {
  symbols[message.full_name()] = message.file();
  for (int i = 0; i < message.nested_type_count(); ++i) {
    add_message(*message.nested_type(i), symbols);
  }
  for (int i = 0; i < message.enum_type_count(); ++i) {
    symbols[message.enum_type(i)->full_name()] = message.file();
  }
}

void add_service(const google::protobuf::ServiceDescriptor& service, Symbols& symbols) {
  symbols[service.full_name()] = service.file();
  for (int i = 0; i < service.method_count(); ++i) {
    symbols[service.method(i)->full_name()] = service.file();
  }
}

/// Where each name is defined. The pool of all messages is not asked: it remembers every name that
/// it did not find.
const Symbols& symbols() {
  static const Symbols all = [] {
    Symbols made;
    for (const FileDescriptor* file : files()) {
      for (int i = 0; i < file->message_type_count(); ++i) {
        add_message(*file->message_type(i), made);
      }
      for (int i = 0; i < file->enum_type_count(); ++i) {
        made[file->enum_type(i)->full_name()] = file;
      }
      for (int i = 0; i < file->service_count(); ++i) {
        add_service(*file->service(i), made);
      }
    }
    return made;
  }();
  return all;
}

const FileDescriptor* file_of_symbol(const std::string& symbol) {
  const auto found = symbols().find(symbol);
  return found == symbols().end() ? nullptr : found->second;
}

const FileDescriptor* file_of_name(const std::string& name) {
  for (const FileDescriptor* file : files()) {
    if (file->name() == name) {
      return file;
    }
  }
  return nullptr;
}

void put_error(GrpcCode code, std::string message, ServerReflectionResponse& response) {
  auto& error = *response.mutable_error_response();
  error.set_error_code(static_cast<int>(code));
  error.set_error_message(std::move(message));
}

/// None of them imports another.
void put_file(const FileDescriptor* file, const std::string& asked,
              ServerReflectionResponse& response) {
  if (file == nullptr) {
    put_error(GrpcCode::kNotFound, format("'{}' is not known here", asked), response);
    return;
  }
  google::protobuf::FileDescriptorProto description;
  file->CopyTo(&description);
  response.mutable_file_descriptor_response()->add_file_descriptor_proto(
      description.SerializeAsString());
}

void put_services(ServerReflectionResponse& response) {
  auto& list = *response.mutable_list_services_response();
  for (const FileDescriptor* file : files()) {
    for (int i = 0; i < file->service_count(); ++i) {
      list.add_service()->set_name(file->service(i)->full_name());
    }
  }
}

/// No message of these can be extended.
void put_no_extensions(const std::string& type, ServerReflectionResponse& response) {
  if (file_of_symbol(type) == nullptr) {
    put_error(GrpcCode::kNotFound, format("'{}' is not known here", type), response);
  } else {
    response.mutable_all_extension_numbers_response()->set_base_type_name(type);
  }
}

}  // namespace

std::string answer_reflection(std::string_view bytes) {
  ServerReflectionRequest request;
  if (!request.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    fail(ErrorCode::kInvalidArgument, "the message is no ServerReflectionRequest");
  }
  ServerReflectionResponse response;
  response.set_valid_host(request.host());
  *response.mutable_original_request() = request;
  switch (request.message_request_case()) {
    case ServerReflectionRequest::kFileByFilename:
      put_file(file_of_name(request.file_by_filename()), request.file_by_filename(), response);
      break;
    case ServerReflectionRequest::kFileContainingSymbol:
      put_file(file_of_symbol(request.file_containing_symbol()), request.file_containing_symbol(),
               response);
      break;
    case ServerReflectionRequest::kFileContainingExtension:
      put_error(GrpcCode::kNotFound, "nothing is extended here", response);
      break;
    case ServerReflectionRequest::kAllExtensionNumbersOfType:
      put_no_extensions(request.all_extension_numbers_of_type(), response);
      break;
    case ServerReflectionRequest::kListServices:
      put_services(response);
      break;
    case ServerReflectionRequest::MESSAGE_REQUEST_NOT_SET:
      put_error(GrpcCode::kInvalidArgument, "nothing is asked for", response);
      break;
  }
  return grpc_frame(response);
}

}  // namespace onnxop
