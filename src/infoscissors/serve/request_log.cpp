#include "infoscissors/serve/request_log.h"

#include "infoscissors/base/error.h"

#include <spdlog/async.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <atomic>
#include <chrono>
#include <ctime>
#include <iterator>

namespace infoscissors::serve {
namespace {

constexpr std::size_t kLines = 8192;  // that may wait to be written

spdlog::level::level_enum native(RequestLog::Level level) {
  switch (level) {
    case RequestLog::Level::debug:
      return spdlog::level::debug;
    case RequestLog::Level::info:
      return spdlog::level::info;
    case RequestLog::Level::warning:
      return spdlog::level::warn;
    case RequestLog::Level::error:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

const char* name(RequestLog::Level level) {
  constexpr const char* kNames[] = {"debug", "info", "warning", "error"};
  return kNames[static_cast<int>(level)];
}

spdlog::sink_ptr sink_for(const std::string& log) {
  if (log == "stderr") return std::make_shared<spdlog::sinks::stderr_sink_mt>();
  try {
    return std::make_shared<spdlog::sinks::basic_file_sink_mt>(log);
  } catch (const spdlog::spdlog_ex& error) {
    throw base::Error("[serve] log = '{}' cannot be written: {}", log, error.what());
  }
}

std::string timestamp() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(now).count();
  const std::time_t seconds = micros / 1000000;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[32];
  const auto length = std::strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &parts);
  return fmt::format("{}.{:06}Z", std::string_view(text, length), micros % 1000000);
}

/// Printable ASCII within quotes of JSON.
std::string escaped(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  return result;
}

}  // namespace

RequestLog::RequestLog(const Settings& settings) : requests_(settings.log_requests) {
  // A pool of its own, which ends with this object, instead of spdlog's global one.
  static std::atomic<int> number{0};
  auto pool = std::make_shared<spdlog::details::thread_pool>(kLines, 1);
  struct Owner {
    std::shared_ptr<spdlog::details::thread_pool> pool;
    std::shared_ptr<spdlog::async_logger> logger;
  };
  auto owner = std::make_shared<Owner>();
  owner->pool = pool;
  owner->logger = std::make_shared<spdlog::async_logger>("serve" + std::to_string(number++), sink_for(settings.log),
                                                         pool, spdlog::async_overflow_policy::overrun_oldest);
  owner->logger->set_pattern("%v");
  constexpr Level kLevels[] = {Level::debug, Level::info, Level::warning, Level::error};
  for (const auto level : kLevels) {
    if (settings.log_level == name(level)) owner->logger->set_level(native(level));
  }
  requests_ = requests_ && owner->logger->should_log(spdlog::level::info);
  owner->logger->flush_on(spdlog::level::info);
  logger_ = {owner, owner->logger.get()};
}

RequestLog::~RequestLog() = default;

void RequestLog::write(Level level, std::string_view event, base::Json fields) {
  if (!logger_->should_log(native(level))) return;
  fields["time"] = timestamp();
  fields["level"] = name(level);
  fields["event"] = event;
  logger_->log(native(level), "{}", fields.dump(-1, ' ', true, base::Json::error_handler_t::replace));
}

void RequestLog::write(const RequestLine& line) {
  if (!requests_) return;
  fmt::memory_buffer text;
  const auto out = std::back_inserter(text);
  fmt::format_to(out, R"({{"time":"{}","level":"info","event":"request","request":"{}","id":"{}","device":"{}",)",
                 timestamp(), line.request, escaped(line.id), escaped(line.device));
  fmt::format_to(out, R"("address":"{}","protocol":"{}","model":"{}","version":"{}","code":"{}","total_us":{})",
                 escaped(line.address), line.protocol, escaped(line.model), escaped(line.version), line.code,
                 line.total_us);
  if (!line.reason.empty()) fmt::format_to(out, R"(,"reason":"{}")", line.reason);
  if (line.rows > 0) {
    fmt::format_to(out, R"(,"rows":{},"bytes":{},"datatype":"{}","queue_us":{},"compute_us":{})", line.rows, line.bytes,
                   line.datatype, line.queue_us, line.compute_us);
  }
  text.push_back('}');
  logger_->log(spdlog::level::info, spdlog::string_view_t(text.data(), text.size()));
}

}  // namespace infoscissors::serve
