// What names a run, and a corpus under one tokenizer and split.
#include "spec/run_spec.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/sha256.h"
#include "spec/corpus_value.h"

namespace bitsweep::spec {
namespace {

// A section, or a member of one.
constexpr std::string_view kNamesNoRun[] = {"checkpoint",           "eval.probes",  "eval.also",
                                            "eval.before",          "eval.tasks",   "data.vocab",
                                            "data.bytes_per_token", "import.folder"};

void erase_path(json::object& object, std::string_view path) {
  const size_t dot = path.find('.');
  if (dot == std::string_view::npos)
    object.erase(path);
  else if (json::value* section = object.if_contains(path.substr(0, dot)))
    section->as_object().erase(path.substr(dot + 1));
}

// All that the weights decide.
json::array shares_json(const DataSpec& data) {
  json::array shares;
  for (const int64_t share : mixture_shares(data.mixture)) shares.push_back(share);
  return shares;
}

}  // namespace

json::object identity(const RunSpec& spec) {
  json::object object = to_json(spec);
  for (const std::string_view path : kNamesNoRun) erase_path(object, path);
  json::object& data = object["data"].as_object();
  // With the content known, where it lies does not matter. A separate validation text still differs from a split.
  if (!spec.data.sha256.empty()) {
    data.erase("corpus");
    if (!spec.data.mixture.empty()) data["mixture"] = shares_json(spec.data);
    if (spec.data.is_shards()) data.erase("val_fraction");
    if (data.contains("examples")) data["examples"].as_object().erase("file");
    data["val"] = spec.data.val.empty() ? "" : "separate";
    if (!spec.data.val.empty()) data.erase("val_fraction");
  }
  if (!spec.data.tokenizer_sha256.empty()) data.erase("tokenizer");
  return object;
}

bool names_no_run(std::string_view path) {
  return std::any_of(std::begin(kNamesNoRun), std::end(kNamesNoRun), [&](std::string_view known) {
    return path.starts_with(known) && (path.size() == known.size() || path[known.size()] == '.');
  });
}

std::string run_id(const RunSpec& spec) { return sha256_hex(canonical_json(identity(spec))).substr(0, 12); }

std::string dataset_id(const DataSpec& data) {
  json::object split = {{"sha256", data.sha256}, {"tokenizer", data.tokenizer}};
  if (data.val.empty() && !data.is_shards()) split["val_fraction"] = data.val_fraction;
  // Of a mixture with no validation text of its own the weights decide what is validated on.
  if (data.val.empty() && !data.mixture.empty()) split["mixture"] = shares_json(data);
  if (!data.tokenizer_sha256.empty()) split["tokenizer"] = data.tokenizer_sha256;
  if (!data.examples.file.empty()) {
    split["examples"] = json::object{
        {"template", to_json(data.examples.layout)}, {"loss", data.examples.loss}, {"context", data.context}};
  }
  if (!data.documents.empty() && data.documents != "none") split["documents"] = data.documents;
  if (!data.documents_sha256.empty()) split["documents_sha256"] = data.documents_sha256;
  if (data.split != DataSpec{}.split) split["split"] = data.split;
  return sha256_hex(canonical_json(split));
}

}  // namespace bitsweep::spec
