#include "onnxop/server/classify.h"

#include "onnxop/base/error.h"
#include "onnxop/image/codec.h"
#include "onnxop/serving/predict_image.h"
#include "onnxop/wire/image_json.h"

namespace onnxop {

Response classify(std::span<const std::byte> body, const ModelLease& model,
                  std::int64_t max_pixels) {
  if (body.empty()) {
    fail(ErrorCode::kInvalidArgument, "the body is empty, expected the bytes of an image");
  }
  const Prediction prediction =
      predict_image(*model, decode_image(body, DecodeLimits{.max_pixels = max_pixels}));
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
