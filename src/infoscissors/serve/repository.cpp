#include "infoscissors/serve/repository.h"

#include "infoscissors/base/error.h"

#include <sys/stat.h>
#include <algorithm>

namespace infoscissors::serve {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kLeastMessage = 4096;

/// Changes whenever a file of the folder is written, replaced or touched; cheap enough to be taken every second.
std::string fingerprint(const fs::path& directory) {
  std::vector<std::string> lines;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(directory, ignored)) {
    struct stat status {};
    if (::stat(entry.path().c_str(), &status) != 0) continue;
    lines.push_back(fmt::format("{} {} {} {}.{}\n", entry.path().filename().string(), status.st_ino, status.st_size,
                                status.st_mtim.tv_sec, status.st_mtim.tv_nsec));
  }
  std::sort(lines.begin(), lines.end());
  std::string all;
  for (const auto& line : lines) all += line;
  return all;
}

wire::TensorSpec spec_of(const bundle::TensorSpec& tensor) {
  return {.name = tensor.name, .datatype = wire::parse_datatype(tensor.datatype), .shape = tensor.shape};
}

wire::Signature signature_of(const bundle::Manifest& manifest) {
  if (manifest.inputs.size() != 1 || manifest.outputs.size() != 1) {
    throw base::Error("the manifest names {} inputs and {} outputs; networks with one of each are served",
                      manifest.inputs.size(), manifest.outputs.size());
  }
  wire::Signature signature{spec_of(manifest.inputs[0]), spec_of(manifest.outputs[0])};
  wire::validate(signature);
  return signature;
}

std::int64_t rows_of(const Settings& settings) {
  return settings.max_rows > 0 ? settings.max_rows : settings.max_batch;
}

std::int64_t largest_input(const Settings& settings, const wire::Signature& signature) {
  return rows_of(settings) * signature.input.row_elements() * static_cast<std::int64_t>(sizeof(float));
}

/// A network that cannot run must be found out before it is served. It also runs the slow first passes of TorchScript.
void warm_up(Executor& executor, const wire::Signature& signature) {
  for (const std::int64_t rows : {1, 2, 1}) {
    std::fill_n(executor.input(rows), rows * signature.input.row_elements(), 0.0F);
    executor.run(rows);
  }
}

std::string ids(const std::vector<std::shared_ptr<Version>>& versions) {
  std::string text;
  for (const auto& version : versions) text += (text.empty() ? "" : ", ") + version->version;
  return text;
}

}  // namespace

Version::Version(std::string model_name, std::string version_id, wire::Signature interface,
                 std::shared_ptr<ModelMetrics> numbers, std::unique_ptr<Executor> executor, Batcher::Options options,
                 RequestLog& log)
    : model(std::move(model_name)),
      version(std::move(version_id)),
      signature(std::move(interface)),
      metrics(std::move(numbers)),
      batcher(std::move(executor), signature, options, [this, &log](const BatchRecord& record) {
        if (!record.error.empty()) {
          metrics->failed_batches.fetch_add(1);
          // Not the reason itself: an operation's complaint may quote values.
          log.write(RequestLog::Level::error, "batch failed",
                    {{"model", model}, {"version", version}, {"rows", record.rows}});
          return;
        }
        metrics->batches.fetch_add(1);
        metrics->rows.fetch_add(static_cast<std::uint64_t>(record.rows));
        metrics->input.add(record.input);
        metrics->compute.add(record.compute);
        metrics->batch_rows.add(static_cast<double>(record.rows));
        metrics->compute_seconds.add(std::chrono::duration<double>(record.input + record.compute).count());
      }) {}

Repository::Repository(const Settings& settings, ExecutorFactory factory, Metrics& metrics, RequestLog& log)
    : settings_(settings), factory_(std::move(factory)), metrics_(metrics), log_(log) {
  for (const auto& directory : settings_.bundle) {
    Source source;
    source.directory = directory;
    source.seen = fingerprint(directory);
    accept(source, load_version(directory));
    sources_.push_back(std::move(source));
  }
  for (const auto& source : sources_) {
    const auto largest = largest_input(settings_, source.versions.front()->signature);
    message_limit_ = std::max(message_limit_, std::max(kLeastMessage, 4 * largest));
  }
  if (settings_.max_message_bytes > 0) message_limit_ = std::min(message_limit_, settings_.max_message_bytes);
  message_limit_ = std::min<std::int64_t>(message_limit_, std::int64_t{1} << 30);
  publish();
  watcher_ = std::thread([this] { watch(); });
}

