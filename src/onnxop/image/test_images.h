#pragma once
// Images as bytes of each format, made by the formats' own libraries or by hand. For tests.

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <random>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <jpeglib.h>
#include <spng.h>
#include <webp/encode.h>

#include "onnxop/image/image.h"

namespace onnxop {

using TestBytes = std::vector<std::byte>;

inline Image noise_image(int width, int height, int channels, unsigned seed) {
  std::mt19937 random(seed);
  Image image{width, height, channels, {}};
  for (int i = 0; i < width * height * channels; ++i) {
    image.pixels.push_back(static_cast<std::uint8_t>(random() & 255));
  }
  return image;
}

/// Soft colours, which survive a lossy format.
inline Image smooth_image(int width, int height, int channels) {
  Image image{width, height, channels, {}};
  for (int row = 0; row < height; ++row) {
    for (int column = 0; column < width; ++column) {
      for (int channel = 0; channel < channels; ++channel) {
        image.pixels.push_back(
            static_cast<std::uint8_t>(40 + 150 * row / height + 50 * column / width + channel));
      }
    }
  }
  return image;
}

inline void append(TestBytes& to, std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text.data(), text.size()));
  to.insert(to.end(), bytes.begin(), bytes.end());
}

inline void append_le(TestBytes& to, std::uint32_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) {
    to.push_back(static_cast<std::byte>(value >> (8 * i)));
  }
}

inline void put_be(TestBytes& to, std::size_t at, std::uint32_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) {
    to.at(at + static_cast<std::size_t>(i)) =
        static_cast<std::byte>(value >> (8 * (bytes - 1 - i)));
  }
}

inline void put_le(TestBytes& to, std::size_t at, std::uint32_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) {
    to.at(at + static_cast<std::size_t>(i)) = static_cast<std::byte>(value >> (8 * i));
  }
}

struct TestPng {
  std::uint32_t width = 0, height = 0;
  std::uint8_t color_type = SPNG_COLOR_TYPE_GRAYSCALE;
  std::uint8_t bit_depth = 8;
  bool interlaced = false;
  std::vector<spng_plte_entry> palette{};
  std::vector<std::uint8_t> palette_alpha{};
  int transparent_gray = -1;
  std::string compressed_text{};
};

/// `raw`: the pixels as the format packs them (16 bits in the machine's byte order).
inline TestBytes make_png(const TestPng& png, std::span<const std::uint8_t> raw) {
  const auto check = [](int code) {
    if (code != 0) {
      throw std::runtime_error(spng_strerror(code));
    }
  };
  spng_ctx* context = spng_ctx_new(SPNG_CTX_ENCODER);
  check(spng_set_option(context, SPNG_ENCODE_TO_BUFFER, 1));
  spng_ihdr header{};
  header.width = png.width;
  header.height = png.height;
  header.color_type = png.color_type;
  header.bit_depth = png.bit_depth;
  header.interlace_method = png.interlaced ? SPNG_INTERLACE_ADAM7 : SPNG_INTERLACE_NONE;
  check(spng_set_ihdr(context, &header));
  if (!png.palette.empty()) {
    spng_plte palette{};
    for (const auto& entry : png.palette) {
      palette.entries[palette.n_entries++] = entry;
    }
    check(spng_set_plte(context, &palette));
  }
  spng_trns transparency{};
  for (const auto alpha : png.palette_alpha) {
    transparency.type3_alpha[transparency.n_type3_entries++] = alpha;
  }
  if (png.transparent_gray >= 0) {
    transparency.gray = static_cast<std::uint16_t>(png.transparent_gray);
  }
  if (png.transparent_gray >= 0 || !png.palette_alpha.empty()) {
    check(spng_set_trns(context, &transparency));
  }
  std::string text_content = png.compressed_text;
  if (!text_content.empty()) {
    spng_text text{};
    text.type = SPNG_ZTXT;
    std::snprintf(text.keyword, sizeof text.keyword, "Comment");
    text.text = text_content.data();
    text.length = text_content.size();
    check(spng_set_text(context, &text, 1));
  }
  check(spng_encode_image(context, raw.data(), raw.size(), SPNG_FMT_PNG, SPNG_ENCODE_FINALIZE));
  std::size_t size = 0;
  int error = 0;
  void* buffer = spng_get_png_buffer(context, &size, &error);
  check(error);
  const auto* begin = static_cast<const std::byte*>(buffer);
  TestBytes bytes(begin, begin + size);
  std::free(buffer);
  spng_ctx_free(context);
  return bytes;
}

