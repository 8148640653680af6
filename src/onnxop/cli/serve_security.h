#pragma once
// The options of `serve` about TLS.

#include <functional>
#include <memory>

#include "onnxop/cli/verb.h"
#include "onnxop/server/tls_credentials.h"

namespace onnxop {

/// --tls-cert, --tls-key and --tls-client-ca, in the help group "TLS".
void declare_tls(CLI::App& command, TlsFiles& files);

/// Null when no files are named. Throws UsageError for a certificate without a key, Error for files
/// that cannot be used.
std::shared_ptr<TlsCertificates> load_tls(const TlsFiles& files);

/// For SIGHUP: reads the files again and logs what came of it. Null where there is no TLS.
std::function<void()> tls_reloader(const std::shared_ptr<TlsCertificates>& certificates);

}  // namespace onnxop
