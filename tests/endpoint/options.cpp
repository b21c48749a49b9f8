#include "tests/endpoint/options.h"

#include <CLI/CLI.hpp>
#include <charconv>
#include <string_view>
#include <utility>
#include <variant>

namespace jobs_endpoint {
namespace {

constexpr int wrong_usage = 2;

/// Nothing: it is no HOST:PORT.
std::optional<std::pair<std::string, std::uint16_t>> parse_address(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos || colon == 0) return std::nullopt;
  std::string host = text.substr(0, colon);
  if (host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string::npos) {
    return std::nullopt;
  }
  std::uint16_t port = 0;
  const char* end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data() + colon + 1, end, port);
  if (host.empty() || error != std::errc() || stopped != end) return std::nullopt;
  return std::pair(host, port);
}

void require(bool holds, const char* option, const std::string& problem) {
  if (!holds) throw CLI::ValidationError(option, problem);
}

}  // namespace

CommandLine parse_command_line(int count, const char* const* arguments) {
  CLI::App app(
      "The Jobs endpoint of AWS IoT as a local program: data plane and control plane, in "
      "memory.",
      "jobs-endpoint");
  Options options;
  std::string listen = "127.0.0.1:0";
  std::vector<std::string> fleets;
  app.set_version_flag("--version", "jobs-endpoint " JOBS_ENDPOINT_VERSION);
  app.add_option("--listen", listen, "Address and port; port 0 lets the kernel choose")
      ->type_name("HOST:PORT")
      ->capture_default_str();
  app.add_option("--things", fleets,
                 "Queue JOBS jobs for each of the things PREFIX-1 to PREFIX-COUNT; may be repeated")
      ->type_name("PREFIX:COUNT:JOBS");
  app.add_flag("--strict-things", options.endpoint.operations.strict_things,
               "Things that no job was ever created for are not found");
  app.add_flag("--reject-terminal-describe", options.endpoint.operations.reject_terminal_describe,
               "Answer a describe of a finished execution with TerminalStateException");
  app.add_flag("--envelope", options.endpoint.envelope,
               "Answer the data plane in the shape {\"success\": ..., \"data\": ...}");
  app.add_option("--time-scale", options.endpoint.time_scale,
                 "Run timers this many times faster; 60 makes a minute last a second")
      ->type_name("FACTOR")
      ->capture_default_str();
  app.add_option("--reads-per-second", options.endpoint.reads_per_second,
                 "Throttle describe and get together; 0: no limit")
      ->type_name("N")
      ->capture_default_str();
  app.add_option("--writes-per-second", options.endpoint.writes_per_second,
                 "Throttle start-next and update together; 0: no limit")
      ->type_name("N")
      ->capture_default_str();
  TlsFiles& tls = options.server.tls;
  auto* certificate =
      app.add_option("--tls-cert", tls.certificate, "Serve HTTPS with this certificate chain (PEM)")
          ->type_name("FILE");
  auto* key = app.add_option("--tls-key", tls.private_key, "The certificate's private key (PEM)")
                  ->type_name("FILE");
  certificate->needs(key);
  key->needs(certificate);
  app.add_option("--client-ca", tls.client_ca,
                 "Require a client certificate issued by one of these authorities (PEM)")
      ->type_name("FILE")
      ->needs(certificate);

  std::vector<std::string> keys;
  app.add_option("--sigv4", keys, "Every call must be signed with this key; may be repeated")
      ->type_name("ACCESS_KEY:SECRET[:TOKEN]");
  std::int64_t lifetime = 0;
  auto* credentials =
      app.add_option("--credentials", lifetime,
                     "Also be the AWS IoT credential provider: issue credentials that last this "
                     "many seconds to clients with a certificate, and require signatures")
          ->type_name("SECONDS")
          ->needs(certificate);
  app.add_option("--region", options.endpoint.region, "The region that signatures must be for")
      ->type_name("NAME");
  std::int64_t clock_offset = 0;
  app.add_option("--clock-offset", clock_offset,
                 "Set the emulator's clock this many seconds ahead of this machine's")
      ->type_name("SECONDS");

  CommandLine line;
  try {
    app.parse(count, arguments);
    const auto address = parse_address(listen);
    require(address.has_value(), "--listen", "'" + listen + "' is not of the form HOST:PORT");
    std::tie(options.server.host, options.server.port) = *address;
    require(options.endpoint.time_scale > 0 && options.endpoint.time_scale <= 1e6, "--time-scale",
            "must be above 0 and at most 1000000");
    require(options.endpoint.reads_per_second >= 0, "--reads-per-second", "must not be negative");
    require(options.endpoint.writes_per_second >= 0, "--writes-per-second", "must not be negative");
    for (const std::string& text : keys) {
      auto parsed = parse_key(text);
      // The text holds a secret, so the complaint does not repeat it.
      require(parsed.has_value(), "--sigv4", "not of the form ACCESS_KEY:SECRET[:TOKEN]");
      options.endpoint.keys.push_back(*std::move(parsed));
    }
    if (credentials->count() > 0) {
      require(lifetime >= 1 && lifetime <= 43200, "--credentials", "must be from 1 to 43200");
      require(!tls.client_ca.empty(), "--credentials", "requires --client-ca");
      options.endpoint.credentials_lifetime = std::chrono::seconds(lifetime);
      tls.client_may_be_unknown = true;
    }
    options.clock_offset = std::chrono::seconds(clock_offset);
    for (const std::string& text : fleets) {
      auto fleet = parse_fleet(text);
      if (const auto* problem = std::get_if<std::string>(&fleet)) {
        throw CLI::ValidationError("--things", *problem);
      }
      options.fleets.push_back(std::get<Fleet>(std::move(fleet)));
    }
    line.options = std::move(options);
  } catch (const CLI::CallForHelp&) {
    line.output = app.help();
  } catch (const CLI::CallForVersion& version) {
    line.output = std::string(version.what()) + "\n";
  } catch (const CLI::ParseError& error) {
    line.complaint = std::string("jobs-endpoint: ") + error.what() +
                     "\nRun jobs-endpoint --help for more information.\n";
    line.exit_status = wrong_usage;
  }
  return line;
}

}  // namespace jobs_endpoint
