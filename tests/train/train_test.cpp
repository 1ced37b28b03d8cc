#include "infoscissors/train/train.h"

#include "infoscissors/base/file.h"
#include "infoscissors/base/interrupt.h"
#include "infoscissors/nn/initialise.h"
#include "infoscissors/train/checkpoint.h"

#include "tests/support/expect_error.h"
#include "tests/support/temporary_directory.h"

#include <gtest/gtest.h>

#include <csignal>

namespace infoscissors::train {
namespace {

constexpr std::uint64_t kSeed = 5;

/// A network, a defence and data, built the same way each time.
struct Fixture {
  data::DataOptions data_options;
  data::Dataset dataset;
  data::Splits splits;
  nn::SplitModel model;
  defense::DefensePtr defense;
  tensor::Runtime runtime;
  TrainOptions options;

  explicit Fixture(const std::string& spec = "infoscissors(input=0.3,prediction=0.2,psi_width=4)") {
    runtime = tensor::make_runtime("cpu", "fp32", 1);
    data_options.name = "synthetic";
    data_options.channels = 1;
    data_options.train = 96;
    data_options.auxiliary = 32;
    data_options.validation = 32;
    data_options.test = 64;
    dataset = data::load_dataset(data_options);
    splits = data::make_splits(dataset, data_options, kSeed);
    nn::ModelOptions network;
    network.width = 0.25;
    model = nn::make_split_model(network, {dataset.image_shape(), dataset.class_count(), {0.5}, {0.25}});
    for (auto* part : {&model.head, &model.encoder, &model.classifier}) {
      nn::initialise(*part->layer, tensor::make_generator(torch::kCPU, kSeed, "weights"));
    }
    defense = defense::make_defense(spec);
    defense->setup({.image = model.head.input,
                    .representation = model.head.output,
                    .feature = model.encoder.output,
                    .classes = 10,
                    .epochs = 3,
                    .runtime = runtime,
                    .seed = kSeed});
    options.epochs = 3;
    options.batch = 32;
    options.crop = 2;
    options.flip = true;
  }