/// The CRC of the PNG chunk that begins at `at`, made right again.
inline void fix_png_crc(TestBytes& png, std::size_t at, std::size_t length) {
  std::uint32_t crc = 0xFFFFFFFF;
  for (std::size_t i = at + 4; i < at + 8 + length; ++i) {
    crc ^= std::to_integer<std::uint32_t>(png.at(i));
    for (int bit = 0; bit < 8; ++bit) {
      crc = crc >> 1 ^ ((crc & 1) != 0 ? 0xEDB88320 : 0);
    }
  }
  put_be(png, at + 8 + length, ~crc, 4);
}

struct TestJpeg {
  int quality = 95;
  bool progressive = false;
  bool cmyk = false;  // the image's one channel repeated four times
  std::vector<jpeg_scan_info> scans{};
};

inline TestBytes make_jpeg(const Image& image, const TestJpeg& options = {}) {
  jpeg_compress_struct info{};
  jpeg_error_mgr errors{};
  info.err = jpeg_std_error(&errors);
  jpeg_create_compress(&info);
  unsigned char* buffer = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&info, &buffer, &size);
  info.image_width = static_cast<JDIMENSION>(image.width);
  info.image_height = static_cast<JDIMENSION>(image.height);
  info.input_components = options.cmyk ? 4 : image.channels;
  info.in_color_space = options.cmyk ? JCS_CMYK : image.channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
  jpeg_set_defaults(&info);
  jpeg_set_quality(&info, options.quality, TRUE);
  if (options.progressive) {
    jpeg_simple_progression(&info);
  }
  if (!options.scans.empty()) {
    info.scan_info = options.scans.data();
    info.num_scans = static_cast<int>(options.scans.size());
  }
  jpeg_start_compress(&info, TRUE);
  std::vector<unsigned char> row;
  while (info.next_scanline < info.image_height) {
    const std::size_t length =
        static_cast<std::size_t>(image.width) * static_cast<std::size_t>(image.channels);
    row.clear();
    for (std::size_t i = 0; i < length; ++i) {
      row.insert(row.end(), options.cmyk ? 4 : 1, image.pixels[info.next_scanline * length + i]);
    }
    JSAMPROW line = row.data();
    jpeg_write_scanlines(&info, &line, 1);
  }
  jpeg_finish_compress(&info);
  const auto* begin = reinterpret_cast<const std::byte*>(buffer);
  TestBytes bytes(begin, begin + size);
  jpeg_destroy_compress(&info);
  std::free(buffer);
  return bytes;
}

/// Lossless from RGB, or from RGBA where `pixels` has four bytes a pixel; lossy with a quality.
inline TestBytes make_webp(int width, int height, std::span<const std::uint8_t> pixels,
                           float quality = -1) {
  const bool alpha = pixels.size() == static_cast<std::size_t>(width * height) * 4;
  std::uint8_t* buffer = nullptr;
  const int row = width * (alpha ? 4 : 3);
  const std::size_t size =
      quality < 0 ? (alpha ? WebPEncodeLosslessRGBA(pixels.data(), width, height, row, &buffer)
                           : WebPEncodeLosslessRGB(pixels.data(), width, height, row, &buffer))
                  : WebPEncodeRGB(pixels.data(), width, height, row, quality, &buffer);
  const auto* begin = reinterpret_cast<const std::byte*>(buffer);
  TestBytes bytes(begin, begin + size);
  WebPFree(buffer);
  return bytes;
}

/// Uncompressed, 24 bits, or 32 with `alpha` in each pixel's fourth byte.
inline TestBytes make_bmp(const Image& image, bool top_down = false, int alpha = -1) {
  const int bits = alpha < 0 ? 24 : 32;
  const int row = (image.width * bits + 31) / 32 * 4;
  TestBytes bytes;
  append(bytes, "BM");
  append_le(bytes, static_cast<std::uint32_t>(54 + row * image.height), 4);
  append_le(bytes, 0, 4);
  append_le(bytes, 54, 4);
  append_le(bytes, 40, 4);
  append_le(bytes, static_cast<std::uint32_t>(image.width), 4);
  append_le(bytes, static_cast<std::uint32_t>(top_down ? -image.height : image.height), 4);
  append_le(bytes, 1, 2);
  append_le(bytes, static_cast<std::uint32_t>(bits), 2);
  bytes.resize(54);
  for (int i = 0; i < image.height; ++i) {
    const int from = top_down ? i : image.height - 1 - i;
    for (int column = 0; column < image.width; ++column) {
      for (const int channel : {2, 1, 0}) {
        const int at = (from * image.width + column) * 3 + channel;
        append_le(bytes, image.pixels[static_cast<std::size_t>(at)], 1);
      }
      if (alpha >= 0) {
        append_le(bytes, static_cast<std::uint32_t>(alpha), 1);
      }
    }
    append_le(bytes, 0, row - image.width * bits / 8);
  }
  return bytes;
}

