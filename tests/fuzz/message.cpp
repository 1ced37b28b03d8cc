// gRPC's bytes of a ModelInferRequest to a checked batch.
#include "infoscissors/rpc/message.h"
#include "infoscissors/wire/check.h"
#include "tests/fuzz/refuses.h"

#include <memory>
#include <string>

using namespace infoscissors;

namespace {

const wire::Signature kSignature{.input = {.name = "r", .datatype = wire::DataType::fp32, .shape = {-1, 2, 2}},
                                 .output = {.name = "v", .datatype = wire::DataType::fp32, .shape = {-1, 2}}};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const auto keep = std::make_shared<const std::string>(reinterpret_cast<const char*>(bytes), size);
  fuzz::accepts([&] {
    const auto decoded = rpc::decode(*keep, keep);
    const wire::Limits limits;
    wire::check_names(decoded.request, limits);
    const auto rows = wire::check(decoded.request, kSignature, limits);
    const auto floats = std::make_unique<float[]>(static_cast<std::size_t>(rows.count * rows.row_elements));
    rows.copy_to(floats.get());
  });
  return 0;
}
