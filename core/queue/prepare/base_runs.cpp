#include "prepare/base_runs.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "spec/tokenizer_value.h"
#include "store/store.h"

namespace bitsweep::prepare {
namespace {

// What of a run another one starts from.
struct Base {
  spec::RunSpec spec;
  int64_t params = 0;
};

class Bases {
 public:
  // `store` null: there is none yet, and a base can only be among the plans' own runs.
  Bases(const std::vector<plan::Plan>& plans, store::Store* store) : store_(store) {
    for (const plan::Plan& plan : plans)
      for (const plan::PlannedRun& run : plan.runs) planned_.emplace(run.id, &run);
  }

  // Null: nobody knows it.
  const Base* find(const std::string& id) {
    const auto [known, fresh] = found_.try_emplace(id);
    if (fresh) known->second = look_up(id);
    return known->second ? &*known->second : nullptr;
  }

 private:
  std::optional<Base> look_up(const std::string& id) {
    if (const auto run = planned_.find(id); run != planned_.end())
      return Base{run->second->spec, run->second->model.params};
    const auto record = store_ != nullptr ? store_->run(id) : std::nullopt;
    if (!record) return std::nullopt;
    return Base{spec::run_spec_from_json(record->spec), record->params};
  }

  store::Store* store_;
  std::map<std::string, const plan::PlannedRun*> planned_;
  std::map<std::string, std::optional<Base>> found_;
};

// Of the embedding; 0: not known.
int64_t rows_of(const spec::DataSpec& data) {
  if (data.vocab_rows > 0) return data.vocab_rows;
  return data.is_bytes() ? spec::vocabulary_of(data.tokenizer).value_or(0) : data.vocab;
}

// Which tokens a run has: by their file where it has one, so that a file which was trained for one run is the same
// tokenizer in another.
struct Tokens {
  std::string name;      // for people
  std::string sha256;    // "" where it is not known, and of bytes
  std::string alphabet;  // of bytes
  int64_t rows = 0;
};

// Opens each trained tokenizer once, however many runs have it.
class TokensOfRuns {
 public:
  explicit TokensOfRuns(Texts& texts) : texts_(texts) {}

  Tokens of(const spec::DataSpec& data) {
    Tokens tokens{spec::tokenizer_text(spec::tokenizer_json(data)), data.tokenizer_sha256, "", rows_of(data)};
    if (data.is_bytes()) tokens.alphabet = data.tokenizer;
    if (data.recipe.vocab == 0) return tokens;
    // Named by its recipe and its text, until it is there.
    const auto [known, fresh] = trained_.try_emplace(data.tokenizer_sha256);
    if (fresh) known->second = texts_.trained_tokenizer(data);
    if (const auto& trained = known->second) {
      tokens.name += fmt::format(" in '{}'", trained->file.string());
      tokens.sha256 = trained->sha256;
    }
    return tokens;
  }

 private:
  Texts& texts_;
  std::map<std::string, std::optional<Texts::Trained>> trained_;  // by the name of the recipe on its text
};

std::string words(const Tokens& tokens) {
  return tokens.sha256.empty() ? fmt::format("{} ({} tokens)", tokens.name, tokens.rows)
                               : fmt::format("{} (SHA-256 {:.12})", tokens.name, tokens.sha256);
}

bool differ(const Tokens& a, const Tokens& b) {
  if (!a.alphabet.empty() && !b.alphabet.empty()) return a.alphabet != b.alphabet;
  if (!a.sha256.empty() && !b.sha256.empty()) return a.sha256 != b.sha256;
  const bool bytes_and_others =
      (!a.alphabet.empty() && !b.sha256.empty()) || (!b.alphabet.empty() && !a.sha256.empty());
  return bytes_and_others || (a.rows > 0 && b.rows > 0 && a.rows != b.rows);
}

// "d_model 64, there 128".
std::vector<std::string> other_options(const spec::ModelSpec& own, const spec::ModelSpec& base) {
  std::vector<std::string> all;
  if (own.plugin != base.plugin) all.push_back(fmt::format("plugin {}, there {}", own.plugin, base.plugin));
  for (const auto& option : own.options) {
    const json::value* other = base.options.if_contains(option.key());
    if (other != nullptr && canonical_json(*other) != canonical_json(option.value()))
      all.push_back(fmt::format("{} {}, there {}", std::string_view(option.key()), canonical_json(option.value()),
                                canonical_json(*other)));
  }
  return all;
}

struct Verdict {
  std::string problem = {}, note = {};
};

Verdict look_at(const plan::PlannedRun& run, const Base* base, const fs::path& root, TokensOfRuns& tokens) {
  const std::string& id = run.spec.train.init_from;
  if (base == nullptr)
    return {.problem = fmt::format("'train.init_from': there is no run {} in '{}'{}", id, root.string(),
                                   store::Store::exists(root)
                                       ? "; 'bitsweep runs' lists those there are"
                                       : ", which has no database of runs (--root names another folder; 'bitsweep "
                                         "rebuild' makes a lost database again)")};
  const Tokens own = tokens.of(run.spec.data), there = tokens.of(base->spec.data);
  if (differ(own, there))
    return {.problem = fmt::format("'train.init_from': run {} has another tokenizer, {}, than this one, {}", id,
                                   words(there), words(own))};
  const auto options = other_options(run.spec.model, base->spec.model);
  if (run.model.params != base->params)
    return {.problem = fmt::format("'train.init_from': run {} has another shape: {}", id,
                                   options.empty()
                                       ? fmt::format("{} parameters, and this one {}", base->params, run.model.params)
                                       : fmt::format("here {}", fmt::join(options, "; ")))};
  if (options.empty()) return {};
  return {.note = fmt::format("a run starts from the parameters of {} under other options: here {}", id,
                              fmt::join(options, "; "))};
}

void add_once(std::vector<std::string>& notes, std::string note) {
  if (std::find(notes.begin(), notes.end(), note) == notes.end()) notes.push_back(std::move(note));
}

}  // namespace

void check_bases(std::vector<plan::Plan>& plans, const fs::path& root, Texts& texts,
                 std::vector<Diagnostic>& problems) {
  std::optional<store::Store> store;
  if (store::Store::exists(root)) store.emplace(root, store::Database::Mode::read_only);
  Bases bases(plans, store ? &*store : nullptr);
  TokensOfRuns tokens(texts);
  std::set<std::string> told;
  for (plan::Plan& plan : plans)
    for (const plan::PlannedRun& run : plan.runs) {
      const std::string& id = run.spec.train.init_from;
      if (id.empty()) continue;
      Verdict verdict = look_at(run, bases.find(id), root, tokens);
      if (!verdict.note.empty()) add_once(plan.notes, std::move(verdict.note));
      if (verdict.problem.empty()) continue;
      Diagnostic found =
          run.init_place.file ? run.init_place.diagnostic(verdict.problem) : Diagnostic{.message = verdict.problem};
      if (told.insert(found.to_string()).second) problems.push_back(std::move(found));
    }
}

}  // namespace bitsweep::prepare
