#include "infoscissors/rpc/credentials.h"

#include "infoscissors/serve/trust.h"

#include <grpc/grpc_security_constants.h>
#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_certificate_verifier.h>
#include <grpcpp/security/tls_credentials_options.h>

#include <algorithm>
#include <utility>

namespace infoscissors::rpc {
namespace {

namespace tls = grpc::experimental;

std::string_view view(grpc::string_ref text) {
  return {text.data(), text.size()};
}

/// Behind TLS's own check of the chain: revocation, the authorities as we read them, and again the dates, since a
/// resumed session skips TLS's check.
class Verifier : public tls::ExternalCertificateVerifier {
 public:
  Verifier(std::shared_ptr<Reporter> reporter, std::shared_ptr<serve::TrustFiles> trust)
      : reporter_(std::move(reporter)), trust_(std::move(trust)) {}

  bool Verify(tls::TlsCustomVerificationCheckRequest* request, std::function<void(grpc::Status)>,
              grpc::Status* status) override {
    const auto problem = trust_->current()->problem(view(request->peer_cert()), view(request->peer_cert_full_chain()));
    if (!problem.empty()) {
      reporter_->refused({.device = std::string(view(request->common_name())), .address = {}, .protocol = "grpc"},
                         problem);
      *status = {grpc::StatusCode::UNAUTHENTICATED, problem};
    }
    return true;
  }

  void Cancel(tls::TlsCustomVerificationCheckRequest*) override {}

 private:
  std::shared_ptr<Reporter> reporter_;
  std::shared_ptr<serve::TrustFiles> trust_;
};

}  // namespace

std::shared_ptr<grpc::ServerCredentials> credentials_of(serve::Core& core, std::shared_ptr<Reporter> reporter) {
  const auto& settings = core.settings();
  if (!settings.tls()) return grpc::InsecureServerCredentials();
  serve::check_tls_files(settings);
  auto trust = std::make_shared<serve::TrustFiles>(settings);
  core.on_look([&core, trust] {
    const auto problem = trust->refresh();
    if (!problem.empty()) core.log("certificates not loaded", {{"problem", problem}}, true);
  });
  constexpr unsigned kNever = 1U << 20;  // seconds
  const auto interval =
      settings.reload_seconds > 0 ? std::max(1U, static_cast<unsigned>(settings.reload_seconds)) : kNever;
  tls::TlsServerCredentialsOptions options(std::make_shared<tls::FileWatcherCertificateProvider>(
      settings.tls_key, settings.tls_cert, settings.client_ca, interval));
  options.watch_identity_key_cert_pairs();
  options.watch_root_certs();
  options.set_cert_request_type(GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  options.set_certificate_verifier(tls::ExternalCertificateVerifier::Create<Verifier>(std::move(reporter), trust));
  return tls::TlsServerCredentials(options);
}

}  // namespace infoscissors::rpc
