#pragma once

#include <fmt/format.h>

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

/// Messages to people: stderr (never stdout, which belongs to results) and, once open_log_file was called, a file.
namespace infoscissors::base::log {

enum class Level { debug, info, warning, error };

void set_level(Level level);

/// Appends everything from now on, at every level, to `path` as well.
void open_log_file(const std::filesystem::path& path);
void close_log_file();

void write(Level level, std::string_view message);

template <class... Args>
void debug(fmt::format_string<Args...> format, Args&&... args) {
  write(Level::debug, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void info(fmt::format_string<Args...> format, Args&&... args) {
  write(Level::info, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void warning(fmt::format_string<Args...> format, Args&&... args) {
  write(Level::warning, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace infoscissors::base::log
