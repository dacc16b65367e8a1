#include "spec/points.h"

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include <fmt/format.h>

#include "base/sha256.h"
#include "base/units.h"
#include "spec/best_metric.h"
#include "spec/data_conflicts.h"
#include "spec/other_tools.h"
#include "spec/point.h"

namespace bitsweep::spec {
namespace {

// Errors of a formula at many points are one finding: the first, and how many more.
struct PointError {
  YamlPlace place;
  std::string message;
  int64_t more = 0;
};

class Expander {
 public:
  Expander(Design design, PluginShelf& plugins, Problems& problems, std::vector<std::string>& notes)
      : design_(std::move(design)), problems_(problems), notes_(notes),
        options_(plugins, problems, [this](const std::string& path) { return values_of(path); }) {}

  std::vector<ExpandedRun> run() {
    if (!small_enough()) return {};
    only_check_ = !problems_.empty();
    std::vector<size_t> row(design_.blocks.size(), 0);
    do {
      point(row);
    } while (next(row));
    for (const auto& [key, error] : errors_) {
      const std::string more = error.more > 0 ? fmt::format(" (and {} more points)", error.more) : "";
      problems_.add(error.place, error.message + more);
    }
    if (problems_.empty()) conclude();
    return std::move(runs_);
  }

 private:
  // What a path takes, as a person would write it: "[bop, diode]" of an axis, "bop" of a key.
  std::string values_of(const std::string& path) const {
    std::vector<std::string> values;
    const auto add = [&](const Setting& setting) {
      if (setting.path != path || setting.node == nullptr) return;
      std::string text = setting.node->kind == YamlKind::list ? list_text(*setting.node) : setting.node->text;
      if (std::find(values.begin(), values.end(), text) == values.end()) values.push_back(std::move(text));
    };
    for (const DesignBlock& block : design_.blocks)
      for (const DesignBlock::Row& row : block.rows)
        for (const Setting& setting : row.settings) add(setting);
    for (const Setting& setting : design_.base) add(setting);
    return values.size() == 1 ? values[0] : fmt::format("[{}]", fmt::join(values, ", "));
  }

  bool small_enough() {
    double count = 1;
    for (const DesignBlock& block : design_.blocks) count *= static_cast<double>(block.rows.size());
    if (count <= static_cast<double>(kMaxRuns)) return true;
    const std::string text = count < 1e15 ? format_thousands(static_cast<int64_t>(count)) : format_count(count);
    problems_.add(design_.place,
                  fmt::format("the sweep has {} points; at most {} are allowed, before where and exclude", text,
                              format_thousands(kMaxRuns)));
    return false;
  }

  // The last block varies fastest.
  bool next(std::vector<size_t>& row) const {
    for (size_t i = row.size(); i-- > 0;) {
      if (++row[i] < design_.blocks[i].rows.size()) return true;
      row[i] = 0;
    }
    return false;
  }

  void point(const std::vector<size_t>& row) {
    std::vector<const Setting*> upper;
    YamlPlace place = design_.place;
    for (size_t i = 0; i < row.size(); ++i) {
      const DesignBlock::Row& chosen = design_.blocks[i].rows[row[i]];
      for (const Setting& setting : chosen.settings) upper.push_back(&setting);
      if (design_.blocks[i].kind == "cases") place = chosen.place;
    }
    DesignPoint point(design_.base, std::move(upper));
    ++points_;
    const bool complete = has_what_it_needs(point, place);
    if (!options_.check(point) || !complete || only_check_ || !problems_.empty()) return;
    if (!derive(point) || !wanted(point)) return;
    finish(point, place);
  }

