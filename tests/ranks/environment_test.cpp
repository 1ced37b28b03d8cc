#include "infoscissors/ranks/environment.h"

#include "tests/ranks/launch.h"
#include "tests/support/expect_error.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace infoscissors::ranks {
namespace {

using testing::HasSubstr;
using tests::Variables;

Environment of(const Variables& variables) {
  return [variables](const char* name) {
    const auto found = variables.find(name);
    return found == variables.end() ? std::string() : found->second;
  };
}

std::string refusal(const Variables& variables) {
  return tests::message_of<base::UsageError>([&] { find_place(of(variables)); });
}

TEST(Environment, AloneWithoutALauncher) {
  EXPECT_FALSE(find_place(of({})).has_value());
}

TEST(Environment, TorchrunSaysEverything) {
  const auto place = find_place(of({{"RANK", "2"},
                                    {"WORLD_SIZE", "4"},
                                    {"LOCAL_RANK", "1"},
                                    {"LOCAL_WORLD_SIZE", "2"},
                                    {"MASTER_ADDR", "node7"},
                                    {"MASTER_PORT", "1234"},
                                    {"TORCHELASTIC_USE_AGENT_STORE", "True"}}));
  ASSERT_TRUE(place);
  EXPECT_EQ(place->rank, 2);
  EXPECT_EQ(place->size, 4);
  EXPECT_EQ(place->local_rank, 1);
  EXPECT_EQ(place->address, "node7");
  EXPECT_EQ(place->port, 1234);
  EXPECT_TRUE(place->external_store);
}

TEST(Environment, MpirunOnOneMachineNeedsNoAddress) {
  const auto open = find_place(of({{"OMPI_COMM_WORLD_RANK", "1"},
                                   {"OMPI_COMM_WORLD_SIZE", "2"},
                                   {"OMPI_COMM_WORLD_LOCAL_RANK", "1"},
                                   {"OMPI_COMM_WORLD_LOCAL_SIZE", "2"}}));
  ASSERT_TRUE(open);
  EXPECT_EQ(open->rank, 1);
  EXPECT_EQ(open->address, "127.0.0.1");
  EXPECT_FALSE(open->external_store);
  const auto mpich =
      find_place(of({{"PMI_RANK", "0"}, {"PMI_SIZE", "2"}, {"MPI_LOCALRANKID", "0"}, {"MPI_LOCALNRANKS", "2"}}));
  ASSERT_TRUE(mpich);
  EXPECT_EQ(mpich->size, 2);
  EXPECT_EQ(mpich->address, "127.0.0.1");
}

TEST(Environment, MpirunOnSeveralMachinesNeedsAnAddress) {
  const Variables variables = {
      {"OMPI_COMM_WORLD_RANK", "1"}, {"OMPI_COMM_WORLD_SIZE", "4"}, {"OMPI_COMM_WORLD_LOCAL_SIZE", "2"}};
  EXPECT_THAT(refusal(variables), HasSubstr("set MASTER_ADDR to the host of rank 0"));
  auto more = variables;
  more["MASTER_ADDR"] = "node1";
  EXPECT_EQ(find_place(of(more))->address, "node1");
}

TEST(Environment, AStepOfSlurmMeetsOnItsFirstNode) {
  const auto place = find_place(of({{"SLURM_PROCID", "3"},
                                    {"SLURM_STEP_NUM_TASKS", "4"},
                                    {"SLURM_LOCALID", "1"},
                                    {"SLURM_STEP_NUM_NODES", "2"},
                                    {"SLURM_STEP_NODELIST", "gpu[07-08]"},
                                    {"SLURM_JOB_ID", "4711"},
                                    {"SLURM_STEP_ID", "0"},
                                    {"PMI_RANK", "3"},
                                    {"PMI_SIZE", "4"}}));
  ASSERT_TRUE(place);
  EXPECT_EQ(place->launcher, "srun");
  EXPECT_EQ(place->rank, 3);
  EXPECT_EQ(place->local_rank, 1);
  EXPECT_EQ(place->address, "gpu07");
  EXPECT_GE(place->port, 20000);
  EXPECT_LT(place->port, 30000);
}

// The script of a job with four tasks runs once; SLURM_NTASKS and SLURM_PROCID are set, and it is no rank.
TEST(Environment, ABatchScriptIsNoRank) {
  EXPECT_FALSE(find_place(of({{"SLURM_JOB_ID", "1"}, {"SLURM_PROCID", "0"}, {"SLURM_NTASKS", "4"}})).has_value());
}

TEST(Environment, NamesWhatIsWrong) {
  EXPECT_THAT(refusal({{"RANK", "0"}}), HasSubstr("RANK is set, but WORLD_SIZE is not"));
  EXPECT_THAT(refusal({{"WORLD_SIZE", "2"}}), HasSubstr("WORLD_SIZE is set, but RANK is not"));
  EXPECT_THAT(refusal({{"RANK", "2"}, {"WORLD_SIZE", "2"}}), HasSubstr("RANK must be a whole number from 0 to 1"));
  EXPECT_THAT(refusal({{"RANK", "one"}, {"WORLD_SIZE", "2"}}), HasSubstr("got 'one'"));
  EXPECT_THAT(refusal({{"RANK", "0"}, {"WORLD_SIZE", "0"}}), HasSubstr("WORLD_SIZE must be a whole number from 1"));
  EXPECT_THAT(refusal({{"RANK", "0"}, {"WORLD_SIZE", "2"}, {"MASTER_ADDR", "a"}, {"MASTER_PORT", "70000"}}),
              HasSubstr("MASTER_PORT must be a whole number from 1 to 65535"));
}

TEST(Environment, FirstHostOfAList) {
  EXPECT_EQ(first_host("node3"), "node3");
  EXPECT_EQ(first_host("node3,node4"), "node3");
  EXPECT_EQ(first_host("gpu[07-09,12],login"), "gpu07");
  EXPECT_EQ(first_host("gpu[12]"), "gpu12");
  EXPECT_EQ(first_host("login,gpu[07-09]"), "login");
  EXPECT_THROW(first_host("gpu[07"), base::UsageError);
}

}  // namespace
}  // namespace infoscissors::ranks
