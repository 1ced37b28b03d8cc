#include "infoscissors/tracking/log.h"

#include "infoscissors/base/error.h"

#include <sys/stat.h>

#include <algorithm>
#include <cctype>
#include <cmath>

namespace infoscissors::tracking {
namespace {

using base::Json;

void flatten(const Json& value, const std::string& prefix, std::map<std::string, std::string>& into) {
  if (!value.is_object()) {
    into[prefix] = value.is_string() ? value.get<std::string>() : value.dump();
    return;
  }
  for (const auto& [key, item] : value.items()) flatten(item, prefix.empty() ? key : prefix + "." + key, into);
}

double written_at(const std::filesystem::path& file) {
  struct stat status {};
  if (::stat(file.c_str(), &status) != 0) throw base::Error("{}: cannot be looked at", file.string());
  return static_cast<double>(status.st_mtim.tv_sec);
}

// Big-endian, at byte 16 and 20 of every PNG (the specification's IHDR chunk comes first).
std::int64_t png_number(const std::string& png, std::size_t at) {
  if (png.size() < at + 4) throw base::Error("a figure is no PNG");
  std::int64_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) value = value << 8 | static_cast<unsigned char>(png[at + i]);
  return value;
}

std::string name_of(const study::Entry& entry) {
  const auto& l = entry.labels;
  const std::string width = l.width == 1 ? "" : fmt::format(" x{:g}", l.width);
  const std::string strength = std::isnan(l.strength) ? "" : fmt::format(" {:g}", l.strength);
  return safe_name(
      fmt::format("{} {}{} {}/{}{}/seed {}", l.dataset, l.backbone, width, l.cut, l.defense, strength, l.seed));
}

}  // namespace

std::string safe_name(const std::string& text) {
  std::string out;
  for (const char c : text) {
    const bool kept =
        std::isalnum(static_cast<unsigned char>(c)) || std::string_view("_-. /").find(c) != std::string_view::npos;
    if (kept) {
      out += c;
    } else if (c == '=') {
      out += '-';
    } else if (c == '+') {
      out += " and ";
    } else if (c != ')') {
      out += ' ';
    }
  }
  // A path of names, none of which is empty, hidden, or goes up.
  std::string path;
  for (std::size_t at = 0; at <= out.size();) {
    const auto end = std::min(out.find('/', at), out.size());
    std::string part = out.substr(at, end - at);
    const auto first = part.find_first_not_of(" .");
    part = first == std::string::npos ? "_" : part.substr(first, part.find_last_not_of(' ') + 1 - first);
    path += (path.empty() ? "" : "/") + part;
    at = end + 1;
  }
  return path;
}

Log log_of(const study::Entry& entry) {
  const auto& record = entry.record;
  Log log;
  log.id = record.config_hash;
  log.name = name_of(entry);
  log.status = record.status;
  log.command = record.command;
  log.version = record.commit;
  log.end = written_at(entry.path / results::kRecordFile);
  log.seconds = record.train_seconds;
  const auto add = [&](const std::string& tag, std::int64_t step, double value) {
    if (std::isfinite(value)) log.scalars.push_back({safe_name(tag), step, value});
  };
  for (const auto& epoch : record.epochs) {
    for (const auto& [name, value] : epoch.values) add("train/" + name, epoch.epoch, value);
  }
  const std::int64_t last = record.epochs.empty() ? 0 : record.epochs.back().epoch;
  for (const auto& [name, value] : record.measures) add("test/" + name, last, value);
  for (const auto& attack : record.attacks) {
    const std::string seed = attack.seed == record.seed ? "" : fmt::format(" seed {}", attack.seed);
    for (const auto& [name, value] : attack.measures) add("attack/" + attack.spec + seed + "/" + name, last, value);
    if (std::isfinite(attack.seconds)) log.seconds += attack.seconds;
  }
  flatten(record.config, "", log.parameters);
  log.parameters["defense"] = record.defense;
  return log;
}

std::vector<Image> images_of(const study::Study& study, const figure::FigureOptions& options) {
  std::vector<Image> images;
  for (const auto& doc : figure::figures()) {
    try {
      auto drawing = figure::draw_figure(doc.name, study, options, figure::Format::png);
      const auto width = png_number(drawing.bytes, 16), height = png_number(drawing.bytes, 20);
      images.push_back({"figure " + doc.name, std::move(drawing.bytes), width, height});
    } catch (const base::UsageError&) {
      continue;  // these runs have nothing to show there
    }
  }
  return images;
}

}  // namespace infoscissors::tracking