Repository::~Repository() {
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
  }
  wake_.notify_all();
  if (watcher_.joinable()) watcher_.join();
}

std::shared_ptr<Version> Repository::load_version(const fs::path& directory) {
  try {
    const auto manifest = bundle::load_manifest(directory, bundle::Part::server);
    const auto signature = signature_of(manifest);
    if (message_limit_ > 0 && largest_input(settings_, signature) > message_limit_) {
      throw base::Error("its input is larger than this server's messages may be: start the server anew");
    }
    auto executor = factory_(directory, manifest);
    warm_up(*executor, signature);
    const Batcher::Options options{.max_batch = settings_.max_batch,
                                   .delay = std::chrono::microseconds(settings_.batch_delay_us),
                                   .queue = static_cast<std::size_t>(settings_.queue)};
    auto version =
        std::make_shared<Version>(manifest.model, manifest.version, signature,
                                  metrics_.model(manifest.model, manifest.version), std::move(executor), options, log_);
    metrics_.reloads.fetch_add(1);
    log_.write(RequestLog::Level::info, "loaded",
               {{"model", version->model}, {"version", version->version}, {"bundle", directory.string()}});
    return version;
  } catch (const std::exception& error) {
    const std::string what = error.what();
    throw base::Error("bundle {}: {}", directory.string(), what.substr(0, what.find('\n')));
  }
}

/// Makes the version the bundle's first. The same version again (a touched file) replaces itself.
void Repository::accept(Source& source, std::shared_ptr<Version> version) {
  auto& versions = source.versions;
  for (auto old = versions.begin(); old != versions.end();) {
    const bool goes = (*old)->version == version->version || (*old)->model != version->model;
    if (goes) retired_.push_back(std::move(*old));
    old = goes ? versions.erase(old) : std::next(old);
  }
  source.model = version->model;
  versions.insert(versions.begin(), std::move(version));
  while (versions.size() > static_cast<std::size_t>(settings_.keep_versions)) {
    retired_.push_back(std::move(versions.back()));
    versions.pop_back();
  }
}

/// Looks at one bundle; loading_ is held. Problems are logged once for each change of the files.
void Repository::refresh(Source& source, bool always) {
  auto now = fingerprint(source.directory);
  if (!always && (source.unloaded || now == source.seen)) return;
  source.seen = std::move(now);
  try {
    accept(source, load_version(source.directory));
    source.problem.clear();
    source.unloaded = false;
  } catch (const base::Error& error) {
    source.problem = error.what();
    metrics_.failed_reloads.fetch_add(1);
    log_.write(RequestLog::Level::error, "not loaded",
               {{"bundle", source.directory.string()}, {"problem", source.problem}});
  }
}

/// Lets requests see what sources_ holds; loading_ is held (or nobody else knows of this object yet).
void Repository::publish() {
  auto table = std::make_shared<Table>();
  std::vector<ModelState> states;
  // Of several bundles of one model the one that was named last is preferred.
  for (auto source = sources_.rbegin(); source != sources_.rend(); ++source) {
    if (!source->unloaded) {
      for (const auto& version : source->versions) {
        (*table)[version->model].push_back(version);
        states.push_back({version->model, version->version, "READY", source->problem});
      }
    } else {
      (*table)[source->model];
      states.push_back({source->model, "", "UNAVAILABLE", "unloaded"});
    }
  }
  std::vector<std::function<void()>> listeners;
  {
    const std::lock_guard lock(mutex_);
    table_ = std::move(table);
    states_ = std::move(states);
    listeners = listeners_;
  }
  for (const auto& listener : listeners) listener();
}

/// Destroys versions that nobody uses any more and that have answered everything. Here and not with their last user,
/// because that waits for a thread which the last user may be.
void Repository::sweep() {
  std::erase_if(retired_, [](const std::shared_ptr<Version>& version) {
    return version.use_count() == 1 && version->batcher.idle();
  });
}