  bool has_what_it_needs(const DesignPoint& point, const YamlPlace& place) {
    const auto derived = [&](const char* path) {
      return std::any_of(design_.derived.begin(), design_.derived.end(),
                         [&](const Formula& f) { return f.target == path; });
    };
    const auto has = [&](const char* path) { return point.find(path) != nullptr || derived(path); };
    const size_t before = missing_;
    const auto need = [&](bool there, const char* message) {
      if (!there) problems_.add(place, message), ++missing_;
    };
    need(has("model.plugin"), "'model.plugin' is missing: a variant such as v57, or the path of a .so");
    need(has("data.corpus") || has("data.examples"),
         "'data.corpus' is missing: headers, stories, repeat, copy, needle, or the path of a text or a folder (or "
         "'data.examples', to fine-tune)");
    const int budgets = has("train.steps") + has("train.tokens") + has("train.epochs");
    need(budgets > 0, "the budget is missing: give one of 'train.steps', 'train.tokens' and 'train.epochs'");
    const auto given = [&](const char* path) { return point.find(path) != nullptr; };
    if (given("train.steps") + given("train.tokens") + given("train.epochs") > 1) {
      const Setting* one =
          point.find("train.epochs") != nullptr ? point.find("train.epochs") : point.find("train.tokens");
      problems_.add(one->key_place, "give exactly one of 'train.steps', 'train.tokens' and 'train.epochs'");
      ++missing_;
    }
    return missing_ == before;
  }

  Expression::Lookup lookup(const DesignPoint& point) const {
    return [&point](const std::string& name) -> std::optional<ExpressionValue> {
      if (name == "model.plugin") return point.plugin->plugin;
      return formula_value(point.value(name));
    };
  }

  void error_at(const DesignPoint& point, const Formula& formula, size_t offset, const std::string& message) {
    const auto [entry, fresh] = errors_.try_emplace(formula.node.get());
    if (!fresh) {
      ++entry->second.more;
      return;
    }
    const std::string where = point_text(axis_values(point), seed_of(point));
    entry->second = {formula.node->place_in_text(offset), fmt::format("'{}': {}{}", formula.expression.text(), message,
                                                                      where.empty() ? "" : "; at " + where)};
  }

  bool derive(DesignPoint& point) {
    for (const Formula& formula : design_.derived) {
      try {
        json::value value = formula_json(formula.expression.evaluate(lookup(point)));
        const std::string problem = derived_problem(point, formula.target, value);
        if (!problem.empty()) {
          error_at(point, formula, 0,
                   fmt::format("gives {}, but '{}' {}", canonical_json(value), formula.target, problem));
          return false;
        }
        point.derived.emplace_back(&formula, std::move(value));
      } catch (const ExpressionError& error) {
        error_at(point, formula, error.offset, error.what());
        return false;
      }
    }
    return true;
  }

  bool wanted(const DesignPoint& point) {
    for (Condition& condition : design_.conditions) {
      try {
        const ExpressionValue value = condition.formula.expression.evaluate(lookup(point));
        const bool* holds = std::get_if<bool>(&value);
        if (holds == nullptr) throw ExpressionError(0, "a condition such as 'train.batch <= 256' was expected");
        if (*holds == condition.keep) continue;
        ++condition.removed;
        return false;
      } catch (const ExpressionError& error) {
        error_at(point, condition.formula, error.offset, error.what());
        return false;
      }
    }
    return true;
  }

  // ---- A point that stays, as a run. ----

  void finish(const DesignPoint& point, const YamlPlace& place) {
    ExpandedRun run;
    run.place = place;
    fill_spec(point, run);
    run.axes = axis_values(point);
    if (!consistent(point, run)) return;
    for (std::string& note : idle_keys(run.spec, [&](const char* path) { return is_own(point, path); }))
      if (std::find(notes_.begin(), notes_.end(), note) == notes_.end()) notes_.push_back(std::move(note));
    const std::string key =
        sha256_hex(canonical_json(json::array{to_json(run.spec), run.budget.steps.value_or(0),
                                              run.budget.tokens.value_or(0), run.budget.epochs.value_or(0)}));
    const auto [known, fresh] = known_.emplace(key, runs_.size());
    if (fresh)
      runs_.push_back(std::move(run));
    else
      duplicate(run, runs_[known->second]);
  }

  // Set here, and not only by what the sweep extends.
  bool is_own(const DesignPoint& point, const char* path) const {
    const Setting* setting = point.find(path);
    if (setting == nullptr) return false;
    const auto& file = setting->key_place.file;
    return setting->key_place.line == 0 || (file && design_.place.file && *file == *design_.place.file);
  }

