#include "prepare/base_runs.h"

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

std::string tokenizer_words(const spec::DataSpec& data) {
  const std::string name = spec::tokenizer_text(spec::tokenizer_json(data));
  return data.tokenizer_sha256.empty() ? fmt::format("{} ({} tokens)", name, rows_of(data))
                                       : fmt::format("{} (SHA-256 {:.12})", name, data.tokenizer_sha256);
}

bool other_tokenizer(const spec::DataSpec& a, const spec::DataSpec& b) {
  if (!a.tokenizer_sha256.empty() && !b.tokenizer_sha256.empty()) return a.tokenizer_sha256 != b.tokenizer_sha256;
  return rows_of(a) > 0 && rows_of(b) > 0 && rows_of(a) != rows_of(b);
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

// "" or what is wrong.
std::string problem_with(const plan::PlannedRun& run, const Base* base, const fs::path& root) {
  const std::string& id = run.spec.train.init_from;
  if (base == nullptr)
    return fmt::format("'train.init_from': there is no run {} in '{}'{}", id, root.string(),
                       store::Store::exists(root) ? "; 'bitsweep runs' lists those there are"
                                                  : ", which has no database of runs (--root names another folder; "
                                                    "'bitsweep rebuild' makes a lost database again)");
  if (other_tokenizer(run.spec.data, base->spec.data))
    return fmt::format("'train.init_from': run {} has another tokenizer, {}, than this one, {}", id,
                       tokenizer_words(base->spec.data), tokenizer_words(run.spec.data));
  if (run.model.params == base->params) return "";
  const auto options = other_options(run.spec.model, base->spec.model);
  return fmt::format("'train.init_from': run {} has another shape: {}", id,
                     options.empty() ? fmt::format("{} parameters, and this one {}", base->params, run.model.params)
                                     : fmt::format("here {}", fmt::join(options, "; ")));
}

}  // namespace

void check_bases(const std::vector<plan::Plan>& plans, const fs::path& root, std::vector<Diagnostic>& problems) {
  std::optional<store::Store> store;
  if (store::Store::exists(root)) store.emplace(root, store::Database::Mode::read_only);
  Bases bases(plans, store ? &*store : nullptr);
  std::set<std::string> told;
  for (const plan::Plan& plan : plans)
    for (const plan::PlannedRun& run : plan.runs) {
      const std::string& id = run.spec.train.init_from;
      const std::string problem = id.empty() ? "" : problem_with(run, bases.find(id), root);
      if (problem.empty()) continue;
      Diagnostic found = run.init_place.file ? run.init_place.diagnostic(problem) : Diagnostic{.message = problem};
      if (told.insert(found.to_string()).second) problems.push_back(std::move(found));
    }
}

}  // namespace bitsweep::prepare
