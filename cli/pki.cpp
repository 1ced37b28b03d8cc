#include "infoscissors/pki/pki.h"

#include "cli/command.h"

#include "infoscissors/base/error.h"

#include <ctime>
#include <memory>

namespace infoscissors::cli {
namespace {

using base::Json;

std::string file_in(const std::string& directory, const std::string& name) {
  return (std::filesystem::path(directory) / name).string();
}

const char* kind_text(pki::Kind kind) {
  return kind == pki::Kind::server ? "server" : "device";
}

Json to_json(const pki::Issued& one) {
  return {{"name", one.name},
          {"kind", kind_text(one.kind)},
          {"hosts", one.hosts},
          {"serial", one.serial},
          {"from", pki::time_text(one.from)},
          {"until", pki::time_text(one.until)},
          {"status", pki::status_of(one, std::time(nullptr))},
          {"revoked", one.revoked == 0 ? Json() : Json(pki::time_text(one.revoked))}};
}

void add_pki_init(CLI::App& parent, Common& common) {
  struct Arguments {
    std::string directory;
    pki::AuthorityOptions options;
  };
  auto* command = parent.add_subcommand("init", "Make an authority: its key, certificate and empty revocation list");
  auto arguments = std::make_shared<Arguments>();
  command->add_option("DIR", arguments->directory, "Where everything of this authority is kept")->required();
  command->add_option("--name", arguments->options.name, "The authority's common name")->capture_default_str();
  command->add_option("--days", arguments->options.days, "Validity")->capture_default_str();
  command->callback([arguments, &common] {
    const auto& directory = arguments->directory;
    pki::init(directory, arguments->options);
    const auto certificate = file_in(directory, "ca.pem"), list = file_in(directory, "crl.pem");
    emit(common, {{"certificate", certificate}, {"key", file_in(directory, "ca.key")}, {"crl", list}},
         fmt::format("authority {}, revocation list {}\n", certificate, list));
  });
}

void add_pki_issue(CLI::App& parent, Common& common) {
  struct Arguments {
    std::string directory;
    pki::Request request;
    bool server = false, device = false;
  };
  auto* command = parent.add_subcommand("issue", "Issue a key and a certificate to a server or a device");
  auto arguments = std::make_shared<Arguments>();
  auto& request = arguments->request;
  command->add_option("DIR", arguments->directory, "The authority's directory")->required();
  command->add_option("NAME", request.name, "Its common name; the name by which a server knows a device")->required();
  auto* server = command->add_flag("--server", arguments->server, "For a server: devices check its host names");
  command->add_flag("--device", arguments->device, "For a device: servers take its name from the certificate")
      ->excludes(server);
  command->add_option("--host", request.hosts, "Host name or IP address; default: localhost, 127.0.0.1 and ::1");
  command->add_option("--days", request.days, "Validity; ends with the authority's at the latest")
      ->capture_default_str();
  command->add_flag("--replace", request.replace, "Another certificate for a name that has one, in the same files");
  command->callback([arguments, &common] {
    auto& wanted = arguments->request;
    if (arguments->server == arguments->device) throw base::UsageError("give --server or --device");
    wanted.kind = arguments->server ? pki::Kind::server : pki::Kind::device;
    if (arguments->server && wanted.hosts.empty()) wanted.hosts = {"localhost", "127.0.0.1", "::1"};
    const auto issued = pki::issue(arguments->directory, wanted);
    const auto certificate = file_in(arguments->directory, wanted.name + ".pem");
    const auto key = file_in(arguments->directory, wanted.name + ".key");
    Json document = to_json(issued);
    document["certificate"] = certificate;
    document["key"] = key;
    emit(common, document,
         fmt::format("{} {}{}{}, valid until {}: {} {}\n", kind_text(issued.kind), issued.name,
                     issued.hosts.empty() ? "" : " for ", fmt::join(issued.hosts, ", "), pki::time_text(issued.until),
                     certificate, key));
  });
}

void add_pki_revoke(CLI::App& parent, Common& common) {
  struct Arguments {
    std::string directory, name;
  };
  auto* command = parent.add_subcommand("revoke", "Revoke what was issued to a name and write the list anew");
  auto arguments = std::make_shared<Arguments>();
  command->add_option("DIR", arguments->directory, "The authority's directory")->required();
  command->add_option("NAME", arguments->name, "The name in the certificate")->required();
  command->callback([arguments, &common] {
    Json document = Json::array();
    std::string text;
    for (const auto& one : pki::revoke(arguments->directory, arguments->name)) {
      document.push_back(to_json(one));
      text += fmt::format("revoked {} (serial {}) on {}\n", one.name, one.serial, pki::time_text(one.revoked));
    }
    const auto list = file_in(arguments->directory, "crl.pem");
    emit(common, {{"crl", list}, {"revoked", document}}, text + "wrote " + list + ": give it to every server\n");
  });
}

void add_pki_list(CLI::App& parent, Common& common) {
  auto* command = parent.add_subcommand("list", "List everything that was issued");
  auto directory = std::make_shared<std::string>();
  command->add_option("DIR", *directory, "The authority's directory")->required();
  command->callback([directory, &common] {
    Json document = Json::array();
    std::string text =
        fmt::format("{:<24} {:<7} {:<8} {:<20} {:<32} {}\n", "name", "kind", "status", "until", "serial", "hosts");
    for (const auto& one : pki::list(*directory)) {
      document.push_back(to_json(one));
      text += fmt::format("{:<24} {:<7} {:<8} {:<20} {:<32} {}\n", one.name, kind_text(one.kind),
                          pki::status_of(one, std::time(nullptr)), pki::time_text(one.until), one.serial,
                          fmt::join(one.hosts, ","));
    }
    emit(common, document, text);
  });
}

}  // namespace

void add_pki(CLI::App& app, Common& common) {
  auto* command = app.add_subcommand("pki", "Certificates for mutual TLS: an authority, servers, devices, revocation");
  command->require_subcommand(1);
  command->footer(
      "Example:\n"
      "  infoscissors pki init pki\n"
      "  infoscissors pki issue pki server --server --host infer.example.org\n"
      "  infoscissors pki issue pki camera-1 --device\n"
      "  infoscissors pki revoke pki camera-1\n"
      "Keys are not encrypted; their files are readable by their owner alone.");
  add_pki_init(*command, common);
  add_pki_issue(*command, common);
  add_pki_revoke(*command, common);
  add_pki_list(*command, common);
}

}  // namespace infoscissors::cli
