#pragma once

#include <cstdint>

/// The loops in which a training step spends its time outside of convolutions, on plain memory. They know nothing of
/// libtorch and are compiled with more optimisation than the rest, for several generations of processors.
namespace infoscissors::nn::kernel {

using Bits = std::uint16_t;  // of a bfloat16

/// A stretch of elements in which channels repeat with the period `tile`.
struct Stretch {
  std::int64_t size, tile;
};

#define INFOSCISSORS_DECLARE_LOOPS(T)                                                                           \
  void moments_loop(const T* x, const float* centre, float* plain, float* square, Stretch stretch);             \
  void apply_loop(const T* x, const float* mean, const float* scale, const float* shift, const T* residual,     \
                  bool rectified, T* y, Stretch stretch);                                                       \
  void sums_loop(const T* dy, const T* y, const T* x, const float* mean, float* plain, float* centred, T* kept, \
                 Stretch stretch);                                                                              \
  void gradient_loop(const T* dy, const T* y, const T* x, const float* mean, const float* a, const float* b,    \
                     const float* c, T* dx, Stretch stretch);
/// Of norm_kernel.h, where they are explained; arrays of float hold a value for each place of a tile.
INFOSCISSORS_DECLARE_LOOPS(float)
INFOSCISSORS_DECLARE_LOOPS(Bits)
#undef INFOSCISSORS_DECLARE_LOOPS

/// Of optimizer_kernel.h.
void sgd_loop(float* values, const float* gradients, float* momenta, std::int64_t count, float factor, float decay,
              float rate);
struct AdamConstants {
  float beta1, rest1, beta2, rest2, epsilon, decay, rate, root2;
};
void adam_loop(float* values, const float* gradients, float* first, float* second, std::int64_t count,
               const AdamConstants& step);

}  // namespace infoscissors::nn::kernel
