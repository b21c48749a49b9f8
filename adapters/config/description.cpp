#include "adapters/config/description.h"

#include "adapters/config/quote.h"

namespace jobs_bridge::config {
namespace {

std::string address(const Url& url) {
  const bool is_ipv6 = url.host.find(':') != std::string::npos;
  return url.scheme + "://" + (is_ipv6 ? "[" + url.host + "]" : url.host) + ":" +
         std::to_string(url.port);
}

}  // namespace

std::string describe(const Configuration& configuration) {
  const auto& broker = configuration.broker;
  std::string text = "broker " + address(broker.url) + " as " + printable(broker.client_id);
  text += broker.protocol == MqttProtocol::v5 ? " (MQTT 5" : " (MQTT 3.1.1";
  if (!broker.username.empty()) text += ", with a username";
  if (!broker.password_file.empty()) text += " and a password";
  if (!broker.certificate_file.empty()) text += ", with a certificate";
  text += "), topics " + printable(configuration.topics.base);
  if (!broker.share_group.empty()) text += ", share group " + printable(broker.share_group);
  if (broker.partition.count > 1) {
    text += ", partition " + std::to_string(broker.partition.index) + "/" +
            std::to_string(broker.partition.count);
  }
  const auto& endpoint = configuration.endpoint;
  text += ", endpoint " + address(endpoint.url);
  if (!endpoint.certificate_file.empty()) text += " with a certificate";
  text += ", at most " + std::to_string(endpoint.connections) + " connections";
  text += configuration.journal.path.empty() ? ", no journal: updates are held in memory only"
                                             : ", journal " + printable(configuration.journal.path);
  return text;
}

}  // namespace jobs_bridge::config
