#include "infoscissors/pki/register.h"

#include "infoscissors/base/error.h"
#include "infoscissors/base/json.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <ctime>
#include <system_error>

namespace infoscissors::pki {
namespace {

namespace fs = std::filesystem;
using base::Error;
using base::Json;

constexpr int kSchema = 1;
constexpr const char* kTimeFormat = "%Y-%m-%dT%H:%M:%SZ";

fs::path file_of(const fs::path& directory) {
  return directory / "index.json";
}

std::int64_t parse_time(const std::string& text) {
  std::tm parts{};
  const char* end = ::strptime(text.c_str(), kTimeFormat, &parts);
  if (end == nullptr || *end != '\0') throw Error("'{}' is no time", text);
  return ::timegm(&parts);
}

Json to_json(const Issued& one) {
  return {{"name", one.name},
          {"kind", one.kind == Kind::server ? "server" : "device"},
          {"hosts", one.hosts},
          {"serial", one.serial},
          {"from", time_text(one.from)},
          {"until", time_text(one.until)},
          {"revoked", one.revoked == 0 ? Json() : Json(time_text(one.revoked))}};
}

Kind parse_kind(const std::string& text) {
  if (text != "server" && text != "device") throw Error("'{}' is no kind of certificate", text);
  return text == "server" ? Kind::server : Kind::device;
}

Issued parse_issued(const Json& json) {
  Issued one;
  one.name = json.at("name").get<std::string>();
  one.kind = parse_kind(json.at("kind").get<std::string>());
  one.hosts = json.at("hosts").get<std::vector<std::string>>();
  one.serial = json.at("serial").get<std::string>();
  if (one.serial.size() != 32 || one.serial.find_first_not_of("0123456789ABCDEF") != std::string::npos) {
    throw Error("'{}' is no serial number", one.serial);
  }
  one.from = parse_time(json.at("from").get<std::string>());
  one.until = parse_time(json.at("until").get<std::string>());
  const Json& revoked = json.at("revoked");
  one.revoked = revoked.is_null() ? 0 : parse_time(revoked.get<std::string>());
  return one;
}

}  // namespace

std::string time_text(std::int64_t time) {
  const std::time_t seconds = time;
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  std::array<char, 40> text{};
  return {text.data(), std::strftime(text.data(), text.size(), kTimeFormat, &parts)};
}

std::string status_of(const Issued& issued, std::int64_t now) {
  if (issued.revoked != 0) return "revoked";
  return issued.until < now ? "expired" : "valid";
}

Register read_register(const fs::path& directory) {
  const auto file = file_of(directory);
  if (!fs::exists(file)) {
    throw Error("{}: holds no authority (there is no index.json); make one with `infoscissors pki init {}`",
                directory.string(), directory.string());
  }
  const Json json = base::read_json(file);
  try {
    if (const auto schema = json.at("schema").get<int>(); schema != kSchema) {
      throw Error("schema {} where this version knows {}", schema, kSchema);
    }
    Register known;
    known.until = parse_time(json.at("until").get<std::string>());
    known.crl_number = json.at("crl_number").get<std::int64_t>();
    for (const auto& one : json.at("issued")) known.issued.push_back(parse_issued(one));
    return known;
  } catch (const std::exception& error) {
    throw Error("{}: is not the register of an authority: {}", file.string(), error.what());
  }
}

void write_register(const fs::path& directory, const Register& known) {
  Json issued = Json::array();
  for (const auto& one : known.issued) issued.push_back(to_json(one));
  base::write_json(
      file_of(directory),
      {{"schema", kSchema}, {"until", time_text(known.until)}, {"crl_number", known.crl_number}, {"issued", issued}});
}

Lock::Lock(const fs::path& directory) : descriptor_(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
  if (descriptor_ < 0) {
    throw Error("{}: cannot be opened: {}", directory.string(), std::generic_category().message(errno));
  }
  while (::flock(descriptor_, LOCK_EX) != 0 && errno == EINTR) {
  }
}

Lock::~Lock() {
  ::close(descriptor_);
}

}  // namespace infoscissors::pki
