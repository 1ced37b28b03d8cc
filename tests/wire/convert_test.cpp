#include "infoscissors/wire/convert.h"

#include "infoscissors/wire/error.h"

#include "tests/support/bytes.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <random>

namespace infoscissors::wire {
namespace {

/// The value of a half by its definition.
double value_of(std::uint16_t half) {
  const int exponent = (half >> 10) & 31, fraction = half & 1023;
  const double sign = half & 0x8000 ? -1 : 1;
  if (exponent == 31) return fraction ? NAN : sign * INFINITY;
  if (exponent == 0) return sign * std::ldexp(fraction, -24);
  return sign * std::ldexp(1024 + fraction, exponent - 25);
}

TEST(Half, EveryValueIsReadByItsDefinitionAndWrittenBack) {
  for (int bits = 0; bits < 65536; ++bits) {
    const auto half = static_cast<std::uint16_t>(bits);
    const double expected = value_of(half);
    const float read = from_half(half);
    if (std::isnan(expected)) {
      EXPECT_TRUE(std::isnan(read));
      EXPECT_TRUE(std::isnan(value_of(to_half(read))));
      continue;
    }
    ASSERT_EQ(read, expected) << bits;
    ASSERT_EQ(std::signbit(read), std::signbit(expected)) << bits;
    ASSERT_EQ(to_half(read), half);
  }
}

TEST(Half, RoundsToTheNearestTiesToEven) {
  // Between every two neighbours: the middle goes to the even one, what is off it to the nearer one.
  for (int bits = 0; bits < 0x7bff; ++bits) {
    const auto low = static_cast<std::uint16_t>(bits), high = static_cast<std::uint16_t>(bits + 1);
    const auto middle = static_cast<float>((value_of(low) + value_of(high)) / 2);
    ASSERT_EQ(to_half(middle), bits % 2 == 0 ? low : high) << bits;
    ASSERT_EQ(to_half(std::nextafter(middle, 0.0F)), low) << bits;
    ASSERT_EQ(to_half(std::nextafter(middle, 1e6F)), high) << bits;
    ASSERT_EQ(to_half(-middle) & 0x7fff, to_half(middle));
  }
  EXPECT_EQ(to_half(65519.996F), 0x7bff);
  EXPECT_EQ(to_half(65520.0F), 0x7c00);
  EXPECT_EQ(to_half(1e30F), 0x7c00);
  EXPECT_EQ(to_half(-INFINITY), 0xfc00);
}

TEST(Half, ArraysMayBeUnaligned) {
  std::vector<char> bytes(2 * 5 + 1);
  const std::vector<float> values{0, 1, -2.5F, 1024, 0x1p-24F};
  to_half(values.data(), values.size(), bytes.data() + 1);
  std::vector<float> read(5);
  from_half(bytes.data() + 1, 5, read.data());
  EXPECT_EQ(read, values);
}

TEST(Bfloat, IsTheUpperHalfOfAFloat) {
  for (int bits = 0; bits < 65536; bits += 7) {
    const auto half = static_cast<std::uint16_t>(bits);
    float read = 0;
    from_bfloat16(reinterpret_cast<const char*>(&half), 1, &read);
    EXPECT_EQ(std::bit_cast<std::uint32_t>(read), static_cast<std::uint32_t>(bits) << 16);
  }
}

TEST(Quantise, ErrorStaysBelowHalfAStepAndZeroIsExact) {
  std::mt19937 random(7);
  constexpr std::int64_t kRows = 20, kElements = 333;
  std::vector<float> values(kRows * kElements), back(values.size());
  for (std::int64_t row = 0; row < kRows; ++row) {
    // Rows of all kinds: around zero, one-sided, tiny, huge.
    std::normal_distribution<float> normal(static_cast<float>(row % 3 - 1),
                                           std::pow(10.0F, static_cast<float>(row - 10)));
    for (std::int64_t i = 0; i < kElements; ++i) values[row * kElements + i] = i % 10 ? normal(random) : 0;
  }
  const auto q = quantise(values.data(), kRows, kElements);
  dequantise(DataType::int8, {q.values.data(), q.values.size()}, tests::bytes_of(q.scale),
             tests::bytes_of(q.zero_point), kRows, kElements, back.data());
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto scale = q.scale[i / kElements];
    ASSERT_NEAR(back[i], values[i], scale * 1.001) << i;
    if (values[i] == 0) {
      ASSERT_EQ(back[i], 0) << i;
    }
  }
  // Nearly every value is off by half a step at most; the zero point's own rounding can add half a step at the ends.
  std::size_t worse = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    worse += std::abs(back[i] - values[i]) > q.scale[i / kElements] * 0.5001F;
  }
  EXPECT_LT(worse, values.size() / 50);
}

TEST(Quantise, ConstantRows) {
  for (const float value : {0.0F, 3.0F, -3.0F, 1e-38F, 1e38F}) {
    const std::vector<float> row(4, value);
    std::vector<float> back(4);
    const auto q = quantise(row.data(), 1, 4);
    dequantise(DataType::int8, {q.values.data(), 4}, tests::bytes_of(q.scale), tests::bytes_of(q.zero_point), 1, 4,
               back.data());
    EXPECT_NEAR(back[0], value, std::abs(value) / 250 + 1e-37);
  }
}

TEST(Quantise, RefusesWhatIsNotFinite) {
  for (const float bad : {std::nanf(""), INFINITY, -INFINITY}) {
    const std::vector<float> row{1, bad};
    EXPECT_THROW(quantise(row.data(), 1, 2), Error);
  }
}

TEST(Dequantise, EachRowHasItsOwnScale) {
  const std::string values{'\x00', '\x7f', '\x80', '\xff'};
  const std::vector<float> scale{1, 2}, zero{0, 10};
  std::vector<float> result(4);
  dequantise(DataType::int8, values, tests::bytes_of(scale), tests::bytes_of(zero), 2, 2, result.data());
  EXPECT_EQ(result, (std::vector<float>{0, 127, (-128 - 10) * 2, (-1 - 10) * 2}));
  dequantise(DataType::uint8, values, tests::bytes_of(scale), tests::bytes_of(zero), 2, 2, result.data());
  EXPECT_EQ(result, (std::vector<float>{0, 127, (128 - 10) * 2, (255 - 10) * 2}));
}

TEST(Finite, IntegersAlwaysAre) {
  EXPECT_TRUE(all_finite(DataType::int8, "\xff\xff\xff\xff"));
  EXPECT_FALSE(all_finite(DataType::fp32, "\xff\xff\xff\xff"));
  const std::string infinite("\x00\x00\x00\x00\x00\x00\xf0\x7f", 8);
  EXPECT_FALSE(all_finite(DataType::fp64, infinite));
  EXPECT_TRUE(all_finite(DataType::fp64, std::string(8, '\x11')));
}

}  // namespace
}  // namespace infoscissors::wire
