#include "tests/load/options.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <fstream>
#include <map>
#include <string_view>

namespace jobs_load {
namespace {

constexpr int wrong_usage = 2;

const std::map<std::string, Operation>& operations() {
  static const std::map<std::string, Operation> all{{"start-next", Operation::start_next},
                                                    {"get", Operation::get},
                                                    {"describe-next", Operation::describe_next},
                                                    {"describe", Operation::describe},
                                                    {"update", Operation::update}};
  return all;
}

void require(bool holds, const char* option, const std::string& problem) {
  if (!holds) throw CLI::ValidationError(option, problem);
}

/// mqtt://HOST[:PORT] or mqtts://HOST[:PORT]; false: it is neither.
bool take_url(std::string_view url, Broker& broker) {
  constexpr std::string_view plain = "mqtt://";
  constexpr std::string_view tls = "mqtts://";
  broker.tls = url.starts_with(tls);
  if (!broker.tls && !url.starts_with(plain)) return false;
  url.remove_prefix(broker.tls ? tls.size() : plain.size());
  if (url.ends_with('/')) url.remove_suffix(1);
  broker.port = broker.tls ? 8883 : 1883;
  const bool bracketed = url.starts_with('[');
  const auto host_end = bracketed ? url.find(']') : url.find(':');
  auto host = url.substr(0, host_end);
  if (bracketed) {
    if (host_end == std::string_view::npos) return false;
    host.remove_prefix(1);
  }
  url.remove_prefix(std::min(url.size(), host_end + (bracketed ? 1 : 0)));
  broker.host = host;
  if (host.empty()) return false;
  if (url.empty()) return true;
  if (url.front() != ':') return false;
  url.remove_prefix(1);
  const char* end = url.data() + url.size();
  const auto [stopped, error] = std::from_chars(url.data(), end, broker.port);
  return error == std::errc() && stopped == end && broker.port != 0;
}

/// TOPIC, below which there are things with their jobs, or a topic of jobs with {thing} in it.
std::pair<std::string, std::string> split_topic(const std::string& base) {
  constexpr std::string_view thing = "{thing}";
  require(!base.empty() && base.find_first_of("+#") == std::string::npos &&
              !base.starts_with('/') && !base.ends_with('/'),
          "--base", "'" + base + "' is no topic that requests can begin with");
  const auto found = base.find(thing);
  if (found == std::string::npos) return {base + "/", "/jobs"};
  return {base.substr(0, found), base.substr(found + thing.size())};
}

bool has_only(const std::string& text, std::string_view others) {
  return std::all_of(text.begin(), text.end(), [&](char letter) {
    return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
           (letter >= '0' && letter <= '9') || others.find(letter) != std::string_view::npos;
  });
}

/// A year: no clock's arithmetic overflows.
constexpr double longest = 365.0 * 24 * 3600;

void require_time(double seconds, double least, const char* option) {
  // Written so that what is not a number fails.
  require(seconds >= least && seconds <= longest, option,
          least > 0 ? "must be positive, and a year at most" : "must be from 0 to a year");
}

/// The password is read from a file, so that `ps` shows none.
std::string read_password(const std::string& path) {
  std::ifstream file(path);
  std::string password;
  require(file && std::getline(file, password), "--password-file", "cannot read " + path);
  return password;
}

void review(const Options& options) {
  require(options.connections <= options.things, "--connections", "more than there are things");
  require(options.rate == 0 || (options.rate >= 0.001 && options.rate <= 1e6), "--rate",
          "must be from 0.001 to 1000000");
  require(options.rate > 0 || options.in_flight <= options.things, "--in-flight",
          "more than there are things, of which each has one request under way at a time");
  constexpr double positive = 1e-3;
  require_time(options.warm_up.count(), 0, "--warm-up");
  require_time(options.duration.count(), positive, "--duration");
  require_time(options.patience.count(), positive, "--patience");
  require_time(options.progress.count(), 0, "--progress");
  require(
      has_only(options.prefix, ":_-"), "--prefix",
      "'" + options.prefix + "': the name of a thing has letters, digits, ':', '_' and '-' only");
  require(options.prefix.size() + std::to_string(options.things).size() <= 128, "--prefix",
          "the name of a thing would have more than 128 characters");
  require(has_only(options.job, "_-") && options.job.size() <= 64, "--job",
          "'" + options.job + "': a job id has up to 64 letters, digits, '_' and '-' only");
  const auto& broker = options.broker;
  require(broker.tls || (broker.ca_file.empty() && broker.certificate_file.empty()), "--broker",
          "certificates are for mqtts:// only");
  const bool about_a_job =
      std::any_of(options.operations.begin(), options.operations.end(), [](Operation operation) {
        return operation == Operation::describe || operation == Operation::update;
      });
  require(!about_a_job || !options.job.empty(), "--job", "needed for describe and update");
  require(!options.reconnect || options.rate > 0, "--reconnect", "needs --rate");
  require(!options.reconnect || options.qos == 1, "--reconnect", "needs --qos 1");
}

}  // namespace

const char* to_string(Operation operation) {
  for (const auto& [name, value] : operations()) {
    if (value == operation) return name.c_str();
  }
  return "";
}

CommandLine parse_command_line(int count, const char* const* arguments) {
  CLI::App app(
      "Devices by the thousand that ask for jobs over MQTT: measures a gateway.\n"
      "The default is a closed loop: a fixed number of requests is under way, and each reply sends "
      "the next.\nWith --rate it is an open loop: requests are due at a steady rate, and latencies "
      "run from when they were due.",
      "jobs-load");
  app.footer(
      "Exit status: 0 every request had its reply, 1 some had none or the broker is lost, "
      "2 wrong usage.");
  Options options;
  std::string url = "mqtt://127.0.0.1:1883";
  std::string protocol = "5";
  std::string password_file;
  std::string base = "$aws/things";
  double warm_up = options.warm_up.count();
  double duration = options.duration.count();
  double patience = options.patience.count();
  double progress = options.progress.count();
  app.set_version_flag("--version", "jobs-load " JOBS_LOAD_VERSION);
  app.add_option("--broker", url, "The broker")
      ->type_name("mqtt[s]://HOST:PORT")
      ->capture_default_str();
  app.add_option("--protocol", protocol, "MQTT version")
      ->check(CLI::IsMember({"5", "3.1.1"}))
      ->type_name("5|3.1.1")
      ->capture_default_str();
  app.add_option("--ca-file", options.broker.ca_file, "Authorities to trust (PEM)")
      ->check(CLI::ExistingFile.description(""))
      ->type_name("FILE");
  auto* certificate =
      app.add_option("--cert-file", options.broker.certificate_file, "Client certificate (PEM)")
          ->check(CLI::ExistingFile.description(""))
          ->type_name("FILE");
  auto* key = app.add_option("--key-file", options.broker.private_key_file, "Its key (PEM)")
                  ->check(CLI::ExistingFile.description(""))
                  ->type_name("FILE");
  certificate->needs(key);
  key->needs(certificate);
  auto* username = app.add_option("--username", options.broker.username, "User name at the broker")
                       ->type_name("NAME");
  app.add_option("--password-file", password_file, "The file whose first line is the password")
      ->type_name("FILE")
      ->needs(username);
  app.add_option(
         "--base", base,
         "The beginning of topics: the things' topic, or that of their jobs with {thing} in it")
      ->type_name("TOPIC")
      ->capture_default_str();
  app.add_option("--things", options.things, "How many devices: PREFIX1, PREFIX2, ...")
      ->check(CLI::Range(1LL, 10'000'000LL).description(""))
      ->type_name("N")
      ->capture_default_str();
  app.add_option("--prefix", options.prefix, "The beginning of their names")
      ->type_name("NAME")
      ->capture_default_str();
  auto* connections =
      app.add_option("--connections", options.connections, "Connections that the devices share")
          ->check(CLI::Range(1LL, 1000LL).description(""))
          ->type_name("N")
          ->capture_default_str();
  app.add_option("--qos", options.qos, "QoS of requests and subscriptions")
      ->check(CLI::Range(0, 1))
      ->type_name("0|1")
      ->capture_default_str();
  app.add_option("--operation", options.operations,
                 "What they ask for; of several, one at random each time (default: start-next)")
      ->delimiter(',')
      // Its own description is the names again, with the numbers that they stand for.
      ->transform(CLI::CheckedTransformer(operations()).description(""))
      ->type_name("start-next|get|describe-next|describe|update");
  app.add_option("--job", options.job, "The job that describe and update name")->type_name("JOB");
  app.add_option("--rate", options.rate, "Open loop: this many requests a second are due")
      ->type_name("N");
  auto* in_flight = app.add_option("--in-flight", options.in_flight,
                                   "Closed loop: this many requests are always under way")
                        ->check(CLI::Range(1LL, 10'000'000LL).description(""))
                        ->type_name("N")
                        ->capture_default_str();
  app.add_option("--warm-up", warm_up, "Run this long before measuring")
      ->type_name("SECONDS")
      ->capture_default_str();
  app.add_option("--duration", duration, "Measure this long")
      ->type_name("SECONDS")
      ->capture_default_str();
  app.add_option("--requests", options.requests,
                 "Measure this many requests, however long it takes")
      ->check(CLI::Range(1LL, 1'000'000'000'000LL).description(""))
      ->type_name("N");
  app.add_option("--patience", patience, "A reply that takes longer counts as lost")
      ->type_name("SECONDS")
      ->capture_default_str();
  app.add_option("--seed", options.seed,
                 "Seed of the order in which an open loop's devices ask, and of what they ask")
      ->type_name("N")
      ->capture_default_str();
  app.add_flag("--reconnect", options.reconnect,
               "Continue after a loss of the broker: reconnect to the same session; meanwhile its "
               "devices ask nothing");
  app.add_option(
         "--progress", progress,
         "Print a line of JSON at this interval, and one for each reply that is overdue or late")
      ->type_name("SECONDS");
  app.add_flag("--json", options.json, "Print the result as JSON");

  CommandLine line;
  try {
    app.parse(count, arguments);
    require(take_url(url, options.broker), "--broker",
            "'" + url + "' is not of the form mqtt://HOST:PORT or mqtts://HOST:PORT");
    options.broker.version_5 = protocol == "5";
    options.topic = split_topic(base);
    if (connections->count() == 0) {
      options.connections = std::min(options.connections, options.things);
    }
    if (in_flight->count() == 0) options.in_flight = std::min(options.in_flight, options.things);
    if (!password_file.empty()) options.broker.password = read_password(password_file);
    options.warm_up = std::chrono::duration<double>(warm_up);
    options.duration = std::chrono::duration<double>(duration);
    options.patience = std::chrono::duration<double>(patience);
    options.progress = std::chrono::duration<double>(progress);
    review(options);
    line.options = std::move(options);
  } catch (const CLI::CallForHelp&) {
    line.output = app.help();
  } catch (const CLI::CallForVersion& version) {
    line.output = std::string(version.what()) + "\n";
  } catch (const CLI::ParseError& error) {
    line.complaint = std::string("jobs-load: ") + error.what() +
                     "\nRun jobs-load --help for more information.\n";
    line.exit_status = wrong_usage;
  }
  return line;
}

}  // namespace jobs_load
