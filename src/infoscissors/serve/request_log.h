#pragma once

#include "infoscissors/base/json.h"
#include "infoscissors/serve/settings.h"

#include <memory>
#include <string>
#include <string_view>

namespace spdlog {
class logger;
}

namespace infoscissors::serve {

/// The server's log: one JSON document a line, written by a thread of its own. When that cannot keep up the oldest
/// lines are lost, not the server's time. It is never given a tensor.
class RequestLog {
 public:
  enum class Level { debug, info, warning, error };

  /// Throws base::Error naming a file that cannot be written.
  explicit RequestLog(const Settings& settings);
  ~RequestLog();
  RequestLog(const RequestLog&) = delete;
  RequestLog& operator=(const RequestLog&) = delete;

  bool wants_requests() const { return requests_; }
  /// {"time": ..., "level": ..., "event": EVENT, and the fields}
  void write(Level level, std::string_view event, base::Json fields);

 private:
  std::shared_ptr<spdlog::logger> logger_;
  bool requests_;
};

}  // namespace infoscissors::serve
