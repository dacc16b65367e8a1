// What a plugin says: descriptions, counts, options.
#include <algorithm>
#include <optional>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/error.h"
#include "base/units.h"
#include "conformance/checks.h"
#include "train/tensor_memory.h"

namespace bitsweep::conformance {
namespace {

// Far more than any machine holds.
constexpr TrialShape kHugeShape{.d_model = 16384, .n_layers = 512, .n_heads = 128, .d_ff = 65536};

const char* const kShapeOptions[] = {"d_model", "n_layers", "n_heads", "n_kv_heads", "d_ff"};

// The plugin's message when it refuses `request` as bad input; nothing when it takes it. Any other failure is thrown.
std::optional<std::string> refusal(const plugin::Plugin& plugin, const plugin::DescribeRequest& request) {
  try {
    plugin.describe(request);
    return std::nullopt;
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::input) throw;
    return error.what();
  }
}

struct Counted {
  int64_t all = 0, ends = 0;  // ends: the embedding's and the head's matrix, where they are called so
};

Counted count_of(const nn::Model& model) {
  Counted counted;
  const auto add = [&](const std::string& name, int64_t count) {
    counted.all += count;
    if (name == "embedding.weight" || name == "head.weight") counted.ends += count;
  };
  for (const nn::Parameter& parameter : model.parameters()) add(parameter.name, parameter.tensor.numel());
  for (const nn::BitMatrix& matrix : model.bit_matrices()) add(matrix.name, matrix.rows * matrix.columns);
  return counted;
}

// Two shapes, two alphabets and, where the plugin has a shape, a target size.
std::vector<plugin::DescribeRequest> counted_requests(const Workbench& bench) {
  std::vector<plugin::DescribeRequest> requests{
      bench.request(), bench.request(kTinyShape, 256),
      bench.request({.d_model = 40, .n_layers = 1, .n_heads = 5, .d_ff = 100})};
  const bool shaped = bench.manifest() && bench.manifest()->find("d_model") != nullptr;
  const bool given = std::any_of(std::begin(kShapeOptions), std::end(kShapeOptions),
                                 [&](const char* name) { return bench.given().contains(name); });
  if (shaped && !given && !bench.given().contains("params") && !bench.given().contains("body")) {
    plugin::DescribeRequest sized = bench.request();
    for (const char* name : kShapeOptions) sized.options.erase(name);
    sized.options["params"] = "100k";
    requests.push_back(std::move(sized));
  }
  return requests;
}

// A value that `option` must not take, and what is wrong with it.
struct Wrong {
  json::value value;
  std::string what;
};

std::vector<Wrong> wrong_values(const plugin::OptionSpec& option) {
  std::vector<Wrong> wrong{{json::object{}, "an object"}};
  if (option.type != "bool") wrong.push_back({true, "true"});
  if (option.type == "choice" || option.type == "string") wrong.push_back({3, "a number"});
  if (option.type == "choice") wrong.push_back({json::value(option.choices.front() + "x"), "an unknown choice"});
  if (option.type == "bool") wrong.push_back({1, "a number"});
  if (option.type == "int") wrong.push_back({1.5, "a fraction"});
  const auto beyond = [&](double number, const char* what) {
    json::value value = number;
    if (option.type != "float") value = static_cast<int64_t>(number);
    if (option.type == "int_list") value = json::array{value};
    wrong.push_back({value, fmt::format("{} {}", canonical_json(value), what)});
  };
  if (option.min) beyond(*option.min - 1, "below its least");
  if (option.max) beyond(*option.max + 1, "above its most");
  return wrong;
}

// What is wrong with how the plugin takes wrong values of `option`.
std::vector<std::string> range_problems(const Workbench& bench, const plugin::OptionSpec& option) {
  std::vector<std::string> problems;
  for (const Wrong& wrong : wrong_values(option)) {
    plugin::DescribeRequest request = bench.request();
    request.options[option.name] = wrong.value;
    const std::optional<std::string> message = refusal(bench.plugin(), request);
    if (!message) {
      problems.push_back(fmt::format("{} takes {}", option.name, wrong.what));
    } else if (message->find(option.name) == std::string::npos) {
      problems.push_back(fmt::format("{} refuses {} without its name: {}", option.name, wrong.what, *message));
    }
  }
  return problems;
}

// The manifest is what sweeps are checked with: what it promises must be what the plugin does.
std::vector<std::string> default_problems(const Workbench& bench, const json::object& described) {
  std::vector<std::string> problems;
  for (const auto& [name, value] : described) {
    const plugin::OptionSpec* option = bench.manifest()->find(std::string_view(name));
    if (option == nullptr) {
      problems.push_back(fmt::format("{} is described and not in plugin.yaml", std::string_view(name)));
    } else if (const std::string wrong = option_problem(*option, value); !wrong.empty()) {
      problems.push_back(fmt::format("{} is described as {}, plugin.yaml says {}", std::string_view(name),
                                     canonical_json(value), wrong));
    } else if (option->default_value && !bench.given().contains(name) &&
               canonical_json(*option->default_value) != canonical_json(value)) {
      problems.push_back(fmt::format("{} defaults to {}, plugin.yaml says {}", std::string_view(name),
                                     canonical_json(value), canonical_json(*option->default_value)));
    }
  }
  // One that is described only where others give it an effect: still known, beside the defaults of the others.
  plugin::DescribeRequest defaults = bench.request();
  for (const plugin::OptionSpec& option : bench.manifest()->options)
    if (option.default_value) defaults.options.erase(option.name);
  for (const plugin::OptionSpec& option : bench.manifest()->options) {
    if (described.contains(option.name) || !option.default_value) continue;
    plugin::DescribeRequest request = defaults;
    request.options[option.name] = *option.default_value;
    if (const auto message = refusal(bench.plugin(), request))
      problems.push_back(fmt::format("{} refuses its own default: {}", option.name, *message));
  }
  return problems;
}

// An option that came later, at the value of models without it: not recorded, so that their runs keep their ids.
std::vector<std::string> absent_problems(const Workbench& bench) {
  std::vector<std::string> problems;
  plugin::DescribeRequest without = bench.request();
  without.defaults = {};
  const json::object before = bench.plugin().describe(without).options;
  for (const plugin::OptionSpec& option : bench.manifest()->options) {
    if (!option.absent || bench.given().contains(option.name)) continue;
    plugin::DescribeRequest with = without;
    with.options[option.name] = *option.absent;
    const json::object described = bench.plugin().describe(with).options;
    if (before.contains(option.name) || canonical_json(described) != canonical_json(before))
      problems.push_back(fmt::format("{} is absent at {} by plugin.yaml: then {} is described, without it {}",
                                     option.name, canonical_json(*option.absent), canonical_json(described),
                                     canonical_json(before)));
  }
  return problems;
}

std::vector<std::string> unknown_problems(const Workbench& bench) {
  const std::string known =
      bench.manifest()->options.empty() ? std::string("params") : bench.manifest()->options.front().name;
  plugin::DescribeRequest request = bench.request();
  request.options[known + "x"] = 1;
  const std::optional<std::string> message = refusal(bench.plugin(), request);
  if (!message) return {fmt::format("an unknown option '{}x' is taken", known)};
  if (message->find("'" + known + "'") != std::string::npos) return {};
  return {fmt::format("the unknown option '{0}x' is refused without naming '{0}': {1}", known, *message)};
}

}  // namespace

