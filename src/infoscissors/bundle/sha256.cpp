#include "infoscissors/bundle/sha256.h"

#include "infoscissors/base/error.h"

#ifdef INFOSCISSORS_OPENSSL

#include <openssl/evp.h>

namespace infoscissors::bundle {

std::string sha256(std::string_view bytes) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  if (EVP_Digest(bytes.data(), bytes.size(), digest, &size, EVP_sha256(), nullptr) != 1) {
    throw base::Error("OpenSSL cannot compute SHA-256");
  }
  std::string text;
  for (unsigned int i = 0; i < size; ++i) text += fmt::format("{:02x}", digest[i]);
  return text;
}

}  // namespace infoscissors::bundle

#else

namespace infoscissors::bundle {

std::string sha256(std::string_view) {
  throw base::Error("bundles need OpenSSL, which this build lacks");
}

}  // namespace infoscissors::bundle

#endif
