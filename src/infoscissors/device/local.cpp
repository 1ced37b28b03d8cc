#include "infoscissors/device/local.h"

#include "infoscissors/device/network.h"
#include "infoscissors/device/signature.h"
#include "infoscissors/wire/check.h"

#include <limits>

namespace infoscissors::device {
namespace {

std::vector<std::int64_t> with_rows(std::int64_t rows, const wire::TensorSpec& spec) {
  auto sizes = spec.shape;
  sizes[0] = rows;
  return sizes;
}

class Local : public client::Transport {
 public:
  explicit Local(const std::filesystem::path& half)
      : name_(half.string()),
        manifest_(bundle::load_manifest(half, bundle::Part::server)),
        signature_(signature_of(manifest_)),
        network_(half, manifest_, bundle::kEncoder,
                 {manifest_.inputs[0].shape.begin() + 1, manifest_.inputs[0].shape.end()},
                 {manifest_.outputs[0].shape.begin() + 1, manifest_.outputs[0].shape.end()}) {}

  client::Reply infer(const wire::Request& request, client::Clock::time_point, const std::stop_token&) override {
    check_version(request);
    wire::Limits limits;
    limits.max_rows = std::numeric_limits<std::int32_t>::max();
    const auto rows = wire::check(request, signature_, limits);
    const auto begin = client::Clock::now();
    const auto r = torch::empty(with_rows(rows.count, signature_.input));
    rows.copy_to(r.data_ptr<float>());
    const auto v = std::make_shared<torch::Tensor>(network_.run(r));
    const auto passed = std::chrono::duration_cast<std::chrono::microseconds>(client::Clock::now() - begin);
    client::Reply reply;
    for (const auto& input : request.inputs) reply.bytes_sent += input.data.size();
    reply.bytes_received = v->nbytes();
    reply.response.id = request.id;
    reply.response.parameters = request.parameters;
    reply.response.parameters.emplace(wire::kQueueMicros, std::int64_t{0});
    reply.response.parameters.emplace(wire::kComputeMicros, std::int64_t{passed.count()});
    reply.response.outputs.emplace_back(signature_.output.name, wire::DataType::fp32, v->sizes().vec(),
                                        std::string_view(static_cast<const char*>(v->data_ptr()), v->nbytes()));
    reply.response.keep = v;
    return reply;
  }

  client::ModelMetadata metadata(const std::string&, client::Clock::time_point, const std::stop_token&) override {
    return {{signature_.input}, {signature_.output}};
  }

  std::string destination() const override { return name_; }

 private:
  void check_version(const wire::Request& request) const {
    const auto found = request.parameters.find(wire::kVersionId);
    if (found == request.parameters.end()) return;
    const auto* wanted = std::get_if<std::string>(&found->second);
    if (!wanted || *wanted != manifest_.version) {
      throw wire::Error(wire::Code::not_found, "there is no version {} here, but {}",
                        wanted ? wire::printable(*wanted) : "?", manifest_.version);
    }
  }

  std::string name_;
  bundle::Manifest manifest_;
  wire::Signature signature_;
  Network network_;
};

}  // namespace

std::shared_ptr<client::Transport> open_local(const std::filesystem::path& half) {
  return std::make_shared<Local>(half);
}

}  // namespace infoscissors::device
