// The value of data.tokenizer: an alphabet's name, a tokenizer's file, or how one is trained.
#pragma once

#include <string>

#include "base/files.h"
#include "base/json.h"
#include "base/yaml.h"
#include "spec/problems.h"
#include "spec/run_spec.h"
#include "spec/tokenizers.h"

namespace bitsweep::spec {

// "bytes256" | "/abs/x.model" | {"train": {"kind", "vocab", "sample"}} with all three filled in. A relative path is
// taken from the folder of the file it stands in. Null when it is none of them: what is wrong is added to the problems,
// each key at its place.
json::value read_tokenizer(const YamlNode& node, Problems& problems);

// The path that a scalar names: in a file relative to it, on a command line to the current folder.
fs::path absolute_path(const YamlNode& node);

// What read_tokenizer() gives for the recipe, and back; REQUIRES an object that it gave.
json::object to_json(const TokenizerRecipe& recipe);
TokenizerRecipe tokenizer_recipe(const json::object& object);

// The value of data.tokenizer in a spec.
json::value tokenizer_json(const DataSpec& data);

// What a model that knows nothing loses, log₂ V a token, in bits per byte: of the section `data` of a spec. Nothing
// where vocabulary or bytes a token are not known.
std::optional<double> uniform_bits_per_byte(const json::object& data);

// The unit of its losses; of what was made elsewhere, as its file says.
std::string loss_unit(const json::object& data);

// "bytes256", "gpt2/tokenizer.json", "bpe 1024 trained": a value of data.tokenizer to a person.
std::string tokenizer_text(const json::value& value);

}  // namespace bitsweep::spec
