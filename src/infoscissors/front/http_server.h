#pragma once

#include "infoscissors/front/connections.h"
#include "infoscissors/front/exchange.h"
#include "infoscissors/front/listener.h"
#include "infoscissors/front/server.h"
#include "infoscissors/front/service.h"
#include "infoscissors/front/tls.h"

#include <microhttpd.h>

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

// Included by the two files that implement it, where the component "http" is there.
namespace infoscissors::front {

// What belongs to a connection from its start to its end. Used by the one thread of the library that runs it.
struct Link {
  int descriptor = -1;
  Clock::time_point since;
  std::shared_ptr<const TlsMaterial> material;  // which the session uses
  gnutls_session_int* session = nullptr;
  bool identified = false;
  serve::Caller caller;
  std::shared_ptr<Exchange> exchange;  // the request under way
};

/// The front on libmicrohttpd: a thread that accepts, a few of the library's that run the connections, and one that
/// watches the time. A request that waits for the core suspends its connection and costs no thread.
class HttpServer final : public Server {
 public:
  explicit HttpServer(serve::Core& core);
  ~HttpServer() override { stop(std::chrono::milliseconds(0)); }

  const std::string& address() const override { return listener_.address(); }

  void stop(std::chrono::milliseconds patience) override;

 private:
  void follow_certificates();
  void start_daemon();
  std::unique_ptr<Link> make_link(MHD_Connection* connection) const;
  void accepted(int descriptor, const sockaddr* peer, unsigned length);
  void watch();

  // The library's callbacks, each with the server as its closure.
  static MHD_Result on_access(void* self, MHD_Connection* connection, const char* url, const char* method,
                              const char* version, const char* data, std::size_t* size, void** context);
  static void* on_target(void* self, const char* target, MHD_Connection* connection);
  static void on_completed(void* self, MHD_Connection* connection, void** context, MHD_RequestTerminationCode how);
  static void on_connection(void* self, MHD_Connection* connection, void** context,
                            MHD_ConnectionNotificationCode what);

  MHD_Result begin(MHD_Connection* connection, const std::shared_ptr<Exchange>& exchange, const char* method);
  MHD_Result receive(const std::shared_ptr<Exchange>& exchange, const char* data, std::size_t* size);
  MHD_Result complete(MHD_Connection* connection, const std::shared_ptr<Exchange>& exchange);
  void submit(MHD_Connection* connection, const std::shared_ptr<Exchange>& exchange);
  MHD_Result send(MHD_Connection* connection, Exchange& exchange, Reply reply);
  void read_head(MHD_Connection* connection, Exchange& exchange) const;
  bool identify(Link& link) const;
  std::string own_metrics() const;

  serve::Core& core_;
  const serve::Settings& settings_;
  Service service_;
  Connections connections_;
  Exchanges exchanges_;
  std::shared_ptr<TlsRotation> tls_;
  std::atomic<std::size_t> held_{0};  // bytes of bodies
  std::atomic<std::uint64_t> refused_full_{0}, refused_peer_{0}, exhausted_{0}, expired_{0};
  std::atomic<bool> stopping_{false};
  std::mutex watch_mutex_;
  std::condition_variable watch_wake_;
  bool watch_over_ = false;
  MHD_Daemon* daemon_ = nullptr;
  std::thread watchdog_;
  Listener listener_;
};

/// Null where there was no memory for one.
Link* link_of(MHD_Connection* connection);

}  // namespace infoscissors::front
