#include "imports/foreign_log.h"

#include <algorithm>
#include <cmath>
#include <set>

#include <fmt/format.h>

#include "base/nearest.h"
#include "base/units.h"

namespace bitsweep {
namespace {

struct LogColumn {
  std::string_view name;
  std::vector<std::string_view> also;  // what others call it
  bool number = true;
};

const std::vector<LogColumn>& our_columns() {
  static const std::vector<LogColumn> columns = {
      {"run", {"run_name", "run_id", "name"}, false},
      {"event", {"type", "kind"}, false},
      {"status", {}, false},
      {"step", {"steps", "iter", "iteration", "global_step", "_step"}},
      {"time", {"timestamp", "ts", "_timestamp"}},
      {"val_bpc", {"val_bpb", "valid_bpc", "eval_bpc", "bpc", "bpb"}},
      {"train_bpc", {"train_bpb"}},
      {"tokens", {"tokens_seen", "n_tokens"}},
      {"lr", {"learning_rate"}},
      {"grad_norm", {"gnorm"}},
      {"tokens_per_s", {"tok_per_s", "tok_s", "tokens_per_sec", "tokens_per_second"}},
      {"elapsed_s", {"elapsed", "wall_s", "_runtime"}},
      {"params", {"n_params", "num_params", "total_params"}},
      {"batch", {"batch_size", "bs"}},
      {"context", {"seq_len", "block_size", "context_length"}},
      {"seed", {}},
      {"plugin", {"variant", "arch", "model"}, false},
      {"dataset", {"corpus"}, false},
      {"tokenizer", {}, false},
  };
  return columns;
}

constexpr std::string_view kOfEvents[] = {"val_bpc",   "train_bpc",    "tokens",   "lr",
                                          "grad_norm", "tokens_per_s", "elapsed_s"};
constexpr std::string_view kLeftOut[] = {"attempt", "seq", "best"};  // numbered and found anew
constexpr std::string_view kFactObjects[] = {"config", "args", "hparams"};
constexpr double kEarliestUnix_s = 1e8;  // a time before 1973 is seconds since the start

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

template <class List>
bool holds(const List& list, std::string_view word) {
  return std::find(std::begin(list), std::end(list), word) != std::end(list);
}

// Which of the log's names mean one of ours, and how good a match each is: 0 is the best.
class Names {
 public:
  explicit Names(const std::map<std::string, std::string>& mapped) {
    for (const LogColumn& column : our_columns()) {
      const auto given = mapped.find(std::string(column.name));
      if (given != mapped.end()) {
        exact_.emplace(given->second, column.name);
        continue;
      }
      names_.emplace(column.name, std::pair(column.name, 0));
      for (size_t i = 0; i < column.also.size(); ++i)
        names_.emplace(column.also[i], std::pair(column.name, static_cast<int>(i) + 1));
    }
  }
  // ("", 0) for a name that means none of ours.
  std::pair<std::string_view, int> ours(std::string_view theirs) const {
    if (const auto found = exact_.find(std::string(theirs)); found != exact_.end()) return {found->second, 0};
    if (const auto found = names_.find(lower(theirs)); found != names_.end()) return found->second;
    return {"", 0};
  }

 private:
  std::map<std::string, std::string_view> exact_;
  std::map<std::string, std::pair<std::string_view, int>, std::less<>> names_;
};

// One line or row: what it has of ours, what else, and where it stands.
struct Row {
  struct Value {
    json::value value;
    std::string theirs;
    int rank = 0, column = 0;
  };
  int line = 0;
  std::map<std::string_view, Value> ours;
  json::object rest;

