#pragma once

#include <mosquitto.h>

#include <optional>
#include <string>
#include <string_view>

namespace jobs_bridge::mosquitto_plugin {

/// The properties of a PUBLISH that a broker passes on, built to be given to the broker. Functions
/// return false if the broker is out of memory.
class PropertyList {
 public:
  PropertyList() = default;
  ~PropertyList();
  PropertyList(const PropertyList&) = delete;
  PropertyList& operator=(const PropertyList&) = delete;

  /// Properties that are not copied.
  struct LeftOut {
    bool correlation_data = false;
    std::string_view user_property = {};  ///< all of this name; empty: none
  };
  /// Adds copies of the properties in `list`.
  bool copy(const mosquitto_property* list, const LeftOut& left_out);
  bool add_correlation_data(std::string_view bytes);
  bool add_user_property(const char* name, const char* value);

  /// The caller owns the result; null if there is no property.
  mosquitto_property* release();

  /// Exchanges the contents with those of `list`, whose address stays the same. Both must contain
  /// at least one property. Each side owns its new contents.
  ///
  /// A plugin may replace a message's properties, but whether the broker or the plugin frees the
  /// old ones differs between versions with the same plugin interface (from mosquitto 2.0.15 on the
  /// broker does, before that the plugin must). If the broker's list keeps its address, there is
  /// nothing to free.
  void exchange_with(mosquitto_property* list);

 private:
  /// Where the broker should add a property.
  mosquitto_property** end();
  /// Whether it did.
  bool added(int error);

  mosquitto_property* list_ = nullptr;
  mosquitto_property* last_ = nullptr;
};

/// The Correlation Data in a list of properties, if there is any.
std::optional<std::string> correlation_data_of(const mosquitto_property* list);

/// Tests PropertyList::exchange_with with properties created by this broker; false if the result is
/// wrong, so that it must not be used.
bool properties_can_be_exchanged();

}  // namespace jobs_bridge::mosquitto_plugin
