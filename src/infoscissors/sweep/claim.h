#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

/// Who works on what, among processes that share nothing but a directory. A claim is a file DIR/NAME.GENERATION, linked
/// into place whole and only if it is not there; the highest generation owns the name. A dead owner's claim is not
/// removed but outbid by the next generation, which only one contender can create.
///
/// No clock but one's own is trusted: an owner touches its file every few seconds, and others watch, each with its own
/// steady clock, whether the file's time changes, whatever it says. A process on the same machine is asked directly.
namespace infoscissors::sweep {

inline constexpr std::chrono::seconds kHeartbeat{10};
/// How long a claim must have been seen unchanged before it counts as abandoned. Longer than network file systems keep
/// a file's attributes.
inline constexpr std::chrono::seconds kExpiry{180};

struct ClaimInfo {
  std::int64_t generation = 0;
  std::string token;  // of the owner, unique
  std::string host;
  std::int64_t process = 0;
  std::string beat;   // changes with every heartbeat
  bool here = false;  // the owner would be visible from this process
  bool dead = false;  // here, and it is no longer running
};

/// The present owner's claim; nothing where there is none.
std::optional<ClaimInfo> read_claim(const std::filesystem::path& directory, const std::string& name);

/// Decides from what it has seen so far whether a claim is abandoned.
class ClaimWatch {
 public:
  using Clock = std::function<std::chrono::steady_clock::time_point()>;
  explicit ClaimWatch(std::chrono::milliseconds expiry = kExpiry, Clock clock = std::chrono::steady_clock::now);

  bool abandoned(const std::string& name, const ClaimInfo& claim);

 private:
  struct Seen {
    std::string token, beat;
    std::chrono::steady_clock::time_point since;
  };
  std::chrono::milliseconds expiry_;
  Clock clock_;
  std::map<std::string, Seen> seen_;
};

/// Ownership of a name until destruction, with a thread that keeps it fresh.
class Claim {
 public:
  /// Nothing where somebody else owns it. `abandoned`: the generation that was seen to be abandoned, 0: none.
  /// `on_lost` is called (on the claim's thread) when it was outbid or removed. Throws Error where the directory cannot
  /// be written.
  static std::unique_ptr<Claim> take(const std::filesystem::path& directory, const std::string& name,
                                     std::int64_t abandoned = 0, std::function<void()> on_lost = {},
                                     std::chrono::milliseconds heartbeat = kHeartbeat);
  ~Claim();
  Claim(const Claim&) = delete;
  Claim& operator=(const Claim&) = delete;

  /// Whether it is still ours.
  bool held() const;

 private:
  struct State;
  explicit Claim(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace infoscissors::sweep
