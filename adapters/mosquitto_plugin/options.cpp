#include "adapters/mosquitto_plugin/options.h"

#include <optional>

namespace jobs_bridge::mosquitto_plugin {

Result<Options, std::string> read_options(const std::vector<OptionLine>& lines) {
  std::optional<std::string_view> base;
  std::optional<bool> also_subscribers;
  std::set<std::string, std::less<>> bridges;
  for (const auto& [name, value] : lines) {
    const auto line = "plugin_opt_" + std::string(name);
    if (name == "topics_base") {
      if (base) return Failure{line + " is given twice"};
      base = value;
    } else if (name == "bridge") {
      bridges.emplace(value);
    } else if (name == "also_subscribers") {
      if (also_subscribers) return Failure{line + " is given twice"};
      if (value != "true" && value != "false") {
        return Failure{line + " is \"" + std::string(value) + "\"; it must be true or false"};
      }
      also_subscribers = value == "true";
    } else {
      return Failure{"unknown option " + line +
                     "; there are plugin_opt_bridge, plugin_opt_topics_base and "
                     "plugin_opt_also_subscribers"};
    }
  }
  auto grammar = TopicGrammar::from_base(base.value_or("$aws/things/{thing}/jobs"));
  if (!grammar) return Failure{"plugin_opt_topics_base " + grammar.error()};
  if (bridges.empty()) bridges.emplace("jobs-bridge");
  return Options{.grammar = std::move(grammar).value(),
                 .bridges = std::move(bridges),
                 .also_subscribers = also_subscribers.value_or(false)};
}

}  // namespace jobs_bridge::mosquitto_plugin
