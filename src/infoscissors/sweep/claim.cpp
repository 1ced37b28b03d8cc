#include "infoscissors/sweep/claim.h"

#include "infoscissors/base/error.h"
#include "infoscissors/base/file.h"
#include "infoscissors/base/json.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <condition_variable>
#include <cstring>
#include <fstream>
#include <mutex>
#include <random>
#include <sstream>
#include <thread>

namespace infoscissors::sweep {
namespace {

namespace fs = std::filesystem;
using base::Error;
using base::Json;

std::string read_line(const char* file) {
  std::ifstream in(file);
  std::string line;
  std::getline(in, line);
  return line;
}

std::string host_name() {
  char name[256] = {};
  return ::gethostname(name, sizeof name - 1) == 0 ? name : "unknown";
}

/// Processes with the same scope see each other's numbers: one boot of one kernel, one process namespace.
std::string scope() {
  std::error_code ignored;
  const auto space = fs::read_symlink("/proc/self/ns/pid", ignored).string();
  const auto boot = read_line("/proc/sys/kernel/random/boot_id");
  return fmt::format("{}/{}", boot.empty() ? host_name() : boot, space);
}

/// Start time of a process in clock ticks since boot; empty where it does not run (any more). Distinguishes it from a
/// later one with the same number.
std::string start_of(std::int64_t process) {
  const auto line = read_line(fmt::format("/proc/{}/stat", process).c_str());
  const auto name_end = line.rfind(')');
  if (name_end == std::string::npos) return {};
  std::istringstream fields(line.substr(name_end + 1));
  std::string field;
  constexpr int kState = 3, kStart = 22;  // numbered as in proc(5)
  for (int i = kState; i <= kStart && fields >> field; ++i) {
    if (i == kState && (field == "Z" || field == "X")) return {};
  }
  return field;
}

std::string fresh_token() {
  std::random_device device;
  return fmt::format("{:08x}{:08x}{:08x}", device(), device(), device());
}

fs::path file_of(const fs::path& directory, const std::string& name, std::int64_t generation) {
  return directory / fmt::format("{}.{}", name, generation);
}

std::int64_t generation_of(const std::string& file, const std::string& name) {
  if (!file.starts_with(name + ".")) return 0;
  std::int64_t generation = 0;
  const char* begin = file.data() + name.size() + 1;
  const char* end = file.data() + file.size();
  const auto [stop, code] = std::from_chars(begin, end, generation);
  return code == std::errc() && stop == end ? generation : 0;
}

std::vector<std::int64_t> generations(const fs::path& directory, const std::string& name) {
  std::vector<std::int64_t> list;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(directory, ignored)) {
    if (const auto generation = generation_of(entry.path().filename().string(), name); generation > 0) {
      list.push_back(generation);
    }
  }
  std::sort(list.begin(), list.end());
  return list;
}

std::optional<ClaimInfo> parse(const fs::path& file, std::int64_t generation) {
  // Opened, not only looked at: that makes a network file system ask for the attributes anew.
  const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return {};
  struct stat status {};
  const bool known = ::fstat(descriptor, &status) == 0;
  ::close(descriptor);
  ClaimInfo info;
  info.generation = generation;
  if (known) info.beat = fmt::format("{}.{}", status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
  try {
    const Json document = base::read_json(file);
    info.token = document.value("token", "");
    info.host = document.value("host", "");
    info.process = document.value("process", std::int64_t{0});
    info.here = document.value("scope", "") == scope();
    info.dead = info.here && start_of(info.process) != document.value("start", "");
  } catch (const std::exception&) {
    return fs::exists(file) ? std::optional(info) : std::nullopt;  // unreadable: somebody's, until it expires
  }
  return info;
}

/// Creates `target` with `content`, whole, unless it exists.
bool link_into_place(const fs::path& target, const std::string& content, const std::string& token) {
  const auto temporary = target.parent_path() / (".new-" + token);
  base::write_file(temporary, content);
  const bool linked = ::link(temporary.c_str(), target.c_str()) == 0;
  const int code = errno;
  struct stat status {};
  // The answer of a network file system can be lost although the link was made.
  const bool made = linked || (::stat(temporary.c_str(), &status) == 0 && status.st_nlink == 2);
  ::unlink(temporary.c_str());
  if (!made && code != EEXIST) {
    throw Error("{}: cannot be created: {}", target.string(), std::strerror(code));
  }
  return made;
}

}  // namespace

std::optional<ClaimInfo> read_claim(const fs::path& directory, const std::string& name) {
  const auto list = generations(directory, name);
  if (list.empty()) return {};
  return parse(file_of(directory, name, list.back()), list.back());
}

ClaimWatch::ClaimWatch(std::chrono::milliseconds expiry, Clock clock) : expiry_(expiry), clock_(std::move(clock)) {}

bool ClaimWatch::abandoned(const std::string& name, const ClaimInfo& claim) {
  if (claim.here) return claim.dead;
  const auto now = clock_();
  auto& seen = seen_[name];
  if (seen.token != claim.token || seen.beat != claim.beat || seen.since.time_since_epoch().count() == 0) {
    seen = {claim.token, claim.beat, now};
    return false;
  }
  return now - seen.since >= expiry_;
}

struct Claim::State {
  fs::path directory;
  std::string name;
  std::int64_t generation = 0;
  std::string token;
  std::function<void()> on_lost;
  std::mutex mutex;
  std::condition_variable wake;
  bool stop = false;
  std::thread thread;

