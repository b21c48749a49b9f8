#include "adapters/mqtt/property_check.h"

#include <algorithm>

#include "adapters/mqtt/broker_fault.h"
#include "adapters/mqtt/property_type.h"

namespace jobs_bridge::mqtt {
namespace {

enum Packet : std::uint8_t {
  connack = 2,
  publish = 3,
  puback = 4,
  pubcomp = 7,
  suback = 9,
  unsuback = 11,
  disconnect = 14,
  auth = 15,
};

// Properties.
constexpr std::uint32_t receive_maximum = 0x21;
constexpr std::uint32_t maximum_packet_size = 0x27;

/// What a variable byte integer takes at most (section 1.5.5).
constexpr unsigned max_digits = 4;

}  // namespace

bool PropertyCheck::take(std::string_view bytes) {
  while (!bytes.empty()) {
    if (state_ == State::lost) return true;
    if (state_ == State::skip) {
      const auto part = std::min({skip_, remaining_, bytes.size()});
      bytes.remove_prefix(part);
      skip_ -= part;
      remaining_ -= part;
      if (remaining_ == 0) {
        begin(State::first);
      } else if (skip_ == 0) {
        if (then_ == State::first) {
          end_value();
        } else {
          begin(then_);
        }
      }
      continue;
    }
    if (!take(static_cast<std::uint8_t>(bytes.front()))) return false;
    bytes.remove_prefix(1);
  }
  return true;
}

bool PropertyCheck::take(std::uint8_t byte) {
  switch (state_) {
    case State::first:
      first_ = byte;
      begin(State::length);
      return true;
    case State::length:
      if (add_variable(byte)) begin_packet();
      return true;
    default:
      break;
  }
  --remaining_;
  if (state_ != State::topic_length && state_ != State::property_length) --properties_;
  switch (state_) {
    case State::topic_length:
      if (add_fixed(byte, 2)) {
        const bool numbered = (first_ & 0x06) != 0;
        skip(number_ + (numbered ? 2U : 0U), State::property_length);
      }
      break;
    case State::property_length:
      if (add_variable(byte)) {
        properties_ = number_;
        end_value();
      }
      break;
    case State::identifier:
      if (add_variable(byte) && !begin_value()) return false;
      break;
    case State::variable:
      if (add_variable(byte)) end_value();
      break;
    case State::number:
      if (!add_fixed(byte, width_)) break;
      if (is_zero_limit()) {
        failed_ = true;
        return false;
      }
      end_value();
      break;
    case State::text_length:
      if (add_fixed(byte, 2)) {
        properties_ -= number_;
        skip(number_, State::first);
      }
      break;
    default:
      break;
  }
  if (remaining_ == 0 && state_ != State::lost) begin(State::first);
  return true;
}

void PropertyCheck::begin(State state) {
  state_ = state;
  number_ = 0;
  digits_ = 0;
}

void PropertyCheck::skip(std::size_t bytes, State then) {
  begin(State::skip);
  skip_ = bytes;
  then_ = then;
  if (bytes == 0) {
    if (then == State::first) {
      end_value();
    } else {
      begin(then);
    }
  }
}

void PropertyCheck::begin_packet() {
  remaining_ = number_;
  texts_ = 0;
  properties_ = 0;
  const auto type = first_ >> 4U;
  if (remaining_ == 0) return begin(State::first);
  if (type == publish) return begin(State::topic_length);
  if (type == connack || type == suback || type == unsuback) {
    return skip(2, State::property_length);
  }
  // The reason code, and with it what follows, may be left out.
  if (type >= puback && type <= pubcomp) return skip(3, State::property_length);
  if (type == disconnect || type == auth) return skip(1, State::property_length);
  begin(State::skip);
  skip_ = remaining_;
}

bool PropertyCheck::begin_value() {
  identifier_ = number_;
  switch (property_type(identifier_)) {
    case PropertyType::none:
      failed_ = true;
      return false;
    case PropertyType::byte:
      begin_number(1);
      break;
    case PropertyType::two_bytes:
      begin_number(2);
      break;
    case PropertyType::four_bytes:
      begin_number(4);
      break;
    case PropertyType::variable:
      begin(State::variable);
      break;
    case PropertyType::text_pair:
      texts_ = 1;
      begin(State::text_length);
      break;
    case PropertyType::text:
      begin(State::text_length);
      break;
  }
  return true;
}

void PropertyCheck::begin_number(unsigned bytes) {
  begin(State::number);
  width_ = bytes;
}

bool PropertyCheck::is_zero_limit() const {
  const bool limit = identifier_ == receive_maximum || identifier_ == maximum_packet_size;
  return limit && number_ == 0 && first_ >> 4U == connack;
}

std::string PropertyCheck::fault() const {
  if (property_type(identifier_) == PropertyType::none) {
    return "a property that MQTT 5 does not define, " + std::to_string(identifier_);
  }
  return zero_in_connack(identifier_ == receive_maximum);
}

void PropertyCheck::end_value() {
  if (texts_ > 0) {
    --texts_;
    begin(State::text_length);
  } else if (properties_ > 0) {
    begin(State::identifier);
  } else {
    begin(State::skip);
    skip_ = remaining_;
  }
}

bool PropertyCheck::add_variable(std::uint8_t byte) {
  number_ |= static_cast<std::uint32_t>(byte & 0x7FU) << (7 * digits_);
  if (byte < 0x80) return true;
  if (++digits_ == max_digits) state_ = State::lost;
  return false;
}

bool PropertyCheck::add_fixed(std::uint8_t byte, unsigned width) {
  number_ = number_ << 8U | byte;
  return ++digits_ == width;
}

}  // namespace jobs_bridge::mqtt
