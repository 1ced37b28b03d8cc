#pragma once

#include "infoscissors/serve/settings.h"

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace infoscissors::rpc {

/// The accept loop. gRPC 1.51 stops accepting for good once descriptors have run out, and has no limit on connections;
/// this one has a cap, in total and for each address, answers what is above it by closing at once, and keeps a spare
/// descriptor for doing that when none is left.
class Accept {
 public:
  struct Limits {
    std::size_t connections = 1024;
    std::size_t per_address = 256;
  };

  /// Listens. Throws base::Error naming the address and the system's reason.
  Accept(const serve::Address& address, Limits limits);
  ~Accept();
  Accept(const Accept&) = delete;
  Accept& operator=(const Accept&) = delete;

  /// Hands every connection's descriptor, which then belongs to the receiver.
  void start(std::function<void(int)> receive);
  /// Stops listening; connections live on. Idempotent.
  void stop();

  std::string address() const { return address_; }  // "127.0.0.1:8001", with the port that was chosen
  std::size_t connections();                        // open now
  std::uint64_t refused() const { return refused_; }

 private:
  /// The receiver closes its descriptors without telling. A descriptor is still that connection while its socket's
  /// inode is the same.
  struct Connection {
    int descriptor = -1;
    std::uint64_t inode = 0;
    std::string from;  // address without port
  };

  void loop(const std::function<void(int)>& receive);
  void accept_one(const std::function<void(int)>& receive);
  bool admit(int descriptor, const std::string& from);
  void forget_closed();

  const Limits limits_;
  std::string address_;
  int listener_ = -1, wake_ = -1, spare_ = -1;
  std::atomic<std::uint64_t> refused_{0};
  std::mutex mutex_;
  std::vector<Connection> connections_;
  std::thread thread_;
};

}  // namespace infoscissors::rpc
