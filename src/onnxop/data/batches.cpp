#include "onnxop/data/batches.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>

#include "onnxop/base/error.h"
#include "onnxop/base/random.h"

namespace onnxop {

struct BatchReader::Impl {
  Impl(const Dataset& data, std::vector<std::uint32_t> wanted, BatchOptions how, Convert with)
      : dataset(data), indices(std::move(wanted)), options(how), convert(std::move(with)) {
    check();
    if (options.shuffle) {
      Random(options.seed, options.epoch).shuffle(indices);
    }
    worker = std::thread([this] { prepare(); });
  }

  ~Impl() {
    {
      const std::lock_guard lock(mutex);
      stop = true;
    }
    changed.notify_all();
    worker.join();
  }

  void check() const {
    if (options.batch < 1 || options.ahead < 1) {
      fail(ErrorCode::kInvalidArgument,
           "batches of {} samples, {} ahead: expected 1 or more of each", options.batch,
           options.ahead);
    }
    const auto out_of_range =
        std::find_if(indices.begin(), indices.end(),
                     [this](std::uint32_t index) { return index >= dataset.size(); });
    if (out_of_range != indices.end()) {
      fail(ErrorCode::kInvalidArgument, "sample {} of a data set of {}", *out_of_range,
           dataset.size());
    }
    check_augment(options.augment);
    if (options.augment.active() && (!pixels() || dataset.sample_shape().size() != 3)) {
      fail(ErrorCode::kInvalidArgument, "augmentation is for images, these samples are {} {}",
           dtype_name(dataset.samples.dtype()), shape_text(dataset.sample_shape()));
    }
  }

  bool pixels() const { return dataset.samples.dtype() == DType::kUint8; }

  void prepare() {
    try {
      const std::size_t size = static_cast<std::size_t>(options.batch);
      for (std::size_t from = 0; from < indices.size(); from += size) {
        if (!wait_for_room()) {
          return;
        }
        Batch batch =
            make_batch(std::span(indices).subspan(from, std::min(size, indices.size() - from)));
        {
          const std::lock_guard lock(mutex);
          ready.push_back(std::move(batch));
        }
        changed.notify_all();
      }
    } catch (...) {
      const std::lock_guard lock(mutex);
      failure = std::current_exception();
    }
    {
      const std::lock_guard lock(mutex);
      ended = true;
    }
    changed.notify_all();
  }

  /// False when the reader is being destroyed.
  bool wait_for_room() {
    std::unique_lock lock(mutex);
    changed.wait(lock,
                 [this] { return stop || ready.size() < static_cast<std::size_t>(options.ahead); });
    return !stop;
  }

  Batch make_batch(std::span<const std::uint32_t> chosen) {
    const auto sample = static_cast<std::size_t>(element_count(dataset.sample_shape()));
    const auto outputs = static_cast<std::size_t>(dataset.outputs());
    Batch batch;
    batch.n = static_cast<std::int64_t>(chosen.size());
    batch.inputs.resize(chosen.size() * sample);
    batch.targets.resize(chosen.size() * outputs);
    for (std::size_t i = 0; i < chosen.size(); ++i) {
      write_inputs(chosen[i], std::span(batch.inputs).subspan(i * sample, sample));
      write_targets(chosen[i], std::span(batch.targets).subspan(i * outputs, outputs));
    }
    return batch;
  }

  void write_inputs(std::uint32_t index, std::span<float> to) {
    if (!pixels()) {
      const auto from = dataset.samples.values<float>().subspan(index * to.size(), to.size());
      std::copy(from.begin(), from.end(), to.begin());
      return;
    }
    auto from = dataset.samples.values<std::uint8_t>().subspan(index * to.size(), to.size());
    if (options.augment.active()) {
      const Shape shape = dataset.sample_shape();
      changed_image.resize(to.size());
      augment_image(from, static_cast<int>(shape[0]), static_cast<int>(shape[1]),
                    static_cast<int>(shape[2]), options.augment, options.seed, options.epoch, index,
                    changed_image);
      from = changed_image;
    }
    convert(from, to);
  }

  void write_targets(std::uint32_t index, std::span<float> to) const {
    if (!dataset.classes.empty()) {
      to[static_cast<std::size_t>(dataset.classes[index])] = 1;
      return;
    }
    const auto from = dataset.values.values<float>().subspan(index * to.size(), to.size());
    std::copy(from.begin(), from.end(), to.begin());
  }

  std::optional<Batch> next() {
    std::unique_lock lock(mutex);
    changed.wait(lock, [this] { return !ready.empty() || ended; });
    if (!ready.empty()) {
      Batch batch = std::move(ready.front());
      ready.pop_front();
      lock.unlock();
      changed.notify_all();
      return batch;
    }
    if (failure) {
      std::rethrow_exception(failure);
    }
    return std::nullopt;
  }

  const Dataset& dataset;
  std::vector<std::uint32_t> indices;
  BatchOptions options;
  Convert convert;
  std::vector<std::uint8_t> changed_image;

  std::mutex mutex;
  std::condition_variable changed;
  std::deque<Batch> ready;
  std::exception_ptr failure;
  bool ended = false;
  bool stop = false;
  std::thread worker;
};

BatchReader::BatchReader(const Dataset& dataset, std::vector<std::uint32_t> indices,
                         BatchOptions options, Convert convert)
    : impl_(std::make_unique<Impl>(dataset, std::move(indices), options, std::move(convert))) {}

BatchReader::~BatchReader() = default;

std::optional<Batch> BatchReader::next() {
  return impl_->next();
}

}  // namespace onnxop
