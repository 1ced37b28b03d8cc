#ifdef INFOSCISSORS_HTTP

#include "infoscissors/base/error.h"
#include "infoscissors/front/http_server.h"

#include <strings.h>

#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

namespace infoscissors::front {
namespace {

using wire::Code;

// Bodies that are held in memory at once, whatever the connections would allow together.
constexpr std::size_t kBodies = std::size_t{256} << 20;

// How much of a body beyond the limit is read and dropped so that the client sees its 413 and not a reset.
constexpr std::size_t kSwallow = 1 << 20;

}  // namespace

void* HttpServer::on_target(void*, const char* target, MHD_Connection* connection) {
  auto* link = link_of(connection);
  if (link == nullptr) return nullptr;
  // The connection owns the exchange, since the library tells no end of a request whose head it refuses.
  try {
    link->exchange = std::make_shared<Exchange>();
    link->exchange->head.target = target;
  } catch (const std::bad_alloc&) {
    link->exchange.reset();
  }
  return nullptr;
}

void HttpServer::on_completed(void* closure, MHD_Connection* connection, void**, MHD_RequestTerminationCode) {
  auto& self = *static_cast<HttpServer*>(closure);
  auto* link = link_of(connection);
  if (link == nullptr) return;
  if (const auto exchange = std::exchange(link->exchange, nullptr)) {
    self.exchanges_.remove(exchange.get());
    self.held_ -= exchange->body.size();
  }
  self.connections_.enter(link->descriptor, Phase::idle, Clock::now());
}

MHD_Result HttpServer::on_access(void* closure, MHD_Connection* connection, const char*, const char* method,
                                 const char*, const char* data, std::size_t* size, void**) {
  auto& self = *static_cast<HttpServer*>(closure);
  const auto* link = link_of(connection);
  if (link == nullptr || !link->exchange) return MHD_NO;
  const auto exchange = link->exchange;
  try {
    if (exchange->head.method.empty()) return self.begin(connection, exchange, method);
    if (*size > 0) return self.receive(exchange, data, size);
    return self.complete(connection, exchange);
  } catch (const std::exception& error) {
    // Out of memory, most likely; the connection ends and the server goes on.
    self.core_.log("request dropped", {{"protocol", "rest"}, {"problem", error.what()}}, true);
    return MHD_NO;
  }
}

bool HttpServer::identify(Link& link) const {
  if (link.identified || !tls_) return true;
  if (link.session == nullptr) return false;
  const auto name = link.material->identity(link.session);
  if (!name) return false;
  link.caller.device = *name;
  link.identified = true;
  return true;
}

void HttpServer::read_head(MHD_Connection* connection, Exchange& exchange) const {
  struct Seen {
    Head& head;
    int lengths = 0;
  } seen{exchange.head};
  MHD_get_connection_values(
      connection, MHD_HEADER_KIND,
      [](void* closure, MHD_ValueKind, const char* key, const char* value) {
        auto& [head, lengths] = *static_cast<Seen*>(closure);
        if (value == nullptr) value = "";
        if (::strcasecmp(key, kJsonLength) == 0) {
          head.json_length = value;
          head.ambiguous = head.ambiguous || ++lengths > 1;
        } else if (::strcasecmp(key, "Content-Encoding") == 0) {
          head.encoded = head.encoded || ::strcasecmp(value, "identity") != 0;
        } else if (::strcasecmp(key, "Content-Length") == 0) {
          head.body_length = std::strtoull(value, nullptr, 10);
        }
        return MHD_YES;
      },
      &seen);
}

// The head is complete; nothing of the body was read yet.
MHD_Result HttpServer::begin(MHD_Connection* connection, const std::shared_ptr<Exchange>& exchange,
                             const char* method) {
  auto& link = *link_of(connection);
  connections_.enter(link.descriptor, Phase::body, Clock::now());
  exchange->head.method = method;
  exchange->descriptor = link.descriptor;
  exchange->close_after = Clock::now() - link.since > std::chrono::seconds(settings_.connection_age_seconds);
  read_head(connection, *exchange);
  if (!identify(link)) {
    exchange->close_after = true;
    exchange->refusal = service_.refused(link.caller, Code::unauthenticated, "a client certificate is needed");
  } else {
    exchange->refusal = service_.refuse(exchange->head, link.caller);
  }
  exchange->caller = link.caller;
  // Only a POST can be answered without reading its body: the library ends the connection then. Everything else is
  // answered when it is complete, or what follows would be taken for the next request.
  if (exchange->refusal && exchange->head.method == "POST")
    return send(connection, *exchange, std::move(*exchange->refusal));
  if (exchange->head.body_length && !exchange->refusal) exchange->body.reserve(*exchange->head.body_length);
  return MHD_YES;
}

MHD_Result HttpServer::receive(const std::shared_ptr<Exchange>& exchange, const char* data, std::size_t* size) {
  const auto count = std::exchange(*size, 0);
  if (!exchange->refusal) {
    const auto limit = service_.body_limit();
    if (exchange->body.size() + count > limit) {
      exchange->refusal =
          service_.refused(exchange->caller, Code::too_large, fmt::format("the body has more than {} bytes", limit));
    } else if (held_ + count > kBodies) {
      exchange->refusal = service_.refused(exchange->caller, Code::unavailable, "too many requests are being read");
    } else {
      exchange->body.append(data, count);
      held_ += count;
      return MHD_YES;
    }
    held_ -= exchange->body.size();
    exchange->body = {};
    exchange->close_after = true;
  }
  exchange->swallowed += count;
  return exchange->swallowed > kSwallow ? MHD_NO : MHD_YES;
}

// Called when the body is complete, and again when a suspended connection was woken.
MHD_Result HttpServer::complete(MHD_Connection* connection, const std::shared_ptr<Exchange>& exchange) {
  if (exchange->submitted) {
    exchanges_.remove(exchange.get());
    const auto outcome = exchange->take();
    return send(connection, *exchange, service_.finish(outcome, exchange->form));
  }
  if (exchange->refusal) return send(connection, *exchange, std::move(*exchange->refusal));
  if (exchange->head.method == "POST") {
    submit(connection, exchange);
    return MHD_YES;
  }
  return send(connection, *exchange, service_.answer(exchange->head, exchange->caller, own_metrics()));
}

void HttpServer::submit(MHD_Connection* connection, const std::shared_ptr<Exchange>& exchange) {
  connections_.enter(exchange->descriptor, Phase::compute, Clock::now());
  exchange->submitted = true;
  exchange->suspend([connection] { MHD_resume_connection(connection); });
  exchanges_.add(exchange);
  MHD_suspend_connection(connection);
  try {
    // The body's bytes are counted until the request is over, though they move into the request here.
    auto body = std::shared_ptr<const std::string>(exchange, &exchange->body);
    auto running = service_.infer(exchange->head, std::move(body), exchange->caller,
                                  [exchange](serve::Outcome outcome) { exchange->finish(std::move(outcome)); });
    exchange->form = std::move(running.form);
    exchange->set_ticket(std::move(running.ticket));
  } catch (const wire::Error& error) {
    exchange->finish({.code = error.code(), .message = error.what(), .response = {}});
  } catch (const std::exception&) {
    exchange->finish({.code = Code::internal, .message = "the server ran out of memory", .response = {}});
  }
}

void free_body(void* body) {
  delete static_cast<std::string*>(body);
}

MHD_Result HttpServer::send(MHD_Connection* connection, Exchange& exchange, Reply reply) {
  auto body = std::make_unique<std::string>(std::move(reply.body));
  const auto size = body->size();
  auto* data = body->data();
  MHD_Response* response = MHD_create_response_from_buffer_with_free_callback_cls(size, data, &free_body, body.get());
  if (response == nullptr) return MHD_NO;
  body.release();
  const auto add = [response](const char* name, const std::string& value) {
    MHD_add_response_header(response, name, value.c_str());
  };
  if (!reply.content_type.empty()) add("Content-Type", reply.content_type);
  if (reply.json_length) add(kJsonLength, std::to_string(*reply.json_length));
  if (!reply.allow.empty()) add("Allow", reply.allow);
  // What is private must not stay in anybody's cache, nor be taken for a page.
  add("Cache-Control", "no-store");
  add("X-Content-Type-Options", "nosniff");
  if (reply.status == 429 || reply.status == 503) add("Retry-After", "1");
  if (!settings_.cors_origin.empty()) {
    add("Access-Control-Allow-Origin", settings_.cors_origin);
    add("Access-Control-Expose-Headers", kJsonLength);
    add("Access-Control-Allow-Methods", "GET, HEAD, POST, OPTIONS");
    add("Access-Control-Allow-Headers", fmt::format("Content-Type, {}", kJsonLength));
    add("Access-Control-Max-Age", "600");
    add("Vary", "Origin");
  }
  if (exchange.close_after || stopping_) add("Connection", "close");
  connections_.enter(exchange.descriptor, Phase::response, Clock::now());
  const auto queued = MHD_queue_response(connection, static_cast<unsigned>(reply.status), response);
  MHD_destroy_response(response);
  return queued;
}

}  // namespace infoscissors::front

#endif