Outcome check_describe(const Workbench& bench) {
  const train::TensorMemory memory;
  plugin::DescribeRequest request = bench.request();
  const plugin::Description first = bench.plugin().describe(request);
  request.options = first.options;
  request.defaults = {};  // the spec of a run says all that it is
  const std::string again = canonical_json(to_json(bench.plugin().describe(request)));
  if (again != canonical_json(to_json(first)))
    return {false, fmt::format("describing its own answer gives another: {} became {}", canonical_json(to_json(first)),
                               again)};
  const plugin::DescribeRequest huge = bench.request(kHugeShape);
  const std::optional<std::string> refused = refusal(bench.plugin(), huge);
  const int64_t params = refused ? 0 : bench.plugin().describe(huge).params;
  if (const int64_t made = memory.allocations(); made > 0)
    return {false, fmt::format("describing made {} tensors, {} at once", made,
                               format_bytes(static_cast<double>(memory.peak_bytes())))};
  if (refused) return {true, fmt::format("{} parameters, no tensor; larger ones are refused", first.params)};
  return {true, fmt::format("{} and {} parameters described without a tensor", format_thousands(first.params),
                            format_thousands(params))};
}

Outcome check_counts(const Workbench& bench) {
  std::string figures;
  for (const plugin::DescribeRequest& request : counted_requests(bench)) {
    const plugin::Description said = bench.plugin().describe(request);
    const Counted built = count_of(*bench.build(request));
    const int64_t described = said.params + said.params_extra;
    if (built.all != described)
      return {false, fmt::format("{} describes {} parameters and builds {}", canonical_json(request.options),
                                 format_thousands(described), format_thousands(built.all))};
    if (built.ends != 0 && built.ends != said.params_embedding)
      return {false, fmt::format("{} describes {} parameters of embedding and head and builds {}",
                                 canonical_json(request.options), format_thousands(said.params_embedding),
                                 format_thousands(built.ends))};
    figures += (figures.empty() ? "" : ", ") + format_thousands(built.all);
  }
  return {true, fmt::format("built as described: {} parameters", figures)};
}

Outcome check_options(const Workbench& bench) {
  if (!bench.manifest()) return {false, "no plugin.yaml beside the library: a sweep's options cannot be checked"};
  if (bench.manifest()->name != bench.plugin().name())
    return {false,
            fmt::format("plugin.yaml names it '{}', the library '{}'", bench.manifest()->name, bench.plugin().name())};
  std::vector<std::string> problems = default_problems(bench, bench.plugin().describe(bench.request()).options);
  size_t refused = 1;
  for (const plugin::OptionSpec& option : bench.manifest()->options) {
    refused += wrong_values(option).size();
    for (std::string& problem : range_problems(bench, option)) problems.push_back(std::move(problem));
  }
  for (std::string& problem : absent_problems(bench)) problems.push_back(std::move(problem));
  for (std::string& problem : unknown_problems(bench)) problems.push_back(std::move(problem));
  if (!problems.empty()) return {false, fmt::format("{}", fmt::join(problems, "; "))};
  return {true, fmt::format("{} options keep to plugin.yaml, {} wrong values refused by name",
                            bench.manifest()->options.size(), refused)};
}

}  // namespace bitsweep::conformance
