// A bundle's manifest.
#include "infoscissors/bundle/manifest.h"
#include "tests/fuzz/refuses.h"

#include <string_view>

using namespace infoscissors;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  fuzz::accepts(
      [&] {
        const auto manifest = bundle::parse_manifest(text, "manifest.json");
        // What was accepted is written as it was read.
        const auto again = bundle::parse_manifest(bundle::to_json(manifest).dump(), "manifest.json");
        fuzz::require(bundle::to_json(again) == bundle::to_json(manifest), "a manifest survives being written");
      },
      4096 + size);
  return 0;
}
