#include "infoscissors/ranks/connect.h"

#include "infoscissors/base/error.h"

#ifdef INFOSCISSORS_GLOO
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>
#ifdef INFOSCISSORS_NCCL
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>
#endif
#endif

#include <functional>
#include <thread>

namespace infoscissors::ranks {

using base::Error;
using base::UsageError;

bool has_gloo() {
#ifdef INFOSCISSORS_GLOO
  return true;
#else
  return false;
#endif
}

bool has_nccl() {
#ifdef INFOSCISSORS_NCCL
  return true;
#else
  return false;
#endif
}

int ranks_with_key(const Group& group, std::uint64_t key) {
  const auto all = group.gather(torch::full({1}, static_cast<std::int64_t>(key), torch::kInt64));
  return all.eq(static_cast<std::int64_t>(key)).sum().item<int>();
}

#ifdef INFOSCISSORS_GLOO
namespace {

using Store = c10::intrusive_ptr<c10d::Store>;

constexpr std::chrono::milliseconds kPoll{500};

/// A group over one of libtorch's backends, which work on tensors of `device` and of the types it knows.
template <class Backend>
class BackendGroup : public Group {
 public:
  BackendGroup(const Place& place, Store store, c10::intrusive_ptr<Backend> backend, const torch::Device& device)
      : place_(place), store_(std::move(store)), backend_(std::move(backend)), device_(device) {}

  int rank() const override { return place_.rank; }
  int size() const override { return place_.size; }

  void sum(const torch::Tensor& tensor) const override {
    std::vector<torch::Tensor> list = {staged(tensor)};
    run([&] { return backend_->allreduce(list); });
    if (!list[0].is_same(tensor)) tensor.copy_(list[0]);
  }

  void broadcast(const torch::Tensor& tensor) const override {
    std::vector<torch::Tensor> list = {staged(tensor)};
    run([&] { return backend_->broadcast(list); });
    if (!list[0].is_same(tensor)) tensor.copy_(list[0]);
  }

  torch::Tensor gather(const torch::Tensor& tensor) const override {
    // As bytes: not every backend knows bf16.
    std::vector<torch::Tensor> own = {staged(tensor).view({-1}).view(torch::kUInt8)};
    const auto bytes = torch::empty({size(), own[0].size(0)}, own[0].options());
    std::vector<std::vector<torch::Tensor>> all = {bytes.unbind(0)};
    run([&] { return backend_->allgather(all, own); });
    auto sizes = tensor.sizes().vec();
    sizes.insert(sizes.begin(), size());
    return bytes.view({-1}).view(tensor.scalar_type()).view(sizes).to(tensor.device());
  }

 private:
  torch::Tensor staged(const torch::Tensor& tensor) const { return tensor.detach().to(device_).contiguous(); }

  template <class Start>
  void run(const Start& start) const {
    const torch::NoGradGuard no_grad;
    try {
      start()->wait();
    } catch (const std::exception&) {
      throw Error(
          "rank {} of {} lost the other ranks: one of them has ended (its own message says why) or did not "
          "answer in time",
          rank(), size());
    }
  }

