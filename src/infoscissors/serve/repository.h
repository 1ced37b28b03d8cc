#pragma once

#include "infoscissors/bundle/manifest.h"
#include "infoscissors/serve/batcher.h"
#include "infoscissors/serve/core.h"
#include "infoscissors/serve/metrics.h"
#include "infoscissors/serve/model.h"
#include "infoscissors/serve/request_log.h"
#include "infoscissors/serve/settings.h"

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace infoscissors::serve {

/// One loaded network with its batcher. Whoever holds it may push requests; the repository destroys it when nobody
/// does any more.
class Version {
 public:
  Version(std::string model_name, std::string version_id, wire::Signature interface,
          std::shared_ptr<ModelMetrics> numbers, std::unique_ptr<Executor> executor, Batcher::Options options,
          RequestLog& log);

  const std::string model, version;
  const wire::Signature signature;
  const std::shared_ptr<ModelMetrics> metrics;
  Batcher batcher;
};

/// The bundles that are served. A bundle whose files change is loaded beside what is served, tried on one batch, and
/// then takes its place in one step; one that cannot be served leaves everything as it was.
class Repository {
 public:
  /// Loads every bundle. Throws base::Error.
  Repository(const Settings& settings, ExecutorFactory factory, Metrics& metrics, RequestLog& log);
  ~Repository();

  /// The version that a request goes to: `version` and `pin` name it where they are not empty. Throws wire::Error.
  std::shared_ptr<Version> find(std::string_view model, std::string_view version, std::string_view pin = {}) const;

  /// Those of one model (all where it is empty), the preferred one of each model first.
  std::vector<std::shared_ptr<Version>> versions(std::string_view model = {}) const;
  std::vector<ModelState> states() const;

  /// Every bundle has a version that is served.
  bool complete() const;
  std::int64_t message_limit() const { return message_limit_; }

  /// Looks at every bundle now.
  void reload();
  /// Throw wire::Error(not_found) for a model that no bundle has, (invalid_argument) where it cannot be loaded.
  void load(const std::string& model);
  void unload(const std::string& model);

  void on_change(std::function<void()> listener);
  /// Run by the watching thread at every look, for what else must follow files.
  void on_look(std::function<void()> look);

 private:
  struct Source {
    std::filesystem::path directory;
    std::string model;    // known once it was loaded
    std::string seen;     // fingerprint of the files at the last attempt
    std::string problem;  // why the last attempt failed
    bool unloaded = false;
    std::vector<std::shared_ptr<Version>> versions;  // newest first
  };
  using Versions = std::vector<std::shared_ptr<Version>>;
  using Table = std::map<std::string, Versions, std::less<>>;

  std::shared_ptr<Version> load_version(const std::filesystem::path& directory);
  void accept(Source& source, std::shared_ptr<Version> version);
  void refresh(Source& source, bool always);
  void publish();
  void sweep();
  void watch();
  Source& source_of(const std::string& model);
  std::shared_ptr<const Table> table() const;

  const Settings& settings_;
  const ExecutorFactory factory_;
  Metrics& metrics_;
  RequestLog& log_;
  std::int64_t message_limit_ = 0;

  std::mutex loading_;  // one load at a time; guards sources_ and retired_
  std::vector<Source> sources_;
  Versions retired_;

  mutable std::mutex mutex_;  // guards what requests read
  std::shared_ptr<const Table> table_;
  std::vector<ModelState> states_;
  std::vector<std::function<void()>> listeners_, looks_;
  std::condition_variable wake_;
  bool over_ = false;
  std::thread watcher_;
};

}  // namespace infoscissors::serve