  bool held() const {
    const auto info = read_claim(directory, name);
    return info && info->generation == generation && info->token == token;
  }

  void beat(std::chrono::milliseconds every) {
    std::unique_lock lock(mutex);
    while (!wake.wait_for(lock, every, [this] { return stop; })) {
      ::utimensat(AT_FDCWD, file_of(directory, name, generation).c_str(), nullptr, 0);
      if (held()) continue;
      if (on_lost) on_lost();
      return;
    }
  }
};

std::unique_ptr<Claim> Claim::take(const fs::path& directory, const std::string& name, std::int64_t abandoned,
                                   std::function<void()> on_lost, std::chrono::milliseconds heartbeat) {
  base::ensure_directory(directory);
  const auto before = read_claim(directory, name);
  if (before && !before->dead && before->generation != abandoned) return nullptr;
  auto state = std::make_unique<State>();
  state->directory = directory;
  state->name = name;
  state->generation = before ? before->generation + 1 : 1;
  state->token = fresh_token();
  state->on_lost = std::move(on_lost);
  const Json content = {{"token", state->token},
                        {"host", host_name()},
                        {"process", ::getpid()},
                        {"scope", scope()},
                        {"start", start_of(::getpid())}};
  if (!link_into_place(file_of(directory, name, state->generation), content.dump(2) + "\n", state->token))
    return nullptr;
  if (before) {
    // Had the old claim been outbid and all of it been removed meanwhile, the name would have a new owner below ours.
    const auto old = parse(file_of(directory, name, before->generation), before->generation);
    if (old && old->token != before->token) {
      fs::remove(file_of(directory, name, state->generation));
      return nullptr;
    }
  }
  state->thread = std::thread([raw = state.get(), heartbeat] { raw->beat(heartbeat); });
  return std::unique_ptr<Claim>(new Claim(std::move(state)));
}

Claim::Claim(std::unique_ptr<State> state) : state_(std::move(state)) {}

bool Claim::held() const {
  return state_->held();
}

Claim::~Claim() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->stop = true;
  }
  state_->wake.notify_all();
  state_->thread.join();
  if (!state_->held()) return;
  // From below, so that the name is never seen with an owner that has been outbid.
  std::error_code ignored;
  for (const auto generation : generations(state_->directory, state_->name)) {
    if (generation <= state_->generation) fs::remove(file_of(state_->directory, state_->name, generation), ignored);
  }
}

}  // namespace infoscissors::sweep
