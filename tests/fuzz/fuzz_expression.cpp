// libFuzzer: any bytes as an expression are a value or an ExpressionError.
#include "spec/expression.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    const auto expression = bitsweep::spec::Expression::parse({reinterpret_cast<const char*>(data), size});
    expression.evaluate([](const std::string& name) -> std::optional<bitsweep::spec::ExpressionValue> {
      return name.size() % 2 == 0 ? bitsweep::spec::ExpressionValue(true) : bitsweep::spec::ExpressionValue(2.5);
    });
  } catch (const bitsweep::spec::ExpressionError&) {
  }
  return 0;
}
