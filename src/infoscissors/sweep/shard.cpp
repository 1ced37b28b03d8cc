#include "infoscissors/sweep/shard.h"

#include "infoscissors/base/error.h"

#include <charconv>
#include <cstdlib>
#include <optional>

namespace infoscissors::sweep {
namespace {

using base::UsageError;

std::optional<std::int64_t> natural(const std::string& text) {
  std::int64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, code] = std::from_chars(text.data(), end, value);
  if (code != std::errc() || stop != end || value < 0) return {};
  return value;
}

std::int64_t index_from_cluster() {
  for (const char* name : {"SLURM_ARRAY_TASK_ID", "JOB_COMPLETION_INDEX"}) {
    const char* text = std::getenv(name);
    if (text == nullptr) continue;
    if (const auto value = natural(text)) return *value;
    throw UsageError("--shard auto: {} must be a whole number >= 0, got '{}'", name, text);
  }
  throw UsageError("--shard auto: neither SLURM_ARRAY_TASK_ID nor JOB_COMPLETION_INDEX is set");
}

}  // namespace

Shard parse_shard(const std::string& text) {
  const auto slash = text.find('/');
  const auto first = text.substr(0, slash);
  const auto count = slash == std::string::npos ? std::nullopt : natural(text.substr(slash + 1));
  const auto index = first == "auto" ? std::optional<std::int64_t>(0) : natural(first);
  if (!count || !index || *count < 1) {
    throw UsageError("--shard must be I/N with 0 <= I < N, or auto/N, got '{}'", text);
  }
  const Shard shard{first == "auto" ? index_from_cluster() : *index, *count};
  if (shard.index >= shard.count) {
    throw UsageError("--shard {}: the index {} is not below {}", text, shard.index, shard.count);
  }
  return shard;
}

}  // namespace infoscissors::sweep
