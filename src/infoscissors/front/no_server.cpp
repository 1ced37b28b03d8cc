#include "infoscissors/front/server.h"

#ifndef INFOSCISSORS_HTTP

#include "infoscissors/base/error.h"

namespace infoscissors::front {

bool available() {
  return false;
}

std::unique_ptr<Server> start(serve::Core&) {
  throw base::UsageError(
      "[serve] rest: this build has no REST front: libmicrohttpd and GnuTLS were not found when it was "
      "configured; set rest = ''");
}

}  // namespace infoscissors::front

#endif