  const Value* find(std::string_view name) const {
    const auto at = ours.find(name);
    return at == ours.end() ? nullptr : &at->second;
  }
  std::string text(std::string_view name) const {
    const Value* found = find(name);
    if (found == nullptr || found->value.is_null()) return "";
    return found->value.is_string() ? std::string(found->value.get_string()) : compact_json(found->value);
  }
};

void put(Row& row, const Names& names, std::string_view theirs, json::value value, int column) {
  const auto [ours, rank] = names.ours(theirs);
  if (ours.empty()) {
    if (!value.is_structured() && !holds(kLeftOut, theirs)) row.rest[theirs] = std::move(value);
    return;
  }
  if (value.is_structured()) return;  // a model described by an object has no name here
  const Row::Value* known = row.find(ours);
  if (known == nullptr || rank < known->rank) row.ours[ours] = {std::move(value), std::string(theirs), rank, column};
}

class LogReader {
 public:
  LogReader(const std::string& stem, const ForeignFormat& format, Findings& findings)
      : stem_(stem), format_(format), findings_(findings) {}

  void add(const Row& row) {
    for (const auto& [key, value] : row.rest) seen_.insert(key);
    for (const auto& [ours, value] : row.ours) seen_.insert(value.theirs);
    const std::string named = row.text("run");
    ForeignRun* run = nullptr;
    if (!named.empty() || row.find("step") != nullptr) run = &run_named(named.empty() ? stem_ : named);
    learn(row, run != nullptr ? run->facts : facts_);
    const std::string kind = row.text("event");
    if (kind == "end" && run != nullptr) run->status = row.text("status");
    if (kind == "start" || kind == "end" || kind == "config" || run == nullptr || row.find("step") == nullptr) return;
    add_event(row, kind, *run);
  }

  std::vector<ForeignRun> finish() {
    for (ForeignRun& run : runs_) {
      fill(run.facts);
      if (run.evals() == 0) complain_of_nothing(runs_.size() > 1 ? fmt::format("run '{}': ", excerpt(run.name)) : "");
    }
    if (runs_.empty() && !findings_.any()) complain_of_nothing("");
    return std::move(runs_);
  }

 private:
  ForeignRun& run_named(const std::string& name) {
    const auto [at, fresh] = index_.emplace(name, runs_.size());
    if (fresh) runs_.push_back({.name = name, .facts = {}, .events = {}, .status = ""});
    return runs_[at->second];
  }

  void complain(const Row& row, const Row::Value& value, const std::string& message) {
    findings_.add(row.line, value.column, fmt::format("{} {}", excerpt(value.theirs), message));
  }

  // Nothing where there is none; NaN where it is said not to be finite. Complains of what is no number.
  std::optional<double> number(const Row& row, std::string_view name, char delimiter = ',') {
    const Row::Value* found = row.find(name);
    if (found == nullptr) return std::nullopt;
    if (found->value.is_null()) return std::nan("");
    std::optional<double> number;
    if (found->value.is_number())
      number = found->value.to_number<double>();
    else if (found->value.is_string())
      number = parse_size(with_decimal_point(std::string(found->value.get_string()), delimiter));
    if (!number) {
      complain(row, *found, fmt::format("must be a number, not '{}'", excerpt(row.text(name))));
      return std::nullopt;
    }
    if (*number < 0) {
      complain(row, *found, fmt::format("must not be negative, but is {}", excerpt(row.text(name))));
      return std::nullopt;
    }
    return std::isfinite(*number) ? number : std::nan("");
  }

  void learn(const Row& row, ForeignFacts& facts) {
    const auto take = [&](std::string_view name, std::optional<double>& fact) {
      const auto value = fact ? std::nullopt : number(row, name);
      if (value && std::isfinite(*value)) fact = value;
    };
    take("params", facts.params), take("batch", facts.batch), take("context", facts.context), take("seed", facts.seed);
    if (facts.plugin.empty()) facts.plugin = row.text("plugin");
    if (facts.dataset.empty()) facts.dataset = row.text("dataset");
    if (facts.tokenizer.empty()) facts.tokenizer = row.text("tokenizer");
  }

  // What was told before or beside the runs holds for each.
  void fill(ForeignFacts& facts) const {
    for (auto fact : {&ForeignFacts::params, &ForeignFacts::batch, &ForeignFacts::context, &ForeignFacts::seed})
      if (!(facts.*fact)) facts.*fact = facts_.*fact;
    for (auto fact : {&ForeignFacts::plugin, &ForeignFacts::dataset, &ForeignFacts::tokenizer})
      if ((facts.*fact).empty()) facts.*fact = facts_.*fact;
  }

