#include "infoscissors/base/error.h"
#include "infoscissors/base/file.h"
#include "infoscissors/base/hash.h"
#include "infoscissors/results/record.h"
#include "infoscissors/tracking/log.h"

#include <cmath>

namespace infoscissors::tracking {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kIds = 1000000000000000000;  // MLflow's own experiments have up to 18 digits, too

// MLflow's RunStatus.
int status_of(const std::string& status) {
  if (status == results::kComplete) return 3;
  if (status == results::kFailed) return 4;
  return status == results::kInterrupted ? 5 : 1;
}

std::int64_t milliseconds(double seconds) {
  return std::isfinite(seconds) ? static_cast<std::int64_t>(std::llround(1000 * seconds)) : 0;
}

std::string yaml(const std::string& text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? "''" : c == '\n' ? " " : std::string(1, c);
  return out + "'";
}

void write(const fs::path& file, const std::string& content) {
  base::ensure_directory(file.parent_path());
  base::write_file(file, content);
}

std::string experiment_meta(const std::string& id, const std::string& name, const fs::path& directory) {
  return fmt::format(
      "artifact_location: {}\ncreation_time: 0\nexperiment_id: '{}'\nlast_update_time: 0\nlifecycle_stage: "
      "active\nname: {}\n",
      yaml("file://" + directory.string()), id, yaml(name));
}

std::string run_meta(const Log& log, const std::string& experiment, const fs::path& directory) {
  return fmt::format(
      "artifact_uri: {}\nend_time: {}\nentry_point_name: ''\nexperiment_id: '{}'\nlifecycle_stage: active\nrun_id: {}\n"
      "run_name: {}\nrun_uuid: {}\nsource_name: infoscissors\nsource_type: 4\nsource_version: {}\nstart_time: "
      "{}\nstatus: {}\n"
      "tags: []\nuser_id: infoscissors\n",
      yaml("file://" + (directory / "artifacts").string()), milliseconds(log.end), experiment, log.id, yaml(log.name),
      log.id, yaml(log.version), milliseconds(log.end - log.seconds), status_of(log.status));
}

// One file a metric, a line a value: time in milliseconds, value, step.
void write_metrics(const Log& log, const fs::path& directory) {
  std::map<std::string, std::string> files;
  for (const auto& scalar : log.scalars)
    files[scalar.tag] += fmt::format("{} {} {}\n", milliseconds(log.end), scalar.value, scalar.step);
  for (const auto& [name, lines] : files) write(directory / "metrics" / name, lines);
}

void write_run(const Log& log, const std::string& experiment, const fs::path& directory) {
  write(directory / "meta.yaml", run_meta(log, experiment, directory));
  write_metrics(log, directory);
  for (const auto& [name, value] : log.parameters) write(directory / "params" / safe_name(name), value);
  write(directory / "tags" / "mlflow.runName", log.name);
  write(directory / "tags" / "mlflow.source.name", "infoscissors");
  write(directory / "tags" / "mlflow.source.git.commit", log.version);
  if (!log.command.empty()) write(directory / "tags" / "command", log.command);
  base::ensure_directory(directory / "artifacts");
}

}  // namespace

std::size_t write_mlflow(const std::vector<Log>& logs, const std::vector<Image>& images, const std::string& experiment,
                         const fs::path& out) {
  const auto id = fmt::format("{:018}", base::hash64(experiment) % kIds);
  const auto directory = fs::absolute(out) / id;
  write(directory / "meta.yaml", experiment_meta(id, experiment, directory));
  double end = 0;
  for (const auto& log : logs) {
    if (log.id.find_first_not_of("0123456789abcdefghijklmnopqrstuvwxyz") != std::string::npos || log.id.empty())
      throw base::Error("the run '{}' has no hash that can name a directory: '{}'", log.name, log.id);
    write_run(log, id, directory / log.id);
    end = std::max(end, log.end);
  }
  if (images.empty()) return logs.size();
  Log figures;
  figures.id = base::content_hash("figures of " + experiment);
  figures.name = "figures";
  figures.status = results::kComplete;
  figures.end = end;
  write_run(figures, id, directory / figures.id);
  for (const auto& image : images) write(directory / figures.id / "artifacts" / (image.name + ".png"), image.png);
  return logs.size() + 1;
}

}  // namespace infoscissors::tracking
