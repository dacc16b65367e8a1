// Shared objects that are wrong in one way each, chosen by a definition. Against the C boundary alone.
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <stdexcept>

#include "plugin/abi.h"
#include "plugin/build_id.h"

#if defined(BITSWEEP_TEST_MISSING_LIBRARY)
extern "C" void bitsweep_test_symbol_that_no_library_has();
#endif

namespace {

[[maybe_unused]] void say(bitsweep_emit emit, void* context, const char* text) {
  emit(context, text, std::strlen(text));
}

[[maybe_unused]] int describe(const char*, [[maybe_unused]] bitsweep_emit emit, [[maybe_unused]] void* context) {
#if defined(BITSWEEP_TEST_THROWS_IN_DESCRIBE)
  throw std::runtime_error("describe does not feel well");
#elif defined(BITSWEEP_TEST_CRASHES_IN_DESCRIBE)
  std::abort();
#elif defined(BITSWEEP_TEST_LIES_IN_DESCRIBE)
  say(emit, context, "\"not an object\"");
  return 0;
#elif defined(BITSWEEP_TEST_MISSING_LIBRARY)
  bitsweep_test_symbol_that_no_library_has();
  return 0;
#else
  say(emit, context,
      R"({"options":{},"params":1,"params_embedding":0,"params_extra":0,"latent_bits_per_weight":32,)"
      R"("stored_bits_per_weight":32,"flops_forward_per_token":1})");
  return 0;
#endif
}

[[maybe_unused]] void* create(const char*, bitsweep_emit, void*) {
#if defined(BITSWEEP_TEST_THROWS_IN_CREATE)
  throw 42;
#else
  return nullptr;
#endif
}

[[maybe_unused]] void destroy(void*) {}

}  // namespace

#if !defined(BITSWEEP_TEST_NO_PLUGIN)
extern "C" __attribute__((visibility("default"))) const bitsweep_plugin_table* bitsweep_plugin_entry(void) {
#if defined(BITSWEEP_TEST_NULL_TABLE)
  return nullptr;
#else
  static bitsweep_plugin_table table = {
      BITSWEEP_PLUGIN_ABI, sizeof(bitsweep_plugin_table), "bad", BITSWEEP_BUILD_ID, describe, create, destroy};
#if defined(BITSWEEP_TEST_OTHER_ABI)
  table.abi = BITSWEEP_PLUGIN_ABI + 1;
#elif defined(BITSWEEP_TEST_OTHER_BUILD)
  table.build_id = "gcc2 torch0.1";
#elif defined(BITSWEEP_TEST_SHORT_TABLE)
  table.size = 16;
#elif defined(BITSWEEP_TEST_NULL_ENTRIES)
  table.create = nullptr;
#elif defined(BITSWEEP_TEST_THROWS_IN_DESCRIBE)
  table.name = "throws_in_describe";
#elif defined(BITSWEEP_TEST_THROWS_IN_CREATE)
  table.name = "throws_in_create";
#elif defined(BITSWEEP_TEST_CRASHES_IN_DESCRIBE)
  table.name = "crashes_in_describe";
#elif defined(BITSWEEP_TEST_LIES_IN_DESCRIBE)
  table.name = "lies_in_describe";
#endif
  return &table;
#endif
}
#endif
