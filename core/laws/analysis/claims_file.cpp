#include "analysis/claims_file.h"

#include <algorithm>
#include <cmath>
#include <set>

#include <fmt/format.h>

#include "base/nearest.h"
#include "base/units.h"
#include "base/yaml.h"

namespace bitsweep::analysis {
namespace {

const std::vector<std::string> kTop{"facts", "claims"};
const std::vector<std::string> kFacts{"datasets", "runs"};
const std::vector<std::string> kClaim{"name",      "of",          "runs",     "law",        "axis",   "parameters",
                                      "units",     "target",      "value",    "plus_minus", "range",  "noise",
                                      "residuals", "compare",     "equal",    "model",      "change", "wall_change",
                                      "params",    "differ_only", "tolerance"};

// Half of the last digit that is written: 1.47 is meant to ± 0.005, 290M to ± 0.5M.
std::optional<StatedFigure> stated(const YamlNode& node) {
  const auto value = yaml_size(node);
  if (!value || !std::isfinite(*value)) return std::nullopt;
  const std::string& text = node.text;
  const size_t dot = text.find('.'), end = text.find_first_not_of("+-0123456789._");
  size_t decimals = 0;
  if (dot != std::string::npos) decimals = (end == std::string::npos ? text.size() : end) - dot - 1;
  const std::string unit = end == std::string::npos ? "" : text.substr(end);
  const double scale = parse_size("1" + unit).value_or(1);
  return StatedFigure{*value, 0.5 * scale * std::pow(10, -static_cast<double>(decimals))};
}

class ClaimsReader {
 public:
  ClaimsFile read(const YamlNode& root) {
    if (root.kind != YamlKind::map) {
      wrong(root, "a map of facts and claims");
    } else {
      for (const YamlEntry& entry : root.entries) {
        if (entry.key == "facts")
          facts(*entry.value);
        else if (entry.key == "claims")
          claims(*entry.value);
        else
          unknown(entry, kTop);
      }
    }
    if (!problems_.empty()) throw Error(ErrorKind::input, problems_);
    return std::move(file_);
  }

 private:
  void wrong(const YamlNode& node, const std::string& expected) {
    problems_.push_back(node.place.diagnostic(fmt::format("expected {}, found {}", expected, yaml_found(node))));
  }
  void unknown(const YamlEntry& entry, const std::vector<std::string>& known) {
    problems_.push_back(entry.key_place.diagnostic(fmt::format(
        "unknown key '{}'{}; known: {}", entry.key, did_you_mean(entry.key, known), fmt::join(known, ", "))));
  }

  void facts(const YamlNode& node) {
    if (node.kind != YamlKind::map) return wrong(node, "a map of datasets and runs");
    for (const YamlEntry& entry : node.entries) {
      if (entry.key == "datasets")
        each_fact(*entry.value, "unique_tokens", file_.unique_tokens, yaml_size);
      else if (entry.key == "runs")
        each_fact(*entry.value, "wall", file_.wall_s, [](const YamlNode& v) {
          return v.kind == YamlKind::scalar ? parse_duration_s(v.text) : std::nullopt;
        });
      else
        unknown(entry, kFacts);
    }
  }

  template <typename Parse>
  void each_fact(const YamlNode& node, const char* key, std::map<std::string, double>& out, Parse parse) {
    if (node.kind != YamlKind::map) return wrong(node, fmt::format("a map of names and {{ {}: … }}", key));
    for (const YamlEntry& entry : node.entries) {
      const YamlEntry* value = entry.value->kind == YamlKind::map ? entry.value->find(key) : nullptr;
      const auto number = value != nullptr ? parse(*value->value) : std::nullopt;
      if (number && *number > 0 && std::isfinite(*number) && entry.value->entries.size() == 1)
        out[entry.key] = *number;
      else
        wrong(*entry.value, fmt::format("{{ {}: {} }}", key, key == std::string("wall") ? "108m" : "387M"));
    }
  }

  void claims(const YamlNode& node) {
    if (node.kind != YamlKind::list) return wrong(node, "a list of claims");
    for (const Yaml& item : node.items) {
      if (item->kind == YamlKind::map)
        claim(*item);
      else
        wrong(*item, "a map such as { name: …, of: …, value: … }");
    }
  }

  void claim(const YamlNode& node) {
    Claim c;
    c.name = fmt::format("claim {}", file_.claims.size() + 1);
    for (const YamlEntry& entry : node.entries) key(entry, c);
    finish(node, c);
    file_.claims.push_back(std::move(c));
  }

