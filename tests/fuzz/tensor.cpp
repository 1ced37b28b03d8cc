// From a request's tensors to the floats of a batch. What wire::check accepts must fit exactly into the memory that its
// own count names; nothing may depend on what the request claims.
#include "infoscissors/wire/check.h"
#include "infoscissors/wire/convert.h"
#include "tests/fuzz/refuses.h"

#include <fuzzer/FuzzedDataProvider.h>

#include <memory>

namespace {

using namespace infoscissors;

const wire::Signature kSignature{.input = {.name = "r", .datatype = wire::DataType::fp32, .shape = {-1, 2, 2}},
                                 .output = {.name = "v", .datatype = wire::DataType::fp32, .shape = {-1, 3}}};

std::string name(FuzzedDataProvider& data) {
  const auto* known = data.PickValueInArray({"r", "r_scale", "r_zero_point", "v", ""});
  return data.ConsumeBool() ? known : data.ConsumeRandomLengthString(200);
}

wire::Tensor tensor(FuzzedDataProvider& data, std::vector<std::unique_ptr<std::string>>& keep) {
  wire::Tensor made;
  made.name = name(data);
  made.datatype = static_cast<wire::DataType>(data.ConsumeIntegralInRange(0, 13));
  const auto rows = data.ConsumeIntegralInRange<std::int64_t>(0, 5);
  if (data.ConsumeBool()) {
    made.shape = made.name == "r" ? wire::Shape{rows, 2, 2} : wire::Shape{rows, 1};
  } else {
    for (auto rank = data.ConsumeIntegralInRange(0, 10); rank > 0; --rank)
      made.shape.push_back(data.ConsumeIntegral<std::int64_t>());
  }
  std::size_t size = data.ConsumeIntegralInRange<std::size_t>(0, 100);
  if (data.ConsumeBool())
    size = static_cast<std::size_t>(rows) * (made.name == "r" ? 4 : 1) * wire::size_of(made.datatype);
  keep.push_back(std::make_unique<std::string>(data.ConsumeBytesAsString(size)));
  if (data.ConsumeBool()) keep.back()->resize(size);
  keep.back()->shrink_to_fit();
  made.data = *keep.back();
  return made;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  FuzzedDataProvider data(bytes, size);
  wire::Limits limits;
  limits.max_rows = 4;
  limits.refuse_non_finite = data.ConsumeBool();
  std::vector<std::unique_ptr<std::string>> keep;
  wire::Request request;
  request.model = name(data);
  request.id = name(data);
  if (data.ConsumeBool()) request.parameters.emplace(name(data), data.ConsumeRandomLengthString(300));
  for (auto inputs = data.ConsumeIntegralInRange(0, 4); inputs > 0; --inputs)
    request.inputs.push_back(tensor(data, keep));
  for (auto outputs = data.ConsumeIntegralInRange(0, 2); outputs > 0; --outputs)
    request.outputs.push_back({name(data), {}});
  fuzz::accepts([&] {
    wire::check_names(request, limits);
    const auto rows = wire::check(request, kSignature, limits);
    fuzz::require(rows.count >= 1 && rows.count <= limits.max_rows && rows.row_elements == 4, "the rows are counted");
    // Exactly as large as promised, so that one element more is found.
    const auto floats = std::make_unique<float[]>(static_cast<std::size_t>(rows.count * rows.row_elements));
    rows.copy_to(floats.get());
  });
  return 0;
}