  void add_event(const Row& row, const std::string& kind, ForeignRun& run) {
    const auto step = number(row, "step");
    const bool whole = step && *step == std::floor(*step) && *step <= 1e15;  // NaN is unequal to itself
    if (step && !whole)
      complain(row, *row.find("step"), fmt::format("must be a whole number, not '{}'", excerpt(row.text("step"))));
    const bool eval = row.find("val_bpc") != nullptr;
    Event event{.kind = eval           ? "eval"
                        : kind.empty() ? "log"
                                       : kind,
                .run = "",
                .attempt = 0,
                .seq = 0,
                .step = whole ? static_cast<int64_t>(*step) : 0,
                .time = 0,
                .fields = {}};
    for (const std::string_view name : kOfEvents) {
      auto value = number(row, name);
      if (!value) continue;
      if (name == "val_bpc" || name == "train_bpc") *value *= format_.bits_per_unit;
      event.fields[name] = finite_or_null(*value);
    }
    if (const auto time = number(row, "time"); time && std::isfinite(*time)) {
      if (*time >= kEarliestUnix_s)
        event.time = *time;
      else if (!event.fields.contains("elapsed_s"))
        event.fields["elapsed_s"] = *time;
    }
    for (const auto& [key, value] : row.rest)
      if (!event.fields.contains(key)) event.fields[key] = value;
    run.events.push_back(std::move(event));
  }

  void complain_of_nothing(const std::string& whose) {
    std::string names;
    size_t count = 0;
    for (const std::string& name : seen_)
      if (++count <= 12) names += (names.empty() ? "" : ", ") + excerpt(name);
    if (count > 12) names += " …";
    findings_.add(0, 0,
                  fmt::format("{}no evaluation in it: one has a step and a val_bpc{} (other names: --map "
                              "step=NAME,val_bpc=NAME)",
                              whose, names.empty() ? "" : fmt::format("; here there is {}", names)));
  }

  const std::string& stem_;
  const ForeignFormat& format_;
  Findings& findings_;
  ForeignFacts facts_;
  std::vector<ForeignRun> runs_;
  std::map<std::string, size_t> index_;
  std::set<std::string> seen_;
};

// NaN and Infinity as Python prints them, outside of strings, as null.
std::string without_nan(std::string_view line) {
  std::string out;
  bool quoted = false;
  for (size_t i = 0; i < line.size();) {
    const char c = line[i];
    if (quoted && c == '\\') {  // what it escapes ends no string
      out += line.substr(i, 2);
      i += 2;
      continue;
    }
    if (c == '"') quoted = !quoted;
    size_t length = 0;
    for (const std::string_view word : {"NaN", "-Infinity", "Infinity"})
      if (!quoted && length == 0 && line.substr(i, word.size()) == word) length = word.size();
    out += length > 0 ? "null" : std::string(1, c);
    i += std::max<size_t>(1, length);
  }
  return out;
}

int column_of(std::string_view line, std::string_view key) {
  const size_t at = line.find("\"" + std::string(key) + "\"");
  return at == std::string_view::npos ? 0 : static_cast<int>(at) + 1;
}

Row row_of(const json::object& object, std::string_view line, int number, const Names& names) {
  Row row{.line = number, .ours = {}, .rest = {}};
  for (const auto& member : object) {
    if (member.value().is_object() && holds(kFactObjects, member.key())) {
      for (const auto& fact : member.value().get_object())
        put(row, names, fact.key(), fact.value(), column_of(line, fact.key()));
      row.ours.erase("step");  // of the plan, not of this line
      continue;
    }
    put(row, names, member.key(), member.value(), column_of(line, member.key()));
  }
  return row;
}

}  // namespace

int64_t ForeignRun::evals() const {
  return std::count_if(events.begin(), events.end(), [](const Event& event) { return event.kind == "eval"; });
}

std::map<std::string, std::string> parse_foreign_map(const std::string& text) {
  std::vector<std::string> known;
  for (const LogColumn& column : our_columns()) known.emplace_back(column.name);
  std::map<std::string, std::string> map;
  std::vector<Diagnostic> wrong;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find(',', begin), text.size());
    const std::string part = trimmed(text.substr(begin, end - begin));
    begin = end + 1;
    const size_t equals = part.find('=');
    const std::string ours = trimmed(part.substr(0, equals));
    const std::string theirs = equals == std::string::npos ? "" : trimmed(part.substr(equals + 1));
    if (theirs.empty())
      wrong.push_back({"", 0, 0, fmt::format("--map: '{}' is not of the form step=NAME,val_bpc=NAME", excerpt(part))});
    else if (std::find(known.begin(), known.end(), ours) == known.end())
      wrong.push_back({"", 0, 0,
                       fmt::format("--map: unknown column '{}'{}; known: {}", excerpt(ours), did_you_mean(ours, known),
                                   fmt::join(known, ", "))});
    else if (!map.emplace(ours, theirs).second)
      wrong.push_back({"", 0, 0, fmt::format("--map: '{}' is mapped twice", ours)});
  }
  if (!wrong.empty()) throw Error(ErrorKind::input, wrong);
  return map;
}

