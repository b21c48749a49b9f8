#include "adapters/config/relations.h"

#include <algorithm>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/config/quote.h"
#include "adapters/config/region.h"
#include "adapters/files/file.h"

namespace jobs_bridge::config {
namespace {

/// Names of keys of one section.
std::string in(std::string_view section, std::string_view key) {
  return std::string(section).append(".").append(key);
}

/// Certificate and key come together, and files for TLS with TLS.
void check_tls_files(Review& review, std::string_view section, const std::vector<Url>& urls,
                     const std::string& tls_scheme) {
  const auto url_key = in(section, "url");
  const auto certificate = in(section, "certificate_file");
  const auto private_key = in(section, "private_key_file");
  const bool has_certificate = !review.text(certificate).empty();
  const bool has_private_key = !review.text(private_key).empty();
  if (has_certificate && !has_private_key) {
    review.fault(certificate, "is set without " + private_key, "set both or neither");
  }
  if (has_private_key && !has_certificate) {
    review.fault(private_key, "is set without " + certificate, "set both or neither");
  }
  const auto has_tls = [&](const Url& url) { return url.scheme == tls_scheme; };
  if (!review.have_no_fault({url_key}) || std::ranges::any_of(urls, has_tls)) return;
  for (const auto& key : {in(section, "ca_file"), certificate}) {
    if (review.text(key).empty()) continue;
    review.warn(key, "has no effect: " + url_key + " is " + urls.front().scheme + "://",
                "use " + tls_scheme + ":// for a TLS connection");
  }
}

void check_share_group(Review& review) {
  const auto& broker = review.configuration.broker;
  if (broker.share_group.empty()) return;
  if (review.configuration.topics.base.starts_with('$')) {
    review.warn(
        "broker.share_group",
        "mosquitto and other brokers deliver nothing to a shared subscription from topics that "
        "start with '$', as topics.base does",
        "set another topics.base, or divide the things among the instances with broker.partition");
  }
  if (!broker.partition.serves_all()) {
    // The broker hands a request to one member, and a member of another partition ignores it.
    review.warn("broker.share_group",
                "loses requests unless every member of the group has the same broker.partition",
                "use a separate group for each partition, or set only one of the two keys");
  }
}

/// Where one instance can take over from another.
void check_lease(Review& review) {
  const auto& broker = review.configuration.broker;
  if (!review.have_no_fault({"broker.standby", "broker.lease", "broker.keep_alive"})) return;
  if (broker.lease.count() == 0) {
    if (!broker.standby) return;
    review.fault(
        "broker.standby", "is set without broker.lease",
        "set broker.lease as on the instance that this one stands by for, such as \"30s\"");
    return;
  }
  if (broker.lease < 2 * broker.keep_alive) {
    review.fault(
        "broker.lease", "is shorter than twice broker.keep_alive",
        "set it to twice broker.keep_alive or more: an instance sends a canary message every half "
        "keep_alive, and stops its calls if none has come back for half a lease");
  }
  constexpr std::string_view placeholder = "{client_id}";
  if (broker.canary_topic.find(placeholder) == std::string::npos) {
    review.fault("broker.canary_topic", "lacks {client_id}, which broker.lease requires",
                 "add it, as in \"jobs-bridge/canary/{client_id}\"");
  }
  if (!broker.share_group.empty()) {
    review.fault(
        "broker.lease",
        "cannot be combined with broker.share_group, whose members all serve the same things",
        "set only one of the two");
  }
}

/// A 3.1.1 broker need not accept more (MQTT 3.1.1, section 3.1.3.1); nearly all do.
void check_client_id(Review& review) {
  constexpr std::size_t always_taken = 23;
  const auto& broker = review.configuration.broker;
  if (broker.protocol != MqttProtocol::v3_1_1 || broker.client_id.size() <= always_taken) return;
  review.warn("broker.client_id",
              "is longer than the " + std::to_string(always_taken) +
                  " bytes that every MQTT 3.1.1 broker accepts",
              "use a shorter one, unless your broker is known to accept it");
}

/// If the build has only one MQTT library, it need not be configured.
void choose_library(Review& review) {
  auto& library = review.configuration.broker.library;
  const auto is_built = [](MqttLibrary which) {
    return which == MqttLibrary::paho ? JOBS_BRIDGE_HAS_PAHO : JOBS_BRIDGE_HAS_MOSQUITTO;
  };
  if (is_built(library)) return;
  if (review.is_given("broker.library")) {
    review.fault("broker.library",
                 "this program was built without " + quote(review.text("broker.library")),
                 "remove this key, or install a package with both libraries");
  }
  library = library == MqttLibrary::paho ? MqttLibrary::mosquitto : MqttLibrary::paho;
}

void check_broker(Review& review) {
  choose_library(review);
  const auto& broker = review.configuration.broker;
  check_tls_files(review, "broker", broker.urls, "mqtts");
  const bool has_password = !review.text("broker.password_file").empty();
  const bool has_username = !review.text("broker.username").empty();
  if (has_password && !has_username && review.have_no_fault({"broker.username"})) {
    review.fault("broker.password_file", "is set without broker.username", "set broker.username");
  }
  const auto tells_all = [](const Url& url) {
    return url.scheme == "mqtt" && !is_loopback(url.host);
  };
  if ((has_password || has_username) && !broker.allow_plaintext &&
      std::ranges::any_of(broker.urls, tells_all) &&
      review.have_no_fault({"broker.url", "broker.allow_plaintext"})) {
    review.fault("broker.url", "would send broker.username and the password in plain text",
                 "use mqtts://, or set broker.allow_plaintext = true");
  }
  check_share_group(review);
  check_lease(review);
  check_client_id(review);
}

void check_proxy(Review& review) {
  const auto& endpoint = review.configuration.endpoint;
  if (!review.have_no_fault({"endpoint.proxy"})) return;
  const bool has_password = !review.text("endpoint.proxy_password_file").empty();
  if (has_password && (!endpoint.proxy || endpoint.proxy->username.empty())) {
    review.fault("endpoint.proxy_password_file", "is set, but endpoint.proxy names no user",
                 "set endpoint.proxy = \"http://user@host:port\"");
  }
  if (endpoint.proxy && !endpoint.proxy->username.empty() && !has_password) {
    review.fault("endpoint.proxy", "names a user, but no password is set",
                 "set endpoint.proxy_password_file");
  }
  if (!endpoint.no_proxy.empty() && !endpoint.proxy) {
    review.warn("endpoint.no_proxy", "has no effect: endpoint.proxy is empty",
                "remove this key, or set endpoint.proxy");
  }
}

void check_endpoint(Review& review) {
  const auto& endpoint = review.configuration.endpoint;
  check_tls_files(review, "endpoint", {endpoint.url}, "https");
  if (review.text("endpoint.url").find(region_placeholder) != std::string::npos &&
      endpoint.region.empty() && review.have_no_fault({"endpoint.url", "endpoint.region"})) {
    review.fault("endpoint.region", "is empty, but endpoint.url contains {region}",
                 "set it to the endpoint's region, such as \"eu-central-1\"");
  }
  for (const auto* key : {"endpoint.fips", "endpoint.dualstack"}) {
    if (review.text(key) != "true" || !review.is_given("endpoint.url")) continue;
    review.warn(key, "has no effect: endpoint.url is set", "remove one of the two");
  }
  if (!review.is_given("endpoint.url") && is_isolated(endpoint.region)) {
    review.fault("endpoint.region",
                 "is in an AWS partition whose endpoints the bridge does not know",
                 "set endpoint.url");
  }
  check_proxy(review);
  if (endpoint.url.scheme == "http" && !is_loopback(endpoint.url.host) &&
      !endpoint.allow_plaintext &&
      review.have_no_fault({"endpoint.url", "endpoint.allow_plaintext"})) {
    review.fault("endpoint.url", "is plain http:// to another host",
                 "use https://, or set endpoint.allow_plaintext = true");
  }
}

void check_limits(Review& review) {
  const auto& limits = review.configuration.limits;
  if (review.have_no_fault({"limits.queue", "limits.queue_per_thing"}) &&
      limits.queue_per_thing > limits.queue) {
    review.fault(
        review.is_given("limits.queue_per_thing") ? "limits.queue_per_thing" : "limits.queue",
        "queue_per_thing (" + std::to_string(limits.queue_per_thing) + ") is larger than queue (" +
            std::to_string(limits.queue) + ")",
        "set queue_per_thing to at most queue");
  }
}

/// A file that is made if it is not there.
void check_directory(Review& review, std::string_view key) {
  const auto& path = review.text(key);
  if (!review.have_no_fault({key}) || files::has_directory(path)) return;
  const auto directory = std::filesystem::path(path).parent_path().string();
  review.fault(key, "the directory " + printable(directory) + " does not exist",
               "create the directory, or name a file in one that exists");
}

void check_notify(Review& review) {
  const auto& notify = review.configuration.notify;
  check_directory(review, "notify.path");
  if (!notify.path.empty() && notify.path == review.text("journal.path")) {
    review.fault("notify.path", "is the same file as journal.path", "use a separate file");
  }
  if (!review.have_no_fault({"notify.enabled"})) return;
  if (!notify.enabled) {
    if (!notify.path.empty()) {
      review.warn("notify.path", "has no effect: notify.enabled is false",
                  "set notify.enabled = true, or remove this key");
    }
    return;
  }
  if (review.have_no_fault({"notify.things", "notify.max_things"}) &&
      notify.things.size() > notify.max_things) {
    review.fault(review.is_given("notify.max_things") ? "notify.max_things" : "notify.things",
                 "things has " + std::to_string(notify.things.size()) +
                     " entries, more than max_things (" + std::to_string(notify.max_things) + ")",
                 "raise max_things, or shorten the list");
  }
  if (review.is_given("notify.idle_interval") &&
      review.have_no_fault({"notify.interval", "notify.idle_interval"}) &&
      notify.idle_interval < notify.interval) {
    review.warn("notify.idle_interval", "has no effect: it is shorter than notify.interval",
                "set it to notify.interval or more");
  }
  if (review.have_no_fault({"notify.interval", "notify.watch_for"}) &&
      notify.watch_for < notify.interval) {
    review.warn(review.is_given("notify.watch_for") ? "notify.watch_for" : "notify.interval",
                "watch_for is shorter than interval, so some things may never be polled for",
                "set watch_for to interval or more");
  }
}

void check_admin(Review& review) {
  const auto& admin = review.configuration.admin;
  if (!review.have_no_fault({"admin.listen", "admin.token_file"})) return;
  const bool has_token = !admin.token_file.empty();
  if (!admin.listen) {
    if (has_token) {
      review.warn("admin.token_file", "has no effect: admin.listen is empty",
                  "remove this key, or set admin.listen");
    }
    return;
  }
  if (!has_token && !is_loopback(admin.listen->host)) {
    review.fault(
        "admin.listen", "can be reached from other machines, but admin.token_file is not set",
        "set admin.token_file, or listen on \"127.0.0.1:" + std::to_string(admin.listen->port) +
            "\"");
  }
}

}  // namespace

void check_relations(Review& review) {
  check_broker(review);
  check_endpoint(review);
  check_limits(review);
  check_directory(review, "journal.path");
  check_notify(review);
  check_admin(review);
}

}  // namespace jobs_bridge::config
