#include "infoscissors/base/error.h"
#include "infoscissors/data/source.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <random>

namespace infoscissors::data {
namespace {

constexpr std::int64_t kTrain = 1000;
constexpr std::int64_t kTest = 200;
constexpr std::int64_t kDefaultSize = 16;
constexpr std::uint64_t kSeed = 20240601;
constexpr int kUnit = 1024;  // the side of a picture in the units all geometry is computed in

/// Whole numbers only, and nothing of the standard library that an implementation may choose: the pictures are the
/// same with every compiler, processor and libtorch.
class Random {
 public:
  int below(int bound) { return static_cast<int>(engine_() % static_cast<std::uint64_t>(bound)); }
  int between(int low, int high) { return low + below(high - low); }

 private:
  std::mt19937_64 engine_{kSeed};
};

/// What one picture shows.
struct Scene {
  int kind = 0;  // the class
  int x = 0, y = 0, radius = 0;
  int phase = 0, period = 0;
  std::array<int, 3> back{}, front{};
};

Scene draw_scene(int kind, Random& random) {
  Scene scene;
  scene.kind = kind;
  scene.radius = random.between(200, 360);
  scene.x = random.between(380, kUnit - 380);
  scene.y = random.between(380, kUnit - 380);
  scene.period = random.between(300, 460);
  scene.phase = random.below(scene.period);
  for (auto& value : scene.back) value = random.between(20, 110);
  for (auto& value : scene.front) value = random.between(130, 235);
  return scene;
}

/// A triangle wave in [0, 256] along the direction (a, b).
int grating(const Scene& scene, int x, int y, int a, int b) {
  const int position = (a * x + b * y + scene.phase + 4 * kUnit * scene.period) % scene.period;
  return std::abs(2 * position - scene.period) * 256 / scene.period;
}

/// The share of the front colour at a point, in [0, 256].
int coverage(const Scene& scene, int x, int y) {
  const int dx = x - scene.x;
  const int dy = y - scene.y;
  const int r = scene.radius;
  const int far = std::max(std::abs(dx), std::abs(dy));
  const int squared = dx * dx + dy * dy;
  switch (scene.kind) {
    case 0:
      return grating(scene, x, y, 1, 0);
    case 1:
      return grating(scene, x, y, 0, 1);
    case 2:
      return grating(scene, x, y, 1, 1);
    case 3:
      return grating(scene, x, y, 1, -1);
    case 4:
      return (grating(scene, x, y, 1, 0) + grating(scene, x, y, 0, 1)) / 2;
    case 5:
      return squared < r * r ? 256 : 0;
    case 6:
      return far < r * 7 / 8 ? 256 : 0;
    case 7:
      return squared < r * r && squared > r * r * 4 / 9 ? 256 : 0;
    case 8:
      return far < r && std::min(std::abs(dx), std::abs(dy)) < r / 3 ? 256 : 0;
    default:
      return dy < r * 3 / 4 && dy > -r && 2 * std::abs(dx) < dy + r ? 256 : 0;
  }
}

void paint(const Scene& scene, Random& random, std::int64_t size, std::int64_t channels, std::uint8_t* pixels) {
  const int side = static_cast<int>(size);
  for (int row = 0; row < side; ++row) {
    for (int column = 0; column < side; ++column) {
      const int share = coverage(scene, (2 * column + 1) * kUnit / (2 * side), (2 * row + 1) * kUnit / (2 * side));
      for (std::int64_t c = 0; c < channels; ++c) {
        const auto channel = static_cast<std::size_t>(c);
        const int noise = random.below(16) + random.below(16) + random.below(16) - 22;
        const int value = (scene.front[channel] * share + scene.back[channel] * (256 - share)) / 256 + noise;
        pixels[(c * size + row) * size + column] = static_cast<std::uint8_t>(std::clamp(value, 0, 255));
      }
    }
  }
}

}  // namespace

Dataset load_synthetic(const DataOptions& options) {
  const std::int64_t size = options.image_size > 0 ? options.image_size : kDefaultSize;
  const std::int64_t channels = options.channels > 0 ? options.channels : 3;
  if (size < 8 || size > 1024)
    throw base::UsageError("[data] image_size must be in [8, 1024] for synthetic, got {}", size);
  Dataset dataset{
      .name = "synthetic",
      .images = torch::empty({kTrain + kTest, channels, size, size}, torch::kUInt8),
      .labels = torch::arange(kTrain + kTest, torch::kInt64).remainder(10),
      .classes = {"vertical", "horizontal", "falling", "rising", "plaid", "disc", "square", "ring", "cross",
                  "triangle"},
      .official_train = kTrain,
  };
  Random random;
  auto* pixels = dataset.images.data_ptr<std::uint8_t>();
  for (std::int64_t i = 0; i < kTrain + kTest; ++i) {
    const Scene scene = draw_scene(static_cast<int>(i % 10), random);
    paint(scene, random, size, channels, pixels + i * channels * size * size);
  }
  return dataset;
}

}  // namespace infoscissors::data
