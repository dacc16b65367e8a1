#include "cli/spec_at_hand.h"

#include <fmt/format.h>

#include "base/error.h"
#include "data/token_plan.h"

namespace bitsweep::cli {
namespace {

spec::RunSpec spec_in(const fs::path& file) {
  const json::value value = parse_json(read_file(file), file.string());
  if (!value.is_object()) throw Error(ErrorKind::input, fmt::format("{}: expected a JSON object", file.string()));
  return spec::run_spec_from_json(value.get_object());
}

// The store keeps a run's spec up to date in what names no run; all else is the attempt's own.
void take_paths(const json::object& record, spec::RunSpec& spec) {
  const spec::DataSpec known = spec::run_spec_from_json(record).data;
  spec.data.corpus = known.corpus;
  spec.data.mixture = known.mixture;
  spec.data.shards = known.shards;
  spec.data.examples.file = known.examples.file;
  spec.data.val = known.val;
  spec.data.tokenizer = known.tokenizer;
}

void take_tokenizer(const std::string& run, const std::string& moved, spec::DataSpec& data) {
  if (data.tokenizer_sha256.empty() || data.recipe.vocab > 0)
    throw Error(ErrorKind::input,
                fmt::format("--tokenizer: run {} has no tokenizer of a file ({})", run,
                            data.recipe.vocab > 0     ? "its own was trained, and lies in ROOT/data/tokenizers"
                            : !data.tokenizer.empty() ? data.tokenizer
                                                      : "it names none; 'bitsweep import DIR --tokenizer FILE' does"));
  spec::DataSpec other;
  other.tokenizer = fs::absolute(moved).lexically_normal().string();
  const std::string sha256 = data::open_file_tokenizer(other)->facts().sha256;
  if (sha256 != data.tokenizer_sha256)
    throw Error(ErrorKind::input,
                fmt::format("--tokenizer: '{}' is another tokenizer than that of run {} (SHA-256 {:.12}, expected "
                            "{:.12})",
                            other.tokenizer, run, sha256, data.tokenizer_sha256));
  data.tokenizer = other.tokenizer;
}

}  // namespace

void declare_tokenizer_option(CommandLine& line) {
  line.value("tokenizer", "where the run's tokenizer lies now, if its file has moved");
}

spec::RunSpec spec_at_hand(const ChosenCheckpoint& chosen, const std::optional<std::string>& moved) {
  spec::RunSpec spec = spec_in(chosen.attempt_folder() / "spec.json");
  take_paths(chosen.run.spec, spec);
  if (moved) take_tokenizer(chosen.run.id, *moved, spec.data);
  std::error_code unreadable;
  const bool of_file = !spec.data.tokenizer_sha256.empty() && spec.data.recipe.vocab == 0;
  if (of_file && !fs::exists(spec.data.tokenizer, unreadable))
    throw Error(ErrorKind::input,
                fmt::format("the tokenizer of run {} is not at '{}' any more; say with --tokenizer FILE where it lies "
                            "(SHA-256 {:.12})",
                            chosen.run.id, spec.data.tokenizer, spec.data.tokenizer_sha256));
  return spec;
}

fs::path write_spec_at_hand(const ChosenCheckpoint& chosen, const std::optional<std::string>& moved,
                            const fs::path& folder) {
  fs::path file = folder / "spec.json";
  write_file_atomic(file, pretty_json(to_json(spec_at_hand(chosen, moved))) + "\n");
  return file;
}

}  // namespace bitsweep::cli
