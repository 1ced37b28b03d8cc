#include "infoscissors/study/study.h"

#include "infoscissors/base/error.h"
#include "infoscissors/base/file.h"
#include "infoscissors/results/node.h"

#include <algorithm>
#include <set>
#include <utility>

namespace infoscissors::study {
namespace {

using base::Error;
using base::Json;
namespace fs = std::filesystem;

constexpr int kSweepSchema = 1;
constexpr const char* kErrorFile = "error.json";  // a sweep keeps it beside a run that failed

bool is_there(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

Entry open(const fs::path& path) {
  Entry entry;
  entry.path = path;
  entry.record = results::load_run(path);
  entry.labels = labels_of(entry.record);
  entry.certificates = results::load_certificates(path, entry.record);
  if (is_there(path / kInformationFile)) entry.information = base::read_json(path / kInformationFile);
  return entry;
}

class Loader {
 public:
  Study take() && {
    // A sweep that goes on from a long table has no directories for what stands there.
    std::set<std::pair<std::string, std::string>> there;
    for (const auto& row : study_.rows) there.insert({row.run, row.attack});
    std::erase_if(study_.missing, [&](const Missing& one) { return there.contains({one.run, one.attack}); });
    return std::move(study_);
  }

  void add(const fs::path& path) {
    study_.sources.push_back(path);
    std::error_code ignored;
    if (fs::is_regular_file(path, ignored)) return add_table(path);
    if (!fs::is_directory(path, ignored)) throw Error("{}: there is no such directory or table of runs", path.string());
    if (is_there(path / kSweepFile)) return add_sweep(path);
    if (is_there(path / results::kRecordFile)) return add_run(open(path));
    add_children(path);
  }

 private:
  void add_run(Entry entry) {
    const auto& hash = entry.record.config_hash;
    if (!seen_.insert(hash).second) return;
    for (auto& row : rows_of(entry.record, entry.labels, entry.certificates, entry.information))
      study_.rows.push_back(std::move(row));
    study_.entries.push_back(std::move(entry));
  }

  void add_table(const fs::path& path) {
    std::set<std::string> fresh;
    for (auto& row : from_csv(base::read_file(path), path.string())) {
      if (seen_.contains(row.run)) continue;
      fresh.insert(row.run);
      study_.rows.push_back(std::move(row));
    }
    seen_.merge(fresh);
  }

  void add_children(const fs::path& path) {
    std::vector<fs::path> children;
    for (const auto& parent : {path, path / "runs"}) {
      std::error_code ignored;
      for (const auto& child : fs::directory_iterator(parent, ignored)) {
        if (is_there(child.path() / results::kRecordFile)) children.push_back(child.path());
      }
    }
    if (children.empty()) {
      throw Error("{}: holds no runs: neither {} nor {}, nor a directory with one", path.string(), results::kRecordFile,
                  kSweepFile);
    }
    std::sort(children.begin(), children.end());
    for (const auto& child : children) add_run(open(child));
  }

  void add_sweep(const fs::path& path) {
    const auto file = (path / kSweepFile).string();
    const Json document = base::read_json(file);
    const results::Node root(document, file, "");
    const auto schema = root.at("schema").integer(1);
    if (schema > kSweepSchema) {
      throw Error("{}: has schema {}, but this version reads up to {}: use a newer one", file, schema, kSweepSchema);
    }
    if (study_.name.empty()) study_.name = root.at("name").text();
    for (const auto& planned : root.at("runs").items()) add_planned(path, planned);
  }

  // Labels are the plan's: a sweep may call a data set or a cut as it likes.
  static Labels planned_labels(const results::Node& planned) {
    Labels labels;
    labels.dataset = planned.at("dataset").text();
    labels.backbone = planned.at("backbone").text();
    labels.width = planned.at("width").real();
    labels.cut = planned.at("cut").text();
    labels.defense = planned.at("defense").text();
    labels.strength = planned.at("strength").real();
    labels.seed = planned.at("seed").natural();
    return labels;
  }

  void add_planned(const fs::path& sweep, const results::Node& planned) {
    const auto hash = planned.at("run").file_name();
    Missing missing{hash, planned_labels(planned), planned.at("spec").text(), {}, {}};
    const auto directory = sweep / "runs" / hash;
    if (!is_there(directory / results::kRecordFile)) {
      missing.reason = failure(directory, "not run");
      study_.missing.push_back(std::move(missing));
      return;
    }
    Entry entry = open(directory);
    entry.labels = missing.labels;
    if (entry.record.status != results::kComplete) {
      missing.reason = failure(directory, entry.record.status);
      study_.missing.push_back(missing);
    }
    for (const auto& attack : planned.at("attacks").items()) {
      const auto spec = attack.text();
      const auto& done = entry.record.attacks;
      if (std::any_of(done.begin(), done.end(), [&](const auto& one) { return one.spec == spec; })) continue;
      if (entry.record.status != results::kComplete) continue;
      missing.attack = spec;
      missing.reason = failure(directory, "not run");
      study_.missing.push_back(missing);
    }
    add_run(std::move(entry));
  }

  static std::string failure(const fs::path& directory, const std::string& otherwise) {
    if (!is_there(directory / kErrorFile)) return otherwise;
    const auto file = (directory / kErrorFile).string();
    const Json document = base::read_json(file);
    const auto text = results::Node(document, file, "").at("error").text();
    return "failed: " + text.substr(0, text.find('\n'));
  }

  Study study_;
  std::set<std::string> seen_;
};

}  // namespace

Study load(const std::vector<fs::path>& paths) {
  Loader loader;
  // Directories first: what they hold is newer than a table made from them.
  for (const bool tables : {false, true}) {
    for (const auto& path : paths) {
      std::error_code ignored;
      if (fs::is_regular_file(path, ignored) == tables) loader.add(path);
    }
  }
  auto study = std::move(loader).take();
  if (study.rows.empty() && study.missing.empty()) throw base::Error("there are no runs to look at");
  return study;
}

}  // namespace infoscissors::study
