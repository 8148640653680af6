#include "onnxop/workflow/dataset_ref.h"

#include "onnxop/base/error.h"
#include "onnxop/data/mnist.h"
#include "onnxop/preprocess/preprocess.h"

namespace onnxop {

Dataset open_dataset(std::string_view reference, const std::optional<ImageInput>& input) {
  constexpr std::string_view kFolder = "folder:";
  if (reference == "mnist:train" || reference == "mnist:test") {
    return load_mnist(default_data_dir() / "mnist", reference.substr(6));
  }
  if (reference.starts_with(kFolder)) {
    return load_image_folder(
        std::filesystem::path(reference.substr(kFolder.size())),
        [&](Image image) { return input ? fit_image(std::move(image), *input) : image; });
  }
  fail(ErrorCode::kInvalidArgument,
       "data set '{}' is not known; known: mnist:train, mnist:test, folder:DIR", reference);
}

}  // namespace onnxop
