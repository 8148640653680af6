#include "onnxop/server/grpc_methods.h"

#include <utility>

#include <google/protobuf/message_lite.h>
#include <health.pb.h>
#include <open_inference.pb.h>

#include "onnxop/base/error.h"
#include "onnxop/server/grpc_status.h"
#include "onnxop/server/model_reports.h"
#include "onnxop/wire/grpc_reflection.h"
#include "onnxop/wire/oip_grpc.h"

namespace onnxop {
namespace {

constexpr std::string_view kInference = "inference.GRPCInferenceService";
constexpr std::string_view kHealth = "grpc.health.v1.Health";
/// Of messages that hold names: who may send no inferences has no memory for them.
constexpr std::size_t kShortMessage = 64U << 10;

template <typename Message>
Message parsed(std::string_view bytes) {
  Message message;
  if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    fail(ErrorCode::kInvalidArgument, "the message is no {}", message.GetTypeName());
  }
  return message;
}

/// Answered at once: a message to an answer with its prefix.
using QuickAnswer = std::function<std::string(std::string_view)>;

class QuickCall : public GrpcUnaryCall {
 public:
  QuickCall(GrpcReply& reply, const QuickAnswer& answer) : GrpcUnaryCall(reply), answer_(answer) {}

 private:
  void answer(GrpcMessage message) override {
    reply().send(answer_(message.text()));
    reply().finish({});
  }

  const QuickAnswer& answer_;
};

/// Work for a control thread, and its end for the call, if that is still there.
class ControlJob : public Job, public GrpcWork {
 public:
  ControlJob(GrpcThread& thread, std::function<void()> work,
             std::function<void(const GrpcStatus&)> on_done)
      : thread_(thread), work_(std::move(work)), on_done_(std::move(on_done)) {}

  void run() noexcept override {
    begun_ = true;
    status_ = status_of(work_);
    const auto at_work = thread_.at_work;
    thread_.ready.add(*this, thread_.executor);
    GrpcThread::work_ended(*at_work);
  }
  void forget() { on_done_ = nullptr; }
  /// When the control thread has ended too.
  void give_up() override {
    if (!begun_) {
      GrpcThread::work_ended(*thread_.at_work);
    }
  }

  /// On the I/O thread. False: too many wait already.
  static bool submit(const std::shared_ptr<ControlJob>& job, Executors& control) {
    job->thread_.work_begins();
    if (!control.try_submit(*job)) {
      GrpcThread::work_ended(*job->thread_.at_work);
      return false;
    }
    job->self_ = job;
    job->thread_.elsewhere.insert(job);
    return true;
  }

 private:
  void on_ready() override {
    const auto self = self_.lock();
    thread_.elsewhere.erase(self);
    if (on_done_) {
      on_done_(status_);
    }
  }

  GrpcThread& thread_;
  std::function<void()> work_;
  std::function<void(const GrpcStatus&)> on_done_;
  std::weak_ptr<ControlJob> self_;
  GrpcStatus status_;
  bool begun_ = false;
};

/// Changes what is served.
template <typename Request, typename Response>
class ChangeCall : public GrpcUnaryCall {
 public:
  using Change = void (ModelManager::*)(const std::string&);

  ChangeCall(const GrpcContext& context, GrpcReply& reply, Change change)
      : GrpcUnaryCall(reply), context_(context), change_(change) {}
  ~ChangeCall() override {
    if (job_) {
      job_->forget();
    }
  }

 private:
  void answer(GrpcMessage message) override {
    ModelManager& manager = manager_of(context_.core);
    job_ = std::make_shared<ControlJob>(
        reply().thread(),
        [&manager, change = change_, model = parsed<Request>(message.text()).model_name()] {
          (manager.*change)(model);
        },
        [this](const GrpcStatus& status) {
          if (status.ok()) {
            reply().send(grpc_frame(Response()));
          }
          reply().finish(status);
        });
    if (!ControlJob::submit(job_, context_.control)) {
      fail(ErrorCode::kUnavailable, "too many changes wait already");
    }
  }

