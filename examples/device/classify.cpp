/// Classifies pictures with the head and the classifier on this machine and the encoder on a server: everything a
/// device needs of the library.  Usage: classify BUNDLE/device HOST:PORT PICTURE...
#include "infoscissors/base/file.h"
#include "infoscissors/client/grpc.h"
#include "infoscissors/device/device.h"

#include <cstdio>
#include <exception>

namespace base = infoscissors::base;
namespace client = infoscissors::client;
namespace device = infoscissors::device;
namespace image = infoscissors::image;

int main(int argc, char** argv) try {
  if (argc < 4) {
    std::fputs("usage: classify BUNDLE/device HOST:PORT PICTURE...\n", stderr);
    return 2;
  }
  // int8: a quarter of the bytes.
  device::Device split(argv[1], {.encoding = device::Encoding::int8});

  // For mutual TLS: .tls = client::TlsFiles{"ca.pem", "device.pem", "device.key"}
  client::ConnectOptions where;
  where.server = argv[2];
  client::SessionOptions options = split.session_options();
  options.deadline = std::chrono::milliseconds(2000);
  // One for the whole life of the program: it keeps the connection.
  client::Session session(client::connect(where), options);

  for (int i = 3; i < argc; ++i) {
    const auto picture = image::decode(base::read_file(argv[i]), argv[i]);
    const auto answer = split.classify({picture}, session, 1);
    const auto& best = answer.results[0].top[0];
    std::printf("%s: %s (%.1f %%), %.1f ms, %llu bytes sent\n", argv[i], split.classes()[best.label].c_str(),
                100 * best.probability, answer.timing.total / 1000, static_cast<unsigned long long>(answer.bytes_sent));
  }
  return 0;
} catch (const std::exception& error) {
  // A server that is gone, an answer that is not to be believed, a picture that cannot be read: one line each.
  std::fprintf(stderr, "error: %s\n", error.what());
  return 1;
}