  void key(const YamlEntry& entry, Claim& c) {
    const YamlNode& value = *entry.value;
    const std::string& key = entry.key;
    if (key == "name") return word(value, c.name);
    if (key == "of") return word(value, c.of);
    if (key == "law") return word(value, c.law);
    if (key == "axis") return word(value, c.axis);
    if (key == "runs") return words(value, c.runs);
    if (key == "compare") return words(value, c.compare);
    if (key == "differ_only") return words(value, c.differ_only);
    if (key == "equal") return words(value, c.equal);
    if (key == "value") return figure(value, c.value);
    if (key == "residuals") return figure(value, c.residuals);
    if (key == "change") return figure(value, c.change);
    if (key == "wall_change") return figure(value, c.wall_change);
    if (key == "params") return figure(value, c.params);
    if (key == "noise") return number(value, c.noise);
    if (key == "parameters") return parameters(value, c);
    if (key == "units") return units(value, c);
    if (key == "target") return target(value, c);
    if (key == "range") return range(value, c);
    if (key == "model" && value.kind == YamlKind::map) return void(c.model = yaml_to_json(value).as_object());
    if (key == "model") return wrong(value, "a map such as { plugin: v57, d_model: 2048 }");
    if (key != "plus_minus" && key != "tolerance") unknown(entry, kClaim);
  }

  // What takes several keys together.
  void finish(const YamlNode& node, Claim& c) {
    double half = 0;
    if (const YamlEntry* v = node.find("plus_minus")) {
      number(*v->value, half);
      if (!c.value) wrong(node, "a value beside plus_minus");
      if (c.value) c.range = {c.value->value - half, c.value->value + half};
    }
    if (const YamlEntry* v = node.find("tolerance")) {
      number(*v->value, half);
      for (auto* f : {&c.value, &c.change, &c.wall_change, &c.params})
        if (*f) (*f)->tolerance = half;
    }
    if (!c.compare.empty() && c.compare.size() != 2) wrong(*node.find("compare")->value, "two runs: [first, second]");
    if (!c.law.empty()) law(node, c);
    if (c.params && c.model.empty())
      wrong(node, "a model beside params, such as model: { plugin: v57, d_model: 2048 }");
    if (!c.model.empty() && (!c.model.contains("plugin") || !c.model.at("plugin").is_string()))
      wrong(*node.find("model")->value, "the name of a plugin: { plugin: v57, … }");
    const bool says = c.params || !c.compare.empty() || !c.law.empty() || (!c.of.empty() && (c.value || c.range));
    if (!says) wrong(node, "something to check: a law, a comparison, a size, or `of` with a value or a range");
  }

  void law(const YamlNode& node, const Claim& c) {
    const std::vector<std::string> names = stated_parameters(c.law);
    if (names.empty()) return wrong(*node.find("law")->value, "power or chinchilla");
    if (c.axis != "params" && c.axis != "tokens") return wrong(*node.find("axis")->value, "params or tokens");
    for (const std::string& name : names)
      if (!c.parameters.empty() && !c.parameters.contains(name))
        wrong(*node.find("parameters")->value, fmt::format("all of {}: '{}' is missing", fmt::join(names, ", "), name));
    for (const auto& [name, value] : c.parameters)
      if (std::find(names.begin(), names.end(), name) == names.end())
        wrong(*node.find("parameters")->value, fmt::format("{}, not '{}'", fmt::join(names, ", "), name));
    if (!c.target) return;
    const bool both = c.law == "chinchilla";
    if ((both || c.axis == "params") && !(c.target->params > 0))
      wrong(*node.find("target")->value, "params of the target");
    if ((both || c.axis == "tokens") && !(c.target->tokens > 0))
      wrong(*node.find("target")->value, "tokens of the target");
  }