  const GrpcContext& context_;
  Change change_;
  std::shared_ptr<ControlJob> job_;
};

class ReflectionCall : public GrpcCall {
 public:
  explicit ReflectionCall(GrpcReply& reply) : reply_(reply) {}
  void on_message(GrpcMessage message) override { reply_.send(answer_reflection(message.text())); }
  void on_end() override { reply_.finish({}); }

 private:
  GrpcReply& reply_;
};

using Health = grpc::health::v1::HealthCheckResponse;

bool is_known_service(std::string_view service) {
  return service.empty() || service == kInference || service == kHealth;
}

std::string health_frame(Health::ServingStatus status) {
  Health health;
  health.set_status(status);
  return grpc_frame(health);
}

Health::ServingStatus health_of(const GrpcContext& context) {
  return context.draining ? Health::NOT_SERVING : Health::SERVING;
}

std::string check_health(const GrpcContext& context, std::string_view message) {
  const auto request = parsed<grpc::health::v1::HealthCheckRequest>(message);
  if (!is_known_service(request.service())) {
    fail(ErrorCode::kNotFound, "there is no service '{}'", request.service());
  }
  return health_frame(health_of(context));
}

/// Goes on until the client has heard enough.
class WatchCall : public GrpcUnaryCall {
 public:
  WatchCall(const GrpcContext& context, GrpcReply& reply)
      : GrpcUnaryCall(reply), context_(context) {}

  void on_drain() override {
    if (known_) {
      reply().send(health_frame(Health::NOT_SERVING));
    }
  }
  /// It would keep the connection for ever: the client watches over another one.
  void on_retire() override {
    reply().finish({GrpcCode::kUnavailable, "the connection ends: watch over a new one"});
  }

 private:
  void answer(GrpcMessage message) override {
    known_ =
        is_known_service(parsed<grpc::health::v1::HealthCheckRequest>(message.text()).service());
    reply().send(health_frame(known_ ? health_of(context_) : Health::SERVICE_UNKNOWN));
  }

  const GrpcContext& context_;
  bool known_ = false;
};

/// The methods that are answered at once.
class Reports {
 public:
  explicit Reports(const GrpcContext& context) : context_(context) {}

  void live(const inference::ServerLiveRequest&, inference::ServerLiveResponse& response) const {
    response.set_live(true);
  }
  void ready(const inference::ServerReadyRequest&, inference::ServerReadyResponse& response) const {
    response.set_ready(!context_.draining);
  }
  void model_ready(const inference::ModelReadyRequest& request,
                   inference::ModelReadyResponse& response) const {
    try {
      resolve_model(*context_.core.catalog.snapshot(), request.name(), request.version());
      response.set_ready(true);
    } catch (const Error& e) {
      if (e.code() != ErrorCode::kNotFound) {
        throw;
      }
      response.set_ready(false);
    }
  }
  void server_metadata(const inference::ServerMetadataRequest&,
                       inference::ServerMetadataResponse& response) const {
    response.set_name("onnxop");
    response.set_version(context_.version);
    for (const std::string& extension : oip_extensions()) {
      response.add_extensions(extension);
    }
  }
  void metadata(const inference::ModelMetadataRequest& request,
                inference::ModelMetadataResponse& response) const {
    const auto set = context_.core.catalog.snapshot();
    write_metadata(describe_served(*resolve_model(*set, request.name(), request.version()), *set),
                   response);
  }
  void config(const inference::ModelConfigRequest& request,
              inference::ModelConfigResponse& response) const {
    const auto set = context_.core.catalog.snapshot();
    const ModelLease model = resolve_model(*set, request.name(), request.version());
    write_config(describe_served(*model, *set), config_of(*model, context_.core),
                 *response.mutable_config());
  }
  void statistics(const inference::ModelStatisticsRequest& request,
                  inference::ModelStatisticsResponse& response) const {
    const auto set = context_.core.catalog.snapshot();
    if (!request.name().empty()) {
      write_statistics(statistics_of(*resolve_model(*set, request.name(), request.version())),
                       *response.add_model_stats());
      return;
    }
    for (const ModelLease& model : set->models()) {
      write_statistics(statistics_of(*model), *response.add_model_stats());
    }
  }
  void index(const inference::RepositoryIndexRequest& request,
             inference::RepositoryIndexResponse& response) const {
    for (const IndexedVersion& version : index_of(context_.core)) {
      if (request.ready() && version.state != "READY") {
        continue;
      }
      auto& added = *response.add_models();
      added.set_name(version.name);
      added.set_version(format("{}", version.version));
      added.set_state(std::string(version.state));
      added.set_reason(version.reason);
    }
  }

