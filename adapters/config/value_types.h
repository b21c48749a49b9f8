#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "adapters/config/key.h"
#include "bridge/text/ascii.h"

/// The value types of keys.
namespace jobs_bridge::config {

/// The member of a Configuration that a value is stored in.
template <typename T>
using Target = std::function<T&(Configuration&)>;

/// A string that `check` accepts; `rule` describes what it accepts.
ValueType text(Target<std::string> target, std::string rule,
               std::function<bool(const std::string&)> check);

/// A list of strings that `check` accepts.
ValueType list(Target<std::vector<std::string>> target, std::string rule,
               std::function<bool(const std::string&)> check);

/// The type of values that may hold `{hostname}` and `{ordinal}`.
ValueType host_specific(ValueType type);

/// The name of a file, or nothing; it may hold `{hostname}` and `{ordinal}`.
ValueType file(Target<std::string> target, FileUse use = FileUse::read);

ValueType boolean(Target<bool> target);

ValueType integer(Target<std::uint64_t> target, std::uint64_t least, std::uint64_t most);

/// A number above 0, at most 1.
ValueType share(Target<double> target);

/// A multiple of `step`. The bounds are written like values.
ValueType duration(Target<std::chrono::milliseconds> target, std::string_view least,
                   std::string_view most, std::string_view step = "1ms");

ValueType size(Target<std::uint64_t> target, std::string_view least, std::string_view most);

ValueType url(Target<Url> target, std::string_view plain_scheme, std::string_view tls_scheme);

/// The same for one or more URLs.
ValueType urls(Target<std::vector<Url>> target, std::string_view plain_scheme,
               std::string_view tls_scheme);

/// `http://[user@]host:port`, or nothing.
ValueType proxy(Target<std::optional<Url>> target);

/// `host[:port]` of a server that speaks HTTPS, or nothing.
ValueType https_host(Target<std::optional<Url>> target);

/// `host:port`, or nothing.
ValueType listen_address(Target<std::optional<ListenAddress>> target);

/// What parse_partition() accepts, or a list of these, of which choose_partition() keeps one.
ValueType partition(Target<Partition> target);

/// A base that TopicGrammar accepts.
ValueType topic_base(Target<std::string> target);

/// The problem that choice() reports for a value that is not one of `names`.
Problem not_a_choice(std::string_view value, const std::vector<std::string_view>& names);

/// `"a", "b" or "c"`
std::string enumerate(const std::vector<std::string_view>& names);

/// One of a few names, in any case; `synonyms` are accepted too, but not listed in messages.
template <typename T>
ValueType choice(Target<T> target, std::initializer_list<std::pair<std::string_view, T>> choices,
                 std::initializer_list<std::pair<std::string_view, T>> synonyms = {}) {
  std::vector<std::string_view> names;
  for (const auto& [name, value] : choices) names.push_back(name);
  std::vector<std::pair<std::string_view, T>> known(choices);
  known.insert(known.end(), synonyms);
  return {.kind = ValueKind::text,
          .range = enumerate(names),
          .assign = [target = std::move(target), known, names](
                        Configuration& configuration,
                        const std::string& value) -> std::optional<Problem> {
            const auto found = std::find_if(known.begin(), known.end(), [&](const auto& candidate) {
              return equal_ignoring_case(candidate.first, value);
            });
            if (found == known.end()) return not_a_choice(value, names);
            target(configuration) = found->second;
            return std::nullopt;
          }};
}

}  // namespace jobs_bridge::config
