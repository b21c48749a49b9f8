#include "adapters/config/value_types.h"

#include <algorithm>

#include "adapters/config/nearest.h"
#include "adapters/config/partition_list.h"
#include "adapters/config/quantity.h"
#include "adapters/config/quote.h"
#include "bridge/jobs/topic.h"
#include "bridge/text/parse_number.h"

namespace jobs_bridge::config {
namespace {

std::string between(std::string_view least, std::string_view most) {
  return std::string(least) + " to " + std::string(most);
}

Failure<Problem> wrong(std::string_view value, std::string_view what, std::string_view expected) {
  return {{.message = quote(value).append(" ").append(what),
           .hint = std::string("expected ").append(expected)}};
}

/// The type of the values that `parse` (string to Result<T, Problem>) takes.
template <typename T, typename Parse>
ValueType value_type(ValueKind kind, std::string range, Target<T> target, Parse parse) {
  return {.kind = kind,
          .range = std::move(range),
          .assign = [target = std::move(target), parse = std::move(parse)](
                        Configuration& configuration,
                        const std::string& value) -> std::optional<Problem> {
            Result<T, Problem> parsed = parse(value);
            if (!parsed) return parsed.error();
            target(configuration) = *std::move(parsed);
            return std::nullopt;
          }};
}

/// A broker closes the connection upon a subscription that it finds too long: mosquitto accepts 200
/// levels, and MQTT 65,535 bytes for a whole topic, of which the names and verbs of Jobs take the
/// smaller part.
constexpr std::size_t max_base = 1024;
constexpr std::size_t max_levels = 100;
constexpr const char* base_bounds = "at most 1024 bytes and 100 levels";

std::size_t levels_of(std::string_view topic) {
  return static_cast<std::size_t>(std::count(topic.begin(), topic.end(), '/')) + 1;
}

std::uint64_t size_of(std::string_view constant) {
  return parse_size(constant).value();
}

std::chrono::milliseconds duration_of(std::string_view constant) {
  return parse_duration(constant).value();
}

struct UrlForm {
  std::string plain_scheme;
  std::string tls_scheme;
  [[nodiscard]] std::string text() const {
    return plain_scheme + "://host[:port] or " + tls_scheme + "://host[:port]";
  }
  [[nodiscard]] Result<Url, Problem> parse(const std::string& value) const {
    const auto parsed = parse_url(value, {plain_scheme, tls_scheme});
    if (!parsed) return Failure{Problem{.message = parsed.error(), .hint = "expected " + text()}};
    return *parsed;
  }
};

}  // namespace

std::string enumerate(const std::vector<std::string_view>& names) {
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) text += i + 1 == names.size() ? " or " : ", ";
    text.append("\"").append(names[i]).append("\"");
  }
  return text;
}

Problem not_a_choice(std::string_view value, const std::vector<std::string_view>& names) {
  std::string expected = enumerate(names);
  if (const auto meant = nearest(value, names); meant && !value.empty()) {
    expected.append("; did you mean \"").append(*meant).append("\"?");
  }
  return wrong(value, "is not a known value", expected).error;
}

ValueType text(Target<std::string> target, std::string rule,
               std::function<bool(const std::string&)> check) {
  return value_type(
      ValueKind::text, rule, std::move(target),
      [rule, check = std::move(check)](const std::string& value) -> Result<std::string, Problem> {
        if (!check(value)) return wrong(value, "is not valid", rule);
        return value;
      });
}

ValueType list(Target<std::vector<std::string>> target, std::string rule,
               std::function<bool(const std::string&)> check) {
  std::string range = "a list; each element: " + rule;
  return {.kind = ValueKind::list,
          .range = std::move(range),
          .assign = [target = std::move(target), rule = std::move(rule), check = std::move(check)](
                        Configuration& configuration,
                        const std::string& value) -> std::optional<Problem> {
            if (!check(value)) return wrong(value, "is not valid", rule).error;
            target(configuration).push_back(value);
            return std::nullopt;
          }};
}

ValueType file(Target<std::string> target, FileUse use) {
  auto type =
      value_type(ValueKind::text, {}, std::move(target),
                 [](const std::string& value) -> Result<std::string, Problem> { return value; });
  type.file = use;
  return host_specific(std::move(type));
}

ValueType host_specific(ValueType type) {
  type.host_placeholders = true;
  return type;
}

ValueType boolean(Target<bool> target) {
  return value_type(ValueKind::boolean, "true or false", std::move(target),
                    [](const std::string& value) -> Result<bool, Problem> {
                      if (value == "true") return true;
                      if (value == "false") return false;
                      return wrong(value, "is neither true nor false", "true or false");
                    });
}

ValueType integer(Target<std::uint64_t> target, std::uint64_t least, std::uint64_t most) {
  const std::string range = between(std::to_string(least), std::to_string(most));
  return value_type(
      ValueKind::integer, range, std::move(target),
      [range, least, most](const std::string& value) -> Result<std::uint64_t, Problem> {
        const auto number = parse_number<std::uint64_t>(value);
        if (!number || *number < least || *number > most) {
          return wrong(value, "is not a whole number in range", range);
        }
        return *number;
      });
}

