#include "worker/run_input.h"

#include <ATen/Parallel.h>
#include <fmt/format.h>

#include "base/error.h"
#include "base/json.h"

namespace bitsweep {

RunSpec read_run_spec(const fs::path& path) {
  constexpr uint64_t kLimitBytes = 16 << 20;
  const json::value value = parse_json(read_file(path, kLimitBytes), path.string());
  if (!value.is_object()) throw Error(ErrorKind::input, fmt::format("{}: expected a JSON object", path.string()));
  return run_spec_from_json(value.get_object());
}

void set_threads(int64_t threads) {
  at::set_num_threads(static_cast<int>(threads));
  at::set_num_interop_threads(1);
}

}  // namespace bitsweep
