// `bitsweep tokenize`: the texts of sweeps encoded ahead, so that no run has to.
#include <fmt/format.h>

#include "base/units.h"
#include "cli/data_texts.h"
#include "cli/options.h"
#include "prepare/planning.h"
#include "render/table.h"
#include "spec/corpus_value.h"
#include "spec/tokenizer_value.h"

namespace bitsweep::cli {
namespace {

// Of a text beside with the metric that it is scored as.
std::string shown_name(const plan::PlannedData& data) {
  const std::string name = spec::corpus_text(spec::corpus_json(data.spec));
  return data.beside.empty() ? name : fmt::format("{} ({}.bpc)", name, data.beside);
}

render::Table tokens_table(const std::vector<plan::PlannedData>& all) {
  render::Table table;
  table.columns = {{"corpus"}, {"tokenizer"}};
  for (const char* title : {"bytes", "vocab", "tokens to train on", "to validate on", "bytes/token"})
    table.columns.push_back({title, render::Align::right});
  for (const plan::PlannedData& data : all)
    table.rows.push_back({shown_name(data), spec::tokenizer_text(spec::tokenizer_json(data.spec)),
                          format_bytes(static_cast<double>(data.facts.bytes)), format_thousands(data.facts.vocab),
                          format_thousands(data.facts.train_tokens), format_thousands(data.facts.val_tokens),
                          fmt::format("{:.3f}", data.facts.bytes_per_token)});
  return table;
}

int do_tokenize(const Verb& verb, const std::vector<std::string>& args) {
  CommandLine line(verb);
  line.values("set", "PATH=VALUE: overrides a key of the sweep files; repeatable")
      .flag("json", "one JSON document")
      .root_option()
      .quiet_option();
  if (!line.parse(args, 1, 1000)) return 0;
  PrintedNotes notes(line.has("quiet"));
  DataTexts texts(line.root() / "data", &notes);
  std::vector<plan::PlannedData> all;
  json::array documents;
  for (plan::Plan& plan : plan_sweeps(line.positional(), line.all("set"), line.root(), texts, notes)) {
    const json::object document = plan_json(plan);
    for (const json::value& data : document.at("data").as_array()) documents.push_back(data);
    for (const std::string& note : plan.notes) notes.note(note);
    for (plan::PlannedData& data : plan.data) all.push_back(std::move(data));
  }
  print(line.has("json") ? pretty_json(documents) + "\n" : terminal_table(tokens_table(all)));
  return 0;
}

}  // namespace

const Verb kTokenizeVerb{
    "tokenize", "Encode the texts of sweeps ahead: token stores, and tokenizers that are trained", "SWEEP.yaml…",
    "bitsweep tokenize sweeps/quickstart.yaml --set data.tokenizer=gpt2/tokenizer.json", do_tokenize};

}  // namespace bitsweep::cli
