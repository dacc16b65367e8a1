#include "worker/import_verb.h"

#include <ostream>

#include <c10/util/Exception.h>

#include "base/error.h"
#include "base/sha256.h"
#include "train/restore.h"
#include "worker/released_weights.h"
#include "worker/run_input.h"

namespace bitsweep::worker {
namespace {

int import_weights(const ImportArguments& arguments, std::ostream& stream) {
  CollectedNotes unsaid;  // standard output is the answer alone
  const RunInput input = open_run(arguments, unsaid);
  copy_released(weights::read_released(arguments.from), *input.model);
  const auto& tokenizer = input.dataset.tokenizer();
  const train::CheckpointOwner owner{.run = arguments.run,
                                     .spec_sha256 = sha256_hex(canonical_json(identity(input.spec))),
                                     .plugin = input.spec.model.plugin,
                                     .tokenizer_sha256 = tokenizer != nullptr ? tokenizer->facts().sha256 : ""};
  make_folder(arguments.out.parent_path());
  const uint64_t bytes = write_checkpoint(arguments.out, owner, {}, train::model_tensors(*input.model));
  stream << json::serialize(json::object{{"file", arguments.out.string()}, {"bytes", bytes}}) << '\n' << std::flush;
  return 0;
}

}  // namespace

int import_verb(const ImportArguments& arguments, std::ostream& stream) {
  try {
    return import_weights(arguments, stream);
  } catch (const c10::Error& error) {
    throw Error(ErrorKind::failed, error.what_without_backtrace());
  }
}

}  // namespace bitsweep::worker