ForeignLog read_foreign_jsonl(std::string_view text, const std::string& stem, const ForeignFormat& format,
                              Findings& findings) {
  const Names names(format.columns);
  LogReader reader(stem, format, findings);
  ForeignLog log;
  int number = 0;
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    std::string_view line = text.substr(at, end - at);
    const bool last = text.find_first_not_of(" \t\r\n", end) == std::string_view::npos;
    at = end + 1, ++number;
    const size_t first = line.find_first_not_of(" \t\r");
    if (first == std::string_view::npos) continue;
    if (line[first] != '{') {
      ++log.other_lines;
      continue;
    }
    auto value = try_parse_json(line);
    if (!value) value = try_parse_json(without_nan(line));
    if (value) {
      reader.add(row_of(value->get_object(), line, number, names));
      continue;
    }
    log.torn |= last;
    if (last) continue;
    try {
      parse_json(line, "");
    } catch (const Error& error) {
      const Diagnostic& found = error.diagnostics().at(0);
      findings.add(number, found.column, found.message);
    }
  }
  log.runs = reader.finish();
  return log;
}

ForeignLog read_foreign_csv(std::string_view text, const std::string& stem, const ForeignFormat& format,
                            Findings& findings) {
  const Names names(format.columns);
  LogReader reader(stem, format, findings);
  const CsvTable table = read_csv(text, findings);
  if (table.rows.empty()) findings.add(0, 0, "no header line: the file is empty");
  for (size_t i = 1; i < table.rows.size(); ++i) {
    const CsvRow& cells = table.rows[i];
    if (cells.size() != table.rows[0].size()) {
      findings.add(cells[0].line, cells.back().column,
                   fmt::format("{} cells, where the header has {}", cells.size(), table.rows[0].size()));
      continue;
    }
    Row row{.line = cells[0].line, .ours = {}, .rest = {}};
    for (size_t c = 0; c < cells.size(); ++c) {
      const std::string& cell = cells[c].text;
      const std::string& title = table.rows[0][c].text;
      if (cell.empty()) continue;
      const auto plain = parse_number(with_decimal_point(cell, table.delimiter));
      json::value value(cell);
      if (plain && !std::isfinite(*plain))
        value = nullptr;
      else if (plain && !cells[c].quoted && names.ours(title).first != "run")
        value = *plain;
      put(row, names, title, std::move(value), cells[c].column);
    }
    if (row.find("step") == nullptr)
      findings.add(row.line, cells[0].column, "step is missing");
    else
      reader.add(row);
  }
  ForeignLog log;
  log.runs = reader.finish();
  return log;
}

}  // namespace bitsweep
