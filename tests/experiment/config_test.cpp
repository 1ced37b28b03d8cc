#include "infoscissors/experiment/config.h"

#include "infoscissors/base/file.h"

#include "tests/support/expect_error.h"
#include "tests/support/temporary_directory.h"

#include <gtest/gtest.h>

namespace infoscissors::experiment {
namespace {

using testing::HasSubstr;

RunConfig parse(const std::string& text) {
  const tests::TemporaryDirectory directory;
  base::write_file(directory / "run.toml", text);
  return load_config(directory / "run.toml");
}

std::string refusal(const std::string& text) {
  return tests::message_of<base::UsageError>([&] { parse(text); });
}

TEST(Config, ReadsEverySectionAndKeepsDefaults) {
  const auto config =
      parse("seed = 3\ndefense = 'infoscissors(input=0.2)'\n[train]\nepochs = 2\n[model]\nwidth = 0.5\n");
  EXPECT_EQ(config.seed, 3);
  EXPECT_EQ(config.train.epochs, 2);
  EXPECT_EQ(config.model.width, 0.5);
  EXPECT_EQ(config.train.batch, train::TrainOptions().batch);
}

TEST(Config, NamesWhatIsWrongAndSuggestsWhatIsRight) {
  EXPECT_THAT(refusal("[trian]\nepochs = 1\n"), HasSubstr("'trian': did you mean 'train'?"));
  EXPECT_THAT(refusal("[train]\nepoch = 1\n"), HasSubstr("did you mean 'epochs'?"));
  EXPECT_THAT(refusal("[train]\nepochs = 1.5\n"), HasSubstr("epochs must be a whole number"));
  EXPECT_THAT(refusal("[train]\nbatch = 1\n"), HasSubstr("batch must be in [2, 65536], got 1"));
  EXPECT_THAT(refusal("seed = -1\n"), HasSubstr("seed must be >= 0"));
  EXPECT_THAT(refusal("train = 3\n"), HasSubstr("[train]"));
  EXPECT_THAT(refusal("[train\n"), HasSubstr("run.toml:1"));
  EXPECT_THROW(load_config("nowhere.toml"), base::UsageError);
}

TEST(Config, ValidationRefusesMethodsThatDoNotExist) {
  auto config = parse("defense = 'infoscissors(input=0.9,prediction=0.1)'\n");
  EXPECT_THROW(validate(config), base::UsageError);
  config = parse("attacks = ['kaa']\n");
  EXPECT_THAT(tests::message_of<base::UsageError>([&] { validate(config); }), HasSubstr("did you mean 'ka'?"));
}

TEST(Config, SetReplacesOneKey) {
  RunConfig config;
  set_option(config, "train.epochs=7");
  set_option(config, "defense=infoscissors(input=0.1,psi=res)");
  set_option(config, "attacks=rmle;ka(decoder=conv,budget=40)");
  EXPECT_EQ(config.train.epochs, 7);
  EXPECT_EQ(config.attacks, (std::vector<std::string>{"rmle", "ka(decoder=conv,budget=40)"}));
  for (const char* wrong : {"train.epochs", "train.epocs=1", "trains.epochs=1", "epochs=1", "train.epochs=x"}) {
    EXPECT_THROW(set_option(config, wrong), base::UsageError) << wrong;
  }
}

TEST(Config, ItsResolvedFormReadsBackEqual) {
  auto config = parse("defense = 'infoscissors( input=0.20 )'\nattacks = ['rmle']\n[data]\ntrain = 100\n");
  const auto document = to_json(config);
  EXPECT_EQ(document.at("defense"), "infoscissors(input=0.2)");
  EXPECT_EQ(to_json(config_from_json(document, "test")), document);
  EXPECT_EQ(to_json(parse(base::to_toml(document))), document);
}

TEST(Config, IdentityIsWhatInfluencesTraining) {
  RunConfig config;
  const auto hash = config_hash(config);
  for (const char* same :
       {"attacks=rmle", "evaluate.images=3", "runtime.threads=1", "data.path=elsewhere", "defense=none"}) {
    RunConfig changed;
    set_option(changed, same);
    EXPECT_EQ(config_hash(changed), hash) << same;
  }
  for (const char* other : {"seed=1", "train.rate=0.3", "model.width=0.5", "data.train=100",
                            "defense=infoscissors(input=0.1)", "runtime.precision=bf16"}) {
    RunConfig changed;
    set_option(changed, other);
    EXPECT_NE(config_hash(changed), hash) << other;
  }
}

}  // namespace
}  // namespace infoscissors::experiment
