#include "adapters/mqtt/tls_context.h"

#include <utility>

namespace jobs_bridge::mqtt {

Result<tls::Context, BrokerFault> tls_context_of(const BrokerSettings& settings) {
  auto context = tls::client_context(
      {settings.host, settings.ca_file, settings.certificate_file, settings.private_key_file});
  if (context) return std::move(context).value();
  const auto& [kind, text] = context.error();
  using Kind = tls::ContextFault::Kind;
  if (kind == Kind::library) return Failure{BrokerFault{BrokerFault::Kind::tls, text}};
  return Failure{BrokerFault{
      kind == Kind::encrypted ? BrokerFault::Kind::key_encrypted : BrokerFault::Kind::file,
      "broker." + text}};
}

std::optional<BrokerFault> check_files(const BrokerSettings& settings) {
  const auto context = tls_context_of(settings);
  if (!context) return context.error();
  if (settings.ca_file.empty() || tls::has_root(**context)) return std::nullopt;
  return BrokerFault{BrokerFault::Kind::file,
                     "broker.ca_file " + settings.ca_file +
                         ": has no root certificate, which the Paho library requires; add the root "
                         "certificate, or set broker.library = \"mosquitto\""};
}

}  // namespace jobs_bridge::mqtt
