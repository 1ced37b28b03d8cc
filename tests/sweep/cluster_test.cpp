#include "infoscissors/sweep/process.h"
#include "infoscissors/sweep/shard.h"
#include "infoscissors/sweep/slurm.h"

#include "infoscissors/base/file.h"

#include "tests/support/expect_error.h"
#include "tests/support/temporary_directory.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <optional>

namespace infoscissors::sweep {
namespace {

/// A variable of the environment for as long as the object lives.
class Variable {
 public:
  Variable(const char* name, const char* value) : name_(name) {
    if (const char* before = std::getenv(name)) before_ = before;
    ::setenv(name, value, 1);
  }
  ~Variable() { before_ ? ::setenv(name_, before_->c_str(), 1) : ::unsetenv(name_); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  const char* name_;
  std::optional<std::string> before_;
};

TEST(Shard, EveryRunBelongsToExactlyOne) {
  for (std::size_t place = 0; place < 50; ++place) {
    int owners = 0;
    for (int index = 0; index < 7; ++index) owners += parse_shard(fmt::format("{}/7", index)).has(place) ? 1 : 0;
    EXPECT_EQ(owners, 1) << place;
  }
}

TEST(Shard, TakesItsIndexFromTheCluster) {
  {
    const Variable variable("JOB_COMPLETION_INDEX", "2");
    EXPECT_EQ(parse_shard("auto/4").index, 2);
    const Variable slurm("SLURM_ARRAY_TASK_ID", "3");
    EXPECT_EQ(parse_shard("auto/4").index, 3);
    EXPECT_EQ(parse_shard("1/4").index, 1) << "what is written counts";
  }
  const Variable wrong("SLURM_ARRAY_TASK_ID", "x");
  EXPECT_THAT(tests::message_of<base::UsageError>([] { parse_shard("auto/4"); }), testing::HasSubstr("got 'x'"));
}

TEST(Shard, RefusesWhatIsNone) {
  const auto refusal = [](const char* text) { return tests::message_of<base::UsageError>([&] { parse_shard(text); }); };
  for (const char* text : {"", "1", "1/", "/2", "-1/2", "1/0", "a/2", "1/2/3", "1.5/2"}) {
    EXPECT_THAT(refusal(text), testing::HasSubstr("--shard must be I/N")) << text;
  }
  EXPECT_THAT(refusal("4/4"), testing::HasSubstr("the index 4 is not below 4"));
  EXPECT_THAT(refusal("auto/4"), testing::HasSubstr("neither SLURM_ARRAY_TASK_ID nor JOB_COMPLETION_INDEX"));
}

TEST(Process, AChildDoesNotSeeTheClusterAroundIt) {
  const Variable slurm("SLURM_PROCID", "3"), pmi("PMI_RANK", "1"), rank("RANK", "0"), world("WORLD_SIZE", "4"),
      ompi("OMPI_COMM_WORLD_RANK", "1"), kept("RANKING", "yes"), threads("OMP_NUM_THREADS", "64");
  const auto environment = child_environment(2);
  const auto has = [&](const std::string& variable) {
    return std::find(environment.begin(), environment.end(), variable) != environment.end();
  };
  for (const auto& variable : environment) {
    EXPECT_FALSE(variable.starts_with("SLURM_") || variable.starts_with("PMI") || variable.starts_with("RANK=") ||
                 variable.starts_with("WORLD_SIZE=") || variable.starts_with("OMPI_"))
        << variable;
  }
  EXPECT_TRUE(has("RANKING=yes"));
  EXPECT_TRUE(has("OMP_NUM_THREADS=2"));
  EXPECT_FALSE(has("OMP_NUM_THREADS=64"));
}

Ended wait_for(pid_t process) {
  for (;;) {
    if (const auto ended = poll_process(process)) return *ended;
  }
}

TEST(Process, TellsHowItEndedAndKeepsItsOutput) {
  const tests::TemporaryDirectory directory;
  const auto output = directory / "output.txt";
  const auto run = [&](const char* script) {
    return wait_for(start_process({"/bin/sh", "-c", script}, child_environment(1), output));
  };
  EXPECT_EQ(run("echo out; echo err >&2; exit 7").status, 7);
  EXPECT_EQ(run("kill -9 $$").signal, 9);
  EXPECT_EQ(base::read_file(output), "out\nerr\n") << "appended, not begun anew";
  EXPECT_THAT(tests::message_of([&] { start_process({"/no/such/program"}, {}, output); }),
              testing::HasSubstr("cannot be started: No such file"));
}

SlurmCommand command() {
  return {.words = {"/opt/infoscissors", "sweep", "it's.toml", "--out", "/shared/my out"},
          .directory = "/shared/my out",
          .working = "/shared",
          .name = "test"};
}

TEST(Slurm, WritesAJobArrayThatSharesByIndex) {
  SlurmOptions options;
  options.tasks = 8;
  options.cpus = 4;
  options.time = "1:00:00";
  options.extra = {"--account=x", "--exclusive"};
  const auto script = slurm_script(options, command());
  for (const char* line :
       {"#!/bin/bash\n", "#SBATCH --array=\"0-7\"\n", "#SBATCH --cpus-per-task=\"4\"\n", "#SBATCH --time=\"1:00:00\"\n",
        "#SBATCH --output=\"/shared/my out/slurm/%A_%a.txt\"\n", "#SBATCH --account=\"x\"\n", "#SBATCH --exclusive\n",
        "exec '/opt/infoscissors' 'sweep' 'it'\\''s.toml' '--out' '/shared/my out' --shard auto/8\n"}) {
    EXPECT_THAT(script, testing::HasSubstr(line));
  }
  EXPECT_THAT(script, testing::Not(testing::HasSubstr("--mem")));
}

TEST(Slurm, RefusesWhatALineCannotHold) {
  SlurmOptions options;
  options.time = "1:00\n#SBATCH --wrap=evil";
  EXPECT_THAT(tests::message_of<base::UsageError>([&] { slurm_script(options, command()); }),
              testing::HasSubstr("cannot hold quotes"));
}

TEST(Slurm, SaysThatItIsNotThereOrWhatItSaid) {
  const tests::TemporaryDirectory directory;
  base::ensure_directory(directory / "slurm");
  base::ensure_directory(directory / "bin");
  const Variable path("PATH", (directory / "bin").c_str());
  EXPECT_THAT(tests::message_of([&] { submit("x.sbatch", directory.path()); }),
              testing::HasSubstr("there is no sbatch"));
  const auto say = [&](const char* script) {
    base::write_file(directory / "bin" / "sbatch", script);
    std::filesystem::permissions(directory / "bin" / "sbatch", std::filesystem::perms::owner_all);
  };
  say("#!/bin/sh\necho '17;cluster'\n");
  EXPECT_EQ(submit("x.sbatch", directory.path()), "17");
  say("#!/bin/sh\necho 'sbatch: error: no partition' >&2\nexit 1\n");
  EXPECT_THAT(tests::message_of([&] { submit("x.sbatch", directory.path()); }), testing::HasSubstr("no partition"));
}

}  // namespace
}  // namespace infoscissors::sweep
