// The section "Recommended configuration": what to train at a target, from the settings of the runs that did best.
#include <algorithm>
#include <cmath>
#include <set>

#include <fmt/format.h>

#include "base/units.h"
#include "render/format.h"
#include "report/advice_sections.h"
#include "report/findings.h"
#include "report/setting_section.h"

namespace bitsweep::report {
namespace {

const analysis::ReportCell* cell_of(const analysis::GroupAnalysis& g, const analysis::ReportInput& input,
                                    const std::string& run) {
  for (const analysis::ReportCell& cell : g.table.cells)
    for (const size_t r : cell.runs)
      if (input.runs[r].row.id == run) return &cell;
  return nullptr;
}

const fit::Prediction* prediction_for(const analysis::GroupAnalysis& g, const analysis::TargetPlan& plan) {
  for (const analysis::LawFit& fit : g.fits) {
    if (fit.variant != plan.variant || fit.budget_class || fit.size_class) continue;
    for (const fit::Prediction& p : fit.result.predictions)
      if (p.target.params == plan.target.params && p.target.tokens == plan.target.tokens && p.interval && p.loss)
        return &p;
  }
  return nullptr;
}

SettingAdvice lr_for(const analysis::ReportInput& input, const analysis::GroupAnalysis& g,
                     const analysis::TargetPlan& plan) {
  const analysis::ReportCell* like = cell_of(g, input, plan.like);
  return like != nullptr ? lr_advice(g, plan.variant, plan.params, plan.tokens, *like) : SettingAdvice{};
}

SettingAdvice batch_for(const analysis::ReportInput& input, const analysis::GroupAnalysis& g,
                        const analysis::TargetPlan& plan) {
  const analysis::ReportCell* like = cell_of(g, input, plan.like);
  return like != nullptr ? batch_advice(g, plan.variant, plan.params, plan.tokens, *like) : SettingAdvice{};
}

std::string setting_text(const SettingAdvice& advice, std::string (*text)(double)) {
  if (!advice.value) return render::kNothing;
  if (!advice.interval) return text(*advice.value);
  return fmt::format("{} ({} to {})", text(*advice.value), text(advice.interval->first), text(advice.interval->second));
}

// Steps go with the batch that is taken, the plan's being that of the run it is like.
double step_factor(const analysis::ReportInput& input, const analysis::GroupAnalysis& g,
                   const analysis::TargetPlan& plan) {
  const analysis::ReportCell* like = cell_of(g, input, plan.like);
  const SettingAdvice batch = batch_for(input, g, plan);
  return like != nullptr && like->batch && batch.value ? *like->batch / *batch.value : 1;
}

std::string steps_text(const analysis::TargetPlan& plan, double factor) {
  const auto scaled = [&](int64_t count) { return std::llround(factor * static_cast<double>(count)); };
  if (scaled(plan.steps) <= 0) return render::kNothing;
  const std::string text = format_thousands(scaled(plan.steps));
  return scaled(plan.warmup) > 0 ? fmt::format("{}, {} of them warmup", text, format_thousands(scaled(plan.warmup)))
                                 : text;
}

// ", which is 6.6 times smaller"; nothing for about the same size.
std::string how_far(double factor) {
  if (factor > 1.5) return fmt::format(", {} times smaller than the target", render::format_significant(factor, 2));
  if (factor < 1 / 1.5)
    return fmt::format(", {} times larger than the target", render::format_significant(1 / factor, 2));
  return "";
}

std::string bytes_text(int64_t bytes) {
  return bytes > 0 ? format_bytes(static_cast<double>(bytes)) : render::kNothing;
}

std::string memory_text(const analysis::TargetBytes& bytes) {
  return fmt::format("{} at its peak: weights {}, gradients {}, optimizer {}, activations {}", bytes_text(bytes.peak),
                     bytes_text(bytes.weights), bytes_text(bytes.gradients), bytes_text(bytes.optimizer),
                     bytes_text(bytes.activations));
}

// A row a property, a column a variant.
class PlanTable {
 public:
  PlanTable(const analysis::ReportInput& input, const analysis::GroupAnalysis& g,
            std::vector<const analysis::TargetPlan*> plans)
      : input_(input), g_(g), plans_(std::move(plans)) {}

