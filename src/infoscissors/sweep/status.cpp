#include "infoscissors/sweep/status.h"

#include "infoscissors/base/error.h"
#include "infoscissors/sweep/claim.h"

#include <algorithm>
#include <fstream>

namespace infoscissors::sweep {
namespace {

namespace fs = std::filesystem;
using base::Json;

/// Without the time that stands in front.
std::string last_line(const fs::path& file) {
  std::ifstream in(file);
  std::string last;
  for (std::string line; std::getline(in, line);) {
    if (!line.empty()) last = line;
  }
  for (const char* level : {" info ", " warning ", " debug "}) {
    if (const auto at = last.find(level); at != std::string::npos) return last.substr(at + std::string(level).size());
  }
  return last;
}

RunStatus read_one(const fs::path& directory, const PlannedRun& run) {
  RunStatus status;
  status.run = &run;
  try {
    status.state = read_state(directory, run, {});
  } catch (const base::Error& error) {
    status.state.failed = true;
    status.state.error = error.what();
  }
  const auto claim = read_claim(directory / kClaims, run.hash);
  if (claim && !claim->dead) {
    status.phase = "running";
    status.owner = fmt::format("{} ({})", claim->host, claim->process);
    status.note = last_line(run_directory(directory, run.hash) / "log.txt");
  } else if (status.state.failed) {
    status.phase = "failed";
    status.note = status.state.error;
  } else {
    status.phase = status.state.done() ? "done" : "waiting";
  }
  return status;
}

std::int64_t count(const std::vector<RunStatus>& runs, const std::string& phase) {
  return std::count_if(runs.begin(), runs.end(), [&](const RunStatus& run) { return run.phase == phase; });
}

}  // namespace

std::vector<RunStatus> read_status(const fs::path& directory, const Plan& plan) {
  std::vector<RunStatus> list;
  for (const auto& run : plan.runs) list.push_back(read_one(directory, run));
  return list;
}

Json to_json(const Plan& plan, const std::vector<RunStatus>& runs) {
  Json list = Json::array();
  for (const auto& status : runs) {
    list.push_back({{"run", status.run->hash},
                    {"title", title(*status.run)},
                    {"phase", status.phase},
                    {"trained", status.state.trained},
                    {"missing", status.state.missing},
                    {"owner", status.owner},
                    {"note", status.note}});
  }
  Json document = {{"name", plan.name}, {"total", runs.size()}, {"runs", std::move(list)}};
  for (const char* phase : {"done", "running", "failed", "waiting"}) document[phase] = count(runs, phase);
  return document;
}

std::string describe(const Plan& plan, const std::vector<RunStatus>& runs) {
  std::string text =
      fmt::format("{}: {} of {} runs done, {} running, {} failed, {} waiting\n", plan.name, count(runs, "done"),
                  runs.size(), count(runs, "running"), count(runs, "failed"), count(runs, "waiting"));
  for (const char* phase : {"running", "failed"}) {
    for (const auto& status : runs) {
      if (status.phase != phase) continue;
      text += fmt::format("  {}: {}{}{}\n    {}\n", phase, title(*status.run), status.owner.empty() ? "" : "  ",
                          status.owner, status.note);
    }
  }
  return text;
}

}  // namespace infoscissors::sweep
