#pragma once

#include <mosquitto.h>

#include <optional>
#include <string>
#include <string_view>

namespace jobs_bridge::mosquitto_plugin {

/// Those properties of a PUBLISH that a broker passes on, made to be handed over to the broker.
/// Functions return false when the broker has no memory left.
class PropertyList {
 public:
  PropertyList() = default;
  ~PropertyList();
  PropertyList(const PropertyList&) = delete;
  PropertyList& operator=(const PropertyList&) = delete;

  /// What is not copied.
  struct LeftOut {
    bool correlation_data = false;
    std::string_view user_property = {};  ///< all of this name; empty: none
  };
  /// Adds copies of the properties in `list`.
  bool copy(const mosquitto_property* list, const LeftOut& left_out);
  bool add_correlation_data(std::string_view bytes);
  bool add_user_property(const char* name, const char* value);

  /// The caller owns what is returned from now on; null if there is no property.
  mosquitto_property* release();

  /// Exchanges what is here with what is in `list`, which keeps its address. Both must hold at
  /// least one property. Nothing else changes: each side owns what it has now.
  ///
  /// A plugin may replace a message's properties, but who frees the old ones is not the same in all
  /// brokers of one plugin interface (from mosquitto 2.0.15 on the broker does, before it the
  /// plugin must). When the list that the broker knows keeps its address there is nothing to free.
  void exchange_with(mosquitto_property* list);

 private:
  /// Where the broker is to add a property.
  mosquitto_property** end();
  /// Whether it did.
  bool added(int error);

  mosquitto_property* list_ = nullptr;
  mosquitto_property* last_ = nullptr;
};

/// The Correlation Data in a list of properties, if there is any.
std::optional<std::string> correlation_data_of(const mosquitto_property* list);

/// Tries PropertyList::exchange_with on properties of this broker's making; false if they do not
/// come out as they should, so that it must not be used.
bool properties_can_be_exchanged();

}  // namespace jobs_bridge::mosquitto_plugin
