/// Anything may come back from a server: the device takes an answer that is one, and nothing else.
#include "infoscissors/client/proto.h"
#include "infoscissors/wire/error.h"

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace infoscissors;
  static const wire::Signature kSignature{{"representation", wire::DataType::fp32, {-1, 2, 2}},
                                          {"feature", wire::DataType::fp32, {-1, 3}}};
  const auto message = std::make_shared<inference::ModelInferResponse>();
  if (!message->ParseFromArray(data, static_cast<int>(size))) return 0;
  try {
    const auto response = client::parse(message);
    const auto bytes = wire::check(response, kSignature, 2);
    float values[6];
    if (bytes.size() != sizeof values) std::abort();
    std::memcpy(values, bytes.data(), sizeof values);
    for (const float value : values) {
      if (!std::isfinite(value)) std::abort();
    }
  } catch (const wire::Error&) {
  }
  return 0;
}
