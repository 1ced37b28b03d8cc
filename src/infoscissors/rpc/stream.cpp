#include "infoscissors/rpc/stream.h"

#include "infoscissors/rpc/caller.h"
#include "infoscissors/rpc/message.h"

#include <utility>

namespace infoscissors::rpc {

/// Reads one request, answers it, reads the next: a client that does not read its answers is not read from either.
/// No lock is held while gRPC is called, for it may call back on the same thread.
class Streams::Stream : public Reactor {
 public:
  Stream(Streams& streams, grpc::CallbackServerContext* context)
      : streams_(streams), context_(context), caller_(caller_of(*context)) {}

  void begin(std::shared_ptr<Stream> self) {
    self_ = std::move(self);
    StartRead(&message_);
  }

  void drain() {
    if (finish_now()) Finish(draining());
  }

  void OnReadDone(bool ok) override {
    {
      const std::lock_guard lock(mutex_);
      reading_ = false;
      if (finished_) return;
    }
    if (!ok) return end(grpc::Status::OK);
    answer();
  }

  void OnWriteDone(bool ok) override {
    bool over = false;
    {
      const std::lock_guard lock(mutex_);
      over = draining_;
      reading_ = ok && !over;
    }
    if (!ok) return end(grpc::Status::CANCELLED);
    if (over) return end(draining());
    StartRead(&message_);
  }

  void OnCancel() override {
    serve::Ticket ticket;
    {
      const std::lock_guard lock(mutex_);
      ticket = ticket_;
    }
    ticket.cancel();
  }

  void OnDone() override {
    {
      const std::lock_guard lock(streams_.mutex_);
      streams_.open_.erase(self_);
    }
    self_.reset();  // may be the last owner
  }

 private:
  static grpc::Status draining() { return {grpc::StatusCode::UNAVAILABLE, "the server is shutting down"}; }

  /// Whether the stream may be finished at once, and then claims to do it.
  bool finish_now() {
    const std::lock_guard lock(mutex_);
    draining_ = true;
    if (finished_ || !reading_) return false;
    finished_ = true;
    return true;
  }

  void end(const grpc::Status& status) {
    {
      const std::lock_guard lock(mutex_);
      if (finished_) return;
      finished_ = true;
    }
    Finish(status);
  }

  void answer() {
    Decoded decoded;
    std::string id;
    try {
      decoded = decode(message_);
      message_.Clear();
      id = decoded.request.id;
    } catch (const wire::Error& error) {
      streams_.core_.count_refused(caller_, error.code(), error.what());
      return write(encode_error(error.what(), id));
    }
    const auto number = next_number();
    const auto ticket =
        streams_.core_.infer(std::move(decoded.request), caller_, deadline_of(*context_),
                             [this, typed = decoded.typed, id](const serve::Outcome& outcome) {
                               const bool ok = outcome.code == wire::Code::ok;
                               write(ok ? encode(outcome.response, typed, true) : encode_error(outcome.message, id));
                             });
    const std::lock_guard lock(mutex_);
    if (number == number_) ticket_ = ticket;
  }

  std::uint64_t next_number() {
    const std::lock_guard lock(mutex_);
    ticket_ = {};
    return ++number_;
  }

  void write(grpc::ByteBuffer message) {
    reply_ = std::move(message);
    StartWrite(&reply_);
  }

  Streams& streams_;
  grpc::CallbackServerContext* context_;
  const serve::Caller caller_;
  std::shared_ptr<Stream> self_;
  grpc::ByteBuffer message_, reply_;
  std::mutex mutex_;
  serve::Ticket ticket_;
  std::uint64_t number_ = 0;  // of the request that ticket_ is for
  bool reading_ = true, draining_ = false, finished_ = false;
};

Streams::Reactor* Streams::open(grpc::CallbackServerContext* context) {
  auto stream = std::make_shared<Stream>(*this, context);
  bool draining = false;
  {
    const std::lock_guard lock(mutex_);
    draining = draining_;
    open_.insert(stream);
  }
  auto* reactor = stream.get();
  reactor->begin(stream);
  if (draining) reactor->drain();
  return reactor;
}

void Streams::drain() {
  std::set<std::shared_ptr<Stream>> open;
  {
    const std::lock_guard lock(mutex_);
    draining_ = true;
    open = open_;
  }
  for (const auto& stream : open) stream->drain();
}

}  // namespace infoscissors::rpc
