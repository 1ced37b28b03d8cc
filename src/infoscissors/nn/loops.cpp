#include "infoscissors/nn/loops.h"

#include <algorithm>
#include <bit>
#include <cmath>

// The loops compiled for what processors have, chosen when the program starts. Sanitizers run before that.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) && \
    !defined(__SANITIZE_THREAD__)
#define INFOSCISSORS_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define INFOSCISSORS_CLONES
#endif
#define INFOSCISSORS_INLINE inline __attribute__((always_inline))

namespace infoscissors::nn::kernel {
namespace {

INFOSCISSORS_INLINE float load(const float* from, std::int64_t i) {
  return from[i];
}
INFOSCISSORS_INLINE float load(const Bits* from, std::int64_t i) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(from[i]) << 16);
}
INFOSCISSORS_INLINE void store(float* to, std::int64_t i, float value) {
  to[i] = value;
}
// To the nearest, ties to even; what is not a number stays so.
INFOSCISSORS_INLINE void store(Bits* to, std::int64_t i, float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const auto rounded = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
  to[i] = static_cast<Bits>(value != value ? 0x7fc0 : rounded);
}

template <class T>
INFOSCISSORS_INLINE void add_moments(const T* x, const float* centre, float* plain, float* square, Stretch stretch) {
  for (std::int64_t at = 0; at < stretch.size; at += stretch.tile) {
    const auto count = std::min(stretch.tile, stretch.size - at);
    for (std::int64_t i = 0; i < count; ++i) {
      const float difference = load(x + at, i) - centre[i];
      plain[i] += difference;
      square[i] += difference * difference;
    }
  }
}

template <bool kResidual, bool kRectified, class T>
INFOSCISSORS_INLINE void apply_to(const T* x, const float* mean, const float* scale, const float* shift,
                                  const T* residual, T* y, Stretch stretch) {
  for (std::int64_t at = 0; at < stretch.size; at += stretch.tile) {
    const auto count = std::min(stretch.tile, stretch.size - at);
    for (std::int64_t i = 0; i < count; ++i) {
      float value = scale[i] * (load(x + at, i) - mean[i]) + shift[i];
      if constexpr (kResidual) value += load(residual + at, i);
      if constexpr (kRectified) value = value < 0 ? 0 : value;
      store(y + at, i, value);
    }
  }
}

template <bool kMasked, bool kKeep, class T>
INFOSCISSORS_INLINE void add_gradients(const T* dy, const T* y, const T* x, const float* mean, float* plain,
                                       float* centred, T* kept, Stretch stretch) {
  for (std::int64_t at = 0; at < stretch.size; at += stretch.tile) {
    const auto count = std::min(stretch.tile, stretch.size - at);
    for (std::int64_t i = 0; i < count; ++i) {
      float g = load(dy + at, i);
      if constexpr (kMasked) g = load(y + at, i) > 0 ? g : 0;
      plain[i] += g;
      centred[i] += g * (load(x + at, i) - mean[i]);
      if constexpr (kKeep) store(kept + at, i, g);
    }
  }
}

template <bool kMasked, class T>
INFOSCISSORS_INLINE void gradient_to(const T* dy, const T* y, const T* x, const float* mean, const float* a,
                                     const float* b, const float* c, T* dx, Stretch stretch) {
  for (std::int64_t at = 0; at < stretch.size; at += stretch.tile) {
    const auto count = std::min(stretch.tile, stretch.size - at);
    for (std::int64_t i = 0; i < count; ++i) {
      float g = load(dy + at, i);
      if constexpr (kMasked) g = load(y + at, i) > 0 ? g : 0;
      store(dx + at, i, a[i] * g + b[i] * (load(x + at, i) - mean[i]) + c[i]);
    }
  }
}

}  // namespace

// Clones cannot be templates, so each loop is spelt out for its two types.
#define INFOSCISSORS_LOOPS(T)                                                                                      \
  INFOSCISSORS_CLONES void moments_loop(const T* x, const float* centre, float* plain, float* square, Stretch s) { \
    add_moments(x, centre, plain, square, s);                                                                      \
  }                                                                                                                \
  INFOSCISSORS_CLONES void apply_loop(const T* x, const float* mean, const float* scale, const float* shift,       \
                                      const T* residual, bool rectified, T* y, Stretch s) {                        \
    if (residual && rectified) return apply_to<true, true>(x, mean, scale, shift, residual, y, s);                 \
    if (residual) return apply_to<true, false>(x, mean, scale, shift, residual, y, s);                             \
    if (rectified) return apply_to<false, true>(x, mean, scale, shift, residual, y, s);                            \
    apply_to<false, false>(x, mean, scale, shift, residual, y, s);                                                 \
  }                                                                                                                \
  INFOSCISSORS_CLONES void sums_loop(const T* dy, const T* y, const T* x, const float* mean, float* plain,         \
                                     float* centred, T* kept, Stretch s) {                                         \
    if (y && kept) return add_gradients<true, true>(dy, y, x, mean, plain, centred, kept, s);                      \
    if (y) return add_gradients<true, false>(dy, y, x, mean, plain, centred, kept, s);                             \
    add_gradients<false, false>(dy, y, x, mean, plain, centred, kept, s);                                          \
  }                                                                                                                \
  INFOSCISSORS_CLONES void gradient_loop(const T* dy, const T* y, const T* x, const float* mean, const float* a,   \
                                         const float* b, const float* c, T* dx, Stretch s) {                       \
    if (y) return gradient_to<true>(dy, y, x, mean, a, b, c, dx, s);                                               \
    gradient_to<false>(dy, y, x, mean, a, b, c, dx, s);                                                            \
  }
INFOSCISSORS_LOOPS(float)
INFOSCISSORS_LOOPS(Bits)

INFOSCISSORS_CLONES void sgd_loop(float* values, const float* gradients, float* momenta, std::int64_t count,
                                  float factor, float decay, float rate) {
  for (std::int64_t i = 0; i < count; ++i) {
    momenta[i] = factor * momenta[i] + (gradients[i] + decay * values[i]);
    values[i] -= rate * momenta[i];
  }
}

INFOSCISSORS_CLONES void adam_loop(float* values, const float* gradients, float* first, float* second,
                                   std::int64_t count, const AdamConstants& step) {
  for (std::int64_t i = 0; i < count; ++i) {
    const float gradient = gradients[i] + step.decay * values[i];
    first[i] = step.beta1 * first[i] + step.rest1 * gradient;
    second[i] = step.beta2 * second[i] + step.rest2 * gradient * gradient;
    values[i] -= step.rate * first[i] / (std::sqrt(second[i]) / step.root2 + step.epsilon);
  }
}

}  // namespace infoscissors::nn::kernel
