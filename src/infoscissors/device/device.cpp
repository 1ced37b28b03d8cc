#include "infoscissors/device/device.h"

#include "infoscissors/base/error.h"
#include "infoscissors/device/encode.h"
#include "infoscissors/device/network.h"
#include "infoscissors/device/picture.h"
#include "infoscissors/device/release.h"
#include "infoscissors/device/signature.h"
#include "infoscissors/tensor/device.h"
#include "infoscissors/tensor/file.h"

#include <atomic>
#include <cstring>
#include <mutex>

namespace infoscissors::device {
namespace {

using base::Error;
using client::Clock;
namespace fs = std::filesystem;

/// The sizes of one sample.
std::vector<std::int64_t> sample(const bundle::TensorSpec& spec) {
  return {spec.shape.begin() + 1, spec.shape.end()};
}

Release load_release(const fs::path& half, const bundle::Manifest& manifest) {
  // Verified first: the loader reads the file anew.
  bundle::read_part(half, manifest, bundle::kRelease);
  return {manifest.device->release, tensor::load_tensors(half / bundle::kRelease).tensors};
}

defense::Context context_of(const bundle::Manifest& manifest) {
  return {.image = manifest.device->image,
          .representation = sample(manifest.inputs[0]),
          .feature = sample(manifest.outputs[0]),
          .classes = static_cast<std::int64_t>(manifest.device->classes.size()),
          .epochs = 1,
          .runtime = {},
          .seed = 0};
}

/// Microseconds since the last call.
class Stopwatch {
 public:
  double lap() {
    const auto now = Clock::now();
    const auto passed = std::chrono::duration<double, std::micro>(now - last_).count();
    last_ = now;
    return passed;
  }

 private:
  Clock::time_point last_ = Clock::now();
};

std::vector<Result> ranked(const torch::Tensor& logits, std::size_t top) {
  const auto count = std::min<std::int64_t>(static_cast<std::int64_t>(top), logits.size(1));
  const auto [values, indices] = torch::softmax(logits, 1).to(torch::kFloat64).topk(count, 1);
  std::vector<Result> results;
  for (std::int64_t row = 0; row < logits.size(0); ++row) {
    Result result;
    for (std::int64_t k = 0; k < count; ++k) {
      result.top.push_back(
          {static_cast<std::size_t>(indices[row][k].item<std::int64_t>()), values[row][k].item<double>()});
    }
    results.push_back(std::move(result));
  }
  return results;
}

}  // namespace

struct Device::State {
  State(const fs::path& half, const Options& given)
      : options(given),
        manifest(bundle::load_manifest(half, bundle::Part::device)),
        head(half, manifest, bundle::kHead, manifest.device->image, sample(manifest.inputs[0])),
        classifier(half, manifest, bundle::kClassifier, sample(manifest.outputs[0]),
                   {static_cast<std::int64_t>(manifest.device->classes.size())}),
        defense(restore_release(load_release(half, manifest), context_of(manifest))),
        seed(options.seed ? *options.seed : client::entropy()) {}

  torch::Tensor release(const torch::Tensor& exposed, defense::Site site, torch::Generator& generator,
                        const torch::Tensor& images) {
    const torch::NoGradGuard no_grad;
    const std::lock_guard lock(mutex);  // a defence may keep something between calls
    return defense->release(exposed, site, defense::Phase::serve, generator, images).to(torch::kFloat32).contiguous();
  }

  Answer classify(const torch::Tensor& images, client::Session& session, std::size_t top, const std::stop_token& stop);

  Options options;
  bundle::Manifest manifest;
  Network head, classifier;
  defense::DefensePtr defense;
  std::uint64_t seed;
  std::atomic<std::uint64_t> calls{0};
  std::mutex mutex;
};

Answer Device::State::classify(const torch::Tensor& images, client::Session& session, std::size_t top,
                               const std::stop_token& stop) {
  const auto rows = images.size(0);
  auto generator = tensor::make_generator(torch::kCPU, seed, "release", calls++);
  Stopwatch watch;
  Answer answer;
  const auto r = release(head.run(images), defense::Site::representation, generator, images);
  auto inputs = encode(r, session.options().signature.input.name, options.encoding);
  answer.timing.head = watch.lap();

  const auto reply = session.infer(std::move(inputs), rows, stop);
  const double call = watch.lap();
  answer.timing.queue = reply.queue_us;
  answer.timing.compute = reply.compute_us;
  answer.timing.wire = call - reply.queue_us.value_or(0) - reply.compute_us.value_or(0);
  answer.attempts = reply.attempts;
  answer.bytes_sent = reply.bytes_sent;
  answer.bytes_received = reply.bytes_received;

  auto sizes = sample(manifest.outputs[0]);
  sizes.insert(sizes.begin(), rows);
  const auto received = torch::empty(sizes);
  std::memcpy(received.data_ptr<float>(), reply.features.data(), reply.features.size() * sizeof(float));
  const auto v = release(received, defense::Site::feature, generator, images);
  answer.results = ranked(classifier.run(v), top);
  answer.timing.classifier = watch.lap();
  answer.timing.total = answer.timing.head + call + answer.timing.classifier;
  return answer;
}

std::string to_string(Encoding encoding) {
  if (encoding == Encoding::fp16) return "fp16";
  return encoding == Encoding::int8 ? "int8" : "fp32";
}

Encoding parse_encoding(std::string_view text) {
  for (const auto encoding : {Encoding::fp32, Encoding::fp16, Encoding::int8}) {
    if (text == to_string(encoding)) return encoding;
  }
  throw base::UsageError("--transport must be fp32, fp16 or int8, got '{}'", text);
}

Device::Device(const fs::path& half, const Options& options) : state_(std::make_unique<State>(half, options)) {}
Device::~Device() = default;
Device::Device(Device&&) noexcept = default;
Device& Device::operator=(Device&&) noexcept = default;

const bundle::Manifest& Device::manifest() const {
  return state_->manifest;
}

wire::Signature Device::signature() const {
  return signature_of(manifest());
}

client::SessionOptions Device::session_options() const {
  client::SessionOptions options;
  options.model = manifest().model;
  options.version_id = manifest().version;
  options.signature = signature();
  return options;
}

Answer Device::classify(const std::vector<image::Image>& pictures, client::Session& session, std::size_t top, Fit fit,
                        const std::stop_token& stop) {
  if (pictures.empty()) throw Error("there is no picture to classify");
  Stopwatch watch;
  const auto images = to_tensor(pictures, manifest().device->image, fit);
  const double prepare = watch.lap();
  auto answer = state_->classify(images, session, top, stop);
  answer.timing.prepare = prepare;
  answer.timing.total += prepare;
  return answer;
}

Answer Device::classify(const Tensor& pictures, client::Session& session, std::size_t top,
                        const std::stop_token& stop) {
  auto expected = manifest().device->image;
  expected.insert(expected.begin(), pictures.dim() > 0 ? pictures.size(0) : 0);
  if (pictures.sizes() != expected || expected[0] < 1 || pictures.scalar_type() != torch::kFloat32) {
    throw Error("the network takes float32 pictures of shape [N,{}], N >= 1, not {} of [{}]",
                fmt::join(manifest().device->image, ","), c10::toString(pictures.scalar_type()),
                fmt::join(pictures.sizes().vec(), ","));
  }
  return state_->classify(pictures, session, top, stop);
}

}  // namespace infoscissors::device