/// A BMP of 8 bits a pixel, grey or not by its palette of (index, 255 - index, index / 2).
inline TestBytes make_palette_bmp(const Image& indices) {
  TestBytes bytes =
      make_bmp({indices.width, 1, 3,
                std::vector<std::uint8_t>(static_cast<std::size_t>(indices.width) * 3)});
  bytes.resize(54);
  put_le(bytes, 10, 54 + 1024, 4);
  put_le(bytes, 22, static_cast<std::uint32_t>(indices.height), 4);
  put_le(bytes, 28, 8, 2);
  for (std::uint32_t i = 0; i < 256; ++i) {
    append_le(bytes, i / 2 | (255 - i) << 8 | i << 16, 4);
  }
  for (int row = indices.height - 1; row >= 0; --row) {
    for (int column = 0; column < (indices.width + 3) / 4 * 4; ++column) {
      const int at = row * indices.width + column;
      append_le(bytes, column < indices.width ? indices.pixels[static_cast<std::size_t>(at)] : 0,
                1);
    }
  }
  return bytes;
}

/// GIF's LZW: codes of growing width, the table cleared when it is full.
inline TestBytes lzw(std::span<const std::uint8_t> pixels, std::uint32_t root_bits) {
  const std::uint32_t clear = 1U << root_bits;
  TestBytes packed;
  std::uint32_t held = 0, bits = 0, width = 0;
  std::map<std::string, std::uint32_t> table;
  const auto emit = [&](std::uint32_t code) {
    bits |= code << held;
    for (held += width; held >= 8; held -= 8) {
      append_le(packed, bits, 1);
      bits >>= 8;
    }
  };
  std::uint32_t next = 0;
  const auto reset = [&] {
    table.clear();
    for (std::uint32_t i = 0; i < clear; ++i) {
      table[std::string(1, static_cast<char>(i))] = i;
    }
    width = root_bits + 1;
    next = clear + 2;
  };
  reset();
  emit(clear);
  std::string run;
  for (const auto pixel : pixels) {
    const std::string longer = run + static_cast<char>(pixel);
    if (table.contains(longer)) {
      run = longer;
      continue;
    }
    emit(table.at(run));
    if (next == 4096) {
      emit(clear);
      reset();
    } else {
      width += next == 1U << width ? 1 : 0;
      table[longer] = next++;
    }
    run = std::string(1, static_cast<char>(pixel));
  }
  emit(table.at(run));
  width += next == 1U << width && width < 12 ? 1 : 0;
  emit(clear + 1);
  append_le(packed, bits, held > 0 ? 1 : 0);
  return packed;
}

/// Cut into blocks of at most 255 bytes.
inline void append_blocks(TestBytes& to, const TestBytes& content) {
  for (std::size_t at = 0; at < content.size(); at += 255) {
    const std::size_t size = std::min<std::size_t>(255, content.size() - at);
    append_le(to, static_cast<std::uint32_t>(size), 1);
    const auto begin = content.begin() + static_cast<std::ptrdiff_t>(at);
    to.insert(to.end(), begin, begin + static_cast<std::ptrdiff_t>(size));
  }
  append_le(to, 0, 1);
}

/// A screen with a palette of 256 greys; pictures follow.
inline TestBytes gif_screen(int width, int height) {
  TestBytes bytes;
  append(bytes, "GIF89a");
  append_le(bytes, static_cast<std::uint32_t>(width), 2);
  append_le(bytes, static_cast<std::uint32_t>(height), 2);
  append_le(bytes, 0xF7, 3);
  for (std::uint32_t i = 0; i < 256; ++i) {
    append_le(bytes, i | i << 8 | i << 16, 3);
  }
  return bytes;
}

inline void append_gif_picture(TestBytes& to, const Image& indices, const TestBytes& raster,
                               bool interlaced = false) {
  append_le(to, 0x2C, 1);
  append_le(to, 0, 4);
  append_le(to, static_cast<std::uint32_t>(indices.width), 2);
  append_le(to, static_cast<std::uint32_t>(indices.height), 2);
  append_le(to, interlaced ? 0x40 : 0, 1);
  append_le(to, 8, 1);
  append_blocks(to, raster);
}

inline TestBytes make_gif(const Image& gray) {
  TestBytes bytes = gif_screen(gray.width, gray.height);
  append_gif_picture(bytes, gray, lzw(gray.pixels, 8));
  append_le(bytes, 0x3B, 1);
  return bytes;
}

inline TestBytes make_pnm(const Image& image) {
  TestBytes bytes;
  append(bytes, (image.channels == 1 ? "P5\n" : "P6\n") + std::to_string(image.width) + " " +
                    std::to_string(image.height) + "\n255\n");
  const auto pixels = std::as_bytes(std::span(image.pixels));
  bytes.insert(bytes.end(), pixels.begin(), pixels.end());
  return bytes;
}

}  // namespace onnxop
