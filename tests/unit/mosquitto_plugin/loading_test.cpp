// What the plugin says to brokers that it was not built for, played by this program: the functions
// that it needs of a broker are here.

#include <dlfcn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdarg>
#include <cstdio>
#include <string>

namespace {

std::string broker_log;

}  // namespace

extern "C" {

#define OF_THE_BROKER __attribute__((visibility("default")))

OF_THE_BROKER void mosquitto_log_printf(int /*level*/, const char* format, ...) {
  std::array<char, 500> line{};
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(line.data(), line.size(), format, arguments);
  va_end(arguments);
  broker_log += line.data();
}
OF_THE_BROKER int mosquitto_broker_publish_copy() {
  return 1;
}
OF_THE_BROKER int mosquitto_callback_register() {
  return 1;
}
OF_THE_BROKER int mosquitto_callback_unregister() {
  return 1;
}
OF_THE_BROKER const char* mosquitto_client_id() {
  return nullptr;
}
OF_THE_BROKER int mosquitto_client_protocol_version() {
  return 0;
}

}  // extern "C"

namespace jobs_bridge::mosquitto_plugin {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

using Version = int (*)(int, const int*);

class LoadingTest : public testing::Test {
 protected:
  LoadingTest() : plugin_(dlopen(JOBS_BRIDGE_MOSQUITTO_PLUGIN, RTLD_NOW | RTLD_LOCAL)) {
    broker_log.clear();
    EXPECT_NE(plugin_, nullptr) << dlerror();
  }
  ~LoadingTest() override {
    if (plugin_ != nullptr) dlclose(plugin_);
  }
  /// What it answers to a broker of these interfaces.
  template <std::size_t count>
  [[nodiscard]] int version(const std::array<int, count>& supported) const {
    const auto ask = reinterpret_cast<Version>(dlsym(plugin_, "mosquitto_plugin_version"));
    return ask != nullptr ? ask(static_cast<int>(count), supported.data()) : -2;
  }

  void* plugin_;
};

TEST_F(LoadingTest, BrokerOfItsInterfaceIsServed) {
  EXPECT_EQ(version(std::array{5, 4, 3, 2}), 5);
  EXPECT_THAT(broker_log, IsEmpty());
}

TEST_F(LoadingTest, BrokerOfOtherInterfacesIsRefusedAndTheLogSaysWhy) {
  EXPECT_EQ(version(std::array{6, 7}), -1);
  EXPECT_THAT(broker_log, HasSubstr("built for mosquitto 2.0; this broker has another plugin"));
}

TEST_F(LoadingTest, LaterBrokerThatStillHasItsInterfaceIsRefusedAndTheLogSaysWhy) {
  // Such a broker has a function that 2.0 does not have.
  auto* const later = dlopen(LATER_BROKER, RTLD_NOW | RTLD_GLOBAL);
  ASSERT_NE(later, nullptr) << dlerror();
  EXPECT_EQ(version(std::array{6, 5}), -1);
  EXPECT_THAT(broker_log, HasSubstr("built for mosquitto 2.0; this broker is a later version"));
  dlclose(later);
}

}  // namespace
}  // namespace jobs_bridge::mosquitto_plugin