  void fill_spec(const DesignPoint& point, ExpandedRun& run) const {
    run.spec.model.plugin = point.plugin->plugin;
    run.spec.model.version = point.plugin->manifest->version;
    run.spec.model.options = point.options;
    run.option_defaults = point.plugin->manifest->later_defaults();
    for (const Setting* setting : point.settings()) {
      if (setting->key != nullptr && setting->key->set != nullptr) setting->key->set(run.spec, setting->value);
      const bool model = setting->path.starts_with("model.");
      if (setting->path == "model.plugin") run.model_place = setting->node->place;
      if (YamlPlace* place = place_of(setting->path, run)) *place = setting->node->place;
      if (!alternatives_of(setting->path).empty()) budget(setting->path, setting->value, setting->node->place, run);
      // What a block sets of the model is the likelier cause of a shape that does not work.
      const bool upper = std::find(point.upper().begin(), point.upper().end(), setting) != point.upper().end();
      if (model && upper) run.model_place = setting->node->place;
    }
    for (const auto& [formula, value] : point.derived) {
      const RunKey* key = find_run_key(formula->target);
      if (key == nullptr)
        set_option(run.spec.model.options, formula->target, value);
      else if (key->set != nullptr)
        key->set(run.spec, value);
      else
        budget(formula->target, value, formula->node->place, run);
    }
    run.spec.train.steps = run.budget.steps.value_or(0);
  }

  // Where what is found wrong with the value later is told; null: nothing will be.
  static YamlPlace* place_of(std::string_view path, ExpandedRun& run) {
    if (path == "data.corpus" || path == "data.examples") return &run.corpus_place;
    if (path == "data.tokenizer") return &run.tokenizer_place;
    if (path == "data.val") return &run.val_place;
    if (path == "eval.also") return &run.also_place;
    if (path == "eval.tasks") return &run.tasks_place;
    if (path == "train.freeze") return &run.freeze_place;
    if (path == "train.gradients") return &run.gradients_place;
    return path == "train.init_from" ? &run.init_place : nullptr;
  }

  static void set_option(json::object& options, const std::string& path, const json::value& value) {
    std::vector<std::string> replaced;
    for (const auto& [option, given] : options) {
      if (axis_replaces(path, "model." + std::string(option))) replaced.emplace_back(option);
    }
    for (const std::string& option : replaced) options.erase(option);
    options[path.substr(6)] = value;
  }

  static void budget(const std::string& path, const json::value& value, const YamlPlace& place, ExpandedRun& run) {
    run.budget = {};
    run.budget_place = place;
    if (path == "train.steps") run.budget.steps = value.to_number<int64_t>();
    if (path == "train.tokens") run.budget.tokens = value.to_number<double>();
    if (path == "train.epochs") run.budget.epochs = value.to_number<double>();
  }

  // What no single key can be wrong about.
  bool consistent(const DesignPoint& point, const ExpandedRun& run) {
    const auto place = [&](const char* path) {
      const Setting* setting = point.find(path);
      return setting == nullptr ? run.place : setting->node->place;
    };
    const TrainSpec& train = run.spec.train;
    if (train.batch % train.accumulate != 0) {
      problems_.add(place("train.accumulate"),
                    fmt::format("'train.batch' is {} sequences, which {} micro-batches do not divide evenly",
                                train.batch, train.accumulate));
      return false;
    }
    if (const auto conflict = data_conflict(run.spec, [&](const char* path) { return point.find(path) != nullptr; })) {
      problems_.add(place(conflict->path), conflict->message);
      return false;
    }
    if (const auto conflict = best_metric_conflict(run.spec)) {
      problems_.add(place(conflict->path), conflict->message);
      return false;
    }
    const EvalSpec& eval = run.spec.eval;
    if (eval.stride > 0 && (eval.bytes == 0 || eval.stride > run.spec.data.context)) {
      problems_.add(place("eval.stride"), eval.bytes == 0
                                              ? "'eval.stride' needs 'eval.bytes': fixed windows never overlap"
                                              : fmt::format("'eval.stride' is {} tokens, more than 'data.context', {}",
                                                            eval.stride, run.spec.data.context));
      return false;
    }
    const std::string& base = train.init_from;
    if (!base.empty() && (base.size() != 12 || base.find_first_not_of("0123456789abcdef") != std::string::npos)) {
      problems_.add(place("train.init_from"),
                    fmt::format("'train.init_from' must be a run's id of 12 hex digits, found '{}'", base));
      return false;
    }
    const double tokens = static_cast<double>(run.spec.tokens_per_step()) * static_cast<double>(train.steps);
    if (tokens > 1e15) {
      problems_.add(run.budget_place, fmt::format("the run would see {} tokens; at most 1000T", format_count(tokens)));
      return false;
    }
    return true;
  }

