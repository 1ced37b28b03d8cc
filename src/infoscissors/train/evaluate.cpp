#include "infoscissors/base/error.h"
#include "infoscissors/data/batches.h"
#include "infoscissors/metric/classification.h"
#include "infoscissors/ranks/group.h"
#include "infoscissors/train/train.h"

namespace infoscissors::train {
namespace {

constexpr std::int64_t kEvaluationBatch = 256;

/// Runs the released network over the images and hands every batch to `use`, with where it begins. The ranks of a
/// `group` take turns.
template <class Use>
void for_each_batch(const Subject& subject, const torch::Tensor& indices, const tensor::Runtime& runtime,
                    std::uint64_t seed, defense::Phase phase, const ranks::Group* group, const Use& use) {
  const torch::NoGradGuard no_grad;
  subject.model.train(false);
  const tensor::Autocast autocast(runtime);
  for (std::int64_t begin = 0; begin < indices.size(0); begin += kEvaluationBatch) {
    if (group && begin / kEvaluationBatch % group->size() != group->rank()) continue;
    const auto part = indices.slice(0, begin, std::min(begin + kEvaluationBatch, indices.size(0)));
    const auto batch = data::gather(subject.dataset, part, runtime.device);
    auto generator = tensor::make_generator(runtime.device, seed, "evaluate", static_cast<std::uint64_t>(begin));
    const auto r = subject.defense.release(subject.model.head.forward(batch.images), defense::Site::representation,
                                           phase, generator, batch.images);
    const auto v = subject.defense.release(subject.model.encoder.forward(r), defense::Site::feature, phase, generator,
                                           batch.images);
    use(begin, batch, r, v);
  }
}

}  // namespace

Evaluation evaluate(const Subject& subject, const torch::Tensor& indices, const tensor::Runtime& runtime,
                    std::uint64_t seed) {
  if (indices.size(0) == 0) throw base::Error("there is no image to evaluate on");
  auto predictions = torch::zeros({indices.size(0)}, torch::kInt64);
  double loss = 0;
  for_each_batch(subject, indices, runtime, seed, defense::Phase::evaluate, subject.group,
                 [&](std::int64_t begin, const data::Batch& batch, const torch::Tensor&, const torch::Tensor& v) {
                   const auto logits = subject.model.classifier.forward(v).to(torch::kFloat32);
                   loss += torch::cross_entropy_loss(logits, batch.labels, {}, at::Reduction::Sum).item<double>();
                   predictions.narrow(0, begin, batch.labels.size(0)).copy_(logits.argmax(1));
                 });
  if (subject.group) {
    subject.group->sum(predictions);
    const auto sum = torch::full({1}, loss, torch::kFloat64);
    subject.group->sum(sum);
    loss = sum.item<double>();
  }
  const auto& all = subject.dataset.labels;
  Evaluation result;
  result.predictions = predictions;
  result.accuracy = metric::accuracy(predictions, all.index_select(0, indices.to(all.device())).cpu());
  result.cross_entropy = loss / static_cast<double>(indices.size(0));
  return result;
}

Exposed expose(const Subject& subject, const torch::Tensor& indices, const tensor::Runtime& runtime,
               std::uint64_t seed) {
  if (indices.size(0) == 0) throw base::Error("there is no image to expose");
  std::vector<torch::Tensor> representations, features;
  for_each_batch(subject, indices, runtime, seed, defense::Phase::serve, /*group=*/nullptr,
                 [&](std::int64_t, const data::Batch&, const torch::Tensor& r, const torch::Tensor& v) {
                   representations.push_back(r.to(torch::kCPU, torch::kFloat32).contiguous());
                   features.push_back(v.to(torch::kCPU, torch::kFloat32).contiguous());
                 });
  return {torch::cat(representations), torch::cat(features)};
}

}  // namespace infoscissors::train
