#include "infoscissors/base/error.h"
#include "infoscissors/base/interrupt.h"
#include "infoscissors/base/log.h"
#include "infoscissors/base/progress.h"
#include "infoscissors/data/fetch.h"

#ifdef INFOSCISSORS_FETCH

#include <curl/curl.h>
#include <sys/file.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <memory>
#include <optional>
#include <thread>

namespace infoscissors::data {
namespace {

namespace fs = std::filesystem;
using base::Error;

constexpr int kAttempts = 4;
constexpr std::int64_t kMegabyte = 1000000;

enum class Outcome { complete, retry, begin_anew, give_up };

struct Attempt {
  Outcome outcome;
  std::string reason;
};

/// What curl's callbacks need to know.
struct Transfer {
  std::FILE* file = nullptr;
  std::int64_t begun_at = 0;
  std::string label;
  std::optional<base::Progress> progress;
};

std::size_t on_data(char* data, std::size_t size, std::size_t count, void* user) {
  return std::fwrite(data, size, count, static_cast<Transfer*>(user)->file) * size;
}

int on_progress(void* user, curl_off_t total, curl_off_t now, curl_off_t, curl_off_t) {
  auto& transfer = *static_cast<Transfer*>(user);
  if (base::interrupt_requested()) return 1;
  if (total <= 0) return 0;
  if (!transfer.progress) transfer.progress.emplace(transfer.label, (transfer.begun_at + total) / kMegabyte, "MB");
  transfer.progress->update((transfer.begun_at + now) / kMegabyte);
  return 0;
}

using Curl = std::unique_ptr<CURL, decltype(&curl_easy_cleanup)>;
using File = std::unique_ptr<std::FILE, decltype(&std::fclose)>;

Curl make_curl() {
  static const CURLcode kInitialised = curl_global_init(CURL_GLOBAL_DEFAULT);
  Curl curl(kInitialised == CURLE_OK ? curl_easy_init() : nullptr, curl_easy_cleanup);
  if (!curl) throw Error("libcurl cannot be initialised");
  return curl;
}

/// Opened for appending and locked, so that two downloads never write into one file.
File open_partial(const fs::path& partial) {
  File file(std::fopen(partial.c_str(), "ab"), std::fclose);
  if (!file) throw Error("{}: cannot be written: {}", partial.string(), std::strerror(errno));
  if (::flock(::fileno(file.get()), LOCK_EX | LOCK_NB) != 0) {
    throw Error("{}: another download is writing this file", partial.string());
  }
  return file;
}

void configure(CURL* curl, const std::string& url, Transfer& transfer, char* message) {
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https,file");
  curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
  curl_easy_setopt(curl, CURLOPT_MAXREDIRS, 5L);
  curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, 30L);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 100L);  // bytes a second, for so many seconds: the line is dead
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, 60L);
  curl_easy_setopt(curl, CURLOPT_RESUME_FROM_LARGE, static_cast<curl_off_t>(transfer.begun_at));
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_data);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &transfer);
  curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
  curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &transfer);
  curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, message);
}

Outcome judge(CURLcode code, long status) {
  switch (code) {
    case CURLE_OK:
      return Outcome::complete;
    case CURLE_RANGE_ERROR:
    case CURLE_BAD_DOWNLOAD_RESUME:
      return Outcome::begin_anew;
    case CURLE_HTTP_RETURNED_ERROR:
      if (status == 416) return Outcome::begin_anew;
      return status >= 500 || status == 408 || status == 429 ? Outcome::retry : Outcome::give_up;
    case CURLE_COULDNT_CONNECT:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_PARTIAL_FILE:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
      return Outcome::retry;
    default:
      return Outcome::give_up;
  }
}

Attempt attempt(const std::string& url, const fs::path& partial) {
  File file = open_partial(partial);
  Transfer transfer{.file = file.get(),
                    .begun_at = static_cast<std::int64_t>(fs::file_size(partial)),
                    .label = url.substr(url.rfind('/') + 1),
                    .progress = std::nullopt};
  std::array<char, CURL_ERROR_SIZE> message{};
  const Curl curl = make_curl();
  configure(curl.get(), url, transfer, message.data());
  errno = 0;
  const CURLcode code = curl_easy_perform(curl.get());
  if (code == CURLE_ABORTED_BY_CALLBACK) {
    throw base::Interrupted("the download was stopped; the same command continues it from {}", partial.string());
  }
  if (code == CURLE_WRITE_ERROR || std::fflush(file.get()) != 0) {
    throw Error("{}: cannot be written: {}", partial.string(), std::strerror(errno != 0 ? errno : ENOSPC));
  }
  long status = 0;
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &status);
  return {judge(code, status), message[0] != '\0' ? message.data() : curl_easy_strerror(code)};
}

/// Short pauses in between, so that Ctrl-C is heard.
void wait(std::chrono::milliseconds time) {
  const auto end = std::chrono::steady_clock::now() + time;
  while (std::chrono::steady_clock::now() < end && !base::interrupt_requested()) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

/// A file without a byte is nothing to continue from.
void remove_if_empty(const fs::path& partial) {
  std::error_code ignored;
  if (fs::file_size(partial, ignored) == 0) fs::remove(partial, ignored);
}

}  // namespace

void download(const std::string& url, const fs::path& partial) {
  std::chrono::milliseconds pause(1000);
  for (int number = 1;; ++number) {
    const auto [outcome, reason] = attempt(url, partial);
    if (outcome == Outcome::complete) return;
    if (outcome == Outcome::give_up || number == kAttempts) {
      remove_if_empty(partial);
      throw Error("{}: cannot be downloaded: {}", url, reason);
    }
    if (outcome == Outcome::begin_anew) {
      fs::remove(partial);
      continue;
    }
    base::log::warning("{}: {}; trying again ({} of {})", url, reason, number + 1, kAttempts);
    wait(pause);
    pause *= 2;
  }
}

}  // namespace infoscissors::data

#endif