 private:
  GrpcContext context_;
};

class Table {
 public:
  explicit Table(const GrpcContext& context) : context_(context) {}

  GrpcMethods make() {
    add_reports();
    add_quick(kHealth, "Check", Permission::kOpen,
              [context = context_](auto message) { return check_health(context, message); });
    add(kHealth, "Watch", Permission::kOpen, GrpcAsks::kStream,
        [context = context_](const auto&, GrpcReply& reply) {
          return std::make_unique<WatchCall>(context, reply);
        });
    for (const std::string_view version : {"v1", "v1alpha"}) {
      add(format("grpc.reflection.{}.ServerReflection", version), "ServerReflectionInfo",
          Permission::kDescribe, GrpcAsks::kStream,
          [](const auto&, GrpcReply& reply) { return std::make_unique<ReflectionCall>(reply); });
    }
    add(
        kInference, "ModelInfer", grpc_permission("ModelInfer"), GrpcAsks::kCall,
        [context = context_](const GrpcHead& head, GrpcReply& reply) {
          return infer_call(context, head, reply);
        },
        kAnySize);
    add(
        kInference, "ModelStreamInfer", grpc_permission("ModelStreamInfer"), GrpcAsks::kStream,
        [context = context_](const GrpcHead& head, GrpcReply& reply) {
          return stream_infer_call(context, head, reply);
        },
        kAnySize);
    using inference::RepositoryModelLoadRequest;
    using inference::RepositoryModelLoadResponse;
    using inference::RepositoryModelUnloadRequest;
    using inference::RepositoryModelUnloadResponse;
    add_change<RepositoryModelLoadRequest, RepositoryModelLoadResponse>("RepositoryModelLoad",
                                                                        &ModelManager::load);
    add_change<RepositoryModelUnloadRequest, RepositoryModelUnloadResponse>("RepositoryModelUnload",
                                                                            &ModelManager::unload);
    return std::move(methods_);
  }

 private:
  void add(std::string_view service, std::string_view name, Permission permission, GrpcAsks asks,
           decltype(GrpcMethod::make) make, std::size_t max_message_bytes = kShortMessage) {
    methods_.emplace(
        format("/{}/{}", service, name),
        GrpcMethod{std::string(name), permission, asks, max_message_bytes, std::move(make)});
  }

  void add_quick(std::string_view service, std::string_view name, Permission permission,
                 QuickAnswer answer) {
    add(service, name, permission, GrpcAsks::kCall,
        [answer = std::move(answer)](const auto&, GrpcReply& reply) {
          return std::make_unique<QuickCall>(reply, answer);
        });
  }

  template <typename Request, typename Response>
  void add_report(std::string_view name, void (Reports::*report)(const Request&, Response&) const) {
    add_quick(kInference, name, grpc_permission(name),
              [reports = Reports(context_), report](std::string_view message) {
                Response response;
                (reports.*report)(parsed<Request>(message), response);
                return grpc_frame(response);
              });
  }

  void add_reports() {
    add_report("ServerLive", &Reports::live);
    add_report("ServerReady", &Reports::ready);
    add_report("ModelReady", &Reports::model_ready);
    add_report("ServerMetadata", &Reports::server_metadata);
    add_report("ModelMetadata", &Reports::metadata);
    add_report("ModelConfig", &Reports::config);
    add_report("ModelStatistics", &Reports::statistics);
    add_report("RepositoryIndex", &Reports::index);
  }

  template <typename Request, typename Response>
  void add_change(std::string_view name, void (ModelManager::*change)(const std::string&)) {
    add(kInference, name, grpc_permission(name), GrpcAsks::kCall,
        [context = context_, change](const auto&, GrpcReply& reply) {
          return std::make_unique<ChangeCall<Request, Response>>(context, reply, change);
        });
  }

  GrpcContext context_;
  GrpcMethods methods_;
};

}  // namespace

GrpcMethods make_grpc_methods(const GrpcContext& context) {
  return Table(context).make();
}

}  // namespace onnxop
