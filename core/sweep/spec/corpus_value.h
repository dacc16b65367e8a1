// The value of data.corpus: one text, several that are mixed by weight, or shards of tokens.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "base/yaml.h"
#include "spec/problems.h"
#include "spec/run_spec.h"

namespace bitsweep::spec {

// "stories" | "/abs/texts"                                        one text
// [{"corpus", "glob", "field", "weight"}, …]                      a mixture, all four filled in
// {"train": "/abs/*_train_*.bin", "val": "/abs/*_val_*.bin"}      shards
// Paths are taken from the folder of the file they stand in. What is wrong is added to the problems, each at its place,
// and the value is null then.
json::value read_corpus(const YamlNode& node, Problems& problems);

// The value in a spec, and back: false on anything that read_corpus() would not give.
json::value corpus_json(const DataSpec& data);
bool set_corpus(DataSpec& data, const json::value& value);

// Sequences of every mixture_block that each part gives, in proportion to the weights, by largest remainder. REQUIRES
// parts that read_corpus() lets pass: each gives one at least.
inline constexpr int64_t mixture_block = 1024;
std::vector<int64_t> mixture_shares(const std::vector<CorpusPart>& parts);

// Of one corpus: a path is named by its last component.
std::string corpus_name(const std::string& corpus);

// "stories", "web + code", "fineweb_train_*.bin": a value of data.corpus to a person; "" for none.
std::string corpus_text(const json::value& value);
// Of a mixture, each weight by the least of them: "3:1"; "" of what is none.
std::string weights_text(const json::value& value);

}  // namespace bitsweep::spec
