#include "adapters/https/https_endpoint.h"

#include <exception>

#include "adapters/https/connector.h"
#include "adapters/https/https_exchange.h"
#include "bridge/text/ascii.h"

namespace jobs_bridge::https {
namespace {

class HttpsEndpoint final : public Endpoint {
 public:
  HttpsEndpoint(EndpointSettings settings, std::unique_ptr<CurrentTlsContext> tls,
                net::Lookup lookup, Log& log)
      : settings_(std::move(settings)),
        connector_(settings_, std::move(tls), std::move(lookup), log) {}

  std::unique_ptr<Exchange> open() override {
    return std::make_unique<HttpsExchange>(settings_, connector_);
  }
  void stop() override { connector_.stop(); }

 private:
  const EndpointSettings settings_;
  Connector connector_;
};

/// A host goes into headers and a CONNECT line, so what could end a line there is refused here.
std::optional<std::string> fault_of_host(const std::string& setting, const std::string& host) {
  if (host.empty()) return setting + ": empty";
  for (const char c : host) {
    const bool allowed = is_letter_or_digit(c) || c == '.' || c == '-' || c == '_' || c == ':';
    if (!allowed) return setting + ": contains a character that is not allowed in a host name";
  }
  return std::nullopt;
}

std::optional<std::string> fault_of(const EndpointSettings& settings) {
  if (auto fault = fault_of_host("host", settings.host)) return fault;
  if (settings.port == 0) return "port: 0";
  if (settings.connect_timeout <= Duration::zero()) return "connect_timeout: not positive";
  if (settings.answer_timeout <= Duration::zero()) return "answer_timeout: not positive";
  if (settings.max_answer_bytes == 0) return "max_answer_bytes: 0";
  if (settings.proxy.host.empty()) return std::nullopt;
  if (auto fault = fault_of_host("proxy.host", settings.proxy.host)) return fault;
  if (settings.proxy.port == 0) return "proxy.port: 0";
  return std::nullopt;
}

}  // namespace

Result<std::unique_ptr<Endpoint>, std::string> open_endpoint(EndpointSettings settings, Log& log,
                                                             net::Lookup lookup) {
  if (auto fault = fault_of(settings)) return Failure{*std::move(fault)};
  try {
    std::unique_ptr<CurrentTlsContext> context;
    if (settings.tls) {
      auto loaded = CurrentTlsContext::load(
          {settings.host, settings.ca_file, settings.certificate_file, settings.private_key_file},
          log);
      if (!loaded) return Failure{loaded.error()};
      context = std::move(loaded).value();
    }
    return std::unique_ptr<Endpoint>(std::make_unique<HttpsEndpoint>(
        std::move(settings), std::move(context), std::move(lookup), log));
  } catch (const std::exception& error) {
    return Failure{std::string(error.what())};
  }
}

}  // namespace jobs_bridge::https
