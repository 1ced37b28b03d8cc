#include "infoscissors/report/run.h"

#include <cmath>
#include <limits>

namespace infoscissors::report {

RunDirectory open_run(const std::filesystem::path& path) {
  auto record = results::load_run(path);
  auto certificates = results::load_certificates(path, record);
  return {path, std::move(record), std::move(certificates)};
}

std::string label(const RunDirectory& run) {
  const auto source = run.record.config.find("model_from");
  const bool named = source != run.record.config.end() && source->is_string();
  const bool added = named && !source->get<std::string>().empty();
  if (!run.record.defense.empty()) return run.record.defense + (added ? ", added after training" : "");
  const auto whole = run.path.lexically_normal();
  return whole.has_filename() ? whole.filename().string() : whole.parent_path().filename().string();
}

double chance(const results::RunRecord& record) {
  const auto classes = record.data.find("classes");
  if (classes == record.data.end() || !classes->is_array() || classes->empty()) {
    return std::numeric_limits<double>::quiet_NaN();
  }
  return 1.0 / static_cast<double>(classes->size());
}

}  // namespace infoscissors::report
