#include "onnxop/server/tensor_answer.h"

#include <utility>

#include "onnxop/server/model_answer.h"
#include "onnxop/wire/oip_answer.h"

namespace onnxop {
namespace {

class TensorAnswer : public ModelAnswer {
 public:
  TensorAnswer(InferRequest request, AssignedModel assigned, Scheduler& scheduler)
      : ModelAnswer(scheduler),
        request_(std::move(request)),
        call_(std::move(assigned.model), std::move(request_.inputs), [this] { ended(); }) {
    call_.set_ticket(std::move(assigned.ticket));
    call_.waiting.deadline = deadline_of(request_);
  }

 protected:
  InferenceCall& call() override { return call_; }
  const InferenceCall& call() const override { return call_; }

  Response make_response() override {
    const ServedModel& model = *call_.model();
    InferAnswer answer{model.name, format("{}", model.version), request_.id,
                       choose_outputs(request_, std::move(call_.outputs()), model.labels)};
    InferAnswerBytes bytes = write_infer_answer(request_, std::move(answer));
    Response response;
    if (bytes.binary) {
      response.content_type = "application/octet-stream";
      response.fields.emplace_back("Inference-Header-Content-Length",
                                   format("{}", bytes.json.size()));
    }
    response.body = std::move(bytes.json);
    response.tail = std::move(bytes.tail);
    response.tail_owner = std::move(bytes.owner);
    return response;
  }

 private:
  InferRequest request_;
  TensorCall call_;
};

}  // namespace

SteadyTime deadline_of(const InferRequest& request) {
  constexpr std::chrono::hours kFar{24 * 365};
  return request.timeout && *request.timeout < kFar ? SystemClock().steady() + *request.timeout
                                                    : SteadyTime::max();
}

std::unique_ptr<PendingAnswer> infer_tensors(InferRequest request, AssignedModel assigned,
                                             Scheduler& scheduler) {
  return std::make_unique<TensorAnswer>(std::move(request), std::move(assigned), scheduler);
}

}  // namespace onnxop
