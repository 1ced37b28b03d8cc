#include "infoscissors/base/hash.h"
#include "tests/data/support.h"
#include "tests/support/expect_error.h"

#include <torch/fft.h>

namespace infoscissors::data {
namespace {

using testing::HasSubstr;

std::string pixel_hash(const Dataset& dataset) {
  return base::content_hash({static_cast<const char*>(dataset.images.data_ptr()), dataset.images.nbytes()});
}

TEST(Synthetic, IsAlwaysTheSame) {
  const Dataset dataset = load_dataset({.name = "synthetic"});
  EXPECT_EQ(dataset.images.sizes(), (std::vector<std::int64_t>{1200, 3, 16, 16}));
  EXPECT_EQ(dataset.official_train, 1000);
  EXPECT_EQ(dataset.class_count(), 10);
  EXPECT_TRUE(torch::bincount(dataset.labels).equal(torch::full({10}, 120, torch::kInt64)));
  // Recorded when the set was defined: changing the set changes every result measured on it.
  EXPECT_EQ(pixel_hash(dataset), "40bbbcfd3904dacc4004a8d48a7b486a");
  EXPECT_EQ(pixel_hash(load_dataset({.name = "synthetic", .image_size = 8, .channels = 1})),
            "4fa60a5e7e27d3c8c82297decc7e9878");
}

TEST(Synthetic, TakesSizeAndChannels) {
  EXPECT_EQ(load_dataset({.name = "synthetic", .image_size = 28, .channels = 1}).image_shape(),
            (std::vector<std::int64_t>{1, 28, 28}));
  EXPECT_THAT(tests::message_of<base::UsageError>([] { load_dataset({.name = "synthetic", .image_size = 4}); }),
              HasSubstr("image_size"));
  EXPECT_THAT(tests::message_of<base::UsageError>([] { load_dataset({.name = "synthetic", .channels = 2}); }),
              HasSubstr("channels"));
}

// Nearest neighbours on the magnitude of the spectrum (blind to position). Shows that the classes can be told apart
// by something simple, not how well a network would do.
TEST(Synthetic, CanBeLearnt) {
  const Dataset dataset = load_dataset({.name = "synthetic"});
  const auto grey = dataset.images.to(torch::kFloat32).mean(1);
  const auto centred = grey - grey.mean({1, 2}, true);
  auto features = torch::fft::fft2(centred).abs().flatten(1);
  features = features / features.norm(2, 1, true);
  const auto similarity = features.slice(0, 1000).matmul(features.slice(0, 0, 1000).t());
  const auto predicted = dataset.labels.index_select(0, similarity.argmax(1));
  const double accuracy = predicted.eq(dataset.labels.slice(0, 1000)).to(torch::kFloat64).mean().item<double>();
  EXPECT_GT(accuracy, 0.6);
}

TEST(LoadDataset, RefusesUnknownNamesWithASuggestion) {
  EXPECT_THAT(tests::message_of<base::UsageError>([] { load_dataset({.name = "cifar-10"}); }),
              HasSubstr("did you mean 'cifar10'"));
}

TEST(LoadDataset, ListsItsSets) {
  std::vector<std::string> names;
  for (const auto& doc : datasets()) names.push_back(doc.name);
  EXPECT_THAT(names, testing::ElementsAre("cifar10", "cifar100", "fashion-mnist", "folder", "synthetic"));
  DataOptions options;
  EXPECT_THROW(base::assign_text(options.fields(), "name", "mnist", "[data]"), base::UsageError);
  EXPECT_NO_THROW(base::assign_text(options.fields(), "name", "cifar100", "[data]"));
}

}  // namespace
}  // namespace infoscissors::data