  render::Table make(const fit::Target& target) {
    table_.columns = {{fmt::format("{} on {} tokens", format_count(target.params), format_count(target.tokens))}};
    for (const analysis::TargetPlan* plan : plans_) table_.columns.push_back({plan->variant, render::Align::right});
    row("shape", [](const analysis::TargetPlan& p) { return p.shape.empty() ? render::kNothing : p.shape; });
    row("params", [](const analysis::TargetPlan& p) { return format_count(p.params); });
    row("tokens", [](const analysis::TargetPlan& p) { return format_count(p.tokens); });
    row("batch", [&](const analysis::TargetPlan& p) {
      return setting_text(batch_for(input_, g_, p), [](double v) { return format_count(std::round(v)); });
    });
    row("learning rate", [&](const analysis::TargetPlan& p) {
      return setting_text(lr_for(input_, g_, p), [](double v) { return render::format_significant(v, 2); });
    });
    row("steps", [&](const analysis::TargetPlan& p) { return steps_text(p, step_factor(input_, g_, p)); });
    row("loss by the law", [&](const analysis::TargetPlan& p) {
      const fit::Prediction* told = prediction_for(g_, p);
      return told == nullptr
                 ? std::string("not claimed")
                 : fmt::format("{} ({} to {})", render::format_bpc(*told->loss),
                               render::format_bpc(told->interval->first), render::format_bpc(told->interval->second));
    });
    row("FLOPs (6 N D)", [](const analysis::TargetPlan& p) {
      return fmt::format("{} ({})", render::format_significant(p.flops, 3),
                         render::format_significant(6 * p.params * p.tokens, 3));
    });
    row("hours", [](const analysis::TargetPlan& p) {
      return p.hours ? (p.hours_measured ? "" : "~ ") + render::format_significant(*p.hours, 2)
                     : std::string(render::kNothing);
    });
    row("memory",
        [](const analysis::TargetPlan& p) { return p.bytes ? memory_text(*p.bytes) : std::string(render::kNothing); });
    row("checkpoint", [](const analysis::TargetPlan& p) {
      return p.bytes ? bytes_text(p.bytes->checkpoint) : std::string(render::kNothing);
    });
    row("stored, as deployed", [](const analysis::TargetPlan& p) { return bytes_text(p.stored_bytes); });
    return std::move(table_);
  }

 private:
  template <typename Value>
  void row(const char* name, Value value) {
    std::vector<std::string> cells{name};
    for (const analysis::TargetPlan* plan : plans_) cells.push_back(value(*plan));
    if (std::any_of(cells.begin() + 1, cells.end(), [](const std::string& cell) { return cell != render::kNothing; }))
      table_.rows.push_back(std::move(cells));
  }

  const analysis::ReportInput& input_;
  const analysis::GroupAnalysis& g_;
  std::vector<const analysis::TargetPlan*> plans_;
  render::Table table_;
};

// A sentence with the variants that it holds for, each sentence once.
class Reasons {
 public:
  void add(const std::string& variant, const std::string& sentence) {
    if (sentence.empty()) return;
    auto known = std::find_if(told_.begin(), told_.end(), [&](const auto& t) { return t.first == sentence; });
    if (known == told_.end()) known = told_.insert(known, {sentence, {}});
    known->second.push_back(variant);
  }
  render::BulletList list(const analysis::GroupAnalysis& g) const {
    render::BulletList items;
    for (const auto& [sentence, variants] : told_)
      items.items.push_back(render::Text().strong(listed_variants(g, variants)) << ": " + sentence + ".");
    return items;
  }

