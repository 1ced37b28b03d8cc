#include "infoscissors/front/exchange.h"

#include <algorithm>
#include <utility>

namespace infoscissors::front {

void Exchange::suspend(std::function<void()> wake) {
  const std::lock_guard lock(mutex_);
  wake_ = std::move(wake);
}

void Exchange::set_ticket(serve::Ticket ticket) {
  const std::lock_guard lock(mutex_);
  ticket_ = std::move(ticket);
}

void Exchange::finish(serve::Outcome outcome) {
  // The lock is held while the connection is woken: from then on the library may end it, and with it the server.
  const std::lock_guard lock(mutex_);
  if (finished_) return;
  finished_ = true;
  outcome_ = std::move(outcome);
  wake_();
}

void Exchange::cancel() {
  serve::Ticket ticket;
  {
    const std::lock_guard lock(mutex_);
    ticket = ticket_;
  }
  // Without the lock: the core may answer from within.
  ticket.cancel();
}

serve::Outcome Exchange::take() {
  const std::lock_guard lock(mutex_);
  return std::move(outcome_);
}

void Exchanges::add(std::shared_ptr<Exchange> exchange) {
  const std::lock_guard lock(mutex_);
  waiting_.push_back(std::move(exchange));
}

void Exchanges::remove(const Exchange* exchange) {
  const std::lock_guard lock(mutex_);
  const auto found =
      std::find_if(waiting_.begin(), waiting_.end(), [&](const auto& held) { return held.get() == exchange; });
  if (found == waiting_.end()) return;
  std::swap(*found, waiting_.back());
  waiting_.pop_back();
}

std::vector<std::shared_ptr<Exchange>> Exchanges::all() const {
  const std::lock_guard lock(mutex_);
  return waiting_;
}

}  // namespace infoscissors::front
