#include "infoscissors/base/log.h"

#include "infoscissors/base/error.h"

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <memory>

namespace infoscissors::base::log {
namespace {

struct Sinks {
  std::shared_ptr<spdlog::sinks::stderr_color_sink_mt> terminal =
      std::make_shared<spdlog::sinks::stderr_color_sink_mt>();
  std::shared_ptr<spdlog::sinks::basic_file_sink_mt> file;
  std::shared_ptr<spdlog::logger> logger = std::make_shared<spdlog::logger>("infoscissors", terminal);

  Sinks() {
    terminal->set_pattern("%^%v%$");
    terminal->set_level(spdlog::level::info);
    logger->set_level(spdlog::level::debug);
  }
};

Sinks& sinks() {
  static Sinks instance;
  return instance;
}

spdlog::level::level_enum native(Level level) {
  switch (level) {
    case Level::debug:
      return spdlog::level::debug;
    case Level::info:
      return spdlog::level::info;
    case Level::warning:
      return spdlog::level::warn;
    case Level::error:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

}  // namespace

void set_level(Level level) {
  sinks().terminal->set_level(native(level));
}

void open_log_file(const std::filesystem::path& path) {
  close_log_file();
  auto& s = sinks();
  try {
    s.file = std::make_shared<spdlog::sinks::basic_file_sink_mt>(path.string());
  } catch (const spdlog::spdlog_ex& error) {
    throw Error("{}: cannot be written: {}", path.string(), error.what());
  }
  s.file->set_pattern("%Y-%m-%dT%H:%M:%S.%e %l %v");
  s.logger->sinks() = {s.terminal, s.file};
  s.logger->flush_on(spdlog::level::info);
}

void close_log_file() {
  auto& s = sinks();
  s.logger->flush();
  s.file.reset();
  s.logger->sinks() = {s.terminal};
}

void write(Level level, std::string_view message) {
  const bool marked = level == Level::warning || level == Level::error;
  sinks().logger->log(native(level), "{}{}", marked ? (level == Level::error ? "error: " : "warning: ") : "", message);
}

}  // namespace infoscissors::base::log