 private:
  std::vector<std::pair<std::string, std::vector<std::string>>> told_;
};

std::vector<const analysis::TargetPlan*> plans_of(const analysis::ReportInput& input, const analysis::GroupAnalysis& g,
                                                  const fit::Target& target) {
  std::vector<const analysis::TargetPlan*> plans;
  for (const analysis::TargetPlan& plan : input.plans)
    if (plan.group == g.group.label && plan.target.params == target.params && plan.target.tokens == target.tokens)
      plans.push_back(&plan);
  return plans;
}

void add_reasons(const analysis::ReportInput& input, const analysis::GroupAnalysis& g, const analysis::TargetPlan& plan,
                 const analysis::ReportCell& like, Reasons& reasons) {
  const SettingAdvice lr = lr_for(input, g, plan), batch = batch_for(input, g, plan);
  const std::string size = g.table.size_text(like.size_class);
  if (!lr.why.empty()) reasons.add(plan.variant, "learning rate " + lr.why);
  reasons.add(plan.variant, lr.off);
  if (!batch.why.empty()) {
    reasons.add(plan.variant, "batch " + batch.why);
    reasons.add(plan.variant, batch.off);
  } else if (like.batch) {
    reasons.add(plan.variant, fmt::format("batch{} as in its best run of {}{}",
                                          plan.warmup > 0 ? ", and warmup as a share of the steps," : "", size,
                                          how_far(plan.params / like.params)));
  }
}

void add_target(const analysis::ReportInput& input, const analysis::GroupAnalysis& g, const fit::Target& target,
                std::vector<render::Block>& blocks) {
  std::vector<const analysis::TargetPlan*> possible;
  Reasons refusals, reasons;
  for (const analysis::TargetPlan* plan : plans_of(input, g, target)) {
    if (!plan->refused.empty()) {
      refusals.add(plan->variant, plan->refused);
      continue;
    }
    possible.push_back(plan);
    if (const analysis::ReportCell* like = cell_of(g, input, plan->like)) {
      add_reasons(input, g, *plan, *like, reasons);
    }
    if (plan->hours && !plan->hours_measured)
      reasons.add(plan->variant,
                  plan->table
                      ? "hours (~) are at the speed of its largest runs"
                      : "hours (~) are scaled by FLOPs from the nearest shape that was measured on this machine");
    if (!plan->hours && !plan->table)
      reasons.add(plan->variant, "no speed of it is known on this machine, so no hours are told");
    if (plan->table) reasons.add(plan->variant, "a table says nothing of shapes and memory");
  }
  if (!possible.empty()) {
    const bool memory = std::any_of(possible.begin(), possible.end(), [](auto* p) { return p->bytes.has_value(); });
    blocks.emplace_back(render::TableBlock{.table = PlanTable(input, g, possible).make(target),
                                           .worth = render::TableBlock::Worth::whole});
    render::BulletList told = reasons.list(g);
    if (memory)
      told.items.emplace_back(
          "Memory is that of the tensors of one step; the worker itself and the mapped text come on top. The parts are "
          "not there all at once, so that the peak is less than their sum.");
    blocks.emplace_back(std::move(told));
  }
  if (render::BulletList none = refusals.list(g); !none.items.empty()) {
    blocks.emplace_back(render::Paragraph{fmt::format("Without a configuration for {} parameters on {} tokens:",
                                                      format_count(target.params), format_count(target.tokens))});
    blocks.emplace_back(std::move(none));
  }
}

}  // namespace

std::vector<render::Block> recommendation_section(const analysis::ReportInput& input, const analysis::GroupAnalysis& g,
                                                  int level) {
  std::vector<render::Block> blocks;
  for (const fit::Target& target : input.targets)
    if (!plans_of(input, g, target).empty()) add_target(input, g, target, blocks);
  if (!blocks.empty()) blocks.insert(blocks.begin(), render::Heading{level, "Recommended configuration"});
  return blocks;
}

json::array recommendation_json(const analysis::ReportInput& input, const analysis::GroupAnalysis& g) {
  json::array list;
  for (const analysis::TargetPlan& plan : input.plans) {
    if (plan.group != g.group.label) continue;
    json::object object{{"variant", plan.variant},
                        {"target", json::object{{"params", plan.target.params}, {"tokens", plan.target.tokens}}},
                        {"refused", plan.refused.empty() ? json::value(nullptr) : json::value(plan.refused)}};
    if (plan.refused.empty()) {
      const SettingAdvice rate = lr_for(input, g, plan), batch = batch_for(input, g, plan);
      const double factor = step_factor(input, g, plan);
      object["like"] = plan.like, object["shape"] = plan.shape, object["params"] = plan.params;
      object["tokens"] = plan.tokens, object["steps"] = std::llround(factor * static_cast<double>(plan.steps));
      object["warmup"] = std::llround(factor * static_cast<double>(plan.warmup));
      object["batch"] = finite_or_null(batch.value);
      object["lr"] = finite_or_null(rate.value), object["lr_reason"] = rate.why;
      object["lr_interval"] = interval_json(rate.interval), object["batch_interval"] = interval_json(batch.interval);
      object["lr_kept_costs"] = rate.penalty ? finite_or_null(rate.penalty->expected) : json::value(nullptr);
      object["flops"] = finite_or_null(plan.flops), object["six_nd"] = finite_or_null(6 * plan.params * plan.tokens);
      object["hours"] = finite_or_null(plan.hours), object["hours_measured"] = plan.hours_measured;
      object["stored_bytes"] = plan.stored_bytes > 0 ? json::value(plan.stored_bytes) : json::value(nullptr);
      object["bytes"] = nullptr;
      if (plan.bytes)
        object["bytes"] = json::object{{"weights", plan.bytes->weights},     {"gradients", plan.bytes->gradients},
                                       {"optimizer", plan.bytes->optimizer}, {"activations", plan.bytes->activations},
                                       {"peak", plan.bytes->peak},           {"checkpoint", plan.bytes->checkpoint}};
    }
    list.push_back(std::move(object));
  }
  return list;
}

}  // namespace bitsweep::report
