#include "cli/command.h"
#include "cli/infer_report.h"
#include "cli/infer_source.h"
#include "cli/infer_workers.h"

#include "infoscissors/base/error.h"
#include "infoscissors/base/interrupt.h"
#include "infoscissors/base/log.h"
#include "infoscissors/client/grpc.h"
#include "infoscissors/device/device.h"
#include "infoscissors/device/local.h"
#include "infoscissors/tensor/device.h"

#include <cstdio>
#include <cstdlib>
#include <deque>
#include <future>
#include <memory>
#include <stop_token>

namespace infoscissors::cli {
namespace {

using base::UsageError;
using namespace std::chrono_literals;

struct InferArguments {
  std::string bundle, server, local;
  std::vector<std::string> images;
  std::string dataset, data_path;
  std::int64_t limit = 0;
  std::string transport = "fp32";
  std::int64_t top = 3, batch = 1, concurrency = 1, deadline_ms = 5000, attempts = 4;
  std::string authority, certificate, key;
  bool insecure = false, foreign = false, exact = false;
  std::string model;
};

void refuse_unusable(const InferArguments& arguments) {
  if (arguments.server.empty() == arguments.local.empty()) {
    throw UsageError("give --server HOST:PORT, or --local BUNDLE/server to compute without one");
  }
  if (arguments.images.empty() == arguments.dataset.empty()) {
    throw UsageError("give pictures (files, folders, or - for standard input), or --dataset NAME");
  }
  if (arguments.dataset.empty() && !arguments.data_path.empty()) throw UsageError("--data-path needs --dataset");
  if (arguments.authority.empty() && !(arguments.certificate.empty() && arguments.key.empty())) {
    throw UsageError("--cert and --key need --tls-ca, the authority that signed the server's certificate");
  }
}

std::shared_ptr<client::Transport> open_transport(const InferArguments& arguments) {
  if (!arguments.local.empty()) return device::open_local(arguments.local);
  client::ConnectOptions options;
  options.server = arguments.server;
  options.insecure = arguments.insecure;
  if (!arguments.authority.empty()) {
    options.tls = client::TlsFiles{arguments.authority, arguments.certificate, arguments.key};
  }
  return client::connect(options);
}

client::SessionOptions session_options(const InferArguments& arguments, const device::Device& device,
                                       client::Transport& transport) {
  auto options = device.session_options();
  options.deadline = std::chrono::milliseconds(arguments.deadline_ms);
  options.retry.attempts = static_cast<int>(arguments.attempts);
  if (!arguments.model.empty()) options.model = arguments.model;
  if (arguments.foreign) {
    options.version_id.clear();
    const auto metadata = transport.metadata(options.model, client::Clock::now() + options.deadline, {});
    options.signature = client::foreign_signature(metadata, options.signature);
  }
  return options;
}

/// Batches of pictures in several calls at once; answers in the pictures' order.
class Pipeline {
 public:
  Pipeline(const InferArguments& arguments, device::Device& device, client::Session& session)
      : arguments_(arguments),
        device_(device),
        session_(session),
        workers_(arguments.concurrency > 1 ? static_cast<std::size_t>(arguments.concurrency) : 0) {}

  template <class Use>
  void run(ItemSource& source, const Use& use) {
    std::int64_t left = arguments_.limit > 0 ? arguments_.limit : std::numeric_limits<std::int64_t>::max();
    for (bool more = true; more || !calls_.empty();) {
      while (more && calls_.size() < static_cast<std::size_t>(arguments_.concurrency)) {
        auto batch = take(source, std::min(left, arguments_.batch));
        left -= static_cast<std::int64_t>(batch.size());
        more = !batch.empty() && left > 0;
        if (!batch.empty()) launch(std::move(batch));
      }
      if (calls_.empty()) break;
      auto call = std::move(calls_.front());
      calls_.pop_front();
      use(call.items, wait(call));
    }
  }

  ~Pipeline() { stop_.request_stop(); }  // a call that failed leaves others behind it

 private:
  struct Call {
    std::vector<CallItem> items;
    std::future<device::Answer> answer;
  };

  static std::vector<Item> take(ItemSource& source, std::int64_t count) {
    std::vector<Item> batch;
    while (static_cast<std::int64_t>(batch.size()) < count) {
      auto item = source.next();
      if (!item) break;
      batch.push_back(std::move(*item));
    }
    return batch;
  }

  void launch(std::vector<Item> batch) {
    Call call;
    std::vector<image::Image> pictures;
    for (auto& item : batch) {
      call.items.push_back({item.name, item.label});
      pictures.push_back(std::move(item.picture));
    }
    const auto fit = arguments_.exact ? device::Fit::refuse : device::Fit::resize;
    const auto work = std::make_shared<std::packaged_task<device::Answer()>>([=, this, own = std::move(pictures)] {
      return device_.classify(own, session_, static_cast<std::size_t>(arguments_.top), fit, stop_.get_token());
    });
    call.answer = work->get_future();
    // One call at a time needs no thread of its own and may use every core.
    arguments_.concurrency == 1 ? (*work)() : workers_.submit([work] { (*work)(); });
    calls_.push_back(std::move(call));
  }

  device::Answer wait(Call& call) {
    while (call.answer.wait_for(100ms) != std::future_status::ready) {
      if (base::interrupt_requested()) stop_.request_stop();
    }
    if (base::interrupt_requested()) {
      stop_.request_stop();
      throw base::Interrupted("stopped");
    }
    return call.answer.get();
  }

