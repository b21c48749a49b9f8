#include "adapters/mqtt/tls_context.h"

#include <utility>

#include "adapters/tls/identity.h"

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

std::optional<BrokerFault> check_identity(const BrokerSettings& settings) {
  const auto context = tls::new_context();
  if (!context) return BrokerFault{BrokerFault::Kind::tls, tls::take_error()};
  auto fault = tls::load_identity(*context, settings.certificate_file, settings.private_key_file);
  if (!fault) return std::nullopt;
  return fault_of(*std::move(fault));
}

}  // namespace jobs_bridge::mqtt
