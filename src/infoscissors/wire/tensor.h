#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace infoscissors::wire {

/// The datatypes of the Open Inference Protocol.
enum class DataType : std::uint8_t {
  boolean,
  uint8,
  uint16,
  uint32,
  uint64,
  int8,
  int16,
  int32,
  int64,
  fp16,
  bf16,
  fp32,
  fp64,
  bytes,
};

/// "FP32". The protocol's name.
std::string_view name(DataType type);

/// Throws Error(invalid_argument) for a name the protocol does not have.
DataType parse_datatype(std::string_view name);

/// Bytes of one element; 0 for `bytes`, whose elements differ in size.
std::size_t size_of(DataType type);

using Shape = std::vector<std::int64_t>;

/// The product of the sizes. Throws Error(invalid_argument), naming `tensor`, for a rank above 8, a size below 1 or a
/// product that does not fit 2^40.
std::int64_t count_elements(const Shape& shape, std::string_view tensor);

/// "[2,16,8,8]"
std::string text(const Shape& shape);

/// A tensor on its way: row-major, little-endian. `data` views bytes that live elsewhere (the request's or response's
/// `keep`) or in `storage`.
struct Tensor {
  std::string name;
  DataType datatype = DataType::fp32;
  Shape shape;
  std::string_view data;
  std::vector<char> storage;

  Tensor() = default;
  Tensor(std::string name_, DataType type, Shape shape_, std::string_view data_)
      : name(std::move(name_)), datatype(type), shape(std::move(shape_)), data(data_) {}
  Tensor(Tensor&&) = default;
  Tensor& operator=(Tensor&&) = default;
  // A copy's view would point into the original.
  Tensor(const Tensor&) = delete;
  Tensor& operator=(const Tensor&) = delete;

  /// Keeps the bytes and lets `data` view them.
  void own(std::vector<char> bytes) {
    storage = std::move(bytes);
    data = {storage.data(), storage.size()};
  }
};

using Parameter = std::variant<bool, std::int64_t, double, std::string>;
using Parameters = std::map<std::string, Parameter, std::less<>>;

/// The request parameter with which a device pins the version of all three parts; the response repeats it.
inline constexpr std::string_view kVersionId = "version_id";
/// Response parameters: microseconds (int64) in the queue and in the network.
inline constexpr std::string_view kQueueMicros = "queue_us";
inline constexpr std::string_view kComputeMicros = "compute_us";
/// Appended to the name of a quantised input for its two extra inputs, each [N,1] FP32.
inline constexpr std::string_view kScale = "_scale";
inline constexpr std::string_view kZeroPoint = "_zero_point";

struct RequestedOutput {
  std::string name;
  Parameters parameters;
};

struct Request {
  std::string model;
  std::string version;  // empty: whichever the server prefers
  std::string id;       // the client's own, repeated in the answer
  Parameters parameters;
  std::vector<Tensor> inputs;
  std::vector<RequestedOutput> outputs;  // none: all
  std::shared_ptr<const void> keep;      // what the inputs' views point into
};

struct Response {
  std::string model;
  std::string version;
  std::string id;
  Parameters parameters;
  std::vector<Tensor> outputs;
  std::shared_ptr<const void> keep;
};

}  // namespace infoscissors::wire
