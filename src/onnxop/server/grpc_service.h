#pragma once
// The methods of inference.GRPCInferenceService, but for ModelInfer, which has threads of its own
// (grpc_infer_threads.h).

#include <atomic>
#include <functional>
#include <string>
#include <string_view>

#include <open_inference.grpc.pb.h>

#include "onnxop/server/grpc_server.h"
#include "onnxop/serving/executors.h"

namespace onnxop {

namespace grpc_methods {

using Grpc = inference::GRPCInferenceService;
using Health = Grpc::WithCallbackMethod_ServerLive<
    Grpc::WithCallbackMethod_ServerReady<Grpc::WithCallbackMethod_ModelReady<Grpc::Service>>>;
using Descriptions = Grpc::WithCallbackMethod_ServerMetadata<Grpc::WithCallbackMethod_ModelMetadata<
    Grpc::WithCallbackMethod_ModelConfig<Grpc::WithCallbackMethod_ModelStatistics<Health>>>>;
using Repository =
    Grpc::WithCallbackMethod_RepositoryIndex<Grpc::WithCallbackMethod_RepositoryModelLoad<
        Grpc::WithCallbackMethod_RepositoryModelUnload<Descriptions>>>;
using All = Grpc::WithAsyncMethod_ModelInfer<Grpc::WithCallbackMethod_ModelStreamInfer<Repository>>;

}  // namespace grpc_methods

class GrpcService : public grpc_methods::All {
 public:
  GrpcService(const GrpcOptions& options, const ServingCore& core, std::string program_version)
      : options_(options), core_(core), version_(std::move(program_version)) {}

  std::atomic<bool> draining{false};

  grpc::ServerUnaryReactor* ServerLive(grpc::CallbackServerContext* context,
                                       const inference::ServerLiveRequest* request,
                                       inference::ServerLiveResponse* response) override;
  grpc::ServerUnaryReactor* ServerReady(grpc::CallbackServerContext* context,
                                        const inference::ServerReadyRequest* request,
                                        inference::ServerReadyResponse* response) override;
  grpc::ServerUnaryReactor* ModelReady(grpc::CallbackServerContext* context,
                                       const inference::ModelReadyRequest* request,
                                       inference::ModelReadyResponse* response) override;
  grpc::ServerUnaryReactor* ServerMetadata(grpc::CallbackServerContext* context,
                                           const inference::ServerMetadataRequest* request,
                                           inference::ServerMetadataResponse* response) override;
  grpc::ServerUnaryReactor* ModelMetadata(grpc::CallbackServerContext* context,
                                          const inference::ModelMetadataRequest* request,
                                          inference::ModelMetadataResponse* response) override;
  grpc::ServerBidiReactor<inference::ModelInferRequest, inference::ModelStreamInferResponse>*
  ModelStreamInfer(grpc::CallbackServerContext* context) override;
  grpc::ServerUnaryReactor* ModelConfig(grpc::CallbackServerContext* context,
                                        const inference::ModelConfigRequest* request,
                                        inference::ModelConfigResponse* response) override;
  grpc::ServerUnaryReactor* ModelStatistics(grpc::CallbackServerContext* context,
                                            const inference::ModelStatisticsRequest* request,
                                            inference::ModelStatisticsResponse* response) override;
  grpc::ServerUnaryReactor* RepositoryIndex(grpc::CallbackServerContext* context,
                                            const inference::RepositoryIndexRequest* request,
                                            inference::RepositoryIndexResponse* response) override;
  grpc::ServerUnaryReactor* RepositoryModelLoad(
      grpc::CallbackServerContext* context, const inference::RepositoryModelLoadRequest* request,
      inference::RepositoryModelLoadResponse* response) override;
  grpc::ServerUnaryReactor* RepositoryModelUnload(
      grpc::CallbackServerContext* context, const inference::RepositoryModelUnloadRequest* request,
      inference::RepositoryModelUnloadResponse* response) override;

 private:
  grpc::ServerUnaryReactor* answer_now(grpc::CallbackServerContext* context,
                                       std::string_view method, const std::function<void()>& work);
  grpc::ServerUnaryReactor* change(grpc::CallbackServerContext* context, std::string_view method,
                                   const std::string& model,
                                   void (ModelManager::*what)(const std::string&));

  const GrpcOptions& options_;
  const ServingCore& core_;
  std::string version_;
  Executors control_{1, 64};  // for what blocks
};

/// A stream of inferences, answered in the order in which they came.
grpc::ServerBidiReactor<inference::ModelInferRequest, inference::ModelStreamInferResponse>*
serve_stream(grpc::CallbackServerContext& context, const GrpcOptions& options,
             const ServingCore& core);

}  // namespace onnxop
