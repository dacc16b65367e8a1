// What the database knows of runs that were imported, and of data sets that an import may name.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "store/store.h"

namespace bitsweep::store {

struct KnownImport {
  std::string name;               // of the run, in its sweep
  std::string file;               // absolute; "" of an import by an earlier version
  std::string corpus, tokenizer;  // as its spec has them
  std::optional<double> bytes_per_token;
};

// The imported runs of a sweep; none where there is no such sweep.
std::vector<KnownImport> known_imports(Store& store, std::string_view sweep);

// The data set whose id begins so; nothing where none does. Throws Error{input} where several do.
std::optional<DatasetRecord> dataset_that_begins(Store& store, std::string_view prefix);

}  // namespace bitsweep::store
