#include "infoscissors/tensor/file.h"

#include "infoscissors/base/error.h"
#include "infoscissors/base/file.h"
#include "infoscissors/base/hash.h"
#include "infoscissors/tensor/boolean.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <optional>

namespace infoscissors::tensor {
namespace {

using base::Error;
using base::Json;

struct Type {
  torch::ScalarType scalar;
  const char* safetensors;
};

constexpr Type kTypes[] = {
    {torch::kUInt8, "U8"},    {torch::kInt64, "I64"},     {torch::kInt32, "I32"},   {torch::kFloat32, "F32"},
    {torch::kFloat64, "F64"}, {torch::kBFloat16, "BF16"}, {torch::kFloat16, "F16"}, {torch::kBool, "BOOL"},
};

constexpr const char* kChecksum = "content_hash";

std::string safetensors_name(torch::ScalarType scalar) {
  for (const auto& type : kTypes) {
    if (type.scalar == scalar) return type.safetensors;
  }
  throw Error("tensors of type {} cannot be stored", c10::toString(scalar));
}

std::optional<torch::ScalarType> scalar_of(const std::string& name) {
  for (const auto& type : kTypes) {
    if (name == type.safetensors) return type.scalar;
  }
  return std::nullopt;
}

std::string_view bytes_of(const torch::Tensor& tensor) {
  return {static_cast<const char*>(tensor.data_ptr()), tensor.nbytes()};
}

// The number of bytes, or nothing where the shape is negative or too large. Zeros count as one in the check, because
// libtorch multiplies the other sizes for the strides of an empty tensor, too.
std::optional<std::uint64_t> byte_count(const std::vector<std::int64_t>& shape, std::size_t item) {
  std::uint64_t bytes = item;
  std::uint64_t span = item;
  for (const auto size : shape) {
    if (size < 0 || __builtin_mul_overflow(span, static_cast<std::uint64_t>(std::max<std::int64_t>(size, 1)), &span)) {
      return std::nullopt;
    }
    if (span > std::uint64_t{std::numeric_limits<std::int64_t>::max()}) return std::nullopt;
    bytes *= static_cast<std::uint64_t>(size);
  }
  return bytes;
}

torch::Tensor load_one(const std::string& name, const Json& entry, std::string_view payload, const std::string& file) {
  const auto wrong = [&](const char* why) { return Error("{}: tensor '{}': {}", file, name, why); };
  try {
    const auto scalar = scalar_of(entry.at("dtype").get<std::string>());
    const auto shape = entry.at("shape").get<std::vector<std::int64_t>>();
    const auto offsets = entry.at("data_offsets").get<std::vector<std::uint64_t>>();
    if (!scalar) throw wrong("unknown dtype");
    if (offsets.size() != 2 || offsets[0] > offsets[1] || offsets[1] > payload.size())
      throw wrong("data outside the file");
    const auto bytes = byte_count(shape, c10::elementSize(*scalar));
    if (!bytes) throw wrong("impossible shape");
    if (*bytes != offsets[1] - offsets[0]) throw wrong("shape and data disagree in size");
    const auto content = payload.substr(offsets[0], *bytes);
    if (scalar == torch::kBool && !all_boolean(content)) throw wrong("holds a boolean that is neither 0 nor 1");
    auto tensor = torch::empty(shape, torch::TensorOptions(*scalar));
    if (!content.empty()) std::memcpy(tensor.data_ptr(), content.data(), content.size());
    return tensor;
  } catch (const Json::exception&) {
    throw wrong("malformed header entry");
  }
}

}  // namespace

void save_tensors(const std::filesystem::path& path, const TensorFile& file) {
  Json header = Json::object();
  std::vector<torch::Tensor> parts;
  std::string payload;
  for (const auto& [name, tensor] : file.tensors) {
    const auto part = tensor.detach().to(torch::kCPU).contiguous();
    const auto begin = payload.size();
    if (part.nbytes() > 0) payload += bytes_of(part);
    header[name] = {{"dtype", safetensors_name(part.scalar_type())},
                    {"shape", part.sizes().vec()},
                    {"data_offsets", {begin, payload.size()}}};
  }
  header["__metadata__"] = file.metadata;
  header["__metadata__"][kChecksum] = base::content_hash(payload);
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');  // readers expect the payload aligned
  const std::uint64_t length = text.size();
  base::write_file(path, [&](std::ostream& out) {
    out.write(reinterpret_cast<const char*>(&length), sizeof length);
    out.write(text.data(), static_cast<std::streamsize>(text.size()));
    out.write(payload.data(), static_cast<std::streamsize>(payload.size()));
  });
}

TensorFile load_tensors(const std::filesystem::path& path) {
  const std::string name = path.string();
  const std::string content = base::read_file(path);
  std::uint64_t length = 0;
  if (content.size() < sizeof length) throw Error("{}: not a tensor file: {} bytes is too short", name, content.size());
  std::memcpy(&length, content.data(), sizeof length);
  if (length > content.size() - sizeof length) throw Error("{}: not a tensor file, or truncated in its header", name);
  const auto text = std::string_view(content).substr(sizeof length, length);
  const auto payload = std::string_view(content).substr(sizeof length + length);
  const Json header = Json::parse(text, nullptr, false);
  if (!header.is_object()) throw Error("{}: not a tensor file: its header is not JSON", name);
  TensorFile file;
  for (const auto& [key, entry] : header.items()) {
    if (key != "__metadata__") file.tensors[key] = load_one(key, entry, payload, name);
  }
  if (const auto metadata = header.find("__metadata__"); metadata != header.end()) {
    if (!metadata->is_object()) throw Error("{}: malformed metadata", name);
    for (const auto& [key, value] : metadata->items())
      file.metadata[key] = value.is_string() ? value.get<std::string>() : value.dump();
  }
  const auto checksum = file.metadata.find(kChecksum);
  if (checksum != file.metadata.end() && checksum->second != base::content_hash(payload)) {
    throw Error("{}: damaged: its content does not match its checksum", name);
  }
  file.metadata.erase(kChecksum);
  return file;
}

}  // namespace infoscissors::tensor
