// Files of a JSON object a line, as people bring them: texts by a field, examples to fine-tune on, questions of each
// kind. The first byte says which. A refusal must be an Error.
#include <string>

#include "base/error.h"
#include "data/json_line.h"
#include "data/shard_file.h"
#include "examples/read_examples.h"
#include "tasks/read_items.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace bitsweep;
  if (size == 0) return 0;
  const std::string text(reinterpret_cast<const char*>(data) + 1, size - 1);
  try {
    switch (data[0] % 6) {
      case 0:
        data::JsonLine("text").read(text);
        break;
      case 1:
        examples::read_examples(text, {}, "fuzz");
        break;
      case 2:
        data::shard_form({data + 1, size - 1});
        break;
      default:
        tasks::read_items(text, data[0] % 6 == 3 ? "choice" : data[0] % 6 == 4 ? "continue" : "generate", "fuzz");
    }
  } catch (const Error&) {
  }
  return 0;
}
