#pragma once

#include "infoscissors/base/json.h"
#include "infoscissors/results/certificates.h"
#include "infoscissors/results/record.h"
#include "infoscissors/study/labels.h"
#include "infoscissors/study/row.h"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace infoscissors::study {

inline constexpr const char* kSweepFile = "sweep.json";
inline constexpr const char* kInformationFile = "mi.json";  // what `infoscissors mi RUN --json` printed, if it was kept

/// A run directory that was read.
struct Entry {
  std::filesystem::path path;
  Labels labels;
  results::RunRecord record;
  std::optional<results::Certificates> certificates;
  base::Json information;  // null where there is none
};

/// What a sweep planned and is not there.
struct Missing {
  std::string run;  // its hash
  Labels labels;
  std::string spec;
  std::string attack;  // empty: the whole run
  std::string reason;  // "not run", "failed: the disk is full", "interrupted"
};

/// Everything that was found.
struct Study {
  std::string name;                            // of the sweep; empty for plain runs
  std::vector<std::filesystem::path> sources;  // as given
  std::vector<Entry> entries;                  // run directories
  std::vector<Missing> missing;
  std::vector<Row> rows;  // of the directories, and of long tables what these do not hold
};

/// Reads sweep directories (with sweep.json), run directories (with metrics.json), directories of run directories and
/// long tables (.csv). A run found twice counts once, and a directory before a table. Throws Error for a path that is
/// none of these, or holds nothing; for records as results::load_run.
Study load(const std::vector<std::filesystem::path>& paths);

}  // namespace infoscissors::study
