#include <csetjmp>
#include <cstdio>
#include <string>

#include <jpeglib.h>

#include "onnxop/base/error.h"
#include "onnxop/image/decoders.h"

namespace onnxop {
namespace {

/// What libjpeg allocates; freed also where the reader's constructor throws.
struct Decompress : jpeg_decompress_struct {
  Decompress() : jpeg_decompress_struct{} {}
  ~Decompress() { jpeg_destroy_decompress(this); }
  Decompress(const Decompress&) = delete;
  Decompress& operator=(const Decompress&) = delete;
};

/// libjpeg calls back on errors and must not return from there; it jumps back into run(), across C
/// frames only.
class JpegReader {
 public:
  explicit JpegReader(ByteSpan bytes) {
    info_.err = jpeg_std_error(&errors_.base);
    errors_.base.error_exit = on_error;
    errors_.base.emit_message = on_message;
    progress_.progress_monitor = on_progress;
    run([&] {
      jpeg_create_decompress(&info_);
      info_.progress = &progress_;
      jpeg_mem_src(&info_, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
      jpeg_read_header(&info_, TRUE);
    });
  }
  JpegReader(const JpegReader&) = delete;
  JpegReader& operator=(const JpegReader&) = delete;

  ImageHeader header() const {
    return {"jpeg", static_cast<int>(info_.image_width), static_cast<int>(info_.image_height)};
  }

  Image decode() {
    if (info_.jpeg_color_space == JCS_CMYK || info_.jpeg_color_space == JCS_YCCK) {
      fail(ErrorCode::kInvalidArgument, "JPEG image in CMYK colours, expected grey or RGB");
    }
    const bool gray = info_.jpeg_color_space == JCS_GRAYSCALE;
    Image image{header().width, header().height, gray ? 1 : 3, {}};
    const std::size_t row =
        static_cast<std::size_t>(image.width) * static_cast<std::size_t>(image.channels);
    image.pixels.resize(row * static_cast<std::size_t>(image.height));
    unsigned char* pixels = image.pixels.data();
    run([&] {
      info_.out_color_space = gray ? JCS_GRAYSCALE : JCS_RGB;
      jpeg_start_decompress(&info_);
      while (info_.output_scanline < info_.output_height) {
        JSAMPROW line = pixels + info_.output_scanline * row;
        jpeg_read_scanlines(&info_, &line, 1);
      }
      jpeg_finish_decompress(&info_);
    });
    return image;
  }

 private:
  struct Errors {
    jpeg_error_mgr base;
    std::jmp_buf back;
    char message[JMSG_LENGTH_MAX];
  };

  /// `steps` holds nothing that a jump out of it would leak.
  template <typename Steps>
  void run(Steps steps) {
    if (setjmp(errors_.back) != 0) {
      fail(ErrorCode::kInvalidArgument, "JPEG image is truncated or damaged: {}", errors_.message);
    }
    steps();
  }

  static void on_error(j_common_ptr info) {
    auto* errors = reinterpret_cast<Errors*>(info->err);
    errors->base.format_message(info, errors->message);
    std::longjmp(errors->back, 1);
  }

  /// A progressive image may say everything anew in a few bytes as often as it likes, and each time
  /// costs a pass over all pixels.
  static void on_progress(j_common_ptr info) {
    constexpr int kMostScans = 200;  // usual: about 10
    if (reinterpret_cast<j_decompress_ptr>(info)->input_scan_number > kMostScans) {
      auto* errors = reinterpret_cast<Errors*>(info->err);
      std::snprintf(errors->message, sizeof errors->message, "more than %d scans", kMostScans);
      std::longjmp(errors->back, 1);
    }
  }

  /// Warnings are what libjpeg says of missing or corrupt data before it makes up pixels.
  static void on_message(j_common_ptr info, int level) {
    if (level < 0) {
      on_error(info);
    }
  }

  Errors errors_{};
  jpeg_progress_mgr progress_{};
  Decompress info_;
};

}  // namespace

ImageHeader read_jpeg_header(ByteSpan bytes) {
  return JpegReader(bytes).header();
}

Image decode_jpeg(ByteSpan bytes) {
  return JpegReader(bytes).decode();
}

}  // namespace onnxop