  void word(const YamlNode& node, std::string& out) {
    if (node.kind == YamlKind::scalar && !node.text.empty())
      out = node.text;
    else
      wrong(node, "a word");
  }
  void words(const YamlNode& node, std::vector<std::string>& out) {
    if (node.kind != YamlKind::list) return wrong(node, "a list");
    for (const Yaml& item : node.items) word(*item, out.emplace_back());
  }
  void number(const YamlNode& node, double& out) {
    const auto value = yaml_size(node);
    if (value && std::isfinite(*value) && *value > 0)
      out = *value;
    else
      wrong(node, "a number above 0");
  }
  void figure(const YamlNode& node, std::optional<StatedFigure>& out) {
    out = stated(node);
    if (!out) wrong(node, "a number");
  }
  void parameters(const YamlNode& node, Claim& c) {
    if (node.kind != YamlKind::map) return wrong(node, "a map such as { E: 1.0, A: 1.76, alpha: 0.218 }");
    for (const YamlEntry& entry : node.entries) {
      const auto value = yaml_number(*entry.value);
      if (value && std::isfinite(*value))
        c.parameters[entry.key] = *value;
      else
        wrong(*entry.value, "a number");
    }
  }
  void units(const YamlNode& node, Claim& c) {
    if (node.kind != YamlKind::map) return wrong(node, "a map such as { params: M }");
    for (const YamlEntry& entry : node.entries) {
      const auto unit = parse_size("1" + entry.value->text);
      if (!unit || !(*unit > 0) || (entry.key != "params" && entry.key != "tokens"))
        wrong(*entry.value, "k, M, B or T of params or tokens");
      else
        (entry.key == "params" ? c.params_unit : c.tokens_unit) = *unit;
    }
  }
  void target(const YamlNode& node, Claim& c) {
    if (node.kind != YamlKind::map) return wrong(node, "a map such as { params: 300M, tokens: 1B }");
    fit::Target target;
    for (const YamlEntry& entry : node.entries) {
      const auto size = yaml_size(*entry.value);
      if (!size || !(*size > 0) || !std::isfinite(*size) || (entry.key != "params" && entry.key != "tokens"))
        wrong(*entry.value, "sizes such as { params: 300M, tokens: 1B }");
      else
        (entry.key == "params" ? target.params : target.tokens) = *size;
    }
    c.target = target;
  }
  void range(const YamlNode& node, Claim& c) {
    const auto end = [&](size_t k) { return node.items.size() == 2 ? yaml_number(*node.items[k]) : std::nullopt; };
    const auto low = end(0), high = end(1);
    if (node.kind == YamlKind::list && low && high && *low <= *high)
      c.range = {*low, *high};
    else
      wrong(node, "[low, high]");
  }

  ClaimsFile file_;
  std::vector<Diagnostic> problems_;
};

[[noreturn]] void no_such(const char* what, const std::string& name, const std::vector<std::string>& known) {
  throw Error(ErrorKind::input, fmt::format("--claims: no {} '{}'{}", what, name, did_you_mean(name, known)));
}

}  // namespace

ClaimsFile read_claims(const std::string& text, const std::string& name_for_message) {
  return ClaimsReader().read(*parse_yaml(text, name_for_message));
}

void add_facts(const ClaimsFile& file, PointsFile& points) {
  std::vector<std::string> datasets, runs;
  for (const fit::Point& p : points.points) {
    datasets.push_back(p.dataset);
    runs.push_back(p.run);
  }
  for (const auto& [name, unique_tokens] : file.unique_tokens) {
    if (std::find(datasets.begin(), datasets.end(), name) == datasets.end()) no_such("dataset", name, datasets);
    for (fit::Point& p : points.points)
      if (p.dataset == name && !(p.unique_tokens > 0)) p.unique_tokens = unique_tokens;
  }
  for (const auto& [name, wall_s] : file.wall_s) {
    const auto at = std::find(runs.begin(), runs.end(), name);
    if (at == runs.end()) no_such("run", name, runs);
    points.settings[static_cast<size_t>(at - runs.begin())].wall_s = wall_s;
  }
}

void resolve_runs(std::vector<Claim>& claims, const std::vector<MeasuredRun>& runs) {
  std::vector<std::string> ids;
  for (const MeasuredRun& run : runs) ids.push_back(run.row.id);
  const auto resolve = [&](std::string& name) {
    if (std::find(ids.begin(), ids.end(), name) != ids.end()) return;
    std::vector<std::string> found;
    for (const std::string& id : ids)
      if (id.starts_with(name)) found.push_back(id);
    if (found.size() != 1) no_such(found.empty() ? "run" : "single run", name, ids);
    name = found[0];
  };
  for (Claim& claim : claims) {
    for (std::string& name : claim.runs) resolve(name);
    for (std::string& name : claim.compare) resolve(name);
  }
}

void count_models(std::vector<Claim>& claims, plan::Describer& describer) {
  std::vector<plan::DescribeQuestion> questions;
  std::vector<Claim*> asked;
  for (Claim& claim : claims) {
    if (claim.model.empty()) continue;
    json::object options = claim.model;
    options.erase("plugin");
    plan::DescribeQuestion question{std::string(claim.model.at("plugin").get_string()), {}};
    question.request.vocab = integer_or(options, "vocab", question.request.vocab);
    question.request.context = integer_or(options, "context", question.request.context);
    options.erase("vocab");
    options.erase("context");
    question.request.options = std::move(options);
    questions.push_back(std::move(question));
    asked.push_back(&claim);
  }
  if (questions.empty()) return;
  const std::vector<plan::DescribeAnswer> answers = describer.describe(questions);
  for (size_t i = 0; i < asked.size(); ++i) {
    if (answers[i].description)
      asked[i]->params_counted = answers[i].description->params;
    else
      asked[i]->not_counted = answers[i].error;
  }
}

}  // namespace bitsweep::analysis
