#pragma once

#include "infoscissors/report/run.h"

#include <filesystem>
#include <string>

namespace infoscissors::report {

/// A directory that is removed with everything in it.
class TemporaryDirectory {
 public:
  explicit TemporaryDirectory(const std::string& name);
  ~TemporaryDirectory();
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// How a fabricated run came out.
struct Fabricated {
  std::string defense = "none";
  double accuracy = 0.912;
  double blur = 0.1;  // how much the attackers' pictures lose, 0 to 1
  double labels = 0.72;
  int epochs = 12;
  int images = 8;
};

/// Writes a run directory as a real run would leave it, with 28x28 grey pictures of simple shapes.
std::filesystem::path fabricate_run(const std::filesystem::path& parent, const std::string& name,
                                    const Fabricated& wanted);

}  // namespace infoscissors::report
