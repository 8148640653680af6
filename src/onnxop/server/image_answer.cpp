#include "onnxop/server/image_answer.h"

#include <utility>

#include "onnxop/server/model_answer.h"
#include "onnxop/wire/image_json.h"

namespace onnxop {
namespace {

class ImageAnswerOfModel : public ModelAnswer {
 public:
  ImageAnswerOfModel(std::vector<std::span<const std::byte>> images, bool as_list,
                     AssignedModel assigned, std::int64_t max_pixels, Scheduler& scheduler)
      : ModelAnswer(scheduler),
        as_list_(as_list),
        call_(std::move(assigned.model), std::move(images), max_pixels, [this] { ended(); }) {
    call_.set_ticket(std::move(assigned.ticket));
  }

 protected:
  InferenceCall& call() override { return call_; }
  const InferenceCall& call() const override { return call_; }

  Response make_response() override {
    Response response;
    if (!as_list_) {
      response.body = prediction_json(0);
      return response;
    }
    response.body = R"({"predictions":[)";
    for (std::size_t i = 0; i < call_.images(); ++i) {
      response.body += i == 0 ? "" : ",";
      response.body += prediction_json(i);
    }
    response.body += "]}";
    return response;
  }

 private:
  std::string prediction_json(std::size_t index) {
    const ServedModel& model = *call_.model();
    const Prediction prediction = call_.prediction(index);
    return image_answer_json(
        {.values = prediction.values,
         .classification = model.contract->output.kind == OutputKind::kClassification,
         .label = prediction.label,
         .confidence = prediction.confidence,
         .model = model.name,
         .version = model.version});
  }

  bool as_list_;
  ImageCall call_;
};

}  // namespace

std::unique_ptr<PendingAnswer> classify_images(std::vector<std::span<const std::byte>> images,
                                               bool as_list, AssignedModel assigned,
                                               std::int64_t max_pixels, Scheduler& scheduler) {
  return std::make_unique<ImageAnswerOfModel>(std::move(images), as_list, std::move(assigned),
                                              max_pixels, scheduler);
}

}  // namespace onnxop
