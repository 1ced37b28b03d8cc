// int8 and half precision, from arbitrary bytes and back.
#include "infoscissors/wire/convert.h"
#include "tests/fuzz/refuses.h"

#include <fuzzer/FuzzedDataProvider.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <vector>

using namespace infoscissors;

namespace {

std::vector<float> floats(FuzzedDataProvider& data, std::size_t count) {
  std::vector<float> values(count, 0);
  const auto bytes = data.ConsumeBytes<char>(count * sizeof(float));
  if (!bytes.empty()) std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

std::string_view view(const std::vector<float>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)};
}

// Any bytes with any scale: reads and writes exactly what it may.
void arbitrary(FuzzedDataProvider& data, std::int64_t rows, std::int64_t elements) {
  const auto type = data.ConsumeBool() ? wire::DataType::int8 : wire::DataType::uint8;
  const auto scale = floats(data, static_cast<std::size_t>(rows));
  const auto zero_point = floats(data, static_cast<std::size_t>(rows));
  auto values = data.ConsumeBytes<char>(static_cast<std::size_t>(rows * elements));
  values.resize(static_cast<std::size_t>(rows * elements));
  values.shrink_to_fit();
  const auto out = std::make_unique<float[]>(values.size());
  wire::dequantise(type, {values.data(), values.size()}, view(scale), view(zero_point), rows, elements, out.get());
}

// What quantise() makes comes back within half a step.
void round_trip(FuzzedDataProvider& data, std::int64_t rows, std::int64_t elements) {
  const auto source = floats(data, static_cast<std::size_t>(rows * elements));
  wire::Quantised quantised;
  if (!fuzz::accepts([&] { quantised = wire::quantise(source.data(), rows, elements); })) return;
  std::vector<float> back(source.size());
  wire::dequantise(wire::DataType::int8, {quantised.values.data(), quantised.values.size()}, view(quantised.scale),
                   view(quantised.zero_point), rows, elements, back.data());
  for (std::size_t i = 0; i < source.size(); ++i) {
    const double step = quantised.scale[i / static_cast<std::size_t>(elements)];
    const double error = std::abs(static_cast<double>(back[i]) - source[i]);
    // Rounding of the arithmetic itself comes on top, relative to the row's range of 255 steps.
    fuzz::require(std::isfinite(step) && error <= step * 0.51 + std::numeric_limits<float>::denorm_min(),
                  "within half a step");
  }
}

void halves(FuzzedDataProvider& data) {
  const auto half = data.ConsumeIntegral<std::uint16_t>();
  const float value = wire::from_half(half);
  if (!std::isnan(value)) fuzz::require(wire::to_half(value) == half, "every half survives a float");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  FuzzedDataProvider data(bytes, size);
  const auto rows = data.ConsumeIntegralInRange<std::int64_t>(1, 4);
  const auto elements = data.ConsumeIntegralInRange<std::int64_t>(1, 40);
  halves(data);
  if (data.ConsumeBool()) {
    arbitrary(data, rows, elements);
  } else {
    round_trip(data, rows, elements);
  }
  return 0;
}
