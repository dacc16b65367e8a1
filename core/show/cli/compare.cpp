// `bitsweep compare`: two runs question by question, from the answers that they left.
#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/error.h"
#include "base/nearest.h"
#include "base/units.h"
#include "cli/options.h"
#include "query/query.h"
#include "render/escape.h"
#include "render/table.h"
#include "tasks/compare.h"

namespace bitsweep::cli {
namespace {

constexpr double kMostShown = 1e6;
constexpr double kShown = 5;  // questions of each kind

std::set<std::string> names_in(const std::vector<tasks::AnswerPlace>& places) {
  std::set<std::string> names;
  for (const tasks::AnswerPlace& place : places) names.insert(place.task);
  return names;
}

// "'bitsweep ask 3fa2 --tasks FILE' asks it".
std::string how_to_ask(const std::string& run) { return fmt::format("'bitsweep ask {} --tasks FILE' asks it", run); }

// --task, or the one task that both have answered.
std::string task_of(const CommandLine& line, const std::vector<std::string>& runs,
                    const std::vector<std::vector<tasks::AnswerPlace>>& places) {
  const auto asked = line.get("task");
  std::vector<std::string> both;
  const std::set<std::string> base = names_in(places[0]), tuned = names_in(places[1]);
  std::set_intersection(base.begin(), base.end(), tuned.begin(), tuned.end(), std::back_inserter(both));
  if (asked && std::find(both.begin(), both.end(), *asked) != both.end()) return *asked;
  if (!asked && both.size() == 1) return both[0];
  if (!asked && both.size() > 1)
    throw Error(ErrorKind::input, fmt::format("--task is required: both have answered {}", fmt::join(both, ", ")));
  for (size_t i = 0; i < runs.size(); ++i) {
    const std::set<std::string> names = names_in(places[i]);
    if (asked ? names.contains(*asked) : !names.empty()) continue;
    const std::vector<std::string> known(names.begin(), names.end());
    const std::string has = known.empty() ? "" : fmt::format(" (of {} it has)", fmt::join(known, ", "));
    throw Error(ErrorKind::input, fmt::format("run {} has no answers{}{}{}; {}", runs[i],
                                              asked ? fmt::format(" to task '{}'", *asked) : "", has,
                                              asked ? did_you_mean(*asked, known) : "", how_to_ask(runs[i])));
  }
  throw Error(ErrorKind::input, fmt::format("the two have answered no task in common: {} and {}", fmt::join(base, ", "),
                                            fmt::join(tuned, ", ")));
}

// The newest of the task.
tasks::AnswerFile answers_to(const std::string& task, const std::vector<tasks::AnswerPlace>& places) {
  const auto newest =
      std::find_if(places.rbegin(), places.rend(), [&](const tasks::AnswerPlace& place) { return place.task == task; });
  return tasks::read_answers(newest->path);
}

double share(int64_t part, int64_t all) { return all > 0 ? static_cast<double>(part) / static_cast<double>(all) : 0; }

json::object side_json(const tasks::AnswerFile& file, int64_t right, int64_t questions) {
  json::object metrics;
  for (const auto& [name, value] : file.metrics) metrics[name] = value;
  return {{"run", file.run}, {"step", file.step}, {"right", share(right, questions)}, {"metrics", std::move(metrics)}};
}

json::array pairs_json(const std::vector<tasks::PairedAnswer>& pairs) {
  json::array list;
  for (const tasks::PairedAnswer& pair : pairs)
    list.push_back(json::object{{"item", pair.base->item},
                                {"asked", pair.base->asked},
                                {"gold", strings_json(pair.base->gold)},
                                {"base", pair.base->said},
                                {"tuned", pair.tuned->said}});
  return list;
}

json::object json_of(const tasks::AnswerFile& base, const tasks::AnswerFile& tuned, const tasks::Comparison& found) {
  return {{"task", base.task.name},
          {"base", side_json(base, found.both + found.base_alone, found.count())},
          {"tuned", side_json(tuned, found.both + found.tuned_alone, found.count())},
          {"questions", found.count()},
          {"both", found.both},
          {"base_alone", found.base_alone},
          {"tuned_alone", found.tuned_alone},
          {"neither", found.neither},
          {"p", found.p},
          {"one_sided", found.one_sided},
          {"put_differently", found.put_differently},
          {"fixed", pairs_json(found.fixed)},
          {"broken", pairs_json(found.broken)}};
}

render::Table csv_of(const tasks::AnswerFile& base, const tasks::AnswerFile& tuned) {
  render::Table table{{{"item"}, {"asked"}, {"gold"}, {"base"}, {"tuned"}, {"base_right"}, {"tuned_right"}}, {}};
  std::map<std::string_view, const tasks::Answer*> others;
  for (const tasks::Answer& answer : tuned.answers) others.emplace(answer.item, &answer);
  for (const tasks::Answer& answer : base.answers) {
    const auto found = others.find(answer.item);
    if (found == others.end()) continue;  // left out there
    const tasks::Answer& other = *found->second;
    table.rows.push_back({answer.item, answer.asked, fmt::format("{}", fmt::join(answer.gold, " | ")), answer.said,
                          other.said, answer.right ? "1" : "0", other.right ? "1" : "0"});
  }
  return table;
}

// On one line, as a terminal may show it.
std::string one_line(std::string_view text) {
  std::string line;
  for (const char c : text) line += c == '\n' || c == '\t' ? ' ' : c;
  const size_t begin = std::min(line.find_first_not_of(' '), line.size());
  return render::clean_text(std::string_view(line).substr(begin, line.find_last_not_of(' ') + 1 - begin));
}

std::string in_quotes(std::string_view text) { return text.empty() ? "nothing" : "\"" + one_line(text) + "\""; }

std::string gold_text(const std::vector<std::string>& gold) {
  if (gold.empty()) return "nothing";
  std::string text;
  for (const std::string& answer : gold) text += (text.empty() ? "" : " or ") + in_quotes(answer);
  return text;
}

std::string pairs_text(const char* title, const std::vector<tasks::PairedAnswer>& pairs, size_t most) {
  if (pairs.empty() || most == 0) return "";
  std::string text = fmt::format("\n{}\n", title);
  for (size_t i = 0; i < std::min(most, pairs.size()); ++i) {
    const tasks::PairedAnswer& pair = pairs[i];
    text += fmt::format("  {}  {}\n    right {}\n    base  {}\n    tuned {}\n", one_line(pair.base->item),
                        one_line(pair.base->asked), gold_text(pair.base->gold), in_quotes(pair.base->said),
                        in_quotes(pair.tuned->said));
  }
  if (pairs.size() > most) text += fmt::format("  … and {} more; --show N shows as many\n", pairs.size() - most);
  return text;
}

std::string text_of(const tasks::AnswerFile& base, const tasks::AnswerFile& tuned, const tasks::Comparison& found,
                    size_t most) {
  const auto side = [&](const char* name, const tasks::AnswerFile& file, int64_t right) {
    return fmt::format("  {:<6} {} at step {}: {:.1f} % right\n", name, file.run, file.step,
                       100 * share(right, found.count()));
  };
  std::string text = fmt::format("{}: {} questions\n", base.task.name, format_thousands(found.count()));
  text += side("base", base, found.both + found.base_alone) + side("tuned", tuned, found.both + found.tuned_alone);
  const render::Table table{{{""}, {"tuned right", render::Align::right}, {"tuned wrong", render::Align::right}},
                            {{"base right", std::to_string(found.both), std::to_string(found.base_alone)},
                             {"base wrong", std::to_string(found.tuned_alone), std::to_string(found.neither)}}};
  text += "\n" + terminal_table(table);
  text += fmt::format("\nMcNemar's exact test: p = {:.2g}, of {} to {} questions that one of the two alone has right\n",
                      found.p, found.base_alone, found.tuned_alone);
  if (found.put_differently > 0)
    text += fmt::format("{} were put differently to the two: other examples, or another template\n",
                        format_thousands(found.put_differently));
  if (found.one_sided > 0)
    text += fmt::format(
        "{} were scored in one of the two alone, and are not counted: an answer is longer than the "
        "other's context\n",
        format_thousands(found.one_sided));
  return text + pairs_text("fixed: right in tuned alone", found.fixed, most) +
         pairs_text("broken: right in base alone", found.broken, most);
}

int do_compare(const Verb& verb, const std::vector<std::string>& args) {
  CommandLine line(verb);
  line.value("task", "the task's name; may be left out where both have answered one alone")
      .value("show", "questions of each kind to show with both answers (default 5; --json, --csv: all)")
      .root_option()
      .output_options();
  if (!line.parse(args, 2, 2)) return 0;
  const OutputFormat format = output_format(line);
  const auto most = static_cast<size_t>(line.number("show", 0, kMostShown).value_or(kShown));
  const query::Query query(line.root());
  std::vector<std::string> runs;
  std::vector<std::vector<tasks::AnswerPlace>> places;
  for (const std::string& prefix : line.positional()) {
    runs.push_back(query.run(prefix).id);
    places.push_back(tasks::answer_files(query.root() / "runs" / runs.back()));
  }
  const std::string task = task_of(line, runs, places);
  const tasks::AnswerFile base = answers_to(task, places[0]), tuned = answers_to(task, places[1]);
  const tasks::Comparison found = compare_answers(base, tuned);
  if (format == OutputFormat::table)
    print(text_of(base, tuned, found, most));
  else if (format == OutputFormat::csv)
    print(csv_table(csv_of(base, tuned)));
  else if (format == OutputFormat::jsonl)
    print(compact_json(json_of(base, tuned, found)) + "\n");
  else
    print(pretty_json(json_of(base, tuned, found)) + "\n");
  return 0;
}

}  // namespace

const Verb kCompareVerb{"compare", "Two runs question by question: who is right, exact McNemar, what changed",
                        "BASE TUNED", "bitsweep compare 3fa2 9bd1 --task squad", do_compare};

}  // namespace bitsweep::cli
