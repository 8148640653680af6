// What the processor can do: bfloat16, and the yardstick of a large matrix multiply.

#include <algorithm>
#include <chrono>
#include <memory>
#include <string_view>
#include <vector>

#include <omp.h>

#include "onnxop/base/error.h"
#include "onnxop/nn/dnnl_api.h"
#include "onnxop/nn/network.h"
#include "onnxop/nn/operator.h"

namespace onnxop {
namespace {

using Type = dnnl::memory::data_type;
using Tag = dnnl::memory::format_tag;

/// One thread's share of the yardstick.
class MatrixMultiply {
 public:
  explicit MatrixMultiply(Precision precision) {
    const Type type = precision == Precision::kBfloat16 ? Type::bf16 : Type::f32;
    const dnnl_api::Desc any({kSize, kSize}, type, Tag::any);
    const dnnl_api::Desc plain({kSize, kSize}, type, Tag::ab);
    const dnnl_api::Desc bias({kSize}, Type::f32, Tag::a);
    const auto primitive = dnnl_api::dense_forward(cpu_engine(), plain, any, bias, plain, false);
    primitive_ = dnnl::inner_product_forward(primitive);
    arguments_ = {{DNNL_ARG_SRC, dnnl::memory(plain, cpu_engine())},
                  {DNNL_ARG_WEIGHTS, dnnl::memory(primitive.weights_desc(), cpu_engine())},
                  {DNNL_ARG_BIAS, dnnl::memory(bias, cpu_engine())},
                  {DNNL_ARG_DST, dnnl::memory(plain, cpu_engine())},
                  {DNNL_ARG_SCRATCHPAD, dnnl::memory(primitive.scratchpad_desc(), cpu_engine())}};
    for (const int argument : {DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_BIAS}) {
      auto& memory = arguments_.at(argument);
      std::fill_n(static_cast<std::byte*>(memory.get_data_handle()), memory.get_desc().get_size(),
                  std::byte{0});
    }
  }

  void run() {
    primitive_.execute(stream_, arguments_);
    stream_.wait();
  }

  static double flops() { return 2.0 * kSize * kSize * kSize; }

 private:
  static constexpr std::int64_t kSize = 1024;
  dnnl::stream stream_{cpu_engine()};
  dnnl::inner_product_forward primitive_;
  PrimitiveArguments arguments_;
};

}  // namespace

double matmul_peak_gflops(Precision precision, ThreadPool& pool, int repeats) {
  constexpr int kRuns = 8;  // of each thread between two looks at the clock
  const int before = omp_get_max_threads();
  omp_set_num_threads(1);
  std::vector<std::unique_ptr<MatrixMultiply>> works;
  for (int i = 0; i < pool.threads(); ++i) {
    works.push_back(std::make_unique<MatrixMultiply>(precision));
    works.back()->run();
  }
  double best = 0;
  for (int repeat = 0; repeat < repeats; ++repeat) {
    const auto start = std::chrono::steady_clock::now();
    pool.run(pool.threads(), [&](int index, int) {
      omp_set_num_threads(1);
      for (int run = 0; run < kRuns; ++run) {
        works[static_cast<std::size_t>(index)]->run();
      }
    });
    const double seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    best = std::max(best, MatrixMultiply::flops() * kRuns * pool.threads() / seconds / 1e9);
  }
  omp_set_num_threads(before);
  return best;
}

bool supports_precision(Precision precision, std::string* reason) {
  if (precision == Precision::kFloat32) {
    return true;
  }
  // From AVX-512 on oneDNN 2 computes in bfloat16 (by emulation where AVX512_BF16 is missing),
  // version 3 also on AVX2 with VNNI and on Arm; so it is asked for the thing itself.
  static const bool computes = [] {
    const dnnl_api::Desc matrix({64, 64}, Type::bf16, Tag::ab);
    const dnnl_api::Desc bias({64}, Type::f32, Tag::a);
    try {
      const auto multiply =
          dnnl_api::dense_forward(cpu_engine(), matrix, matrix, bias, matrix, false);
      return std::string_view(multiply.impl_info_str()).find("ref") == std::string_view::npos;
    } catch (const dnnl::error&) {
      return false;
    }
  }();
  if (!computes && reason != nullptr) {
    *reason =
        "precision bf16: this processor does not compute in bfloat16 (on x86, AVX-512 or AMX is "
        "needed); use float32";
  }
  return computes;
}

}  // namespace onnxop
