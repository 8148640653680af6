#include "onnxop/server/grpc_service.h"

#include <utility>

#include "onnxop/base/error.h"
#include "onnxop/server/grpc_access.h"
#include "onnxop/server/grpc_call.h"
#include "onnxop/server/model_reports.h"
#include "onnxop/wire/oip_grpc.h"

namespace onnxop {
namespace {

using Context = grpc::CallbackServerContext;
using Unary = grpc::ServerUnaryReactor;

Unary* end_with(Context* context, const grpc::Status& status) {
  Unary* const reactor = context->DefaultReactor();
  reactor->Finish(status);
  return reactor;
}

/// Work for a control thread, which ends with it.
class ControlJob : public Job {
 public:
  explicit ControlJob(std::function<void()> work) : work_(std::move(work)) {}
  void run() noexcept override {
    work_();
    delete this;
  }

 private:
  std::function<void()> work_;
};

/// A stream that is refused.
class RefusingReactor : public grpc::ServerBidiReactor<inference::ModelInferRequest,
                                                       inference::ModelStreamInferResponse> {
 public:
  explicit RefusingReactor(const grpc::Status& status) { Finish(status); }
  void OnDone() override { delete this; }
};

}  // namespace

/// A call whose answer is made at once.
Unary* GrpcService::answer_now(Context* context, std::string_view method,
                               const std::function<void()>& work) {
  const grpc::Status admitted = admit(options_, *context, method);
  return end_with(context, admitted.ok() ? status_of(work) : admitted);
}

Unary* GrpcService::ServerLive(Context* context, const inference::ServerLiveRequest*,
                               inference::ServerLiveResponse* response) {
  return answer_now(context, "ServerLive", [&] { response->set_live(true); });
}

Unary* GrpcService::ServerReady(Context* context, const inference::ServerReadyRequest*,
                                inference::ServerReadyResponse* response) {
  return answer_now(context, "ServerReady", [&] { response->set_ready(!draining); });
}

Unary* GrpcService::ModelReady(Context* context, const inference::ModelReadyRequest* request,
                               inference::ModelReadyResponse* response) {
  return answer_now(context, "ModelReady", [&] {
    try {
      resolve_model(*core_.catalog.snapshot(), request->name(), request->version());
      response->set_ready(true);
    } catch (const Error& e) {
      if (e.code() != ErrorCode::kNotFound) {
        throw;
      }
      response->set_ready(false);
    }
  });
}

Unary* GrpcService::ServerMetadata(Context* context, const inference::ServerMetadataRequest*,
                                   inference::ServerMetadataResponse* response) {
  return answer_now(context, "ServerMetadata", [&] {
    response->set_name("onnxop");
    response->set_version(version_);
    for (const std::string& extension : oip_extensions()) {
      response->add_extensions(extension);
    }
  });
}

Unary* GrpcService::ModelMetadata(Context* context, const inference::ModelMetadataRequest* request,
                                  inference::ModelMetadataResponse* response) {
  return answer_now(context, "ModelMetadata", [&] {
    const auto set = core_.catalog.snapshot();
    write_metadata(describe_served(*resolve_model(*set, request->name(), request->version()), *set),
                   *response);
  });
}

grpc::ServerBidiReactor<inference::ModelInferRequest, inference::ModelStreamInferResponse>*
GrpcService::ModelStreamInfer(Context* context) {
  const grpc::Status admitted = admit(options_, *context, "ModelStreamInfer", GrpcAsks::kStream);
  if (!admitted.ok()) {
    return new RefusingReactor(admitted);
  }
  return serve_stream(*context, options_, core_);
}

Unary* GrpcService::ModelConfig(Context* context, const inference::ModelConfigRequest* request,
                                inference::ModelConfigResponse* response) {
  return answer_now(context, "ModelConfig", [&] {
    const auto set = core_.catalog.snapshot();
    const ModelLease model = resolve_model(*set, request->name(), request->version());
    write_config(describe_served(*model, *set), config_of(*model, core_),
                 *response->mutable_config());
  });
}

Unary* GrpcService::ModelStatistics(Context* context,
                                    const inference::ModelStatisticsRequest* request,
                                    inference::ModelStatisticsResponse* response) {
  return answer_now(context, "ModelStatistics", [&] {
    const auto set = core_.catalog.snapshot();
    if (!request->name().empty()) {
      write_statistics(statistics_of(*resolve_model(*set, request->name(), request->version())),
                       *response->add_model_stats());
      return;
    }
    for (const ModelLease& model : set->models()) {
      write_statistics(statistics_of(*model), *response->add_model_stats());
    }
  });
}

Unary* GrpcService::RepositoryIndex(Context* context,
                                    const inference::RepositoryIndexRequest* request,
                                    inference::RepositoryIndexResponse* response) {
  return answer_now(context, "RepositoryIndex", [&] {
    for (const IndexedVersion& version : index_of(core_)) {
      if (request->ready() && version.state != "READY") {
        continue;
      }
      auto& added = *response->add_models();
      added.set_name(version.name);
      added.set_version(format("{}", version.version));
      added.set_state(std::string(version.state));
      added.set_reason(version.reason);
    }
  });
}

Unary* GrpcService::change(Context* context, std::string_view method, const std::string& model,
                           void (ModelManager::*what)(const std::string&)) {
  const grpc::Status admitted = admit(options_, *context, method);
  if (!admitted.ok()) {
    return end_with(context, admitted);
  }
  if (core_.manager == nullptr) {
    return end_with(context,
                    {grpc::StatusCode::UNIMPLEMENTED, "this server has a fixed set of models"});
  }
  Unary* const reactor = context->DefaultReactor();
  auto job = std::make_unique<ControlJob>([manager = core_.manager, reactor, model, what] {
    reactor->Finish(status_of([&] { (manager->*what)(model); }));
  });
  if (control_.try_submit(*job)) {
    static_cast<void>(job.release());  // it ends itself
  } else {
    reactor->Finish({grpc::StatusCode::UNAVAILABLE, "too many changes wait already"});
  }
  return reactor;
}

Unary* GrpcService::RepositoryModelLoad(Context* context,
                                        const inference::RepositoryModelLoadRequest* request,
                                        inference::RepositoryModelLoadResponse*) {
  return change(context, "RepositoryModelLoad", request->model_name(), &ModelManager::load);
}

Unary* GrpcService::RepositoryModelUnload(Context* context,
                                          const inference::RepositoryModelUnloadRequest* request,
                                          inference::RepositoryModelUnloadResponse*) {
  return change(context, "RepositoryModelUnload", request->model_name(), &ModelManager::unload);
}

}  // namespace onnxop
