/// Anything may come in on standard input: it is cut into pictures, or refused.
#include "infoscissors/base/error.h"
#include "infoscissors/device/stream.h"

#include <cstdint>
#include <cstdlib>
#include <sstream>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace infoscissors;
  std::istringstream in(std::string(reinterpret_cast<const char*>(data), size));
  device::PictureStream stream(in, "stdin");
  std::size_t taken = 0;
  try {
    while (auto picture = stream.next()) {
      if (picture->empty()) std::abort();
      taken += picture->size();
    }
    if (taken != size) std::abort();
  } catch (const base::Error&) {
  }
  return 0;
}
