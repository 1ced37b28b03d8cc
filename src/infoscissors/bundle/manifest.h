#pragma once

#include "infoscissors/base/json.h"

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// A network as it is served: BUNDLE/device and BUNDLE/server, each a folder with a manifest.json that names every
/// file in it with size and SHA-256. The two halves carry the same version, the hash of the content of both, by which
/// device and server recognise each other. The server's half says nothing of the device's.
namespace infoscissors::bundle {

inline constexpr int kSchema = 1;
inline constexpr const char* kManifest = "manifest.json";
inline constexpr std::uint64_t kMaxManifestBytes = std::uint64_t{1} << 20;
inline constexpr std::uint64_t kMaxFileBytes = std::uint64_t{1} << 32;

inline constexpr const char* kEncoder = "encoder.pt";           // server: TorchScript, r -> v
inline constexpr const char* kHead = "head.pt";                 // device: TorchScript, x in [0, 1] -> r
inline constexpr const char* kClassifier = "classifier.pt";     // device: TorchScript, v -> logits
inline constexpr const char* kRelease = "release.safetensors";  // device: the defence's tensors

enum class Part { server, device };
std::string to_string(Part part);

struct File {
  std::string sha256;  // 64 hexadecimal digits
  std::uint64_t bytes = 0;
};

/// A tensor of the encoder's interface, as the Open Inference Protocol describes it. -1 stands for the batch.
struct TensorSpec {
  std::string name;
  std::string datatype;             // "FP32"
  std::vector<std::int64_t> shape;  // {-1, C, H, W} or {-1, D}
};

/// What only the device knows.
struct DeviceFacts {
  std::vector<std::string> classes;
  std::vector<std::int64_t> image;  // {C, H, W}
  std::vector<double> mean, std;    // per channel; applied by the first layer of head.pt, here for people
  std::string defense;              // the spec the network was trained with
  std::string release;              // the parts of it that change what is exposed while serving, or "none"
};

struct Manifest {
  Part part = Part::server;
  std::string model;    // the name under which the encoder is served
  std::string version;  // 16 hexadecimal digits
  std::map<std::string, File> files;
  std::vector<TensorSpec> inputs, outputs;  // of the encoder
  std::optional<DeviceFacts> device;        // in the device's half alone
};

/// Letters, digits, '.', '_' and '-', not beginning with '.' or '-', at most 64 characters.
bool valid_name(std::string_view name);

/// Reads DIRECTORY/manifest.json and checks everything that can be checked without the files. Throws Error naming
/// file and key: no such directory, a schema this program does not know, unknown or missing keys, names that are none,
/// a manifest whose own digest does not match.
Manifest load_manifest(const std::filesystem::path& directory);

/// The same, and refuses the other half.
Manifest load_manifest(const std::filesystem::path& directory, Part expected);

/// The same from a manifest's text; `name` stands for it in errors.
Manifest parse_manifest(std::string_view text, const std::string& name);

/// The content of one listed file. Its size is compared before it is read, its hash before it is returned. Throws
/// Error.
std::string read_part(const std::filesystem::path& directory, const Manifest& manifest, const std::string& file);

/// Checks one half: manifest, every listed file, and that nothing else lies there.
Manifest verify_half(const std::filesystem::path& directory);

/// Checks both halves and that they come from one export. `bundle` holds device/ and server/.
struct Halves {
  Manifest device, server;
};
Halves verify_bundle(const std::filesystem::path& bundle);

/// The version of two halves, whatever version they carry.
std::string version_of(const Manifest& device, const Manifest& server);

/// The document as it is stored, with the digest of its other members.
base::Json to_json(const Manifest& manifest);

}  // namespace infoscissors::bundle
