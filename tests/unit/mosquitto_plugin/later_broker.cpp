// What tells mosquitto 2.1 from 2.0: loading_test.cpp loads this to be it.

extern "C" __attribute__((visibility("default"))) int mosquitto_plugin_set_info() {
  return 0;
}
