#include "infoscissors/base/npy.h"
#include "infoscissors/base/error.h"
#include "infoscissors/base/file.h"
#include "infoscissors/tensor/boolean.h"
#include "infoscissors/tensor/file.h"

#include <cstring>
#include <map>

namespace infoscissors::tensor {
namespace {

using base::Error;

const std::map<std::string, torch::ScalarType>& scalars() {
  static const std::map<std::string, torch::ScalarType> kTable = {
      {"|u1", torch::kUInt8},   {"|i1", torch::kInt8},    {"<i2", torch::kInt16},
      {"<i4", torch::kInt32},   {"<i8", torch::kInt64},   {"<f2", torch::kFloat16},
      {"<f4", torch::kFloat32}, {"<f8", torch::kFloat64}, {"|b1", torch::kBool},
  };
  return kTable;
}

}  // namespace

torch::Tensor parse_npy(const std::string& content, const std::string& name) {
  const base::NpyArray array = base::parse_npy(content, name);
  const auto found = scalars().find(array.dtype);
  if (found == scalars().end()) throw Error("{}: numbers of type {} are not supported", name, array.dtype);
  if (found->second == torch::kBool && !all_boolean(array.data)) {
    throw Error("{}: holds a boolean that is neither 0 nor 1", name);
  }
  auto shape = array.shape;
  if (array.fortran_order) std::reverse(shape.begin(), shape.end());
  auto tensor = torch::empty(shape, torch::TensorOptions(found->second));
  if (!array.data.empty()) std::memcpy(tensor.data_ptr(), array.data.data(), array.data.size());
  if (!array.fortran_order) return tensor;
  std::vector<std::int64_t> order(shape.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<std::int64_t>(order.size() - 1 - i);
  return tensor.permute(order).contiguous();
}

torch::Tensor load_npy(const std::filesystem::path& path) {
  return parse_npy(base::read_file(path), path.string());
}

void save_npy(const std::filesystem::path& path, const torch::Tensor& tensor) {
  const auto plain = tensor.detach().to(torch::kCPU).contiguous();
  base::NpyArray array;
  for (const auto& [name, scalar] : scalars()) {
    if (scalar == plain.scalar_type()) array.dtype = name;
  }
  if (array.dtype.empty())
    throw Error("{}: tensors of type {} have no .npy form", path.string(), c10::toString(plain.scalar_type()));
  array.shape = plain.sizes().vec();
  array.data.assign(static_cast<const char*>(plain.data_ptr()), plain.nbytes());
  base::write_npy(path, array);
}

}  // namespace infoscissors::tensor
