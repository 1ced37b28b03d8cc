#include "infoscissors/device/device.h"

#include "infoscissors/base/file.h"
#include "infoscissors/bundle/sha256.h"
#include "infoscissors/device/encode.h"
#include "infoscissors/device/local.h"
#include "infoscissors/exporter/bundle.h"
#include "infoscissors/tensor/device.h"

#include "tests/client/fake.h"
#include "tests/exporter/support.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_directory.h"

#include <gtest/gtest.h>

#include <future>
#include <limits>

namespace infoscissors::device {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using tests::message_of;
namespace fs = std::filesystem;

/// A bundle of a network, and both halves of it at work without a wire.
struct Deployed {
  explicit Deployed(const std::string& specs, const nn::ModelOptions& model = {.width = 0.25},
                    std::int64_t channels = 1, Options options = {.seed = 11})
      : trained(specs, model, channels) {
    exporter::write_bundle(trained.source(), "net", directory / "bundle", exporter::Existing::refuse);
    device.emplace(half("device"), options);
    session.emplace(open_local(half("server")), device->session_options());
  }

  fs::path half(const char* name) const { return directory / "bundle" / name; }

  /// What the network in this process gives for its `call`-th call.
  torch::Tensor expected(const torch::Tensor& images, std::uint64_t call = 0) {
    const torch::NoGradGuard no_grad;
    auto generator = tensor::make_generator(torch::kCPU, 11, "release", call);
    const auto phase = defense::Phase::serve;
    auto& defense = *trained.defense;
    const auto r =
        defense.release(trained.model.head.forward(images), defense::Site::representation, phase, generator, images);
    const auto v = defense.release(trained.model.encoder.forward(r), defense::Site::feature, phase, generator, images);
    return torch::softmax(trained.model.classifier.forward(v), 1);
  }