  const InferArguments& arguments_;
  device::Device& device_;
  client::Session& session_;
  std::stop_source stop_;
  std::deque<Call> calls_;
  Workers workers_;  // last: it ends before what it works on
};

void infer(const InferArguments& arguments, const Common& common) {
  refuse_unusable(arguments);
  // gRPC writes lines of its own about what our one line of error says already.
  ::setenv("GRPC_VERBOSITY", "NONE", /*overwrite=*/0);
  tensor::make_runtime("cpu", "fp32", common.threads);
  device::Device device(arguments.bundle,
                        {.encoding = device::parse_encoding(arguments.transport), .seed = common.seed});
  if (common.seed && device.manifest().device->release != "none") {
    base::log::warning("--seed makes the defence's draws repeatable: whoever knows it can take them away again");
  }
  const auto source = arguments.dataset.empty()
                          ? open_files(arguments.images)
                          : open_dataset(arguments.dataset, arguments.data_path, device.classes());
  const auto transport = open_transport(arguments);
  client::Session session(transport, session_options(arguments, device, *transport));
  InferReport report(device.classes());
  Pipeline pipeline(arguments, device, session);
  const bool show = !common.json && arguments.dataset.empty();
  pipeline.run(*source, [&](const std::vector<CallItem>& items, const device::Answer& answer) {
    report.add(items, answer);
    if (!show) return;
    for (std::size_t i = 0; i < items.size(); ++i) {
      std::fputs(report.line(items[i], answer.results[i]).c_str(), stdout);
    }
    std::fflush(stdout);
  });
  if (report.images() == 0) throw base::Error("there was no picture to classify");
  auto document = report.json();
  document["bundle"] = arguments.bundle;
  document["server"] = transport->destination();
  document["version"] = device.manifest().version;
  document["transport"] = arguments.transport;
  emit(common, document, report.text());
}

void add_arguments(CLI::App& command, InferArguments& arguments) {
  command.add_option("images", arguments.images, "Pictures (PNG, JPEG), folders of them, or - for standard input");
  command.add_option("--bundle", arguments.bundle, "The device's half: BUNDLE/device")->required();
  command.add_option("--server", arguments.server, "HOST:PORT of the server (gRPC)");
  command.add_option("--local", arguments.local, "The server's half, computed in this process, to compare with");
  command.add_option("--dataset", arguments.dataset, "Classify a data set's test part and print the accuracy");
  command.add_option("--data-path", arguments.data_path, "With --dataset: where its files are");
  command.add_option("--limit", arguments.limit, "At most so many pictures; 0: all")->check(CLI::NonNegativeNumber);
  command.add_option("--transport", arguments.transport, "fp32, fp16 or int8 on the wire")->capture_default_str();
  command.add_option("--top", arguments.top, "Classes shown of each picture")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  command.add_option("--batch", arguments.batch, "Pictures in one call")
      ->check(CLI::Range(1, 4096))
      ->capture_default_str();
  command.add_option("--concurrency", arguments.concurrency, "Calls at once")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  command.add_option("--deadline-ms", arguments.deadline_ms, "Of a call with all its attempts")
      ->check(CLI::Range(1, 3600000))
      ->capture_default_str();
  command.add_option("--attempts", arguments.attempts, "Of a call while the server is unavailable")
      ->check(CLI::Range(1, 100))
      ->capture_default_str();
  command.add_option("--tls-ca", arguments.authority, "TLS: certificate of the authority that signed the server's");
  command.add_option("--cert", arguments.certificate, "Mutual TLS: this device's certificate");
  command.add_option("--key", arguments.key, "Mutual TLS: its key");
  command.add_flag("--insecure", arguments.insecure, "Plain text also beyond this machine");
  command.add_flag("--foreign", arguments.foreign,
                   "Any server of the Open Inference Protocol that holds the encoder: no version is checked");
  command.add_option("--model", arguments.model, "The encoder's name there, where it is not the bundle's");
  command.add_flag("--exact", arguments.exact, "Refuse pictures of another size than the network's");
}

}  // namespace

void add_infer(CLI::App& app, Common& common) {
  auto* command = app.add_subcommand("infer", "Classify pictures: head and classifier here, the encoder on a server");
  command->footer(
      "Examples:\n"
      "  infoscissors infer --bundle bundle/device --server 127.0.0.1:8001 shoe.png\n"
      "  infoscissors infer --bundle bundle/device --server infer.example.org:8001 --tls-ca ca.pem --cert me.pem\n"
      "    --key me.key --transport int8 pictures/\n"
      "  ffmpeg -i film.mp4 -f image2pipe -c:v mjpeg - | infoscissors infer --bundle bundle/device\n"
      "    --server 127.0.0.1:8001 -\n"
      "  infoscissors infer --bundle bundle/device --server 127.0.0.1:8001 --dataset fashion-mnist --limit 1000\n"
      "Standard input holds PNG and JPEG files one directly after the other. A picture of another size is scaled and\n"
      "its centre is cut out, as for training.");
  auto arguments = std::make_shared<InferArguments>();
  add_arguments(*command, *arguments);
  command->callback([arguments, &common] { infer(*arguments, common); });
}

}  // namespace infoscissors::cli
