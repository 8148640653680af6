#include "onnxop/server/grpc_inference.h"

#include <algorithm>
#include <utility>

#include <open_inference.pb.h>

#include "onnxop/base/error.h"
#include "onnxop/server/grpc_status.h"
#include "onnxop/server/request_log.h"
#include "onnxop/server/status.h"
#include "onnxop/server/tensor_answer.h"
#include "onnxop/wire/oip_answer.h"
#include "onnxop/wire/oip_grpc.h"

namespace onnxop {

GrpcInference::GrpcInference(const GrpcOptions& options, const ServingCore& core,
                             GrpcThread& thread, const GrpcHead& head, GrpcMessage message,
                             std::function<void()> on_done)
    : options_(options),
      core_(core),
      thread_(thread),
      head_(&head),
      on_done_(std::move(on_done)),
      message_(std::move(message)),
      parsed_(std::make_unique<inference::ModelInferRequest>()),
      begun_(SystemClock().steady()) {}

GrpcInference::~GrpcInference() = default;

void GrpcInference::begin(bool run_here) {
  if (head_ == nullptr) {
    return;
  }
  if (status_.ok()) {
    thread_.work_begins();
    if (GrpcStatus problem = start(run_here); !problem.ok()) {
      status_ = std::move(problem);
    } else if (!ended_) {
      ++thread_.activity.in_flight;
      thread_.elsewhere.insert(shared_from_this());
      return;
    }
    GrpcThread::work_ended(*thread_.at_work);
  } else {
    parsed_->ParseFromArray(message_.text().data(), static_cast<int>(message_.size()));  // its id
  }
  if (!ended_ && streamed_) {
    make_answer();
  }
  done();
}

GrpcStatus GrpcInference::start(bool run_here) {
  int http = 200;
  GrpcStatus status = status_of([&] {
    try {
      const RawContents raw = parse_infer_request(message_.bytes(), options_.infer, *parsed_);
      AssignedModel assigned =
          assign_model(core_, parsed_->model_name(), parsed_->model_version(), [&] {
            const std::string* const found = head_->find(core_.sticky_header);
            return found == nullptr ? std::string_view() : std::string_view(*found);
          });
      model_ = std::move(assigned.model);
      request_ = read_infer_request(*parsed_, raw, options_.infer);
      call_.emplace(model_, std::move(request_.inputs), [this] { ended(); });
      call_->set_on_answer([this] { make_answer(); });
      call_->set_ticket(std::move(assigned.ticket));
      call_->waiting.deadline = std::min(head_->deadline, deadline_of(request_));
      if (run_here) {
        submit_or_run(core_.scheduler, *call_);
      } else {
        submit(core_.scheduler, *call_);
      }
    } catch (const Error& e) {
      http = http_status(e.code());
      throw;
    }
  });
  if (!status.ok()) {
    count(http);
  }
  return status;
}

/// On the thread that ran it. When the I/O thread is told, this may be gone.
void GrpcInference::ended() {
  if (thread_.executor.running_in_this_thread()) {
    ended_ = true;
    return;
  }
  const auto at_work = thread_.at_work;
  thread_.ready.add(*this, thread_.executor);
  GrpcThread::work_ended(*at_work);
}

void GrpcInference::on_ready() {
  const auto self = shared_from_this();
  thread_.elsewhere.erase(self);
  --thread_.activity.in_flight;
  if (head_ != nullptr) {
    done();
  } else {
    log();
  }
}

/// The answer may have to wait for its client: what it was made from does not.
void GrpcInference::done() {
  head_ = nullptr;
  if (call_) {
    times_ = call_->times;
    call_.reset();
  }
  request_ = {};
  parsed_.reset();
  message_ = {};
  const auto on_done = std::exchange(on_done_, nullptr);
  on_done();
}

void GrpcInference::abandon() {
  if (std::exchange(head_, nullptr) == nullptr) {
    return;
  }
  on_done_ = nullptr;
  const bool waits = thread_.elsewhere.contains(shared_from_this());
  if (waits && core_.scheduler.cancel(model_->queue, *call_)) {
    --thread_.activity.in_flight;
    thread_.elsewhere.erase(shared_from_this());
    GrpcThread::work_ended(*thread_.at_work);
  }
}

void GrpcInference::fill(inference::ModelInferResponse& response) {
  if (call_ && call_->error()) {
    throw Error(*call_->error());
  }
  write_infer_response({model_->name, format("{}", model_->version), request_.id,
                        choose_outputs(request_, std::move(call_->outputs()), model_->labels)},
                       response);
}

/// On the thread that ran it, or on that of the call where it was refused.
void GrpcInference::make_answer() noexcept {
  inference::ModelStreamInferResponse streamed;
  inference::ModelInferResponse unary;
  inference::ModelInferResponse& response = streamed_ ? *streamed.mutable_infer_response() : unary;
  if (status_.ok()) {
    int http = 200;
    status_ = status_of([&] {
      try {
        fill(response);
        answer_ = grpc_frame(streamed_ ? static_cast<google::protobuf::MessageLite&>(streamed)
                                       : response);
      } catch (const Error& e) {
        http = http_status(e.code());
        throw;
      }
    });
    count(http);
  }
  if (!status_.ok() && streamed_) {
    streamed.set_error_message(status_.message);
    response.Clear();
    response.set_id(parsed_->id());
    answer_ = grpc_frame(streamed);
  }
}

/// In statistics, by what HTTP would have said; before the answer, so that they have it when its
/// caller asks for them.
void GrpcInference::count(int status) const {
  if (model_) {
    model_->stats->count_request(Protocol::kGrpc, status,
                                 seconds_between(begun_, SystemClock().steady()));
  }
}

void GrpcInference::log() const {
  RequestRecord record{.protocol = "grpc",
                       .method = "ModelInfer",
                       .status = static_cast<int>(status_.code),
                       .model = model_.get(),
                       .trace = trace_ ? &*trace_ : nullptr,
                       .begun = begun_,
                       .read = begun_,
                       .answered = SystemClock().steady()};
  record.times = call_ ? call_->times : times_;
  log_request({options_.access_log, options_.slow_request_ms}, record);
}

}  // namespace onnxop