  Place place_;
  Store store_;
  c10::intrusive_ptr<Backend> backend_;
  torch::Device device_;
};

/// Where the ranks meet: rank 0 listens, unless the launcher does.
Store open_store(const Place& place, std::chrono::milliseconds timeout) {
  c10d::TCPStoreOptions options;
  options.port = static_cast<std::uint16_t>(place.port);
  options.isServer = place.rank == 0 && !place.external_store;
  options.waitWorkers = false;
  options.timeout = timeout;
  try {
    return c10::make_intrusive<c10d::TCPStore>(place.address, options);
  } catch (const std::exception&) {
    if (options.isServer) {
      throw Error("rank 0 cannot listen on port {}: it is in use; set MASTER_PORT to a free one", place.port);
    }
    throw Error(
        "rank {} of {} cannot reach rank 0 at {}:{}: it was not started, or MASTER_ADDR and MASTER_PORT are "
        "not its own",
        place.rank, place.size, place.address, place.port);
  }
}

void put(const Store& store, const std::string& key, const std::string& text) {
  store->set(key, std::vector<std::uint8_t>(text.begin(), text.end()));
}

/// The text under a key, as soon as it is there. Waits in short pieces, so that the end of the store ends the wait.
std::string await(const Store& store, const std::string& key, std::chrono::milliseconds timeout,
                  const std::string& complaint) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  while (true) {
    const auto begin = std::chrono::steady_clock::now();
    try {
      store->wait({key}, kPoll);
      const auto bytes = store->get(key);
      return {bytes.begin(), bytes.end()};
    } catch (const std::exception&) {
      const auto now = std::chrono::steady_clock::now();
      const bool gone = now - begin < kPoll / 2;  // the store itself, or the wait would have lasted
      if (gone || now >= deadline) throw Error("{}", complaint);
    }
  }
}

/// Rank 0's view of one other rank; empty where all is well.
std::string complaint_about(int rank, const std::string& card, const Place& place, const std::string& identity) {
  const auto bar = card.find('|');
  if (card.substr(0, bar) != std::to_string(place.size)) {
    return fmt::format("rank {} was started as one of {} ranks, rank 0 as one of {}", rank, card.substr(0, bar),
                       place.size);
  }
  if (card.substr(bar + 1) != identity) {
    return fmt::format("rank {} was started with another configuration than rank 0; all need the same command", rank);
  }
  return {};
}

/// Gives those who are there the time to read why they are not wanted: the store ends with this process.
void wait_for_readers(const Store& store, int others) {
  for (int i = 0; i < 20 && store->add("readers", 0) < others; ++i) std::this_thread::sleep_for(kPoll / 5);
}

/// Every rank leaves a card; rank 0 reads them and tells the others what it found.
void meet(const Store& store, const Place& place, const ConnectOptions& options) {
  const auto claimed = store->add(fmt::format("claim/{}", place.rank), 1);
  if (claimed > 1) throw UsageError("two processes were started as rank {} of {}", place.rank, place.size);
  put(store, fmt::format("card/{}", place.rank), fmt::format("{}|{}", place.size, options.identity));
  if (place.rank > 0) {
    const auto found = await(store, "verdict", options.timeout + kPoll,
                             fmt::format("rank {} of {} waited in vain for rank 0 at {}:{}", place.rank, place.size,
                                         place.address, place.port));
    if (found == "welcome") return;
    store->add("readers", 1);
    throw UsageError("{}", found);
  }
  std::string verdict = "welcome";
  bool missing = false;
  for (int rank = 1; rank < place.size && verdict == "welcome"; ++rank) {
    const auto late = fmt::format("rank {} of {} did not come within {} s", rank, place.size, options.timeout.count());
    try {
      const auto complaint = complaint_about(rank, await(store, fmt::format("card/{}", rank), options.timeout, late),
                                             place, options.identity);
      if (!complaint.empty()) verdict = complaint;
    } catch (const Error& error) {
      verdict = error.what();
      missing = true;
    }
  }
  put(store, "verdict", verdict);
  if (verdict != "welcome") wait_for_readers(store, place.size - 1);
  if (missing) throw Error("{}", verdict);
  if (verdict != "welcome") throw UsageError("{}", verdict);
}

std::unique_ptr<Group> over_gloo(const Place& place, const Store& store, const ConnectOptions& options) {
  using Backend = c10d::ProcessGroupGloo;
  auto settings = Backend::Options::create();
  settings->timeout = options.timeout;
  const auto interface = process_environment("GLOO_SOCKET_IFNAME");
  const bool local = place.address == "127.0.0.1" || place.address == "localhost";
  settings->devices.push_back(!interface.empty() ? Backend::createDeviceForInterface(interface)
                              : local            ? Backend::createDeviceForHostname("127.0.0.1")
                                                 : Backend::createDefaultDevice());
  auto backend = c10::make_intrusive<Backend>(store, place.rank, place.size, settings);
  return std::make_unique<BackendGroup<Backend>>(place, store, backend, torch::kCPU);
}

std::unique_ptr<Group> over_nccl([[maybe_unused]] const Place& place, [[maybe_unused]] const Store& store,
                                 [[maybe_unused]] const ConnectOptions& options) {
#ifdef INFOSCISSORS_NCCL
  using Backend = c10d::ProcessGroupNCCL;
  auto settings = Backend::Options::create();
  settings->timeout = options.timeout;
  auto backend = c10::make_intrusive<Backend>(store, place.rank, place.size, settings);
  return std::make_unique<BackendGroup<Backend>>(place, store, backend, options.device);
#else
  throw UsageError("this build has no NCCL: --ranks-backend gloo works on any device");
#endif
}

}  // namespace

std::unique_ptr<Group> connect(const Place& place, const ConnectOptions& options) {
  const bool nccl = options.backend == "nccl" || (options.backend == "auto" && has_nccl() && options.device.is_cuda());
  const auto store = open_store(place, options.timeout);
  meet(store, place, options);
  const auto own = c10::make_intrusive<c10d::PrefixStore>("group", store);
  try {
    return nccl ? over_nccl(place, own, options) : over_gloo(place, own, options);
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {
    const std::string what = error.what();
    throw Error("rank {} of {} cannot connect to the others: {}", place.rank, place.size,
                what.substr(0, what.find('\n')));
  }
}
#else
std::unique_ptr<Group> connect(const Place&, const ConnectOptions&) {
  throw UsageError("this build cannot train on several ranks: it was made without Gloo (package libgloo-dev)");
}
#endif

}  // namespace infoscissors::ranks
