#pragma once

#include "infoscissors/base/json.h"
#include "infoscissors/serve/settings.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace spdlog {
class logger;
}

namespace infoscissors::serve {

/// What is logged of a request. Texts are printable ASCII.
struct RequestLine {
  std::string_view request, id, device, address, protocol, model, version, code, reason, datatype;
  std::int64_t rows = 0;  // 0: it was refused before they were known
  std::size_t bytes = 0;
  std::int64_t queue_us = 0, compute_us = 0, total_us = 0;
};

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
  /// The same for a request, without building a document: it is done for each of them.
  void write(const RequestLine& line);

 private:
  std::shared_ptr<spdlog::logger> logger_;
  bool requests_;
};

}  // namespace infoscissors::serve
