#include "cli/bench.h"
#include "cli/command.h"
#include "cli/infer_source.h"

#include "infoscissors/base/error.h"
#include "infoscissors/base/file.h"
#include "infoscissors/base/log.h"
#include "infoscissors/bench/child.h"
#include "infoscissors/bench/in_process.h"
#include "infoscissors/bench/report.h"
#include "infoscissors/bench/rest.h"
#include "infoscissors/bundle/manifest.h"
#include "infoscissors/client/grpc.h"
#include "infoscissors/device/device.h"
#include "infoscissors/device/encode.h"
#include "infoscissors/device/local.h"
#include "infoscissors/execute/torch_executor.h"
#include "infoscissors/pki/pki.h"
#include "infoscissors/tensor/device.h"

#include <unistd.h>

#include <filesystem>
#include <memory>

namespace infoscissors::cli {
namespace {

namespace fs = std::filesystem;
using base::UsageError;

constexpr std::int64_t kSamples = 64;
constexpr std::size_t kImagesACall = 16;

struct BenchServeArguments {
  std::string bundle;
  std::vector<std::string> encodings{"fp32", "fp16", "int8"};
  std::vector<std::string> compare;
  std::string dataset, data_path, markdown;
  std::int64_t limit = 1000;
  bench::Plan plan;
};

/// Removed with everything in it: keys of the authority that lives as long as the measurement.
class Scratch {
 public:
  Scratch() {
    std::string pattern = (fs::temp_directory_path() / "infoscissors-bench-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw base::Error("{}: cannot be made", pattern);
    path_ = pattern;
  }
  ~Scratch() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

using Connect = std::function<std::shared_ptr<client::Transport>()>;

/// A layer that devices reach, and how, for the accuracy.
struct Way {
  std::string name;
  Connect connect;
  int server = 0;
};

/// Everything that runs while it is measured.
class Bench {
 public:
  Bench(const BenchServeArguments& arguments, const Common& common)
      : arguments_(arguments),
        device_half_(fs::path(arguments.bundle) / "device"),
        server_half_(fs::path(arguments.bundle) / "server"),
        halves_(bundle::verify_bundle(arguments.bundle)),
        runtime_(tensor::make_runtime("cpu", "fp32", common.threads)),
        seed_(common.seed.value_or(0)),
        session_(device::Device(device_half_, {}).session_options()) {
    session_.deadline = std::chrono::seconds(30);
  }

  bench::Report run() {
    open_ways();
    std::vector<std::unique_ptr<bench::Layer>> layers;
    layers.push_back(bench::bare_layer(bench::kBare, factory()(server_half_, halves_.server),
                                       static_cast<std::size_t>(session_.signature.output.row_elements())));
    for (const auto& way : ways_) {
      layers.push_back(bench::session_layer(way.name, {way.connect, session_, way.server}));
    }
    auto plan = arguments_.plan;
    plan.seed = seed_;
    bench::Report report = describe();
    report.cells = bench::measure(layers, traffic(), plan);
    if (!arguments_.dataset.empty()) report.accuracies = accuracies();
    return report;
  }

 private:
  serve::ExecutorFactory factory() const { return execute::torch_executor({.threads = threads(), .bf16 = false}); }
  int threads() const { return runtime_.threads; }

  std::vector<std::string> server_command(const std::vector<std::string>& more) const {
    std::vector<std::string> command{bench::this_program(),
                                     "serve",
                                     "--bundle",
                                     server_half_.string(),
                                     "--threads",
                                     std::to_string(threads()),
                                     "--device-rate",
                                     "0",
                                     "--device-concurrency",
                                     "0",
                                     "--log-level",
                                     "warning",
                                     "--queue",
                                     "4096",
                                     "--grpc",
                                     "127.0.0.1:0",
                                     "--rest",
                                     "127.0.0.1:0"};
    command.insert(command.end(), more.begin(), more.end());
    return command;
  }

  bench::Child& start(const std::vector<std::string>& command) {
    children_.push_back(std::make_unique<bench::Child>(command));
    return *children_.back();
  }

  static Connect to(client::ConnectOptions options) {
    return [options] { return client::connect(options); };
  }

  void open_ways() {
    serve::Settings settings;
    settings.bundle = {server_half_.string()};
    settings.device_rate = 0;
    settings.device_concurrency = 0;
    settings.queue = 4096;
    settings.log_requests = false;
    settings.log_level = "warning";
    settings.reload_seconds = 0;
    core_ = std::make_unique<serve::Core>(settings, factory());
    ways_.push_back({bench::kInProcess, [this] { return bench::connect_in_process(*core_); }, 0});
    const auto& plain = start(server_command({}));
    const auto grpc = plain.ready("grpc"), rest = plain.ready("rest");
    ways_.push_back({bench::kGrpc, to({.server = grpc}), plain.pid()});
    open_mutual_tls();
    ways_.push_back({bench::kRest, [rest] { return bench::connect_rest(rest); }, plain.pid()});
    for (const auto& other : arguments_.compare) open_other(other);
  }

  void open_mutual_tls() {
    const auto pki = scratch_.path() / "pki";
    pki::init(pki, {.name = "benchmark", .days = 1});
    pki::issue(pki, {.name = "server", .kind = pki::Kind::server, .hosts = {"127.0.0.1"}, .days = 1});
    pki::issue(pki, {.name = "device", .kind = pki::Kind::device, .hosts = {}, .days = 1});
    const auto file = [&](const char* name) { return (pki / name).string(); };
    const auto& child = start(server_command({"--tls-cert", file("server.pem"), "--tls-key", file("server.key"),
                                              "--client-ca", file("ca.pem"), "--crl", file("crl.pem")}));
    client::ConnectOptions options{.server = child.ready("grpc"),
                                   .tls = client::TlsFiles{pki / "ca.pem", pki / "device.pem", pki / "device.key"}};
    ways_.push_back({bench::kMutualTls, to(options), child.pid()});
  }

  /// NAME=COMMAND: a server of the same protocol that says "ready grpc=HOST:PORT".
  void open_other(const std::string& text) {
    const auto equals = text.find('=');
    if (equals == std::string::npos || equals == 0) {
      throw UsageError("--compare wants NAME=COMMAND, got '{}'", text);
    }
    auto& child = start({"/bin/sh", "-c", "exec " + text.substr(equals + 1)});
    ways_.push_back({text.substr(0, equals), to({.server = child.ready("grpc")}), child.pid()});
  }

  /// Rectified normal draws: what passes the wire behind a ReLU looks like that, and no layer's time depends on it.
  std::vector<bench::Traffic> traffic() const {
    auto generator = tensor::make_generator(torch::kCPU, seed_, "bench");
    std::vector<std::int64_t> shape = halves_.server.inputs.at(0).shape;
    shape[0] = kSamples;
    const auto rows = torch::randn(shape, generator, torch::TensorOptions()).relu();
    std::vector<bench::Traffic> all;
    for (const auto& encoding : arguments_.encodings) {
      bench::Traffic one{encoding, {}, {}};
      for (std::int64_t i = 0; i < kSamples; ++i) {
        const auto row = rows.narrow(0, i, 1).contiguous();
        one.samples.push_back(device::encode(row, halves_.server.inputs.at(0).name, device::parse_encoding(encoding)));
        one.plain.emplace_back(row.data_ptr<float>(), row.data_ptr<float>() + row.numel());
      }
      all.push_back(std::move(one));
    }
    return all;
  }

  bench::Report describe() const {
    bench::Report report;
    report.model = halves_.server.model;
    report.version = halves_.server.version;
    const auto& shape = halves_.server.inputs.at(0).shape;
    report.input.assign(shape.begin() + 1, shape.end());
    report.threads = threads();
    report.seconds = arguments_.plan.seconds;
    report.repetitions = arguments_.plan.repetitions;
    return report;
  }

  std::vector<bench::Accuracy> accuracies() const {
    std::vector<bench::Accuracy> all;
    for (const auto& encoding : arguments_.encodings) {
      for (const auto& way : ways_) all.push_back(accuracy(way, encoding));
    }
    return all;
  }

  /// With the same seed the defence draws the same noise for each layer and encoding.
  bench::Accuracy accuracy(const Way& way, const std::string& encoding) const {
    device::Device device(device_half_, {.encoding = device::parse_encoding(encoding), .seed = seed_});
    client::Session session(way.connect(), session_);
    const auto source = open_dataset(arguments_.dataset, arguments_.data_path, device.classes());
    bench::Accuracy result{way.name, encoding, 0, 0};
    std::int64_t correct = 0;
    for (bool more = true; more && result.images < arguments_.limit;) {
      std::vector<image::Image> pictures;
      std::vector<std::int64_t> labels;
      while (pictures.size() < kImagesACall && result.images + std::ssize(pictures) < arguments_.limit) {
        auto item = source->next();
        more = item.has_value();
        if (!more) break;
        pictures.push_back(std::move(item->picture));
        labels.push_back(item->label.value_or(-1));
      }
      if (pictures.empty()) break;
      const auto answer = device.classify(pictures, session, 1);
      for (std::size_t i = 0; i < labels.size(); ++i) {
        correct += static_cast<std::int64_t>(answer.results[i].top.at(0).label) == labels[i];
      }
      result.images += std::ssize(labels);
    }
    result.share = result.images == 0 ? 0 : static_cast<double>(correct) / static_cast<double>(result.images);
    return result;
  }

  const BenchServeArguments& arguments_;
  const fs::path device_half_, server_half_;
  const bundle::Halves halves_;
  const tensor::Runtime runtime_;
  const std::uint64_t seed_;
  client::SessionOptions session_;
  Scratch scratch_;
  std::unique_ptr<serve::Core> core_;
  std::vector<std::unique_ptr<bench::Child>> children_;
  std::vector<Way> ways_;
};

void refuse_unusable(const BenchServeArguments& arguments) {
  for (const auto& encoding : arguments.encodings) device::parse_encoding(encoding);
  for (const auto devices : arguments.plan.devices) {
    if (devices < 1 || devices > 256) throw UsageError("--devices must be between 1 and 256, got {}", devices);
  }
  for (const auto share : arguments.plan.open_shares) {
    if (!(share > 0 && share <= 2)) throw UsageError("--open must be above 0 and at most 2, got {}", share);
  }
}

void bench_serve(const BenchServeArguments& arguments, const Common& common) {
  refuse_unusable(arguments);
  const auto report = Bench(arguments, common).run();
  const auto markdown = bench::to_markdown(report);
  if (!arguments.markdown.empty()) base::write_file(arguments.markdown, markdown);
  emit(common, bench::to_json(report), markdown);
}

}  // namespace

void add_bench_serve(CLI::App& parent, Common& common) {
  auto* command = parent.add_subcommand(
      "serve", "Measure the network bare, in process, over gRPC, with mutual TLS and over REST, on the same tensors");
  command->footer(
      "Example:\n  infoscissors bench serve bundle --threads 1 --dataset fashion-mnist --markdown tables.md\n"
      "Each server is a process of its own on this machine. --compare adds another server of the same protocol: the\n"
      "command must print a line `ready grpc=HOST:PORT` and end on SIGTERM.");
  auto arguments = std::make_shared<BenchServeArguments>();
  auto& plan = arguments->plan;
  command->add_option("bundle", arguments->bundle, "A bundle with both halves")->required();
  command->add_option("--devices", plan.devices, "Devices at once")->delimiter(',')->capture_default_str();
  command->add_option("--encoding", arguments->encodings, "On the wire")->delimiter(',')->capture_default_str();
  command->add_option("--seconds", plan.seconds, "Of one repetition of one cell")
      ->check(CLI::Range(0.01, 3600.0))
      ->capture_default_str();
  command->add_option("--warm-up", plan.warm_up, "Seconds before each repetition that do not count")
      ->check(CLI::Range(0.0, 60.0))
      ->capture_default_str();
  command->add_option("--repetitions", plan.repetitions, "Interleaved over all cells")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  command
      ->add_option("--open", plan.open_shares,
                   "Open loop at these shares of what the slowest server answered in the closed one")
      ->delimiter(',');
  command->add_option("--dataset", arguments->dataset, "Also the accuracy on a data set's test images");
  command->add_option("--data-path", arguments->data_path, "With --dataset: where its files are");
  command->add_option("--limit", arguments->limit, "With --dataset: at most so many images")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command->add_option("--compare", arguments->compare, "NAME=COMMAND of another server");
  command->add_option("--markdown", arguments->markdown, "Write the tables to this file, too");
  command->callback([arguments, &common] { bench_serve(*arguments, common); });
}

}  // namespace infoscissors::cli
