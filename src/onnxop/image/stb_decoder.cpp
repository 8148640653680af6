#include <climits>
#include <memory>

#include <stb_image.h>

#include "onnxop/base/error.h"
#include "onnxop/image/decoders.h"

namespace onnxop {

Image decode_with_stb(ByteSpan bytes, std::string_view kind) {
  if (bytes.size() > INT_MAX) {
    fail(ErrorCode::kTooLarge, "{} image of {} bytes, expected less than 2 GiB", kind,
         bytes.size());
  }
  int width = 0;
  int height = 0;
  int channels = 0;
  const std::unique_ptr<stbi_uc, void (*)(void*)> pixels(
      stbi_load_from_memory(reinterpret_cast<const stbi_uc*>(bytes.data()),
                            static_cast<int>(bytes.size()), &width, &height, &channels, 4),
      stbi_image_free);
  if (!pixels) {
    fail(ErrorCode::kInvalidArgument, "{} image is damaged or of an unknown kind: {}", kind,
         stbi_failure_reason());
  }
  const auto size = static_cast<std::size_t>(width) * static_cast<std::size_t>(height) * 4;
  return over_black(width, height, {pixels.get(), size});
}

}  // namespace onnxop
