#pragma once

#include "infoscissors/pki/pki.h"

#include <cstdint>
#include <filesystem>
#include <vector>

namespace infoscissors::pki {

/// DIR/index.json: what was issued and revoked. The list of revoked certificates is made from it.
struct Register {
  std::int64_t until = 0;       // the authority's own certificate ends then
  std::int64_t crl_number = 0;  // of the last list, one more each time
  std::vector<Issued> issued;
};

/// Throws Error where `directory` holds no authority, or a register that is damaged or of a later version.
Register read_register(const std::filesystem::path& directory);
void write_register(const std::filesystem::path& directory, const Register& known);

/// Held while the register and the files that follow from it change: two commands at once would lose one's entry.
class Lock {
 public:
  explicit Lock(const std::filesystem::path& directory);
  ~Lock();
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

 private:
  int descriptor_;
};

}  // namespace infoscissors::pki