  void duplicate(const ExpandedRun& run, const ExpandedRun& first) {
    if (++duplicates_ == 1) {
      duplicate_text_ =
          fmt::format("({}) and ({})", point_text(first.axes, first.spec.seed), point_text(run.axes, run.spec.seed));
    }
  }

  json::object axis_values(const DesignPoint& point) const {
    json::object axes;
    for (const DesignBlock& block : design_.blocks) {
      for (const std::string& path : block.paths) {
        if (path == "seed") continue;
        json::value value =
            path == "model.plugin" && point.plugin != nullptr ? json::value(point.plugin->plugin) : point.value(path);
        const bool other_budget = !alternatives_of(path).empty() && point.find(path) == nullptr;
        if (!value.is_null() && !other_budget) axes[path] = std::move(value);
      }
    }
    return axes;
  }

  static int64_t seed_of(const DesignPoint& point) {
    const json::value seed = point.value("seed");
    return seed.is_number() ? seed.to_number<int64_t>() : 0;
  }

  // ---- When every point is seen. ----

  void conclude() {
    if (runs_.empty()) return nothing_left();
    if (duplicates_ > 0) {
      notes_.push_back(fmt::format("{} {} the same run as another and {} left out, e.g. {}", duplicates_,
                                   duplicates_ == 1 ? "point is" : "points are", duplicates_ == 1 ? "was" : "were",
                                   duplicate_text_));
    }
    keep_axes_that_vary();
  }

  void nothing_left() {
    std::string text = fmt::format("no run is left of {} points", format_thousands(points_));
    for (const Condition& condition : design_.conditions) {
      text += fmt::format("; {} '{}' removed {}", condition.keep ? "where" : "exclude",
                          condition.formula.expression.text(), format_thousands(condition.removed));
    }
    problems_.add(design_.conditions.empty() ? design_.place : design_.conditions.front().formula.node->place, text);
  }

  void keep_axes_that_vary() {
    for (const DesignBlock& block : design_.blocks) {
      for (const std::string& path : block.paths) {
        const auto value = [&](const ExpandedRun& run) {
          const json::value* found = run.axes.if_contains(path);
          return found == nullptr ? json::value(nullptr) : *found;
        };
        const json::value first = value(runs_.front());
        if (std::any_of(runs_.begin(), runs_.end(), [&](const ExpandedRun& run) { return value(run) != first; }))
          continue;
        for (ExpandedRun& run : runs_) run.axes.erase(path);
      }
    }
  }

  Design design_;
  Problems& problems_;
  std::vector<std::string>& notes_;
  OptionChecker options_;
  bool only_check_ = false;
  size_t missing_ = 0;
  int64_t points_ = 0, duplicates_ = 0;
  std::string duplicate_text_;
  std::vector<ExpandedRun> runs_;
  std::unordered_map<std::string, size_t> known_;
  std::map<const YamlNode*, PointError> errors_;
};

}  // namespace

std::vector<ExpandedRun> expand(Design design, PluginShelf& plugins, Problems& problems,
                                std::vector<std::string>& notes) {
  return Expander(std::move(design), plugins, problems, notes).run();
}

}  // namespace bitsweep::spec
