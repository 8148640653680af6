#include "onnxop/server/classify.h"

#include <utility>

#include "onnxop/base/error.h"
#include "onnxop/image/codec.h"
#include "onnxop/preprocess/preprocess.h"
#include "onnxop/serving/prediction.h"
#include "onnxop/wire/image_json.h"

namespace onnxop {
namespace {

Prediction score(Image image, const ServedModel& model) {
  const Contract& contract = *model.contract;
  try {
    NamedTensor input{contract.input.name,
                      images_to_tensor(std::span(&image, 1), contract.input, model.input_dtype)};
    const auto outputs = model.scorer->run(std::span(&input, 1));
    return read_prediction(contract.output, outputs);
  } catch (const Error& e) {
    if (e.code() == ErrorCode::kUnavailable) {
      throw;
    }
    // The image is good, so whatever is wrong now is not the client's.
    fail(ErrorCode::kInternal, "model {}:{}: {}", model.name, model.version, e.what());
  }
}

}  // namespace

Response classify(std::span<const std::byte> body, const ModelLease& model,
                  std::int64_t max_pixels) {
  if (body.empty()) {
    fail(ErrorCode::kInvalidArgument, "the body is empty, expected the bytes of an image");
  }
  const Prediction prediction =
      score(decode_image(body, DecodeLimits{.max_pixels = max_pixels}), *model);
  Response response;
  response.body = image_answer_json(
      {.values = prediction.values,
       .classification = model->contract->output.kind == OutputKind::kClassification,
       .label = prediction.label,
       .confidence = prediction.confidence,
       .model = model->name,
       .version = model->version});
  response.model = model;
  return response;
}

}  // namespace onnxop
