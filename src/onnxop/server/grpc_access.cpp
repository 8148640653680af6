#include "onnxop/server/grpc_access.h"

#include <array>
#include <utility>

#include <grpcpp/server_context.h>

#include "onnxop/server/grpc_call.h"
#include "onnxop/server/rate_limit.h"

namespace onnxop {
namespace {

Credentials credentials_of(const grpc::ServerContextBase& context) {
  const auto [first, last] = context.client_metadata().equal_range("authorization");
  Credentials credentials;
  if (first != last) {
    credentials.authorization = std::string_view(first->second.data(), first->second.size());
    credentials.ambiguous = std::next(first) != last;
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

grpc::Status admit(const GrpcOptions& options, const grpc::ServerContextBase& context,
                   std::string_view method, GrpcAsks asks) {
  const std::size_t fields = context.client_metadata().size();
  if (fields > options.limits.max_metadata_fields) {
    return {grpc::StatusCode::RESOURCE_EXHAUSTED,
            format("the call has {} metadata fields, expected at most {}", fields,
                   options.limits.max_metadata_fields)};
  }
  const Permission permission = grpc_permission(method);
  const grpc::Status apart = options.management_apart && permission == Permission::kManage
                                 ? grpc::Status(grpc::StatusCode::PERMISSION_DENIED,
                                                "the management is apart from inference, expected "
                                                "this over HTTP at its port (--manage-port)")
                                 : grpc::Status::OK;
  if (!options.gate) {
    return apart;
  }
  const Admission admission =
      options.gate->admit({.permission = permission,
                           .credentials = credentials_of(context),
                           .protocol = Protocol::kGrpc,
                           .what = method,
                           .address = [&context] { return address_of_peer(context.peer()); },
                           .counts = asks == GrpcAsks::kCall});
  return admission.problem ? grpc_status(*admission.problem) : apart;
}

}  // namespace onnxop
