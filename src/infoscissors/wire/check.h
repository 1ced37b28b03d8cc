#pragma once

#include "infoscissors/wire/error.h"
#include "infoscissors/wire/tensor.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace infoscissors::wire {

/// A tensor of a model's interface; shape[0] = -1 is the batch, the other sizes are fixed.
struct TensorSpec {
  std::string name;
  DataType datatype = DataType::fp32;
  Shape shape;

  std::int64_t row_elements() const;  // product of shape[1..]
};

/// One input and one output, both FP32 with the batch in front.
struct Signature {
  TensorSpec input, output;
};

/// Throws base::Error for a signature this server cannot serve.
void validate(const Signature& signature);

struct Limits {
  std::int64_t max_rows = 64;     // rows of one request
  bool refuse_non_finite = true;  // NaN and infinities: invalid_argument
  std::size_t max_name = 128;     // bytes of a tensor's, model's or version's name and of an id
  std::size_t max_parameters = 32;
};

/// The rows of a request that was checked: views into it, and how they become floats.
struct Rows {
  std::int64_t count = 0;
  std::int64_t row_elements = 0;
  DataType datatype = DataType::fp32;
  std::string_view data, scale, zero_point;  // the latter two for INT8 and UINT8 alone

  /// Writes count * row_elements floats.
  void copy_to(float* destination) const;
};

/// Checks what does not depend on a model: lengths of names, no NUL in them, number of tensors and parameters. Call it
/// before a name is looked up or logged. Throws Error.
void check_names(const Request& request, const Limits& limits);

/// Checks the tensors against the model: exactly its input (FP32, FP16, BF16, or INT8/UINT8 with scale and zero
/// point), shapes, sizes, values, requested outputs. Allocates nothing that the request's sizes decide. Throws Error.
Rows check(const Request& request, const Signature& signature, const Limits& limits);

/// What the client must see of a response: exactly one output with the signature's name, FP32, `rows` rows and finite
/// values. Returns its data. Throws Error(internal).
std::string_view check(const Response& response, const Signature& signature, std::int64_t rows);

}  // namespace infoscissors::wire
