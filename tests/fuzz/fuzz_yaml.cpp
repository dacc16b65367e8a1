// libFuzzer: any bytes as YAML are a tree or an Error.
#include "base/yaml.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    bitsweep::yaml_to_json(*bitsweep::parse_yaml({reinterpret_cast<const char*>(data), size}, "fuzz"));
  } catch (const bitsweep::Error&) {
  }
  return 0;
}
