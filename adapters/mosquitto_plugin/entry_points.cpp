// What mosquitto calls: its plugin interface, version 5 (mosquitto_plugin.h, mosquitto_broker.h).

#include <dlfcn.h>
#include <mosquitto.h>
#include <mosquitto_broker.h>
#include <mosquitto_plugin.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "adapters/mosquitto_plugin/decision.h"
#include "adapters/mosquitto_plugin/plugin.h"
#include "adapters/mosquitto_plugin/property_list.h"

namespace {

using namespace jobs_bridge::mosquitto_plugin;

constexpr int interface_version = 5;
static_assert(MOSQ_PLUGIN_VERSION == interface_version,
              "these headers are of a mosquitto with another plugin interface");

void log_error(const std::string& what) {
  mosquitto_log_printf(MOSQ_LOG_ERR, "jobs-bridge-mosquitto: %s", what.c_str());
}

/// mosquitto 2.1 still accepts version 5, but calls plugins with other events, and treats what they
/// replace differently. It is recognised by a function that 2.0 does not have.
bool is_later_than_2_0() {
  return dlsym(RTLD_DEFAULT, "mosquitto_plugin_set_info") != nullptr ||
         dlsym(RTLD_DEFAULT, "mosquitto_client_port") != nullptr;
}

int on_message(int /*event*/, void* data, void* plugin) noexcept {
  try {
    static_cast<Plugin*>(plugin)->on_message(*static_cast<mosquitto_evt_message*>(data));
  } catch (...) {
    // No exception may leave this function; the only one possible is a lack of memory.
    mosquitto_log_printf(MOSQ_LOG_ERR, "jobs-bridge-mosquitto: out of memory");
  }
  return MOSQ_ERR_SUCCESS;
}

int on_disconnect(int /*event*/, void* data, void* plugin) noexcept {
  try {
    static_cast<Plugin*>(plugin)->on_disconnect(*static_cast<mosquitto_evt_disconnect*>(data));
  } catch (...) {
    mosquitto_log_printf(MOSQ_LOG_ERR, "jobs-bridge-mosquitto: out of memory");
  }
  return MOSQ_ERR_SUCCESS;
}

/// Of the broker that has loaded this.
ConnectedAskers& connected_askers() {
  static ConnectedAskers askers;
  return askers;
}

/// What the broker knows as one plugin, until it is destroyed.
class Loaded {
 public:
  Loaded(mosquitto_plugin_id_t* identifier, Options options)
      : identifier_(identifier), plugin_(std::move(options), connected_askers()) {}
  Loaded(const Loaded&) = delete;
  Loaded& operator=(const Loaded&) = delete;
  ~Loaded() {
    for (const auto& [event, callback] : registered_) {
      mosquitto_callback_unregister(identifier_, event, callback, nullptr);
    }
  }

  /// What mosquitto answers.
  int register_callbacks() {
    registered_.reserve(2);  // nothing may fail between registering a callback and storing it
    for (const auto& callback :
         {Callback{MOSQ_EVT_MESSAGE, &on_message}, Callback{MOSQ_EVT_DISCONNECT, &on_disconnect}}) {
      const int error = mosquitto_callback_register(identifier_, callback.first, callback.second,
                                                    nullptr, &plugin_);
      if (error != MOSQ_ERR_SUCCESS) return error;
      registered_.push_back(callback);
    }
    return MOSQ_ERR_SUCCESS;
  }

 private:
  using Callback = std::pair<int, MOSQ_FUNC_generic_callback>;

  mosquitto_plugin_id_t* const identifier_;
  Plugin plugin_;
  std::vector<Callback> registered_;
};

std::string list_of(const std::set<std::string, std::less<>>& names) {
  std::string list;
  for (const auto& name : names) (list += list.empty() ? "" : ", ") += name;
  return list;
}

int start(mosquitto_plugin_id_t* identifier, void** userdata, const mosquitto_opt* lines,
          int line_count) {
  std::vector<OptionLine> given;
  for (int i = 0; i < line_count; ++i) {
    given.emplace_back(lines[i].key, lines[i].value != nullptr ? lines[i].value : "");
  }
  auto options = read_options(given);
  if (!options) {
    log_error(options.error());
    return MOSQ_ERR_INVAL;
  }
  if (!properties_can_be_exchanged()) {
    log_error("this broker stores the properties of messages differently from mosquitto 2.0");
    return MOSQ_ERR_NOT_SUPPORTED;
  }
  const auto bridges = list_of(options->bridges);
  const bool also_subscribers = options->also_subscribers;
  auto loaded = std::make_unique<Loaded>(identifier, std::move(options).value());
  const int error = loaded->register_callbacks();
  if (error == MOSQ_ERR_ALREADY_EXISTS) {
    log_error("loaded twice for the same listener: remove one of the \"plugin\" lines");
  }
  if (error != MOSQ_ERR_SUCCESS) return error;
  mosquitto_log_printf(MOSQ_LOG_NOTICE,
                       "jobs-bridge-mosquitto: replies of the bridge %s go to the client that "
                       "asked%s",
                       bridges.c_str(), also_subscribers ? ", and to subscribers" : "");
  *userdata = loaded.release();
  return MOSQ_ERR_SUCCESS;
}

}  // namespace

// The headers declare these functions without exporting them.
#define EXPORTED __attribute__((visibility("default")))

extern "C" {

EXPORTED int mosquitto_plugin_version(int supported_version_count, const int* supported_versions) {
  if (is_later_than_2_0()) {
    log_error("built for mosquitto 2.0; this broker is a later version");
    return -1;
  }
  const auto* const end = supported_versions + supported_version_count;
  if (std::find(supported_versions, end, interface_version) == end) {
    log_error("built for mosquitto 2.0; this broker has another plugin interface");
    return -1;
  }
  return interface_version;
}

EXPORTED int mosquitto_plugin_init(mosquitto_plugin_id_t* identifier, void** userdata,
                                   mosquitto_opt* options, int option_count) {
  try {
    return start(identifier, userdata, options, option_count);
  } catch (...) {
    mosquitto_log_printf(MOSQ_LOG_ERR, "jobs-bridge-mosquitto: out of memory");
    return MOSQ_ERR_NOMEM;
  }
}

EXPORTED int mosquitto_plugin_cleanup(void* userdata, mosquitto_opt* /*options*/,
                                      int /*option_count*/) {
  delete static_cast<Loaded*>(userdata);
  return MOSQ_ERR_SUCCESS;
}

}  // extern "C"
