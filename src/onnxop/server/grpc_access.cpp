#include "onnxop/server/grpc_access.h"

#include <array>
#include <utility>

#include "onnxop/server/grpc_call.h"
#include "onnxop/server/grpc_status.h"

namespace onnxop {
namespace {

Credentials credentials_of(const GrpcHead& head) {
  Credentials credentials;
  for (const auto& [name, value] : head.metadata) {
    if (name == "authorization") {
      credentials.ambiguous = credentials.authorization.has_value();
      credentials.authorization = credentials.authorization.value_or(value);
    }
  }
  return credentials;
}

}  // namespace

Permission grpc_permission(std::string_view method) {
  constexpr std::array<std::pair<std::string_view, Permission>, 12> kMethods{
      {{"ServerLive", Permission::kOpen},
       {"ServerReady", Permission::kOpen},
       {"ModelReady", Permission::kDescribe},
       {"ServerMetadata", Permission::kDescribe},
       {"ModelMetadata", Permission::kDescribe},
       {"ModelConfig", Permission::kDescribe},
       {"ModelInfer", Permission::kInfer},
       {"ModelStreamInfer", Permission::kInfer},
       {"ModelStatistics", Permission::kRead},
       {"RepositoryIndex", Permission::kRead},
       {"RepositoryModelLoad", Permission::kManage},
       {"RepositoryModelUnload", Permission::kManage}}};
  for (const auto& [name, permission] : kMethods) {
    if (name == method) {
      return permission;
    }
  }
  return Permission::kUnset;
}

GrpcStatus admit(const GrpcOptions& options, const GrpcHead& head, std::string_view method,
                 Permission permission, GrpcAsks asks) {
  const GrpcStatus apart =
      options.management_apart && permission == Permission::kManage
          ? GrpcStatus{GrpcCode::kPermissionDenied,
                       "the management is apart from inference, expected this over HTTP at its "
                       "port (--manage-port)"}
          : GrpcStatus{};
  if (!options.gate) {
    return apart;
  }
  const Admission admission = options.gate->admit({.permission = permission,
                                                   .credentials = credentials_of(head),
                                                   .protocol = Protocol::kGrpc,
                                                   .what = method,
                                                   .address = head.address,
                                                   .counts = asks == GrpcAsks::kCall});
  return admission.problem ? grpc_status(*admission.problem) : apart;
}

}  // namespace onnxop
