#include "infoscissors/base/error.h"
#include "infoscissors/base/file.h"
#include "infoscissors/base/options.h"
#include "infoscissors/pki/names.h"
#include "infoscissors/pki/pki.h"
#include "infoscissors/pki/private_file.h"
#include "infoscissors/pki/register.h"
#include "infoscissors/pki/x509.h"

#include <algorithm>
#include <ctime>

namespace infoscissors::pki {
namespace {

namespace fs = std::filesystem;
using base::Error;
using base::UsageError;

constexpr std::int64_t kDay = 24 * 60 * 60, kMostDays = 36500;
/// Certificates begin this long ago: a device's clock may be slow.
constexpr std::int64_t kSlack = 300;

void check_days(std::int64_t days) {
  if (days < 1 || days > kMostDays) throw UsageError("--days must be between 1 and {}, got {}", kMostDays, days);
}

void refuse_existing(const fs::path& directory, const std::vector<std::string>& names, const char* remedy) {
  for (const auto& name : names) {
    if (fs::exists(fs::symlink_status(directory / name))) {
      throw Error("{}: is there already; {}", (directory / name).string(), remedy);
    }
  }
}

Pair read_authority(const fs::path& directory) {
  return {base::read_file(directory / "ca.pem"), base::read_file(directory / "ca.key"), (directory / "ca").string()};
}

void check_request(const Request& request) {
  check_name(request.name);
  check_days(request.days);
  for (const auto& host : request.hosts) alternative_name(host);
  if (request.kind == Kind::device && !request.hosts.empty()) {
    throw UsageError("--host belongs to --server; a device is known by its name");
  }
  if (request.kind == Kind::server && request.hosts.empty()) {
    throw UsageError("a server's certificate names its hosts: --host NAME or --host ADDRESS");
  }
}

/// The list is valid as long as the authority: it is a file that its administrator copies, nothing fetches it by
/// itself, and one that ran out would lock out every device.
void write_list(const fs::path& directory, const Pair& authority, Register& known) {
  ++known.crl_number;
  const auto list = revocation_list(authority, known.crl_number, std::time(nullptr), known.until, known.issued);
  write_register(directory, known);
  base::write_file(directory / "crl.pem", list);
}

}  // namespace

void init(const fs::path& directory, const AuthorityOptions& options) {
  check_authority_name(options.name);
  check_days(options.days);
  const auto key = make_key();
  base::ensure_directory(directory);
  const Lock lock(directory);
  refuse_existing(directory, {"index.json", "ca.key", "ca.pem", "crl.pem"},
                  "an authority is never overwritten: choose another directory");
  const auto now = std::time(nullptr);
  Register known;
  known.until = now + options.days * kDay;
  const Pair pair{self_signed(key, options.name, now - kSlack, known.until), key, (directory / "ca").string()};
  write_private_file(directory / "ca.key", pair.key);
  base::write_file(directory / "ca.pem", pair.certificate);
  write_list(directory, pair, known);
}

Issued issue(const fs::path& directory, const Request& request) {
  check_request(request);
  Register known = read_register(directory);
  const Lock lock(directory);
  known = read_register(directory);  // as it is now that nobody else changes it
  const fs::path certificate = directory / (request.name + ".pem"), key_file = directory / (request.name + ".key");
  if (!request.replace) {
    refuse_existing(directory, {request.name + ".pem", request.name + ".key"},
                    "--replace issues another certificate to the same name");
  }
  const auto now = std::time(nullptr);
  if (known.until <= now) {
    throw Error("{}: the authority's certificate ran out on {}", (directory / "ca.pem").string(),
                time_text(known.until));
  }
  const Issued issued{request.name,
                      request.kind,
                      request.hosts,
                      make_serial(),
                      now - kSlack,
                      std::min<std::int64_t>(now + request.days * kDay, known.until),
                      0};
  const auto key = make_key();
  const auto text = sign(read_authority(directory), key, issued);
  known.issued.push_back(issued);
  write_register(directory, known);
  write_private_file(key_file, key);
  base::write_file(certificate, text);
  return issued;
}

std::vector<Issued> revoke(const fs::path& directory, const std::string& name) {
  Register known = read_register(directory);
  const Lock lock(directory);
  known = read_register(directory);
  const auto now = std::time(nullptr);
  std::vector<Issued> revoked;
  std::vector<std::string> names;
  for (auto& one : known.issued) {
    names.push_back(one.name);
    if (one.name != name) continue;
    if (one.revoked == 0) one.revoked = now;
    revoked.push_back(one);
  }
  if (revoked.empty()) {
    throw Error("{}: no certificate was issued to '{}'{}", directory.string(), name,
                names.empty() ? "" : ": " + base::suggestion(name, names));
  }
  write_list(directory, read_authority(directory), known);
  return revoked;
}

std::vector<Issued> list(const fs::path& directory) {
  return read_register(directory).issued;
}

}  // namespace infoscissors::pki
