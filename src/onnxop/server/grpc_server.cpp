#include "onnxop/server/grpc_server.h"

#include <memory>
#include <utility>
#include <vector>

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/impl/server_builder_option.h>

#include "onnxop/base/error.h"
#include "onnxop/base/log.h"
#include "onnxop/server/grpc_acceptor.h"
#include "onnxop/server/grpc_infer_threads.h"
#include "onnxop/server/grpc_service.h"
#include "onnxop/server/grpc_tls.h"

namespace onnxop {

namespace {

/// Every builder has the plugin: the library sees to that by itself.
class WithoutReflection : public grpc::ServerBuilderOption {
 public:
  void UpdateArguments(grpc::ChannelArguments*) override {}
  void UpdatePlugins(std::vector<std::unique_ptr<grpc::ServerBuilderPlugin>>* plugins) override {
    const std::string name = grpc::reflection::ProtoServerReflectionPlugin().name();
    std::erase_if(*plugins, [&](const auto& plugin) { return plugin->name() == name; });
  }
};

}  // namespace

class GrpcServer::Impl {
 public:
  Impl(const GrpcOptions& options, const ServingCore& core, std::string version)
      : options_(options),
        core_(core),
        service_(options_, core_, std::move(version)),
        acceptor_(options_.host, options_.port, options_.limits.max_connections) {
    grpc::EnableDefaultHealthCheckService(true);
    grpc::reflection::InitProtoReflectionServerBuilderPlugin();
    grpc::ServerBuilder builder;
    if (options_.gate && options_.gate->has_tokens()) {
      builder.SetOption(std::make_unique<WithoutReflection>());
    }
    set_limits(builder, options_.limits);
    if (options_.tls) {
      certificates_ = std::make_unique<GrpcCertificates>(options_.tls);
    }
    auto connections = builder.experimental().AddExternalConnectionAcceptor(
        grpc::ServerBuilder::experimental_type::ExternalConnectionType::FROM_FD,
        certificates_ ? certificates_->credentials() : grpc::InsecureServerCredentials());
    builder.RegisterService(&service_);
    infer_threads_ = std::make_unique<GrpcInferThreads>(options_, core_, service_, builder);
    server_ = builder.BuildAndStart();
    if (!server_) {
      fail(ErrorCode::kFailedPrecondition, "gRPC cannot be started");
    }
    infer_threads_->start();
    acceptor_.start(std::move(connections));
    log_fields(LogLevel::kInfo, "serving gRPC",
               {{"address", format("{}:{}", options_.host, port())},
                {"tls", options_.tls ? std::string_view("yes") : std::string_view("no")}});
  }

  std::uint16_t port() const { return acceptor_.port(); }
  std::int64_t connections() { return static_cast<std::int64_t>(acceptor_.connections()); }

  void begin_drain() {
    service_.draining = true;
    if (auto* health = server_->GetHealthCheckService()) {
      health->SetServingStatus(false);
    }
  }

  void stop(std::chrono::milliseconds patience) {
    acceptor_.stop();
    infer_threads_->take_no_more();
    server_->Shutdown(std::chrono::system_clock::now() + patience);
    server_->Wait();
    infer_threads_->stop();
  }

 private:
  GrpcOptions options_;
  ServingCore core_;
  GrpcService service_;
  std::unique_ptr<GrpcCertificates> certificates_;
  GrpcAcceptor acceptor_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<GrpcInferThreads> infer_threads_;
};

GrpcServer::GrpcServer(const GrpcOptions& options, const ServingCore& core,
                       std::string program_version)
    : impl_(std::make_unique<Impl>(options, core, std::move(program_version))) {}

GrpcServer::~GrpcServer() {
  impl_->stop(std::chrono::milliseconds(0));
}

std::uint16_t GrpcServer::port() const {
  return impl_->port();
}

std::int64_t GrpcServer::connections() const {
  return impl_->connections();
}

void GrpcServer::begin_drain() {
  impl_->begin_drain();
}

void GrpcServer::stop(std::chrono::milliseconds patience) {
  impl_->stop(patience);
}

}  // namespace onnxop