void Repository::watch() {
  std::unique_lock lock(mutex_);
  const bool follows = settings_.reload_seconds > 0;
  const auto pause = std::chrono::duration<double>(follows ? settings_.reload_seconds : 1.0);
  while (!wake_.wait_for(lock, pause, [this] { return over_; })) {
    lock.unlock();
    if (follows) reload();
    {
      const std::lock_guard loading(loading_);
      sweep();
    }
    lock.lock();
  }
}

void Repository::reload() {
  const std::lock_guard loading(loading_);
  bool changed = false;
  for (auto& source : sources_) {
    const auto before = source.seen;
    refresh(source, false);
    changed = changed || source.seen != before;
  }
  if (changed) publish();
  sweep();
  const auto looks = [this] {
    const std::lock_guard lock(mutex_);
    return looks_;
  }();
  for (const auto& look : looks) look();
}

Repository::Source& Repository::source_of(const std::string& model) {
  for (auto source = sources_.rbegin(); source != sources_.rend(); ++source) {
    if (source->model == model) return *source;
  }
  throw wire::Error(wire::Code::not_found, "there is no model '{}' in this server's bundles", wire::printable(model));
}

void Repository::load(const std::string& model) {
  const std::lock_guard loading(loading_);
  auto& source = source_of(model);
  refresh(source, true);
  const auto problem = source.problem;
  publish();
  if (!problem.empty())
    throw wire::Error(wire::Code::invalid_argument, "model '{}' was not loaded: {}", model, problem);
}

void Repository::unload(const std::string& model) {
  const std::lock_guard loading(loading_);
  source_of(model);
  for (auto& source : sources_) {
    if (source.model != model) continue;
    source.unloaded = true;
    std::move(source.versions.begin(), source.versions.end(), std::back_inserter(retired_));
    source.versions.clear();
  }
  log_.write(RequestLog::Level::info, "unloaded", {{"model", model}});
  publish();
  sweep();
}

std::shared_ptr<const Repository::Table> Repository::table() const {
  const std::lock_guard lock(mutex_);
  return table_;
}

std::shared_ptr<Version> Repository::find(std::string_view model, std::string_view version,
                                          std::string_view pin) const {
  const auto known = table();
  const auto found = known->find(model);
  if (found == known->end()) {
    throw wire::Error(wire::Code::not_found, "there is no model '{}'", wire::printable(model));
  }
  if (found->second.empty()) {
    throw wire::Error(wire::Code::unavailable, "model '{}' is not loaded", wire::printable(model));
  }
  if (!version.empty() && !pin.empty() && version != pin) {
    throw wire::Error(wire::Code::invalid_argument, "the request names version '{}' and pins '{}'",
                      wire::printable(version), wire::printable(pin));
  }
  const auto wanted = version.empty() ? pin : version;
  if (wanted.empty()) return found->second.front();
  for (const auto& candidate : found->second) {
    if (candidate->version == wanted) return candidate;
  }
  throw wire::Error(wire::Code::not_found, "model '{}' has no version '{}' here: the server has {}",
                    wire::printable(model), wire::printable(wanted), ids(found->second));
}

std::vector<std::shared_ptr<Version>> Repository::versions(std::string_view model) const {
  std::vector<std::shared_ptr<Version>> list;
  for (const auto& [name, versions] : *table()) {
    if (model.empty() || name == model) list.insert(list.end(), versions.begin(), versions.end());
  }
  return list;
}

std::vector<ModelState> Repository::states() const {
  const std::lock_guard lock(mutex_);
  return states_;
}

bool Repository::complete() const {
  const auto known = table();
  return std::all_of(known->begin(), known->end(), [](const auto& entry) { return !entry.second.empty(); });
}

void Repository::on_change(std::function<void()> listener) {
  const std::lock_guard lock(mutex_);
  listeners_.push_back(std::move(listener));
}

void Repository::on_look(std::function<void()> look) {
  const std::lock_guard lock(mutex_);
  looks_.push_back(std::move(look));
}

}  // namespace infoscissors::serve