  Subject subject() { return {model, *defense, dataset, splits}; }
  TrainLog run(const CheckpointPlace& place = {}, const std::function<void(const EpochLog&)>& on_epoch = {}) {
    return train(subject(), options, runtime, kSeed, place, on_epoch);
  }
};

std::string state_text(Fixture& fixture) {
  std::string bytes;
  for (auto* part : {&fixture.model.head, &fixture.model.encoder, &fixture.model.classifier}) {
    for (const auto& [name, tensor] : nn::state_of(*part->layer)) {
      const auto plain = tensor.contiguous();
      bytes.append(static_cast<const char*>(plain.data_ptr()), plain.nbytes());
    }
  }
  return bytes;
}

TEST(Train, LearnsTheSyntheticImages) {
  Fixture fixture("none");
  fixture.options.epochs = 30;
  fixture.options.crop = 0;
  fixture.options.flip = false;  // mirroring would turn one class into another
  const auto log = fixture.run();
  ASSERT_EQ(log.epochs.size(), 30U);
  EXPECT_LT(log.epochs.back().values.at("cross_entropy"), 0.5 * log.epochs.front().values.at("cross_entropy"));
  EXPECT_GT(evaluate(fixture.subject(), fixture.splits.train.indices, fixture.runtime, kSeed).accuracy, 0.5);
}

TEST(Train, ReportsBothInformationEstimates) {
  Fixture fixture;
  const auto log = fixture.run();
  for (const auto& epoch : log.epochs) {
    EXPECT_TRUE(std::isfinite(epoch.values.at("information_input")));
    EXPECT_TRUE(std::isfinite(epoch.values.at("information_prediction")));
    EXPECT_TRUE(epoch.values.contains("validation_accuracy"));
  }
}

TEST(Train, ResumesBitForBitAfterAnEpoch) {
  Fixture whole;
  const auto log = whole.run();
  const tests::TemporaryDirectory directory;
  const CheckpointPlace place{directory / "checkpoint", "hash"};
  Fixture first;
  struct Killed {};
  EXPECT_THROW(first.run(place,
                         [](const EpochLog& epoch) {
                           if (epoch.epoch == 2) throw Killed();
                         }),
               Killed);
  Fixture second;
  const auto resumed = second.run(place);
  EXPECT_EQ(state_text(whole), state_text(second));
  ASSERT_EQ(resumed.epochs.size(), log.epochs.size());
  for (std::size_t i = 0; i < log.epochs.size(); ++i) EXPECT_EQ(resumed.epochs[i].values, log.epochs[i].values) << i;
}

// Every defence with state of its own, among them those whose state changes at an epoch's end.
TEST(Train, EveryDefenceResumesBitForBit) {
  for (const char* spec : {"mid(site=both)", "nopeek(site=both)+dropout", "cem(clusters=2)", "an-adv", "shredder",
                           "dp(noise=gaussian,clip=9)+ppdl(site=gradient)"}) {
    SCOPED_TRACE(spec);
    Fixture whole(spec);
    const auto log = whole.run();
    const tests::TemporaryDirectory directory;
    const CheckpointPlace place{directory / "checkpoint", "hash"};
    Fixture first(spec);
    struct Killed {};
    EXPECT_THROW(first.run(place, [](const EpochLog&) { throw Killed(); }), Killed);
    Fixture second(spec);
    EXPECT_EQ(second.run(place).epochs.back().values, log.epochs.back().values);
    EXPECT_EQ(state_text(whole), state_text(second));
  }
}

// Autocast hands a defence tensors and gradients in bf16.
TEST(Train, EveryDefenceTrainsInBf16) {
  for (const char* spec :
       {"an+dropout", "an-adv", "cem(clusters=2)", "dc(site=both)+dc(variant=quantise,site=gradient)",
        "dp(site=both)+dp(site=gradient)", "mid(site=both)+nopeek(site=both)", "ppdl(site=both)+ppdl(site=gradient)",
        "shredder", "infoscissors(input=0.3)+an"}) {
    SCOPED_TRACE(spec);
    Fixture fixture(spec);
    fixture.runtime.bf16 = true;
    fixture.options.epochs = 2;
    for (const auto& epoch : fixture.run().epochs) EXPECT_TRUE(std::isfinite(epoch.values.at("loss")));
  }
}

TEST(Train, AGradientDefenceChangesWhatTheServerLearnsFromAlone) {
  const auto one_step = [](const std::string& spec) {
    Fixture fixture(spec);
    fixture.options.epochs = 1;
    fixture.options.batch = 96;
    fixture.options.optimizer = "adam";  // whose first step shows a gradient's sign at any size
    fixture.run();
    return fixture;
  };
  const auto plain = one_step("none"), defended = one_step("dc(site=gradient,share=0.1)");
  EXPECT_TRUE(plain.model.classifier.layer->parameters()[0].equal(defended.model.classifier.layer->parameters()[0]));
  EXPECT_FALSE(plain.model.encoder.layer->parameters()[0].equal(defended.model.encoder.layer->parameters()[0]));
  EXPECT_FALSE(plain.model.head.layer->parameters()[0].equal(defended.model.head.layer->parameters()[0]));
}

TEST(Train, AFrozenNetworkStaysAsItIsWhileTheDefenceLearns) {
  Fixture fixture("shredder+an-adv");
  const auto network = state_text(fixture);
  const auto noise = fixture.defense->trained_parameters().front().clone();
  const auto inversion = fixture.defense->modules().at("1.psi")->parameters().front().clone();
  auto subject = fixture.subject();
  subject.frozen = true;
  train(subject, fixture.options, fixture.runtime, kSeed, {}, {});
  EXPECT_EQ(state_text(fixture), network);
  EXPECT_FALSE(fixture.defense->trained_parameters().front().equal(noise));
  EXPECT_FALSE(fixture.defense->modules().at("1.psi")->parameters().front().equal(inversion));
}

TEST(Train, WithoutEpochsTheCheckpointHoldsTheNetworkAsItIs) {
  const tests::TemporaryDirectory directory;
  const CheckpointPlace place{directory / "checkpoint", "hash"};
  Fixture fixture("an");
  fixture.options.epochs = 0;
  auto subject = fixture.subject();
  subject.frozen = true;
  EXPECT_TRUE(train(subject, fixture.options, fixture.runtime, kSeed, place, {}).epochs.empty());
  Fixture other("an");
  const torch::NoGradGuard no_grad;
  for (auto& parameter : other.model.parameters()) parameter.zero_();
  load_trained(place, other.subject(), 0);
  EXPECT_EQ(state_text(other), state_text(fixture));
}

// The handler's flag stays set for the life of the process, so the interrupted piece runs in a child.
TEST(TrainDeathTest, AnInterruptSavesInTheMiddleOfAnEpochAndResumesBitForBit) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  Fixture whole;
  whole.run();
  const auto path = std::filesystem::temp_directory_path() / "infoscissors-interrupt-test.safetensors";
  const CheckpointPlace place{path, "hash"};
  EXPECT_EXIT(
      {
        std::filesystem::remove(path);
        Fixture interrupted;
        base::install_interrupt_handler();
        std::raise(SIGINT);
        try {
          interrupted.run(place);
        } catch (const base::Interrupted&) {
          std::_Exit(42);
        }
        std::_Exit(0);
      },
      testing::ExitedWithCode(42), "");
  Fixture second;
  second.run(place);
  std::filesystem::remove(path);
  EXPECT_EQ(state_text(whole), state_text(second));
}

torch::Tensor all_weights(const nn::Part& part) {
  std::vector<torch::Tensor> parts;
  for (const auto& parameter : part.layer->parameters()) parts.push_back(parameter.detach().flatten());
  return torch::cat(parts);
}

// In the second of two steps the server triples its update: the encoder alone ends elsewhere, by twice that update.
TEST(Train, AServersFactorScalesTheEncodersUpdatesAlone) {
  const auto trained = [](std::int64_t batch, const ServerFactor& server) {
    auto fixture = std::make_unique<Fixture>("none");
    fixture->options.epochs = 1;
    fixture->options.batch = batch;
    train(fixture->subject(), fixture->options, fixture->runtime, kSeed, {}, {}, server);
    return fixture;
  };
  torch::Tensor last;
  const auto honest = trained(48, {});
  const auto one = trained(48, [](const torch::Tensor& now, const torch::Tensor&) { return torch::ones_like(now); });
  const auto three = trained(48, [&](const torch::Tensor& now, const torch::Tensor& before) {
    EXPECT_FALSE(last.defined()) << "the first of two steps has nothing before it";
    EXPECT_FALSE(now.equal(before));
    last = now.clone();
    return torch::full_like(now, 3);
  });
  // Without a factor the optimiser takes another path over memory, which rounds differently.
  EXPECT_TRUE(torch::allclose(all_weights(honest->model.encoder), all_weights(one->model.encoder), 1e-4, 1e-6));
  EXPECT_TRUE(all_weights(one->model.head).equal(all_weights(three->model.head)));
  EXPECT_TRUE(all_weights(one->model.classifier).equal(all_weights(three->model.classifier)));
  ASSERT_EQ(last.numel(), all_weights(three->model.encoder).numel());
  const auto moved = all_weights(one->model.encoder) - all_weights(three->model.encoder);
  EXPECT_TRUE(torch::allclose(moved, 2 * learning_rate(three->options, 0.5) * last, 1e-3, 1e-6));
}

TEST(Train, ADishonestTrainingResumesBitForBit) {
  const ServerFactor server = [](const torch::Tensor& now, const torch::Tensor& before) {
    return (1 + now / (before + 1e-7)).clamp(1, 5);
  };
  const auto run = [&](Fixture& fixture, const CheckpointPlace& place, const std::function<void(const EpochLog&)>& on) {
    train(fixture.subject(), fixture.options, fixture.runtime, kSeed, place, on, server);
  };
  Fixture whole, first, second;
  run(whole, {}, {});
  const tests::TemporaryDirectory directory;
  const CheckpointPlace place{directory / "checkpoint", "hash"};
  struct Killed {};
  EXPECT_THROW(run(first, place, [](const EpochLog&) { throw Killed(); }), Killed);
  run(second, place, {});
  EXPECT_EQ(state_text(whole), state_text(second));
}

TEST(Train, RefusesForeignAndDamagedCheckpoints) {
  const tests::TemporaryDirectory directory;
  const CheckpointPlace place{directory / "checkpoint", "hash"};
  Fixture fixture;
  fixture.options.epochs = 1;
  fixture.run(place);
  Fixture other;
  const auto foreign = tests::message_of<base::UsageError>([&] { other.run({place.file, "another"}); });
  EXPECT_NE(foreign.find("another configuration"), std::string::npos) << foreign;
  auto bytes = base::read_file(place.file);
  bytes[bytes.size() - 3] ^= 1;
  base::write_file(place.file, bytes);
  const auto damaged = tests::message_of([&] { other.run(place); });
  EXPECT_NE(damaged.find("checksum"), std::string::npos) << damaged;
  EXPECT_NE(damaged.find(place.file.string()), std::string::npos) << damaged;
  EXPECT_THROW(load_trained({directory / "nothing", "hash"}, other.subject(), 1), base::Error);
}

TEST(Train, UnfinishedTrainingIsNotEvaluated) {
  const tests::TemporaryDirectory directory;
  const CheckpointPlace place{directory / "checkpoint", "hash"};
  Fixture fixture;
  fixture.options.epochs = 1;
  fixture.run(place);
  EXPECT_THROW(load_trained(place, fixture.subject(), 3), base::Error);
  EXPECT_NO_THROW(load_trained(place, fixture.subject(), 1));
}

TEST(Train, ALossThatIsNotFiniteIsAnError) {
  Fixture fixture("none");
  fixture.options.rate = 1e30;
  const auto message = tests::message_of([&] { fixture.run(); });
  EXPECT_NE(message.find("not finite"), std::string::npos) << message;
}

TEST(Schedule, FollowsItsFormulas) {
  TrainOptions options;
  options.rate = 0.1;
  options.epochs = 10;
  EXPECT_DOUBLE_EQ(learning_rate(options, 0), 0.1);
  EXPECT_NEAR(learning_rate(options, 5), 0.05, 1e-12);
  EXPECT_NEAR(learning_rate(options, 10), 0.0, 1e-12);
  options.schedule = "step";
  options.step_epochs = 4;
  EXPECT_NEAR(learning_rate(options, 3.9), 0.1, 1e-12);
  EXPECT_NEAR(learning_rate(options, 8), 0.001, 1e-12);
  options.schedule = "constant";
  options.warmup = 2;
  EXPECT_NEAR(learning_rate(options, 0.5), 0.025, 1e-12);
  EXPECT_NEAR(learning_rate(options, 7), 0.1, 1e-12);
}

TEST(Expose, GivesWhatCrossesTheWire) {
  Fixture fixture("none");
  const auto indices = fixture.splits.test.indices;
  const auto exposed = expose(fixture.subject(), indices, fixture.runtime, kSeed);
  EXPECT_EQ(exposed.representations.sizes().vec(), (std::vector<std::int64_t>{64, 4, 16, 16}));
  const torch::NoGradGuard no_grad;
  const auto v = fixture.model.encoder.forward(exposed.representations);
  EXPECT_TRUE(torch::allclose(v, exposed.features, 1e-4, 1e-5));
  const auto predicted = fixture.model.classifier.forward(v).argmax(1);
  EXPECT_TRUE(predicted.equal(evaluate(fixture.subject(), indices, fixture.runtime, kSeed).predictions));
}

}  // namespace
}  // namespace infoscissors::train
