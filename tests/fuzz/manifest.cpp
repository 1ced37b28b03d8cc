// A bundle's manifest, as it is and with its digest repaired: no mutation would ever get past the digest.
#include "infoscissors/bundle/manifest.h"

#include "infoscissors/base/json.h"
#include "infoscissors/bundle/sha256.h"
#include "tests/fuzz/refuses.h"

#include <string>
#include <string_view>

using namespace infoscissors;

namespace {

void read(std::string_view text) {
  fuzz::accepts(
      [&] {
        const auto manifest = bundle::parse_manifest(text, "manifest.json");
        const auto document = bundle::to_json(manifest);
        const auto again = bundle::parse_manifest(document.dump(), "manifest.json");
        fuzz::require(bundle::to_json(again) == document, "a manifest survives being written");
      },
      4096 + text.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  read(text);
  auto document = base::Json::parse(text, nullptr, false);
  if (!document.is_object()) return 0;
  document.erase("digest");
  const auto dumped = document.dump(-1, ' ', false, base::Json::error_handler_t::replace);
  document["digest"] = bundle::sha256(dumped);
  read(document.dump(-1, ' ', false, base::Json::error_handler_t::replace));
  return 0;
}
