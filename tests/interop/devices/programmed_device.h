#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/interop/devices/program.h"
#include "tests/support/mqtt_device.h"

namespace jobs_bridge::testing_support {

/// What the device's program could not cope with, and all that it had seen and said until then.
class ProgramFailure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A device that does what its program says, over a real connection to a broker. Used by one
/// thread.
class ProgrammedDevice {
 public:
  ProgrammedDevice(DeviceProgram program, unsigned short port, std::string thing);

  /// Connects and does what comes first.
  void start();
  /// Reacts to whatever comes, until the device hears that no job is left. Throws ProgramFailure
  /// when the program fails, or nothing comes any more.
  void work_until_idle();

  /// What was published on that topic below the thing's, in order.
  [[nodiscard]] std::vector<std::string> published(const std::string& topic) const;
  /// What it saw and said, a line each.
  [[nodiscard]] std::string story() const { return story_; }

 private:
  using Received = MqttDevice::Received;

  void run(const std::vector<Step>& steps, const nlohmann::json& message);
  void step(const Subscribe& subscribe, const nlohmann::json& message);
  void step(const Publish& publish, const nlohmann::json& message);
  void step(const Await& await, const nlohmann::json& message);
  void step(const Restart& restart, const nlohmann::json& message);

  /// The next message that is not waiting already.
  std::optional<Received> receive(std::chrono::milliseconds limit);
  [[nodiscard]] bool overflows(const Received& message) const;
  void react(const Received& received);
  [[nodiscard]] bool answers_a_token(const Received& received, const std::string& topic);
  [[nodiscard]] std::string filled(const std::string& text, const nlohmann::json& message);
  [[nodiscard]] std::string full_topic(const std::string& topic) const;
  void note(const std::string& line) { story_ += line + "\n"; }
  [[noreturn]] void fail(const std::string& why) const;

  const DeviceProgram program_;
  const unsigned short port_;
  const std::string thing_;
  std::unique_ptr<MqttDevice> connection_;
  /// Came while the program waited for something else.
  std::deque<Received> waiting_;
  /// Tokens that wait for a reply, by the request's topic.
  std::map<std::string, std::vector<std::string>> tokens_;
  std::size_t last_token_ = 0;
  std::map<std::string, std::vector<std::string>> published_;
  std::string story_;
};

}  // namespace jobs_bridge::testing_support
