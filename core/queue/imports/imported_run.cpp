#include "imports/imported_run.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include <fmt/format.h>

#include "base/files.h"
#include "base/sha256.h"

namespace bitsweep::imports {
namespace {

// Numbers it, gives it times, and a start and an end of its own.
void finish_events(const FoundRun& found, const std::string& id, double params, std::vector<event::Event>& events) {
  double first = 0, last = 0, longest = 0;
  for (const event::Event& event : events) {
    if (event.time > 0) {
      first = first == 0 ? event.time : std::min(first, event.time);
      last = std::max(last, event.time);
    }
    longest = std::max(longest, number_or(event.fields, "elapsed_s", 0));
  }
  if (last == 0) last = found.modified;
  if (first == 0) first = last - longest;
  const int64_t step = events.back().step;
  json::object facts = {{"params", static_cast<int64_t>(params)}, {"device", "elsewhere"}, {"imported", true}};
  if (!found.file.empty()) facts["file"] = found.file;
  if (found.run.bytes_per_token) facts["bytes_per_token"] = *found.run.bytes_per_token;
  const std::string status = found.run.status.empty() ? "done" : found.run.status;
  event::Event start{
      .kind = "start", .run = "", .attempt = 0, .seq = 0, .step = 0, .time = first, .fields = std::move(facts)};
  event::Event end{
      .kind = "end", .run = "", .attempt = 0, .seq = 0, .step = step, .time = last, .fields = {{"status", status}}};
  events.insert(events.begin(), std::move(start));
  events.push_back(std::move(end));
  int64_t seq = 0;
  for (event::Event& event : events) {
    event.run = id;
    event.attempt = 1;
    event.seq = ++seq;
    if (event.time == 0) event.time = first + number_or(event.fields, "elapsed_s", 0);
  }
}

// Tokens by step where the log does not count them.
void count_tokens(ForeignRun& run, double per_step) {
  for (event::Event& event : run.events)
    if (event.kind == "eval" && per_step > 0 && number_or(event.fields, "tokens", 0) <= 0)
      event.fields["tokens"] = static_cast<int64_t>(per_step * static_cast<double>(event.step));
}

json::object data_of(const ForeignFacts& facts, const ImportOptions& options) {
  json::object data;
  data["corpus"] = options.corpus.empty() ? "unknown data" : options.corpus;
  data["tokenizer"] = options.tokenizer.empty() ? "unknown" : options.tokenizer;
  if (!options.dataset.empty()) data["id"] = options.dataset;
  // What nobody named may be anything: it is comparable within one import's sweep at most.
  if (options.corpus.empty() && options.dataset.empty()) data["of"] = options.sweep;
  if (facts.context) data["context"] = static_cast<int64_t>(*facts.context);
  return data;
}

std::string content_hash(const ForeignRun& run) {
  json::array events;
  for (const event::Event& event : run.events)
    events.push_back(
        json::object{{"event", event.kind}, {"step", event.step}, {"time", event.time}, {"fields", event.fields}});
  return sha256_hex(canonical_json(events));
}

// The seed is left out where one is told that cannot be kept exactly; a log that tells none has 0, as ever.
json::object spec_of(const ForeignRun& run, const ImportOptions& options) {
  const ForeignFacts& facts = run.facts;
  json::object train = {{"steps", run.events.back().step}};
  if (facts.batch) train["batch"] = static_cast<int64_t>(*facts.batch);
  double peak_lr = 0;
  for (const event::Event& event : run.events) peak_lr = std::max(peak_lr, number_or(event.fields, "lr", 0));
  if (peak_lr > 0) train["lr"] = peak_lr;
  json::object model = {{"plugin", facts.plugin}};
  if (facts.params) model["params"] = static_cast<int64_t>(*facts.params);
  json::object spec = {{"model", std::move(model)}, {"data", data_of(facts, options)}, {"train", std::move(train)}};
  if (!facts.seed_is_lost) spec["seed"] = facts.seed.is_null() ? json::value(0) : facts.seed;
  spec["import"] = json::object{{"run", run.name}, {"sha256", content_hash(run)}};
  return spec;
}

// What a person says stands above what the log says.
void prefer(ForeignFacts& facts, const ImportOptions& options) {
  if (options.params) facts.params = options.params;
  if (options.batch) facts.batch = options.batch;
  if (options.context) facts.context = options.context;
  if (!options.seed.is_null()) {
    facts.seed = options.seed;
    facts.seed_is_lost = false;
  }
  if (!options.plugin.empty()) facts.plugin = options.plugin;
  if (facts.plugin.empty()) facts.plugin = "unknown";
}

// The database's integers have 63 bits and a sign: a seed beyond is in the spec alone, from where it is read.
int64_t stored_seed(const json::value& seed) { return seed.is_int64() ? seed.get_int64() : 0; }

// "metrics", "a/metrics", "logs/a/metrics" …, "metrics.jsonl": the names that a file may give, the shortest first; the
// last is for two files of one folder.
std::vector<std::string> names_of_file(const std::string& file) {
  const fs::path path(file);
  std::vector<std::string> names = {path.stem().string()};
  for (fs::path folder = path.parent_path(); folder.has_filename(); folder = folder.parent_path())
    names.push_back(folder.filename().string() + "/" + names.back());
  names.push_back(path.filename().string());
  return names;
}

// The name under which this very file is known; "" for none.
std::string known_name(const std::vector<std::string>& names, const std::string& file,
                       const std::vector<store::KnownImport>& known) {
  for (const std::string& name : names)
    for (const store::KnownImport& one : known)
      if (one.name == name && one.file == file) return name;
  return "";
}

// Whether another file has it; an import of an earlier version did not note its file, and may be this one.
bool is_taken(const std::string& name, const std::string& file, const std::vector<store::KnownImport>& known) {
  return std::any_of(known.begin(), known.end(), [&](const store::KnownImport& one) {
    return one.name == name && !one.file.empty() && one.file != file;
  });
}

bool is_of_bytes(const std::string& tokenizer) {
  const auto has = [&](std::string_view word) { return tokenizer.find(word) != std::string::npos; };
  return (has("byte") || has("ascii") || has("char")) && !has("bpe");
}

constexpr double kSameRatio = 0.01;  // what printed digits are off by
bool differ(double a, double b) { return std::abs(a - b) > kSameRatio * std::min(a, b); }

}  // namespace

void name_by_folder(std::vector<FoundRun>& found, const std::vector<store::KnownImport>& known) {
  std::vector<store::KnownImport> taken = known;
  for (FoundRun& one : found) {
    if (one.run.is_named) continue;
    const std::vector<std::string> names = names_of_file(one.file);
    std::string name = known_name(names, one.file, known);
    for (size_t i = 0; name.empty() && i < names.size(); ++i) {
      // Two of one call are told apart alike, whichever comes first.
      const bool here = std::any_of(found.begin(), found.end(), [&](const FoundRun& other) {
        if (&other == &one || other.run.is_named || other.file == one.file) return false;
        const std::vector<std::string> others = names_of_file(other.file);
        return std::find(others.begin(), others.end(), names[i]) != others.end();
      });
      if (!here && !is_taken(names[i], one.file, taken)) name = names[i];
    }
    one.run.name = name.empty() ? names.back() : name;
    taken.push_back({.name = one.run.name, .file = one.file, .corpus = "", .tokenizer = "", .bytes_per_token = {}});
  }
}

store::ImportedRun imported_run(FoundRun found, const ImportOptions& options) {
  ForeignFacts& facts = found.run.facts;
  prefer(facts, options);
  ImportOptions of_run = options;
  if (of_run.corpus.empty()) of_run.corpus = facts.dataset;
  if (of_run.tokenizer.empty()) of_run.tokenizer = facts.tokenizer;
  count_tokens(found.run, facts.batch.value_or(0) * facts.context.value_or(0));
  store::ImportedRun result;
  result.run.spec = spec_of(found.run, of_run);
  result.run.id = sha256_hex(canonical_json(result.run.spec)).substr(0, 12);
  result.run.axes = {{"run", found.run.name}};
  result.run.plugin = facts.plugin;
  result.run.seed = stored_seed(facts.seed);
  result.run.params = static_cast<int64_t>(facts.params.value_or(0));
  result.run.params_nonembedding = 0;
  for (const event::Event& event : found.run.events) {
    result.run.steps = std::max(result.run.steps, event.step);
    result.run.tokens = std::max(result.run.tokens, integer_or(event.fields, "tokens", 0));
  }
  result.run.dataset = options.dataset;
  if (!found.run.status.empty() && found.run.status != "done") {
    result.state = RunState::stopped;
    result.message = fmt::format("its log ended with '{}'", excerpt(found.run.status));
  }
  result.events = std::move(found.run.events);
  finish_events(found, result.run.id, facts.params.value_or(0), result.events);
  result.started = result.events.front().time;
  result.ended = result.events.back().time;
  return result;
}

ImportedLosses losses_of(const store::ImportedRun& run) {
  std::map<int64_t, std::optional<double>> by_step;
  for (const event::Event& event : run.events) {
    if (event.kind != "eval") continue;
    const json::value* loss = event.fields.if_contains("val_bpc");
    by_step[event.step] =
        loss != nullptr && loss->is_number() ? std::optional(loss->to_number<double>()) : std::nullopt;
  }
  ImportedLosses losses;
  losses.evals = static_cast<int64_t>(by_step.size());
  for (const auto& [step, loss] : by_step) {
    losses.last = loss;
    if (loss) losses.best = std::min(losses.best.value_or(*loss), *loss);
  }
  return losses;
}

std::optional<double> bytes_per_token_of(const store::ImportedRun& run) {
  const double ratio = number_or(run.events.front().fields, "bytes_per_token", 0);
  return ratio > 0 ? std::optional(ratio) : std::nullopt;
}

std::vector<std::string> doubts_about_units(const std::vector<store::ImportedRun>& runs,
                                            const std::vector<store::KnownImport>& known) {
  struct Ratio {
    std::string run;
    double bytes;
  };
  std::map<std::pair<std::string, std::string>, std::vector<Ratio>> texts;
  std::set<std::string> fresh;
  std::vector<std::string> doubts;
  for (const store::ImportedRun& one : runs) {
    const std::string name = string_or(one.run.axes, "run", "");
    const json::object& data = one.run.spec.at("data").as_object();
    const std::string tokenizer = string_or(data, "tokenizer", "unknown");
    fresh.insert(name);
    const auto ratio = bytes_per_token_of(one);
    if (!ratio) continue;
    texts[{string_or(data, "corpus", ""), tokenizer}].push_back({name, *ratio});
    if (!differ(*ratio, 1) && !is_of_bytes(tokenizer))
      doubts.push_back(
          fmt::format("run '{}': its loss in bits per byte is that a token (val_loss / (ln 2 · val_bpb) is {:.3g} "
                      "bytes a token): {}",
                      excerpt(name), *ratio,
                      tokenizer == "unknown"
                          ? "if its tokenizer is not of bytes, these are bits per token"
                          : fmt::format("with the tokenizer '{}' these are bits per token", excerpt(tokenizer))));
  }
  for (const store::KnownImport& one : known)
    if (const auto text = texts.find({one.corpus, one.tokenizer});
        one.bytes_per_token && text != texts.end() && !fresh.contains(one.name))
      text->second.push_back({one.name, *one.bytes_per_token});
  for (const auto& [text, ratios] : texts) {
    const auto [least, most] = std::minmax_element(ratios.begin(), ratios.end(),
                                                   [](const Ratio& a, const Ratio& b) { return a.bytes < b.bytes; });
    if (differ(least->bytes, most->bytes))
      doubts.push_back(fmt::format(
          "runs of one text and tokenizer ({}, {}) differ in bytes a token, by their own losses (val_loss / (ln 2 · "
          "val_bpb)): {:.4g} of '{}', {:.4g} of '{}'; their losses in bits per byte do not compare",
          excerpt(text.first), excerpt(text.second), least->bytes, excerpt(least->run), most->bytes,
          excerpt(most->run)));
  }
  return doubts;
}

}  // namespace bitsweep::imports