ValueType share(Target<double> target) {
  const std::string range = "a number above 0 and at most 1";
  return value_type(ValueKind::real, range, std::move(target),
                    [range](const std::string& value) -> Result<double, Problem> {
                      const auto number = parse_number<double>(value);
                      if (number && *number > 0 && *number <= 1) return *number;
                      return wrong(value, "is not a number in range", range);
                    });
}

ValueType duration(Target<std::chrono::milliseconds> target, std::string_view least,
                   std::string_view most, std::string_view step) {
  const std::string range =
      between(least, most) + (step == "1ms" ? "" : " in steps of " + std::string(step));
  return value_type(
      ValueKind::text, range, std::move(target),
      [range, low = duration_of(least), high = duration_of(most), step = duration_of(step)](
          const std::string& value) -> Result<std::chrono::milliseconds, Problem> {
        const auto parsed = parse_duration(value);
        if (!parsed) return wrong(value, "is not a duration", range + ": " + parsed.error());
        if (*parsed < low || *parsed > high || *parsed % step != step.zero()) {
          return wrong(value, "is out of range", range);
        }
        return *parsed;
      });
}

ValueType size(Target<std::uint64_t> target, std::string_view least, std::string_view most) {
  const std::string range = between(least, most);
  return value_type(ValueKind::text, range, std::move(target),
                    [range, low = size_of(least), high = size_of(most)](
                        const std::string& value) -> Result<std::uint64_t, Problem> {
                      const auto parsed = parse_size(value);
                      if (!parsed) {
                        return wrong(value, "is not a size", range + ": " + parsed.error());
                      }
                      if (*parsed < low || *parsed > high)
                        return wrong(value, "is out of range", range);
                      return *parsed;
                    });
}

ValueType url(Target<Url> target, std::string_view plain_scheme, std::string_view tls_scheme) {
  const UrlForm form{std::string(plain_scheme), std::string(tls_scheme)};
  return value_type(ValueKind::text, form.text(), std::move(target),
                    [form](const std::string& value) { return form.parse(value); });
}

ValueType urls(Target<std::vector<Url>> target, std::string_view plain_scheme,
               std::string_view tls_scheme) {
  const UrlForm form{std::string(plain_scheme), std::string(tls_scheme)};
  return {.kind = ValueKind::text_or_list,
          .range = form.text() + ", or a list of these",
          .assign = [target = std::move(target), form](
                        Configuration& configuration,
                        const std::string& value) -> std::optional<Problem> {
            auto parsed = form.parse(value);
            if (!parsed) return parsed.error();
            target(configuration).push_back(*std::move(parsed));
            return std::nullopt;
          }};
}

ValueType proxy(Target<std::optional<Url>> target) {
  const std::string form = "http://[user@]host:port";
  return value_type(
      ValueKind::text, form, std::move(target),
      [form](const std::string& value) -> Result<std::optional<Url>, Problem> {
        if (value.empty()) return std::optional<Url>();
        const auto parsed = parse_url(value, {"http"}, true);
        if (!parsed) {
          return Failure{Problem{.message = parsed.error(), .hint = "expected " + form}};
        }
        return std::optional(*parsed);
      });
}

ValueType https_host(Target<std::optional<Url>> target) {
  return value_type(ValueKind::text, "host[:port]", std::move(target),
                    [](const std::string& value) -> Result<std::optional<Url>, Problem> {
                      if (value.empty()) return std::optional<Url>();
                      const auto parsed = parse_url("https://" + value, {"https"});
                      if (!parsed) {
                        return wrong(value, parsed.error(), "host[:port], without https://");
                      }
                      return std::optional(*parsed);
                    });
}

ValueType listen_address(Target<std::optional<ListenAddress>> target) {
  return value_type(ValueKind::text, "host:port", std::move(target),
                    [](const std::string& value) -> Result<std::optional<ListenAddress>, Problem> {
                      if (value.empty()) return std::optional<ListenAddress>();
                      const auto parsed = parse_listen_address(value);
                      if (!parsed) {
                        return wrong(
                            value, parsed.error(),
                            "host:port, such as \"127.0.0.1:9464\", or \"\" to turn it off");
                      }
                      return std::optional(*parsed);
                    });
}

ValueType partition(Target<Partition> target) {
  return host_specific(value_type(ValueKind::text_or_list,
                                  std::string(partition_form) + "; or a list of these",
                                  std::move(target), parse_partition));
}

ValueType topic_base(Target<std::string> target) {
  const std::string form = "a topic without wildcards, one level of which is {thing}";
  return value_type(ValueKind::text, form, std::move(target),
                    [form](const std::string& value) -> Result<std::string, Problem> {
                      if (value.size() > max_base || levels_of(value) > max_levels) {
                        return wrong(value, "is too long", base_bounds);
                      }
                      const auto grammar = TopicGrammar::from_base(value);
                      if (grammar) return value;
                      return wrong(value, grammar.error(),
                                   form + ", such as \"$aws/things/{thing}/jobs\"");
                    });
}

}  // namespace jobs_bridge::config
