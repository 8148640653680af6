#pragma once
// Batches of a Dataset, shuffled, converted and augmented ahead of time on threads of their own.
// What a batch holds depends only on the data, the options and the epoch, never on timing.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "onnxop/data/dataset.h"

namespace onnxop {

/// Random changes to an image, uniform in [-x, x]; drawn anew for each (seed, epoch, sample).
struct AugmentOptions {
  double shift = 0;           // fraction of width and height, 0 to 0.5
  double rotate_degrees = 0;  // 0 to 180
  double zoom = 0;            // scale factor in [1 - zoom, 1 + zoom], 0 to 0.9
  bool active() const { return shift != 0 || rotate_degrees != 0 || zoom != 0; }
};

/// Throws Error{kInvalidArgument} for an option outside its range.
void check_augment(const AugmentOptions& options);

/// One image [height, width, channels] zoomed and rotated about its middle, then shifted; bilinear,
/// what comes from outside is 0. Throws as check_augment, and Error{kInvalidArgument} for spans of
/// another size.
void augment_image(std::span<const std::uint8_t> from, int height, int width, int channels,
                   const AugmentOptions& options, std::uint64_t seed, std::uint64_t epoch,
                   std::uint64_t sample, std::span<std::uint8_t> to);

struct Batch {
  std::int64_t n = 0;
  std::vector<float> inputs;   // n samples after `convert`
  std::vector<float> targets;  // n * outputs: one-hot classes, or values
};

struct BatchOptions {
  std::int64_t batch = 32;
  bool shuffle = false;
  std::uint64_t seed = 0;
  std::uint64_t epoch = 0;   // another epoch, another order
  AugmentOptions augment{};  // images only
  int ahead = 4;             // batches made before they are asked for, at most
};

/// One pass over `indices` of `dataset` (both must outlive it); the last batch may be smaller. One
/// reader thread.
class BatchReader {
 public:
  /// `convert` turns a sample's uint8 pixels (HWC) into the network's input values; called on the
  /// reader's own thread. It is not called for float32 data sets, whose values are copied.
  /// Throws Error{kInvalidArgument} for options out of range, an index behind the data set's end,
  /// and augmentation of what is no image.
  using Convert =
      std::function<void(std::span<const std::uint8_t> pixels, std::span<float> values)>;
  BatchReader(const Dataset& dataset, std::vector<std::uint32_t> indices, BatchOptions options,
              Convert convert);
  ~BatchReader();

  /// The next batch, or nothing at the end. Throws again what the preparing thread threw.
  std::optional<Batch> next();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace onnxop
