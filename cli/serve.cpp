#include "cli/command.h"

#include "infoscissors/base/error.h"
#include "infoscissors/base/interrupt.h"
#include "infoscissors/bundle/manifest.h"
#include "infoscissors/execute/torch_executor.h"
#include "infoscissors/front/server.h"
#include "infoscissors/serve/access.h"
#include "infoscissors/serve/core.h"
#include "infoscissors/serve/trust.h"

#ifdef INFOSCISSORS_GRPC
#include "infoscissors/rpc/server.h"
#endif

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <thread>

namespace infoscissors::cli {
namespace {

using serve::Settings;

volatile std::sig_atomic_t reload_requested = 0;

void on_hangup(int) {
  reload_requested = 1;
}

struct ServeArguments {
  std::string config;
  bool check = false;
  std::map<std::string, std::vector<std::string>> flags;  // what was given on the command line
};

std::string flag_of(std::string name) {
  std::replace(name.begin(), name.end(), '_', '-');
  return "--" + name;
}

/// Options that every subcommand has already.
bool common(const std::string& name) {
  return name == "threads" || name == "precision";
}

/// One flag for each setting, so that file and command line cannot differ in what they know.
void add_flags(CLI::App& command, ServeArguments& arguments) {
  Settings defaults;
  for (const auto& field : defaults.fields()) {
    if (common(field.name)) continue;
    const bool list = std::holds_alternative<std::vector<std::string>*>(field.value);
    const bool flag = std::holds_alternative<bool*>(field.value);
    auto* option = command.add_option(flag_of(field.name), arguments.flags[field.name], field.help);
    option->group("Settings")->expected(flag ? 0 : 1, list ? CLI::detail::expected_max_vector_size : 1);
    if (flag) option->default_str("true")->type_name("[true|false]");
    if (!flag) option->type_name(field.constraint.text().empty() ? "TEXT" : field.constraint.text());
    if (list) option->allow_extra_args(false);
  }
}

/// The file, and over it the flags.
Settings resolve(const ServeArguments& arguments, const Common& common) {
  auto settings = arguments.config.empty() ? Settings{} : serve::load_settings(arguments.config);
  const auto fields = settings.fields();
  for (const auto& field : fields) {
    const auto found = arguments.flags.find(field.name);
    if (found == arguments.flags.end() || found->second.empty()) continue;
    const auto where = flag_of(field.name);
    if (std::holds_alternative<std::vector<std::string>*>(field.value)) {
      base::assign(fields, base::Json{{field.name, found->second}}, where);
    } else {
      const auto& text = found->second.back();
      const bool bare = text.empty() && std::holds_alternative<bool*>(field.value);
      base::assign_text(fields, field.name, bare ? "true" : text, where);
    }
  }
  if (common.threads > 0) settings.threads = common.threads;
  if (common.precision != "auto") base::assign_text(fields, "precision", common.precision, "--precision");
  serve::validate(settings);
  return settings;
}

/// Everything that can be wrong before a network is loaded.
void check_files(const Settings& settings) {
  serve::check_tls_files(settings);
  if (!settings.access.empty()) serve::AccessList::load(settings.access);
  for (const auto& directory : settings.bundle) {
    const auto manifest = bundle::load_manifest(directory, bundle::Part::server);
    bundle::read_part(directory, manifest, bundle::kEncoder);
  }
}

void print_ready(const std::string& grpc, const std::string& rest) {
  std::fprintf(stderr, "ready grpc=%s rest=%s\n", grpc.c_str(), rest.c_str());
  std::fflush(stderr);
}

/// Until SIGTERM or SIGINT; SIGHUP has the files looked at again.
void wait_for_end(serve::Core& core) {
  while (!base::interrupt_requested()) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    if (reload_requested) {
      reload_requested = 0;
      core.reload();
    }
  }
}

/// A network that never returns must not keep the process for ever: it is part of no call that could be cancelled.
void end_at_the_latest_in(std::chrono::milliseconds time) {
  std::thread([time] {
    std::this_thread::sleep_for(time);
    std::fputs("error: a network did not finish in time; what it was running is lost\n", stderr);
    std::_Exit(1);
  }).detach();
}

void run(const Settings& settings) {
  std::signal(SIGHUP, on_hangup);
  std::signal(SIGPIPE, SIG_IGN);
  serve::Core core(settings, execute::torch_executor({.threads = static_cast<int>(settings.threads),
                                                      .bf16 = settings.precision == "bf16"}));
  std::string grpc, rest;
#ifdef INFOSCISSORS_GRPC
  std::unique_ptr<rpc::Server> rpc;
  if (!settings.grpc.empty()) {
    rpc = std::make_unique<rpc::Server>(core);
    grpc = rpc->address();
  }
#else
  if (!settings.grpc.empty()) throw base::UsageError("[serve] grpc: this build has no gRPC: set grpc = ''");
#endif
  std::unique_ptr<front::Server> front;
  if (!settings.rest.empty()) {
    front = front::start(core);
    rest = front->address();
  }
  print_ready(grpc, rest);
  wait_for_end(core);
  core.drain();
  const auto patience =
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::duration<double>(settings.drain_seconds));
  end_at_the_latest_in(patience + std::chrono::seconds(10));
  // Both at once: each has the whole time.
  std::thread rest_drain([&front, patience] {
    if (front) front->stop(patience);
  });
#ifdef INFOSCISSORS_GRPC
  if (rpc) rpc->shutdown(patience);
#endif
  rest_drain.join();
}

}  // namespace

void add_serve(CLI::App& app, Common& common) {
  auto* command = app.add_subcommand("serve", "Serve the encoders of bundles to devices, over gRPC and REST");
  command->footer(
      "Examples:\n  infoscissors serve --bundle out/bundle/server\n"
      "  infoscissors serve --config server.toml --check-config\n"
      "  infoscissors serve --bundle out/bundle/server --grpc 0.0.0.0:8001 --rest '' \\\n"
      "    --tls-cert server.pem --tls-key server.key --client-ca ca.pem --crl crl.pem --access access.toml\n"
      "Prints 'ready grpc=HOST:PORT rest=HOST:PORT' on stderr once it serves. SIGTERM and Ctrl-C let requests under "
      "way\n"
      "finish, SIGHUP has bundles, certificates and lists looked at again. docs/server.md explains every setting.");
  auto arguments = std::make_shared<ServeArguments>();
  command->add_option("--config", arguments->config, "TOML file with the settings below, '_' for '-'; flags beat it");
  command->add_flag("--check-config", arguments->check, "Check settings and files, print the settings, serve nothing");
  add_flags(*command, *arguments);
  command->callback([arguments, &common] {
    auto settings = resolve(*arguments, common);
    check_files(settings);
    if (!arguments->check) return run(settings);
    const auto document = base::to_json(settings.fields());
    emit(common, document, base::to_toml(document));
  });
}

}  // namespace infoscissors::cli
