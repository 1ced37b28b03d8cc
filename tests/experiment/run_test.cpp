#include "infoscissors/experiment/run.h"

#include "infoscissors/base/file.h"
#include "infoscissors/data/batches.h"
#include "infoscissors/experiment/views.h"
#include "infoscissors/nn/initialise.h"
#include "infoscissors/tensor/file.h"

#include "tests/experiment/support.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_directory.h"

#include <gtest/gtest.h>

namespace infoscissors::experiment {
namespace {

RunConfig tiny() {
  auto config = tiny_config();
  config.seed = 2;
  config.data.auxiliary = 200;
  config.data.validation = 0;
  config.data.test = 64;
  config.train.epochs = 1;
  config.train.batch = 32;
  config.evaluate.images = 6;
  config.evaluate.samples = 4;
  return config;
}

constexpr const char* kQuick = "ka(decoder=linear,budget=40,epochs=1)";

TEST(Run, TrainsAttacksAndRecords) {
  const tests::TemporaryDirectory directory;
  auto run = Run::start(tiny(), directory / "run");
  run.train();
  const auto& attack = run.attack(kQuick, std::nullopt, false);
  EXPECT_EQ(attack.view, "black-box");
  EXPECT_EQ(attack.samples.size(), 4U);
  EXPECT_TRUE(attack.measures.contains("class_accuracy")) << "an undefended run judges its own reconstructions";
  EXPECT_GT(attack.measures.at("ssim"), 0.0);
  EXPECT_EQ(tensor::load_npy(directory / "run" / attack.images).sizes().vec(),
            (std::vector<std::int64_t>{4, 1, 16, 16}));
  const auto stored = results::load_run(directory / "run");
  EXPECT_EQ(stored.attacks.size(), 1U);
  EXPECT_EQ(stored.measures.at("accuracy"), run.record().measures.at("accuracy"));
  EXPECT_EQ(stored.data.at("splits").at("train").at("count"), 96);
  for (const char* file : {"config.toml", "log.txt", "checkpoint.safetensors"}) {
    EXPECT_TRUE(std::filesystem::exists(directory / "run" / file)) << file;
  }
}

TEST(Run, WhatIsDoneIsNotDoneAgain) {
  const tests::TemporaryDirectory directory;
  {
    auto run = Run::start(tiny(), directory / "run");
    run.train();
    run.attack(kQuick, std::nullopt, false);
  }
  const auto before = std::filesystem::last_write_time(directory / "run" / "checkpoint.safetensors");
  auto again = Run::start(tiny(), directory / "run");
  again.train();
  const double seconds = again.record().attacks.at(0).seconds;
  EXPECT_EQ(again.attack(kQuick, std::nullopt, false).seconds, seconds) << "recorded, not repeated";
  EXPECT_EQ(std::filesystem::last_write_time(directory / "run" / "checkpoint.safetensors"), before);
  auto opened = Run::open(directory / "run", tiny().runtime);
  const double ssim = opened.record().attacks.at(0).measures.at("ssim");
  EXPECT_NEAR(opened.attack(kQuick, std::nullopt, true).measures.at("ssim"), ssim, 1e-4)
      << "the same seed, the same attack";
  opened.attack(kQuick, 77, false);
  EXPECT_EQ(opened.record().attacks.size(), 2U) << "another seed is another attack";
}

TEST(Run, RefusesADirectoryOfAnotherConfiguration) {
  const tests::TemporaryDirectory directory;
  Run::start(tiny(), directory / "run").train();
  auto other = tiny();
  other.train.rate = 0.01;
  const auto message = tests::message_of<base::UsageError>([&] { Run::start(other, directory / "run"); });
  EXPECT_NE(message.find("another configuration"), std::string::npos) << message;
}

/// An undefended network in `directory`, and a configuration that adds a defence to it.
RunConfig added_to_trained(const std::filesystem::path& directory, const std::string& defense) {
  if (!std::filesystem::exists(directory)) Run::start(tiny(), directory).train();
  auto config = tiny();
  config.defense = defense;
  config.model_from = directory;
  return config;
}

std::map<std::string, torch::Tensor> head_in(const std::filesystem::path& run) {
  auto tensors = tensor::load_tensors(run / "checkpoint.safetensors").tensors;
  std::erase_if(tensors, [](const auto& item) { return !item.first.starts_with("head."); });
  return tensors;
}

void expect_same_head(const std::filesystem::path& first, const std::filesystem::path& second) {
  const auto ours = head_in(first), theirs = head_in(second);
  ASSERT_FALSE(ours.empty());
  for (const auto& [name, tensor] : ours) EXPECT_TRUE(tensor.equal(theirs.at(name))) << name;
}

TEST(AddedDefence, PerturbsATrainedNetworkWithoutTraining) {
  const tests::TemporaryDirectory directory;
  const auto config = added_to_trained(directory / "none", "dp(epsilon=40,clip=10,site=feature)+an(scale=0)");
  auto run = Run::start(config, directory / "added");
  run.train();
  EXPECT_EQ(run.record().defense, "dp(epsilon=40.0,clip=10.0,site=feature)+an(scale=0.0)");
  EXPECT_TRUE(run.record().epochs.empty()) << "nothing is left to learn";
  EXPECT_EQ(run.record().measures.at("dp_scale_feature"), 0.5);
  EXPECT_NE(run.record().measures.at("cross_entropy"),
            results::load_run(directory / "none").measures.at("cross_entropy"));
  expect_same_head(directory / "none", directory / "added");

  // The run is complete in itself.
  std::filesystem::rename(directory / "none", directory / "moved");
  auto opened = Run::open(directory / "added", tiny().runtime);
  EXPECT_TRUE(opened.attack(kQuick, std::nullopt, false).measures.contains("class_accuracy"))
      << "its own network, trained without a defence, judges";
  EXPECT_THAT(tests::message_of<base::UsageError>([&] { opened.attack("amc", std::nullopt, false); }),
              testing::HasSubstr("came trained from"));
  auto moved = config;
  moved.model_from = directory / "moved";
  EXPECT_EQ(config_hash(moved), run.record().config_hash) << "a network is what it was trained with, not where it lies";
  auto joint = config;
  joint.model_from.clear();
  EXPECT_NE(config_hash(joint), run.record().config_hash) << "the same defence in training is another run";
}

TEST(AddedDefence, FitsWhatItHasToLearnToTheFixedNetwork) {
  const tests::TemporaryDirectory directory;
  auto run = Run::start(added_to_trained(directory / "none", "shredder(weight=0.01)"), directory / "added");
  run.train();
  ASSERT_EQ(run.record().epochs.size(), 1U);
  EXPECT_TRUE(run.record().epochs[0].values.contains("noise_to_signal"));
  expect_same_head(directory / "none", directory / "added");
  const double accuracy = run.record().measures.at("accuracy");
  auto opened = Run::open(directory / "added", tiny().runtime);
  opened.evaluate();
  EXPECT_EQ(opened.record().measures.at("accuracy"), accuracy) << "the noise belongs to the checkpoint";
}

TEST(AddedDefence, RefusesWhatCannotBeMeant) {
  const tests::TemporaryDirectory directory;
  const auto config = added_to_trained(directory / "none", "an");
  const auto refusal = [&](const RunConfig& wrong) {
    return tests::message_of<base::UsageError>([&] { Run::start(wrong, directory / "wrong"); });
  };
  const auto with = [&](const char* assignment) {
    auto changed = config;
    set_option(changed, assignment);
    return refusal(changed);
  };
  EXPECT_THAT(with("defense=nopeek"), testing::HasSubstr("nopeek protects by training the network"));
  EXPECT_THAT(with("defense=dc(site=gradient)"), testing::HasSubstr("protects by training the network"));
  EXPECT_THAT(with("defense=none"), testing::HasSubstr("no defence to add"));
  EXPECT_THAT(with("seed=9"), testing::HasSubstr("another seed"));
  EXPECT_THAT(with("data.train=95"), testing::HasSubstr("another [data] train"));
  EXPECT_THAT(with("model.width=0.5"), testing::HasSubstr("another [model] width"));
  EXPECT_THAT(with("model_from=nowhere"), testing::HasSubstr("nowhere"));
  auto defended = tiny();
  defended.defense = "dropout";
  Run::start(defended, directory / "dropout").train();
  auto twice = config;
  twice.model_from = directory / "dropout";
  EXPECT_THAT(refusal(twice), testing::HasSubstr("must be an undefended run, but its defence is dropout"));
  EXPECT_FALSE(std::filesystem::exists(directory / "wrong")) << "refused before anything was begun";
}

TEST(View, HoldsCopiesAndNeitherImagesNorLabelsOfWhatIsAttacked) {
  const auto bench = make_workbench(tiny());
  const auto exposed = train::expose(bench->subject(), bench->splits.test.indices, bench->runtime, 1);
  auto view = make_view<attack::WhiteBoxView>({bench, exposed, bench->splits.test.indices, 1});
  const auto before = nn::state_of(*bench->model.head.layer).at("stem.conv.module.weight").clone();
  {
    const torch::NoGradGuard no_grad;
    for (auto& parameter : view.head.layer->parameters()) parameter.zero_();
    for (auto& parameter : view.encoder.layer->parameters()) parameter.zero_();
  }
  EXPECT_TRUE(nn::state_of(*bench->model.head.layer).at("stem.conv.module.weight").equal(before));
  const auto attacked = data::gather(bench->dataset, bench->splits.test.indices, torch::kCPU).images.flatten(1);
  const auto auxiliary = view.auxiliary.images.flatten(1);
  EXPECT_GT(torch::cdist(attacked, auxiliary).min().item<float>(), 0.0F)
      << "an attacked image is among the attacker's own";
}

TEST(View, AQueryIsWhatTheDeviceSends) {
  const auto bench = make_workbench(tiny());
  const auto exposed = train::expose(bench->subject(), bench->splits.test.indices, bench->runtime, 1);
  const auto view = make_view<attack::BlackBoxView>({bench, exposed, bench->splits.test.indices, 1});
  const auto images = data::gather(bench->dataset, bench->splits.test.indices, torch::kCPU).images;
  EXPECT_TRUE(torch::allclose(view.query(images).cpu(), exposed.representations, 1e-4, 1e-5));
}

Sight sight_of(const RunConfig& config) {
  const auto bench = make_workbench(config);
  const auto indices = bench->splits.test.indices.slice(0, 0, 8);
  return {bench, train::expose(bench->subject(), indices, bench->runtime, bench->seed()), indices, 1};
}

TEST(View, SeesItsVictimsAgainAsTheDeviceSendsThem) {
  const auto sight = sight_of(tiny());
  const auto view = make_view<attack::AdaptiveView>(sight);
  const auto again = view.observe();
  EXPECT_TRUE(again.representations.equal(sight.exposed.representations)) << "nothing is random without a defence";
  EXPECT_TRUE(again.features.equal(sight.exposed.features));
  EXPECT_EQ(view.adversary, nullptr) << "and there is no generator psi";
}

/// Noise of variance 1/4 at both sites, for this test alone.
class TestNoise : public defense::Defense {
 public:
  struct Options {
    base::Fields fields() { return {}; }
  };
  explicit TestNoise(const Options&) {}
  static base::Doc doc() { return {"test-noise", "noise", "this test"}; }
  static std::string sites() { return "representation, feature"; }
  torch::Tensor release(const torch::Tensor& exposed, defense::Site, defense::Phase, torch::Generator& generator,
                        const torch::Tensor&) override {
    return exposed + 0.5 * torch::randn(exposed.sizes().vec(), generator, exposed.options());
  }
};
const bool noise_registered = defense::register_defense<TestNoise>();

// 8192 elements: the relative standard error of a variance is 1.6 %.
TEST(View, EverySightOfARandomDefenceHasDrawsOfItsOwn) {
  auto config = tiny();
  config.defense = "test-noise";
  const auto sight = sight_of(config);
  const torch::NoGradGuard no_grad;
  const auto images = data::gather(sight.bench->dataset, sight.indices, torch::kCPU).images;
  sight.bench->model.train(false);
  const auto clean = sight.bench->model.head.forward(images);
  const auto view = make_view<attack::AdaptiveView>(sight);
  const auto variance = [](const torch::Tensor& difference) { return difference.square().mean().item<double>(); };
  auto sum = sight.exposed.representations;
  for (int i = 1; i < 4; ++i) sum = sum + view.observe().representations;
  EXPECT_NEAR(variance(sum / 4 - clean), 0.25 / 4, 0.1 * 0.25 / 4);
  EXPECT_NEAR(variance((view.query(images) + view.query(images)) / 2 - clean), 0.25 / 2, 0.1 * 0.25 / 2);
  const auto v = view.encoder.forward(clean);
  EXPECT_GT(variance(view.release_feature(v) - v), 0.05) << "what becomes of v is known to the server, who returns it";
  EXPECT_FALSE(view.release_feature(v).equal(view.release_feature(v)));
  const auto white = make_view<attack::AdaptiveWhiteBoxView>(sight);
  EXPECT_NEAR(variance(white.release(clean, images) - clean), 0.25, 0.025);
  EXPECT_FALSE(white.release(clean, images).equal(sight.exposed.representations)) << "not the draws of the device";
}

TEST(Notebook, KeepsPagesInAFileForOneIdentity) {
  const tests::TemporaryDirectory directory;
  const auto file = directory / "notes.safetensors";
  {
    const auto notebook = open_notebook(file, "one");
    EXPECT_TRUE(notebook.read("page").empty());
    notebook.write("page", {{"a", torch::arange(3)}, {"b", torch::tensor(0.5, torch::kFloat64)}});
    notebook.write("page2", {{"a", torch::ones({2})}});
  }
  const auto page = open_notebook(file, "one").read("page");
  ASSERT_EQ(page.size(), 2U);
  EXPECT_TRUE(page.at("a").equal(torch::arange(3)));
  EXPECT_EQ(page.at("b").item<double>(), 0.5);
  EXPECT_TRUE(open_notebook(file, "another").read("page").empty());
  auto bytes = base::read_file(file);
  bytes[bytes.size() - 2] ^= 1;
  base::write_file(file, bytes);
  EXPECT_TRUE(open_notebook(file, "one").read("page").empty()) << "damaged: begun anew";
}

TEST(Run, AFinishedAttackLeavesNoNotebook) {
  const tests::TemporaryDirectory directory;
  auto run = Run::start(tiny(), directory / "run");
  run.train();
  run.attack("rmle(steps=3)", std::nullopt, false);
  for (const auto& entry : std::filesystem::directory_iterator(directory / "run")) {
    EXPECT_FALSE(entry.path().filename().string().starts_with("attack-")) << entry.path();
  }
}

TEST(View, HandsOutACopyOfTheDefencesGenerator) {
  auto config = tiny();
  config.defense = "infoscissors(input=0.2,prediction=0.1,psi_width=4)";
  const auto sight = sight_of(config);
  const auto view = make_view<attack::AdaptiveView>(sight);
  ASSERT_NE(view.adversary, nullptr);
  const auto original = sight.bench->defense->modules().at("0.psi");
  const auto input = sight.exposed.representations;
  const auto layer = std::dynamic_pointer_cast<nn::Layer>(original);
  ASSERT_NE(layer, nullptr);
  layer->eval();
  EXPECT_TRUE(view.adversary->forward(input).equal(layer->forward(input)));
  const auto before = layer->forward(input).detach().clone();
  const torch::NoGradGuard no_grad;
  for (auto& parameter : view.adversary->parameters()) parameter.zero_();
  EXPECT_TRUE(layer->forward(input).equal(before));
  EXPECT_EQ(view.adversary->forward(input).size(2), 16) << "an image, r -> x";
}

TEST(Run, AnActiveServerTrainsANetworkOfItsOwnOnce) {
  const tests::TemporaryDirectory directory;
  auto config = tiny();
  config.train.epochs = 2;
  auto run = Run::start(config, directory / "run");
  run.train();
  const auto honest = base::read_file(directory / "run" / "checkpoint.safetensors");
  const auto record = run.attack("amc(labels=20,steps=20)", std::nullopt, false);
  EXPECT_EQ(record.view, "active");
  EXPECT_TRUE(record.measures.contains("accuracy"));
  EXPECT_GT(record.details.at("network_accuracy").get<double>(), 0);
  EXPECT_EQ(base::read_file(directory / "run" / "checkpoint.safetensors"), honest);
  std::vector<std::filesystem::path> kept;
  for (const auto& entry : std::filesystem::directory_iterator(directory / "run")) {
    if (entry.path().filename().string().starts_with("active-")) kept.push_back(entry.path());
  }
  ASSERT_EQ(kept.size(), 1U);
  EXPECT_NE(base::read_file(kept.front()), honest);
  const auto written = std::filesystem::last_write_time(kept.front());
  run.attack("amc(labels=20,steps=20,head=mlp-sim)", std::nullopt, false);
  EXPECT_EQ(std::filesystem::last_write_time(kept.front()), written) << "the same training serves both";
}

}  // namespace
}  // namespace infoscissors::experiment
