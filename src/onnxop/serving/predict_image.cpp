#include "onnxop/serving/predict_image.h"

#include <utility>

#include "onnxop/base/error.h"
#include "onnxop/preprocess/preprocess.h"

namespace onnxop {

Prediction predict_image(const ServedModel& model, Image image) {
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
    fail(ErrorCode::kInternal, "model {}:{}: {}", model.name, model.version, e.what());
  }
}

}  // namespace onnxop
