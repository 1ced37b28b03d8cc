#pragma once

#include "infoscissors/front/service.h"

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace infoscissors::front {

/// One request between its head and its answer. The core's thread, the HTTP library's thread and the watchdog meet
/// here: whoever is first to finish it decides how it ends, and the connection is woken exactly once.
class Exchange {
 public:
  Head head;
  serve::Caller caller;
  std::string body;
  std::size_t swallowed = 0;     // bytes beyond the limit that were read and dropped
  std::optional<Reply> refusal;  // decided before or while the body was read
  bool submitted = false;
  bool close_after = false;
  OutputForm form;
  int descriptor = -1;

  /// `wake` resumes the connection.
  void suspend(std::function<void()> wake);

  /// The ticket is known only after the core may have finished.
  void set_ticket(serve::Ticket ticket);

  /// The first outcome counts; it wakes the connection.
  void finish(serve::Outcome outcome);

  /// Takes the request back from the core, whose answer will be `cancelled`.
  void cancel();

  /// Once, after the connection was woken.
  serve::Outcome take();

 private:
  std::mutex mutex_;
  std::function<void()> wake_;
  bool finished_ = false;
  serve::Outcome outcome_;
  serve::Ticket ticket_;
};

/// The exchanges that wait for the core.
class Exchanges {
 public:
  void add(std::shared_ptr<Exchange> exchange);
  void remove(const Exchange* exchange);
  std::vector<std::shared_ptr<Exchange>> all() const;

 private:
  mutable std::mutex mutex_;
  std::vector<std::shared_ptr<Exchange>> waiting_;
};

}  // namespace infoscissors::front
