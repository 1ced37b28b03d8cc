#include "infoscissors/device/signature.h"

namespace infoscissors::device {
namespace {

wire::TensorSpec to_wire(const bundle::TensorSpec& spec) {
  return {spec.name, wire::parse_datatype(spec.datatype), spec.shape};
}

}  // namespace

wire::Signature signature_of(const bundle::Manifest& manifest) {
  return {to_wire(manifest.inputs[0]), to_wire(manifest.outputs[0])};
}

}  // namespace infoscissors::device
