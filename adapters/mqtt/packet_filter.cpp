#include "adapters/mqtt/packet_filter.h"

#include <optional>

#include "adapters/mqtt/property_type.h"
#include "bridge/jobs/arrival.h"

namespace jobs_bridge::mqtt {
namespace {

constexpr unsigned connack_packet = 2;
constexpr unsigned publish_packet = 3;
/// Its flags and its reason code.
constexpr std::size_t connack_beside = 2;
/// A longer CONNACK passes unchanged.
constexpr std::size_t max_connack = 4096;
/// What a length takes at most (MQTT 5, section 1.5.5).
constexpr std::size_t max_length_size = 4;

constexpr std::uint8_t subscription_identifier = 0x0B;
constexpr std::uint8_t server_keep_alive = 0x13;
constexpr std::uint8_t user_property = 0x26;
constexpr std::uint8_t assigned_client_identifier = 0x12;

struct Number {
  std::size_t value = 0;
  std::size_t digits = 0;
};
/// A variable byte integer; nothing: it is not whole, or too long.
std::optional<Number> variable_number(std::string_view bytes) {
  Number number;
  while (number.digits < std::min(bytes.size(), max_length_size)) {
    const auto byte = static_cast<std::uint8_t>(bytes[number.digits]);
    number.value |= std::size_t{byte & 0x7FU} << (7 * number.digits);
    ++number.digits;
    if (byte < 0x80) return number;
  }
  return std::nullopt;
}

std::string as_variable(std::size_t value) {
  std::string bytes;
  do {
    const auto part = value & 0x7FU;
    value >>= 7U;
    bytes += static_cast<char>(part | (value > 0 ? 0x80U : 0U));
  } while (value > 0);
  return bytes;
}

std::size_t fixed_number(std::string_view bytes) {
  return std::size_t{static_cast<std::uint8_t>(bytes[0])} << 8U |
         static_cast<std::uint8_t>(bytes[1]);
}

/// How long a text is with its length; nothing: that is not there yet.
std::optional<std::size_t> text_size(std::string_view bytes) {
  if (bytes.size() < 2) return std::nullopt;
  return 2 + fixed_number(bytes);
}

struct Property {
  bool known = false;
  std::optional<std::size_t> size = {};  ///< with its identifier; nothing: not seen yet
};
Property property_at(std::string_view bytes) {
  const auto value = bytes.substr(1);
  const auto of = [](std::size_t size) { return Property{.known = true, .size = 1 + size}; };
  switch (property_type(static_cast<std::uint8_t>(bytes.front()))) {
    case PropertyType::none:
      return {};
    case PropertyType::byte:
      return of(1);
    case PropertyType::two_bytes:
      return of(2);
    case PropertyType::four_bytes:
      return of(4);
    case PropertyType::variable: {
      const auto number = variable_number(value);
      if (number) return of(number->digits);
      return {.known = value.size() < max_length_size};
    }
    case PropertyType::text: {
      const auto size = text_size(value);
      return size ? of(*size) : Property{.known = true};
    }
    case PropertyType::text_pair: {
      const auto name = text_size(value);
      if (!name || value.size() < *name) return {.known = true};
      const auto text = text_size(value.substr(*name));
      return text ? of(*name + *text) : Property{.known = true};
    }
  }
  return {};
}

/// Whether a PUBLISH may have it (MQTT 5, section 3.3.2.3).
bool may_be_in_publish(std::uint8_t identifier) {
  constexpr std::string_view identifiers = "\x01\x02\x03\x08\x09\x0B\x23\x26";
  return identifiers.find(static_cast<char>(identifier)) != std::string_view::npos;
}

/// Whether the library is not to see this property of a CONNACK, which is whole.
bool is_withheld(std::string_view property, std::chrono::seconds keep_alive) {
  const auto identifier = static_cast<std::uint8_t>(property.front());
  if (identifier == assigned_client_identifier) return true;
  if (identifier != server_keep_alive) return false;
  const std::chrono::seconds seconds(fixed_number(property.substr(1)));
  return seconds.count() == 0 || seconds > keep_alive;
}

/// A CONNACK from behind its length on, without what is withheld; nothing: it has none of that.
std::optional<std::string> without_withheld(std::string_view connack,
                                            std::chrono::seconds keep_alive) {
  if (connack.size() <= connack_beside) return std::nullopt;
  const auto length = variable_number(connack.substr(connack_beside));
  if (!length) return std::nullopt;
  auto properties = connack.substr(connack_beside + length->digits);
  if (properties.size() != length->value) return std::nullopt;
  std::string kept;
  while (!properties.empty()) {
    const auto size = property_at(properties).size;
    if (!size || *size > properties.size()) return std::nullopt;
    const auto property = properties.substr(0, *size);
    if (!is_withheld(property, keep_alive)) kept += property;
    properties.remove_prefix(*size);
  }
  if (kept.size() == length->value) return std::nullopt;
  return std::string(connack.substr(0, connack_beside)) + as_variable(kept.size()) + kept;
}

/// Whether this User Property, which is whole, is the broker plugin's time of arrival. A longer
/// value is no time.
bool is_arrival(std::string_view property) {
  constexpr std::size_t max_time_length = 32;
  const auto name = property.substr(1);
  const auto size = fixed_number(name);
  return name.substr(2, size) == arrival_property &&
         fixed_number(name.substr(2 + size)) <= max_time_length;
}

}  // namespace

std::size_t PacketFilter::wanted() const {
  if (state_ == State::skip) return skipping_;
  if (state_ != State::head) return remaining_;
  return head_.empty() ? 2 : 1;  // the shortest packet has two
}

ssize_t PacketFilter::give(char* buffer, std::size_t size) {
  const auto part = std::min(size, ready_.size() - given_);
  std::memcpy(buffer, ready_.data() + given_, part);
  given_ += part;
  if (given_ == ready_.size()) {
    ready_.clear();
    given_ = 0;
  }
  return static_cast<ssize_t>(part);
}

void PacketFilter::passed(std::size_t bytes) {
  if (not_mqtt_) return;
  passing_ -= bytes;
  next_part();
}

void PacketFilter::take(std::string_view bytes) {
  if (state_ == State::head) return take_head(bytes);
  if (state_ == State::skip) {
    skipping_ -= bytes.size();
    next_part();
    return;
  }
  remaining_ -= bytes.size();
  pending_ += bytes;
  if (state_ == State::connack) {
    if (remaining_ == 0) end_connack();
    return;
  }
  while ((state_ == State::topic && read_topic()) ||
         (state_ == State::properties && read_property())) {
  }
  pending_.erase(0, used_);
  used_ = 0;
  if (remaining_ > 0) return;
  // It ends before it should.
  if (state_ == State::properties) begin_payload(/*may_truncate=*/false);
  if (state_ == State::topic) {
    ready_ = head_ + pending_;
    end_packet();
  }
  pending_.clear();
  used_ = 0;
}

void PacketFilter::take_head(std::string_view bytes) {
  head_ += bytes;
  if (head_.size() < 2) return;
  const auto length = variable_number(std::string_view(head_).substr(1));
  if (!length) {
    if (head_.size() <= max_length_size) return;
    not_mqtt_ = true;
    passing_ = ~std::size_t{0};
    state_ = State::pass;
    ready_ = head_;
    return;
  }
  remaining_ = length->value;
  const auto type = static_cast<std::uint8_t>(head_.front()) >> 4U;
  if (type == publish_packet && remaining_ > 0) {
    state_ = State::topic;
    return;
  }
  if (type == connack_packet && limits_.mqtt_5 && remaining_ > 0 && remaining_ <= max_connack) {
    state_ = State::connack;
    return;
  }
  ready_ = head_;
  passing_ = remaining_;
  next_part();
}

void PacketFilter::end_connack() {
  const auto changed = without_withheld(pending_, limits_.keep_alive);
  ready_ = changed ? head_.front() + as_variable(changed->size()) + *changed : head_ + pending_;
  pending_.clear();
  end_packet();
}

bool PacketFilter::read_topic() {
  const std::string_view bytes(pending_);
  const auto topic = text_size(bytes);
  if (!topic) return false;
  const auto size = *topic + ((static_cast<unsigned>(head_.front()) & 0x06U) != 0 ? 2U : 0U);
  if (bytes.size() < size) return false;
  if (!limits_.mqtt_5) {
    topic_ = bytes.substr(0, size);
    used_ = size;
    begin_payload(/*may_truncate=*/true);
    return false;
  }
  const auto length = variable_number(bytes.substr(size));
  if (!length) return false;
  topic_ = bytes.substr(0, size);
  used_ = size + length->digits;
  properties_left_ = length->value;
  state_ = State::properties;
  return true;
}

bool PacketFilter::read_property() {
  if (properties_left_ == 0) {
    begin_payload(/*may_truncate=*/true);
    return false;
  }
  const auto bytes = std::string_view(pending_).substr(used_);
  if (bytes.empty()) return false;
  const auto property = property_at(bytes);
  const auto identifier = static_cast<std::uint8_t>(bytes.front());
  const bool dropped = identifier == user_property || identifier == subscription_identifier;
  const auto mark = std::uint64_t{1} << (identifier & 0x3FU);
  if (!property.known || !may_be_in_publish(identifier) ||
      property.size.value_or(0) > properties_left_ || (!dropped && (seen_ & mark) != 0)) {
    begin_payload(/*may_truncate=*/false);
    return false;
  }
  if (!property.size || bytes.size() < *property.size) return false;
  seen_ |= mark;
  const auto whole = bytes.substr(0, *property.size);
  const bool arrival = identifier == user_property && !has_arrival_ && is_arrival(whole);
  has_arrival_ = has_arrival_ || arrival;
  if (!dropped || arrival) properties_ += whole;
  used_ += *property.size;
  properties_left_ -= *property.size;
  return true;
}

void PacketFilter::begin_payload(bool may_truncate) {
  const auto here = pending_.size() - used_;
  const auto size = here + remaining_;
  const auto kept = may_truncate ? std::min(size, limits_.payload + 1) : size;
  if (kept < size) ++truncated_;
  redelivered_ = (static_cast<unsigned>(head_.front()) & 0x08U) != 0;
  auto start = topic_;
  if (limits_.mqtt_5) start += as_variable(properties_.size() + properties_left_) + properties_;
  ready_ = head_.front() + as_variable(start.size() + kept) + start;
  ready_.append(pending_, used_, kept);
  used_ = pending_.size();
  passing_ = kept - std::min(kept, here);
  skipping_ = remaining_ - passing_;
  remaining_ = 0;
  next_part();
}

void PacketFilter::next_part() {
  if (passing_ > 0) {
    state_ = State::pass;
  } else if (skipping_ > 0) {
    state_ = State::skip;
  } else {
    end_packet();
  }
}

void PacketFilter::end_packet() {
  state_ = State::head;
  head_.clear();
  topic_.clear();
  properties_.clear();
  seen_ = 0;
  has_arrival_ = false;
}

}  // namespace jobs_bridge::mqtt
