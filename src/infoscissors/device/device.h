#pragma once

#include "infoscissors/bundle/manifest.h"
#include "infoscissors/client/session.h"
#include "infoscissors/image/image.h"
#include "infoscissors/tensor/fwd.h"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

/// The device's side of a split network as a library. Everything that must stay private happens here: the head, the
/// defence's release step and the classifier. What leaves is the released representation, what comes back a feature.
///
///     device::Device device("bundle/device", {});
///     client::ConnectOptions where{.server = "10.0.0.7:8001", .tls = client::TlsFiles{"ca.pem", "me.pem", "me.key"}};
///     client::Session session(client::connect(where), device.session_options());
///     const auto answer = device.classify({image::decode(bytes, "cat.png")}, session);
///     answer.results[0].top[0];  // the likeliest class with its probability
///
/// examples/device is a whole program; docs/device.md says how to build against the installed library.
namespace infoscissors::device {

/// How the representation travels. int8 has a scale and a zero point for each sample and a quarter of fp32's bytes.
enum class Encoding { fp32, fp16, int8 };

std::string to_string(Encoding encoding);
/// Throws UsageError.
Encoding parse_encoding(std::string_view text);

struct Options {
  Encoding encoding = Encoding::fp32;
  /// Of the defence's random draws. Absent, they come from the operating system's entropy: whoever knows the seed can
  /// take the noise away again, so only tests set it.
  std::optional<std::uint64_t> seed = std::nullopt;
};

/// Where the time of one call went, in microseconds.
struct Timing {
  double prepare = 0;             // decoded picture to the network's input
  double head = 0;                // head, release step and encoding
  double wire = 0;                // the round trip without what the server claims for itself
  std::optional<double> queue;    // of the server, as it says
  std::optional<double> compute;  // of the server, as it says
  double classifier = 0;
  double total = 0;
};

struct Guess {
  std::size_t label = 0;  // index into the bundle's class names
  double probability = 0;
};

struct Result {
  std::vector<Guess> top;  // likeliest first
};

/// The answer to one call of one or more pictures.
struct Answer {
  std::vector<Result> results;  // one for each picture
  Timing timing;
  int attempts = 0;
  std::uint64_t bytes_sent = 0, bytes_received = 0;
};

/// What to do with a picture of another size than the network's.
enum class Fit {
  resize,  // the shorter side is scaled to the network's, then the centre square is cut, as for training
  refuse,
};

/// A device's half of a bundle, loaded. classify() may be called from several threads at once.
class Device {
 public:
  /// Reads and verifies the half. Throws Error naming the file: the server's half, damage, networks that do not fit
  /// the manifest.
  Device(const std::filesystem::path& half, const Options& options);
  ~Device();
  Device(Device&&) noexcept;
  Device& operator=(Device&&) noexcept;

  const bundle::Manifest& manifest() const;
  const std::vector<std::string>& classes() const { return manifest().device->classes; }

  /// The encoder's interface as the bundle describes it.
  wire::Signature signature() const;
  /// Model, version pin and interface for a Session with this program's server.
  client::SessionOptions session_options() const;

  /// Classifies pictures in one call. Grey pictures and colour ones become what the network takes. Throws Error for
  /// a picture that does not fit, wire::Error for what a call can end with (client/session.h).
  Answer classify(const std::vector<image::Image>& pictures, client::Session& session, std::size_t top = 5,
                  Fit fit = Fit::resize, const std::stop_token& stop = {});

  /// The same for a tensor: (N, C, H, W) float32 in [0, 1].
  Answer classify(const Tensor& pictures, client::Session& session, std::size_t top = 5,
                  const std::stop_token& stop = {});

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace infoscissors::device
