#pragma once

#include "infoscissors/bundle/manifest.h"
#include "infoscissors/wire/check.h"

namespace infoscissors::device {

/// What the server's part takes and gives, as the wire names it.
wire::Signature signature_of(const bundle::Manifest& manifest);

}  // namespace infoscissors::device
