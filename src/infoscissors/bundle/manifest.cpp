#include "infoscissors/bundle/manifest.h"

#include "infoscissors/base/error.h"
#include "infoscissors/bundle/sha256.h"

#include <algorithm>

namespace infoscissors::bundle {
namespace {

using base::Error;
using base::Json;

constexpr const char* kDigest = "digest";
constexpr std::size_t kVersionDigits = 16, kHashDigits = 64, kMaxName = 64;
constexpr std::int64_t kMaxSize = std::int64_t{1} << 31;  // of a shape, and of its product

bool is_hex(std::string_view text, std::size_t digits) {
  return text.size() == digits &&
         std::all_of(text.begin(), text.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

/// A name that may be anything, on one line.
std::string shown(const std::string& name) {
  return Json(name.substr(0, kMaxName)).dump(-1, ' ', true, Json::error_handler_t::replace);
}

/// One JSON object of the manifest, whose members are taken one by one; those left over are unknown.
class Reader {
 public:
  Reader(const Json& object, std::string file, std::string path)
      : object_(object), file_(std::move(file)), path_(std::move(path)) {
    if (!object.is_object()) fail("", "must be an object");
  }

  [[noreturn]] void fail(const std::string& key, const std::string& why) const {
    const auto at = path_.empty() || key.empty() ? path_ + key : path_ + "." + key;
    throw Error("{}: {} {}", file_, at.empty() ? "the manifest" : "'" + at + "'", why);
  }

  const Json& member(const std::string& key) {
    const auto found = object_.find(key);
    if (found == object_.end()) fail(key, "is missing");
    seen_.push_back(key);
    return *found;
  }

  std::string text(const std::string& key) {
    const auto& value = member(key);
    if (!value.is_string()) fail(key, "must be a text");
    return value.get<std::string>();
  }

  std::string name(const std::string& key) {
    auto value = text(key);
    if (!valid_name(value)) fail(key, "must be a name of letters, digits, '.', '_' and '-'");
    return value;
  }

  std::string hex(const std::string& key, std::size_t digits) {
    auto value = text(key);
    if (!is_hex(value, digits)) fail(key, fmt::format("must be {} hexadecimal digits", digits));
    return value;
  }

  /// A list whose elements `convert` turns into values.
  template <class Value, class Convert>
  std::vector<Value> list(const std::string& key, std::size_t most, const Convert& convert) {
    const auto& value = member(key);
    if (!value.is_array() || value.size() > most) fail(key, fmt::format("must be a list of at most {}", most));
    std::vector<Value> all;
    for (const auto& element : value) all.push_back(convert(element));
    return all;
  }

  std::vector<double> numbers(const std::string& key) {
    return list<double>(key, 4096, [&](const Json& element) {
      if (!element.is_number()) fail(key, "must hold numbers");
      return element.get<double>();
    });
  }

  /// Sizes of at least 1; the first may be -1 where `batched`. Their product is bounded.
  std::vector<std::int64_t> shape(const std::string& key, bool batched) {
    std::int64_t product = 1;
    auto sizes = list<std::int64_t>(key, 8, [&](const Json& element) {
      if (!element.is_number_integer()) fail(key, "must hold whole numbers");
      return element.get<std::int64_t>();
    });
    if (sizes.size() < (batched ? 2U : 1U)) fail(key, "has too few sizes");
    if (batched && sizes.front() != -1) fail(key, "must begin with -1, the batch");
    for (std::size_t i = batched ? 1 : 0; i < sizes.size(); ++i) {
      if (sizes[i] < 1 || sizes[i] > kMaxSize / product) fail(key, "holds a size that is impossible");
      product *= sizes[i];
    }
    return sizes;
  }

  void finish() const {
    for (const auto& [key, value] : object_.items()) {
      if (std::find(seen_.begin(), seen_.end(), key) == seen_.end()) fail("", "has the unknown key " + shown(key));
    }
  }

 private:
  const Json& object_;
  std::string file_, path_;
  std::vector<std::string> seen_;
};

Part parse_part(Reader& reader) {
  const auto text = reader.text("part");
  if (text == "server") return Part::server;
  if (text == "device") return Part::device;
  reader.fail("part", "must be server or device");
}

std::map<std::string, File> parse_files(const Json& object, const std::string& file) {
  std::map<std::string, File> files;
  Reader names(object, file, "files");
  for (const auto& [name, entry] : object.items()) {
    if (!valid_name(name) || name == kManifest) names.fail("", "names no file of this folder: " + shown(name));
    Reader reader(entry, file, "files." + name);
    File one;
    one.sha256 = reader.hex("sha256", kHashDigits);
    const auto& bytes = reader.member("bytes");
    if (!bytes.is_number_unsigned() || bytes.get<std::uint64_t>() > kMaxFileBytes) {
      reader.fail("bytes", fmt::format("must be a number of bytes up to {}", kMaxFileBytes));
    }
    one.bytes = bytes.get<std::uint64_t>();
    reader.finish();
    files.emplace(name, one);
  }
  return files;
}

std::vector<TensorSpec> parse_tensors(Reader& parent, const std::string& key, const std::string& file) {
  return parent.list<TensorSpec>(key, 16, [&](const Json& element) {
    Reader reader(element, file, key);
    TensorSpec spec{reader.name("name"), reader.text("datatype"), reader.shape("shape", true)};
    if (spec.datatype != "FP32") reader.fail("datatype", "must be FP32");
    reader.finish();
    return spec;
  });
}

DeviceFacts parse_device(const Json& object, const std::string& file) {
  Reader reader(object, file, "device");
  DeviceFacts facts;
  facts.classes = reader.list<std::string>("classes", 100000, [&](const Json& element) {
    if (!element.is_string()) reader.fail("classes", "must hold texts");
    return element.get<std::string>();
  });
  if (facts.classes.size() < 2) reader.fail("classes", "must hold at least 2 names");
  facts.image = reader.shape("image", false);
  if (facts.image.size() != 3 || (facts.image[0] != 1 && facts.image[0] != 3) || facts.image[1] > 8192 ||
      facts.image[2] > 8192) {
    reader.fail("image", "must be [1 or 3 channels, height, width] of at most 8192 pixels a side");
  }
  facts.mean = reader.numbers("mean");
  facts.std = reader.numbers("std");
  const auto channels = static_cast<std::size_t>(facts.image[0]);
  if (facts.mean.size() != channels || facts.std.size() != channels) {
    reader.fail("mean", "and 'std' must have one value a channel");
  }
  facts.defense = reader.text("defense");
  facts.release = reader.text("release");
  reader.finish();
  return facts;
}

/// The interface and the files without which the half is of no use.
void check_complete(const Manifest& manifest, const std::string& file) {
  const std::vector<std::string> needed = manifest.part == Part::server
                                              ? std::vector<std::string>{kEncoder}
                                              : std::vector<std::string>{kHead, kClassifier, kRelease};
  for (const auto& name : needed) {
    if (!manifest.files.contains(name)) throw Error("{}: 'files' lacks {}", file, name);
  }
  if (manifest.inputs.size() != 1 || manifest.outputs.size() != 1) {
    throw Error("{}: 'inputs' and 'outputs' must each describe one tensor", file);
  }
}

Json tensors_to_json(const std::vector<TensorSpec>& specs) {
  Json list = Json::array();
  for (const auto& spec : specs) {
    list.push_back({{"name", spec.name}, {"datatype", spec.datatype}, {"shape", spec.shape}});
  }
  return list;
}

/// Everything but what is computed from it.
Json content(const Manifest& manifest) {
  Json files = Json::object();
  for (const auto& [name, file] : manifest.files) files[name] = {{"sha256", file.sha256}, {"bytes", file.bytes}};
  Json document = {{"schema", kSchema},
                   {"part", to_string(manifest.part)},
                   {"model", manifest.model},
                   {"files", files},
                   {"inputs", tensors_to_json(manifest.inputs)},
                   {"outputs", tensors_to_json(manifest.outputs)}};
  if (manifest.device) {
    const auto& facts = *manifest.device;
    document["device"] = {{"classes", facts.classes}, {"image", facts.image},     {"mean", facts.mean},
                          {"std", facts.std},         {"defense", facts.defense}, {"release", facts.release}};
  }
  return document;
}

std::string digest_of(const Json& document) {
  return sha256(document.dump(-1, ' ', false, Json::error_handler_t::replace));
}

}  // namespace

std::string to_string(Part part) {
  return part == Part::server ? "server" : "device";
}

bool valid_name(std::string_view name) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
           c == '-';
  };
  return !name.empty() && name.size() <= kMaxName && name.front() != '.' && name.front() != '-' &&
         std::all_of(name.begin(), name.end(), allowed);
}

Manifest parse_manifest(std::string_view text, const std::string& name) {
  if (text.size() > kMaxManifestBytes) throw Error("{}: larger than a manifest may be", name);
  // The depth is bounded before a document is built: the parser and the destructor recurse.
  const auto shallow = [](int depth, Json::parse_event_t, Json&) {
    if (depth > 8) throw Error("nested too deeply");
    return true;
  };
  Json document;
  try {
    document = Json::parse(text, shallow);
  } catch (const Error& error) {
    throw Error("{}: {}", name, error.what());
  } catch (const Json::exception&) {
    throw Error("{}: not a manifest: it is not JSON", name);
  }
  Reader reader(document, name, "");
  const auto& schema = reader.member("schema");
  if (!schema.is_number_integer() || schema.get<std::int64_t>() != kSchema) {
    throw Error("{}: schema {} is not known here (this program reads schema {})", name, schema.dump(), kSchema);
  }
  Manifest manifest;
  manifest.part = parse_part(reader);
  manifest.model = reader.name("model");
  manifest.version = reader.hex("version", kVersionDigits);
  manifest.files = parse_files(reader.member("files"), name);
  manifest.inputs = parse_tensors(reader, "inputs", name);
  manifest.outputs = parse_tensors(reader, "outputs", name);
  if (manifest.part == Part::device) manifest.device = parse_device(reader.member("device"), name);
  const auto digest = reader.hex(kDigest, kHashDigits);
  reader.finish();
  check_complete(manifest, name);
  document.erase(kDigest);
  if (digest_of(document) != digest) throw Error("{}: damaged: its content does not match its digest", name);
  return manifest;
}

std::string version_of(const Manifest& device, const Manifest& server) {
  const auto both = digest_of(content(server)) + digest_of(content(device));
  return sha256(both).substr(0, kVersionDigits);
}

Json to_json(const Manifest& manifest) {
  Json document = content(manifest);
  document["version"] = manifest.version;
  document[kDigest] = digest_of(document);
  return document;
}

}  // namespace infoscissors::bundle