  tests::TemporaryDirectory directory;
  tests::Trained trained;
  std::optional<Device> device;
  std::optional<client::Session> session;
};

/// (N, K) from answers that list every class.
torch::Tensor probabilities(const Answer& answer, std::int64_t classes) {
  auto table = torch::zeros({static_cast<std::int64_t>(answer.results.size()), classes}, torch::kFloat64);
  for (std::size_t row = 0; row < answer.results.size(); ++row) {
    EXPECT_EQ(answer.results[row].top.size(), static_cast<std::size_t>(classes));
    for (const auto& guess : answer.results[row].top) {
      table[static_cast<std::int64_t>(row)][static_cast<std::int64_t>(guess.label)] = guess.probability;
    }
  }
  return table;
}

double largest_difference(const Answer& answer, const torch::Tensor& expected) {
  return (probabilities(answer, expected.size(1)) - expected).abs().max().item<double>();
}

TEST(Device, ComputesWhatTheNetworkComputes) {
  for (const char* specs : {"none", "an(scale=0.3)", "mid(site=both)", "an-adv", "shredder", "dropout(site=both)",
                            "infoscissors(input=0.3)+an(scale=0.1,site=feature)"}) {
    Deployed deployed(specs);
    const auto images = tests::pictures(3, deployed.trained.context.image);
    for (std::uint64_t call = 0; call < 2; ++call) {
      const auto answer = deployed.device->classify(images, *deployed.session, 10);
      EXPECT_LT(largest_difference(answer, deployed.expected(images, call)), 1e-5) << specs;
    }
  }
}

TEST(Device, ComputesWhatEveryBackboneComputes) {
  const nn::ModelOptions models[] = {
      {.backbone = "resnet18", .width = 0.25, .head_stages = 1},
      {.backbone = "vgg11", .width = 0.25, .head_stages = 0, .classifier_layers = 3},
      {.backbone = "mobilenet-v2", .width = 0.25, .head_stages = 2},
      {.backbone = "resnet-small", .width = 0.25, .head_stages = 4},
  };
  for (const auto& model : models) {
    Deployed deployed("none", model, 3);
    const auto images = tests::pictures(2, deployed.trained.context.image);
    const auto answer = deployed.device->classify(images, *deployed.session, 10);
    EXPECT_LT(largest_difference(answer, deployed.expected(images)), 1e-5) << model.backbone;
  }
}

TEST(Device, DrawsAnewForEachCallAndEachDevice) {
  Deployed deployed("an(scale=3)");
  const auto images = tests::pictures(1, deployed.trained.context.image);
  const auto transport = std::make_shared<tests::ScriptedTransport>(deployed.device->signature());
  auto options = deployed.device->session_options();
  client::Session session(transport, options);
  deployed.device->classify(images, session);
  deployed.device->classify(images, session);
  for (int i = 0; i < 2; ++i) {
    Device other(deployed.half("device"), {});
    other.classify(images, session);
  }
  ASSERT_EQ(transport->sent.size(), 4U);
  EXPECT_EQ(std::set<std::string>(transport->sent.begin(), transport->sent.end()).size(), 4U);
}

TEST(Device, SendsFewerBytesInFewerBits) {
  for (const auto& [encoding, share] :
       {std::pair{Encoding::fp32, 1.0}, {Encoding::fp16, 0.5}, {Encoding::int8, 0.25}}) {
    Deployed deployed("none", {.width = 0.25}, 1, {.encoding = encoding, .seed = 11});
    const auto images = tests::pictures(2, deployed.trained.context.image);
    const auto answer = deployed.device->classify(images, *deployed.session, 10);
    const double elements = 2.0 * 4 * 16 * 16;
    const double companions = encoding == Encoding::int8 ? 2.0 * 2 * 4 : 0;
    EXPECT_EQ(static_cast<double>(answer.bytes_sent), elements * 4 * share + companions);
    EXPECT_LT(largest_difference(answer, deployed.expected(images)), encoding == Encoding::fp32 ? 1e-5 : 0.05);
  }
}

TEST(Device, ListsTheLikeliestFirst) {
  Deployed deployed("none");
  const auto images = tests::pictures(4, deployed.trained.context.image);
  const auto answer = deployed.device->classify(images, *deployed.session, 3);
  ASSERT_EQ(answer.results.size(), 4U);
  const auto expected = deployed.expected(images);
  for (std::int64_t i = 0; i < 4; ++i) {
    const auto& top = answer.results[static_cast<std::size_t>(i)].top;
    ASSERT_EQ(top.size(), 3U);
    EXPECT_EQ(static_cast<std::int64_t>(top[0].label), expected[i].argmax().item<std::int64_t>());
    EXPECT_GE(top[0].probability, top[1].probability);
    EXPECT_GE(top[1].probability, top[2].probability);
  }
  EXPECT_EQ(deployed.device->classify(images, *deployed.session, 100).results[0].top.size(), 10U);
}

TEST(Device, SaysWhereTheTimeWent) {
  Deployed deployed("none");
  const auto answer = deployed.device->classify(tests::pictures(1, deployed.trained.context.image), *deployed.session);
  const auto& timing = answer.timing;
  ASSERT_TRUE(timing.queue && timing.compute);
  EXPECT_GT(timing.head, 0);
  EXPECT_GE(timing.wire, 0);
  EXPECT_GT(timing.classifier, 0);
  EXPECT_NEAR(timing.total, timing.head + timing.wire + *timing.queue + *timing.compute + timing.classifier, 1e-6);
}

TEST(Device, TakesPicturesOfOtherSizesAndColours) {
  Deployed deployed("none");
  image::Image colour{.width = 40, .height = 20, .channels = 3, .pixels = std::vector<std::uint8_t>(40 * 20 * 3, 128)};
  const auto answer = deployed.device->classify({colour}, *deployed.session, 10);
  const auto grey = torch::full({1, 1, 16, 16}, 128 / 255.0);
  EXPECT_LT(largest_difference(answer, deployed.expected(grey)), 1e-5);
  EXPECT_THAT(message_of([&] { deployed.device->classify({colour}, *deployed.session, 1, Fit::refuse); }),
              HasSubstr("40x20 pixels; the network takes 16x16"));
  colour.pixels.pop_back();
  colour.width = colour.height = 16;
  EXPECT_THAT(message_of([&] { deployed.device->classify({colour}, *deployed.session); }),
              HasSubstr("pixels it claims"));
  EXPECT_NE(message_of([&] { deployed.device->classify(std::vector<image::Image>{}, *deployed.session); }), "");
}

TEST(Device, RefusesTensorsThatAreNoPictures) {
  Deployed deployed("none");
  for (const auto& wrong : {torch::zeros({1, 1, 16, 15}), torch::zeros({0, 1, 16, 16}), torch::zeros({1, 16, 16}),
                            torch::zeros({1, 1, 16, 16}, torch::kFloat64), torch::tensor(1.0)}) {
    EXPECT_THAT(message_of([&] { deployed.device->classify(wrong, *deployed.session); }),
                HasSubstr("shape [N,1,16,16]"));
  }
}

TEST(Device, SendsNothingThatIsNotFinite) {
  Deployed deployed("none");
  const auto transport = std::make_shared<tests::ScriptedTransport>(deployed.device->signature());
  client::Session session(transport, deployed.device->session_options());
  const auto nan = torch::full({1, 1, 16, 16}, std::numeric_limits<float>::quiet_NaN());
  EXPECT_THAT(message_of([&] { deployed.device->classify(nan, session); }), HasSubstr("not finite; it is not sent"));
  EXPECT_TRUE(transport->sent.empty());
  const auto large = torch::full({1, 4}, 1e6);
  EXPECT_THAT(message_of([&] { encode(large, "r", Encoding::fp16); }), HasSubstr("beyond what fp16 can hold"));
  EXPECT_EQ(encode(large, "r", Encoding::int8).size(), 3U);
}

TEST(Device, WorksFromSeveralThreads) {
  Deployed deployed("mid+an-adv");
  const auto images = tests::pictures(2, deployed.trained.context.image);
  std::vector<std::future<Answer>> answers;
  for (int i = 0; i < 4; ++i) {
    answers.push_back(
        std::async(std::launch::async, [&] { return deployed.device->classify(images, *deployed.session, 10); }));
  }
  for (auto& answer : answers) EXPECT_EQ(answer.get().results.size(), 2U);
}

TEST(Device, RefusesTheServersHalfAndDamage) {
  Deployed deployed("none");
  EXPECT_THAT(message_of([&] { Device(deployed.half("server"), {}); }), HasSubstr("the device's half is needed"));
  EXPECT_THAT(message_of([&] { open_local(deployed.half("device")); }), HasSubstr("the server's half is needed"));
  for (const char* file : {bundle::kHead, bundle::kClassifier, bundle::kRelease}) {
    const auto path = deployed.half("device") / file;
    const auto content = base::read_file(path);
    auto flipped = content;
    flipped[flipped.size() / 2] ^= 1;
    base::write_file(path, flipped);
    EXPECT_THAT(message_of([&] { Device(deployed.half("device"), {}); }), AllOf(HasSubstr(file), HasSubstr("damaged")));
    base::write_file(path, content);
  }
}

/// Replaces a file of the device's half and lets the manifest agree.
void replace(const fs::path& half, const std::string& file, const std::string& content) {
  auto manifest = bundle::load_manifest(half);
  base::write_file(half / file, content);
  manifest.files[file] = {bundle::sha256(content), content.size()};
  base::write_json(half / bundle::kManifest, bundle::to_json(manifest));
}

TEST(Device, RefusesNetworksThatDoNotFitTheManifest) {
  Deployed deployed("none");
  const auto half = deployed.half("device");
  const auto head = base::read_file(half / bundle::kHead), classifier = base::read_file(half / bundle::kClassifier);
  replace(half, bundle::kHead, classifier);
  EXPECT_THAT(message_of([&] { Device(half, {}); }), HasSubstr("head.pt"));
  replace(half, bundle::kHead, "no network");
  EXPECT_THAT(message_of([&] { Device(half, {}); }), AllOf(HasSubstr("head.pt"), HasSubstr("cannot be run")));
  replace(half, bundle::kHead, head);
  auto manifest = bundle::load_manifest(half);
  manifest.device->classes.pop_back();
  base::write_json(half / bundle::kManifest, bundle::to_json(manifest));
  EXPECT_THAT(message_of([&] { Device(half, {}); }),
              AllOf(HasSubstr("classifier.pt"), HasSubstr("[1,10] where the manifest says [1,9]")));
}

TEST(Device, IsToldWhenTheServerHasAnotherVersion) {
  Deployed deployed("none"), other("an");
  client::Session session(open_local(other.half("server")), deployed.device->session_options());
  const auto message = message_of<wire::Error>(
      [&] { deployed.device->classify(tests::pictures(1, deployed.trained.context.image), session); });
  EXPECT_THAT(message, AllOf(HasSubstr("there is no version " + deployed.device->manifest().version),
                             HasSubstr(other.device->manifest().version)));
}

TEST(Encoding, HasNames) {
  for (const char* name : {"fp32", "fp16", "int8"}) EXPECT_EQ(to_string(parse_encoding(name)), name);
  EXPECT_THAT(message_of<base::UsageError>([] { parse_encoding("bf16"); }), HasSubstr("fp32, fp16 or int8"));
}

}  // namespace
}  // namespace infoscissors::device
