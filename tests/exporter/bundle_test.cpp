#include "infoscissors/exporter/bundle.h"

#include "infoscissors/base/file.h"
#include "infoscissors/device/release.h"
#include "infoscissors/tensor/file.h"

#include "tests/exporter/support.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_directory.h"

#include <gtest/gtest.h>

#include <cstring>

namespace infoscissors::exporter {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using tests::message_of;
namespace fs = std::filesystem;

/// Every byte of a half, file by file.
std::string bytes_of(const fs::path& half) {
  std::string all;
  for (const auto& entry : fs::directory_iterator(half)) {
    all += entry.path().filename().string() + "\n" + base::read_file(entry.path());
  }
  return all;
}

/// Whether a run of the tensor's values stands anywhere in the bytes, as float32 in memory order.
bool holds(const std::string& bytes, const torch::Tensor& tensor) {
  const auto flat = tensor.detach().to(torch::kFloat32).flatten().contiguous();
  const auto count = std::min<std::int64_t>(flat.numel(), 4);
  std::string part(static_cast<std::size_t>(count) * sizeof(float), '\0');
  std::memcpy(part.data(), flat.data_ptr<float>(), part.size());
  return bytes.find(part) != std::string::npos;
}

TEST(Bundle, IsWhole) {
  const tests::TemporaryDirectory directory;
  tests::Trained trained("an(scale=0.3)");
  const auto written = write_bundle(trained.source(), "net", directory / "bundle/", Existing::refuse);
  const auto read = bundle::verify_bundle(directory / "bundle");
  EXPECT_EQ(bundle::to_json(read.device), bundle::to_json(written.device));
  EXPECT_EQ(read.server.inputs[0].shape, (std::vector<std::int64_t>{-1, 4, 16, 16}));
  EXPECT_EQ(read.server.outputs[0].shape, (std::vector<std::int64_t>{-1, 32}));
  EXPECT_EQ(read.device.device->release, "an(scale=0.3)");
  EXPECT_EQ(std::distance(fs::directory_iterator(directory.path()), {}), 1) << "a temporary folder was left behind";
}

TEST(Bundle, TheServersHalfTellsNothingOfTheDevices) {
  const tests::TemporaryDirectory directory;
  tests::Trained trained("mid(beta=0.125)+an(scale=0.375)", {.width = 0.25, .classifier_layers = 2});
  auto source = trained.source();
  source.classes[3] = "ankle boot";
  write_bundle(source, "net", directory / "bundle", Existing::refuse);
  const auto server = bytes_of(directory / "bundle" / "server"), device = bytes_of(directory / "bundle" / "device");
  for (const char* word : {"ankle boot", "mid(", "an(", "0.375", "head", "classifier", "release", "defense", "mean"}) {
    EXPECT_EQ(server.find(word), std::string::npos) << word;
  }
  // The same search finds what is there.
  EXPECT_NE(device.find("ankle boot"), std::string::npos);
  EXPECT_NE(device.find("an(scale=0.375)"), std::string::npos);
  int searched = 0;
  for (const auto* part : {&trained.model.head, &trained.model.classifier}) {
    for (const auto& [name, tensor] : nn::state_of(*part->layer)) {
      if (tensor.numel() < 4 || !tensor.is_floating_point()) continue;
      EXPECT_FALSE(holds(server, tensor)) << name;
      ++searched;
    }
  }
  for (const auto& [name, tensor] : nn::state_of(*trained.defense->modules().begin()->second)) {
    EXPECT_FALSE(holds(server, tensor)) << name;
    EXPECT_TRUE(holds(device, tensor)) << name;
    ++searched;
  }
  EXPECT_GT(searched, 8);
  EXPECT_TRUE(holds(device, nn::state_of(*trained.model.classifier.layer).begin()->second));
}

TEST(Bundle, TheFoldedWeightsOfTheHeadAreNotTheServersEither) {
  const tests::TemporaryDirectory directory;
  tests::Trained trained("none");
  write_bundle(trained.source(), "net", directory / "bundle", Existing::refuse);
  const auto server = bytes_of(directory / "bundle" / "server");
  const auto state = nn::state_of(*trained.model.head.layer);
  const auto factor = state.at("stem.norm.module.weight") / (state.at("stem.norm.module.running_var") + 1e-5).sqrt();
  const auto folded = state.at("stem.conv.module.weight") * factor.view({-1, 1, 1, 1});
  EXPECT_FALSE(holds(server, folded));
}

TEST(Bundle, TheSameNetworkHasTheSameVersion) {
  const tests::TemporaryDirectory directory;
  tests::Trained one("an"), two("an"), other("an(scale=0.3)");
  const auto version = [&](tests::Trained& trained, const char* name) {
    return write_bundle(trained.source(), "net", directory / name, Existing::refuse).server.version;
  };
  const auto first = version(one, "one");
  EXPECT_EQ(version(two, "two"), first);
  EXPECT_NE(version(other, "other"), first);
}

TEST(Bundle, ReplacesABundleOnlyWhereAskedTo) {
  const tests::TemporaryDirectory directory;
  tests::Trained first("an"), second("an(scale=0.3)");
  fs::create_directory(directory / "bundle");
  const auto old = write_bundle(first.source(), "net", directory / "bundle", Existing::refuse);
  EXPECT_THAT(message_of<base::UsageError>(
                  [&] { write_bundle(second.source(), "net", directory / "bundle", Existing::refuse); }),
              HasSubstr("--force replaces it"));
  EXPECT_EQ(bundle::verify_bundle(directory / "bundle").server.version, old.server.version);
  write_bundle(second.source(), "net", directory / "bundle", Existing::replace);
  EXPECT_NE(bundle::verify_bundle(directory / "bundle").server.version, old.server.version);
  EXPECT_EQ(std::distance(fs::directory_iterator(directory.path()), {}), 1);
}

TEST(Bundle, NeverReplacesAnythingElse) {
  const tests::TemporaryDirectory directory;
  tests::Trained trained("none");
  fs::create_directories(directory / "mine");
  base::write_file(directory / "mine" / "thesis.txt", "x");
  base::write_file(directory / "file", "x");
  for (const char* name : {"mine", "file"}) {
    EXPECT_THAT(message_of<base::UsageError>(
                    [&] { write_bundle(trained.source(), "net", directory / name, Existing::replace); }),
                HasSubstr("is no bundle"));
  }
  EXPECT_TRUE(fs::exists(directory / "mine" / "thesis.txt"));
  EXPECT_THAT(message_of<base::UsageError>(
                  [&] { write_bundle(trained.source(), "a/b", directory / "bundle", Existing::refuse); }),
              HasSubstr("--name a/b"));
}

/// Every defence that is served differently from how it was handed its tensor.
TEST(Release, DoesWhatTheTrainedDefenceDoes) {
  for (const char* specs :
       {"an(scale=0.3)", "dp(epsilon=2)", "ppdl", "dc(share=0.2)", "dropout(site=both)", "mid(site=both)", "an-adv",
        "shredder", "cem", "mid+an(site=feature)", "infoscissors(input=0.3)+an(scale=0.1)"}) {
    tests::Trained trained(specs);
    const auto stored = device::gather_release(*trained.defense, specs, trained.context);
    const auto restored = device::restore_release(stored, trained.context);
    EXPECT_NE(stored.spec, "none") << specs;
    const torch::NoGradGuard no_grad;
    const auto images = tests::pictures(3, trained.context.image);
    const auto r = tests::pictures(3, trained.context.representation), v = tests::pictures(3, trained.context.feature);
    bool changed = false;
    for (const auto site : {defense::Site::representation, defense::Site::feature}) {
      const auto& exposed = site == defense::Site::representation ? r : v;
      auto one = tensor::make_generator(torch::kCPU, 9, "release");
      auto two = tensor::make_generator(torch::kCPU, 9, "release");
      const auto expected = trained.defense->release(exposed, site, defense::Phase::serve, one, images);
      const auto got = restored->release(exposed, site, defense::Phase::serve, two, images);
      EXPECT_TRUE(torch::equal(got, expected)) << specs;
      changed = changed || !torch::equal(expected, exposed);
    }
    EXPECT_TRUE(changed) << specs;
  }
}

TEST(Release, LeavesOutWhatOnlyTrains) {
  for (const char* specs : {"none", "infoscissors(input=0.3,prediction=0.2)", "nopeek", "dp(site=gradient)"}) {
    tests::Trained trained(specs);
    const auto stored = device::gather_release(*trained.defense, specs, trained.context);
    EXPECT_EQ(stored.spec, "none") << specs;
    EXPECT_TRUE(stored.tensors.empty()) << specs;
  }
  tests::Trained trained("infoscissors(input=0.3)+an(scale=0.1)");
  EXPECT_EQ(device::gather_release(*trained.defense, trained.specs, trained.context).spec, "an");
}

TEST(Release, RefusesTensorsThatDoNotFit) {
  tests::Trained trained("mid");
  auto stored = device::gather_release(*trained.defense, "mid", trained.context);
  auto wrong = stored;
  wrong.tensors["modules.0.other.weight"] = torch::zeros({1});
  EXPECT_THAT(message_of([&] { device::restore_release(wrong, trained.context); }),
              HasSubstr("modules.0.other.weight"));
  wrong = stored;
  wrong.tensors.erase(wrong.tensors.begin());
  EXPECT_THAT(message_of([&] { device::restore_release(wrong, trained.context); }), HasSubstr("log_variance"));
  wrong = stored;
  wrong.tensors.begin()->second = torch::zeros({7});
  EXPECT_NE(message_of([&] { device::restore_release(wrong, trained.context); }), "");
}

}  // namespace
}  // namespace infoscissors::exporter
