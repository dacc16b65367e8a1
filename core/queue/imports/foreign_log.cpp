#include "imports/foreign_log.h"

#include <algorithm>

#include "imports/log_forms.h"
#include "imports/log_reader.h"
#include "imports/log_text.h"

namespace bitsweep::imports {
namespace {

// What is looked for in a text of lines.
enum class Look { objects, whole_text, words };

struct Pass {
  ForeignLog log;
  LogTally tally;
  bool any_eval = false, any_loss_a_token = false;
};

class LineReader {
 public:
  LineReader(Look look, const LogNames& names, LogReader& reader, Pass& pass)
      : look_(look), names_(names), reader_(reader), tidy_(names, pass.tally), log_(pass.log) {}

  void read(std::string_view text) {
    if (look_ == Look::whole_text)
      each_object(text, names_, [&](const json::object& object) { add(row_of(object, "", 0)); });
    else
      each_line(text, [&](const LogLine& line) { take(line); });
    tidy_.flush([&](const LogRow& row) { reader_.add(row); });
  }

 private:
  void add(const LogRow& row) {
    if (!tidy_.take(row)) reader_.add(row);
  }

  void take(const LogLine& line) {
    if (const auto rank = rank_of(line.text)) {
      // Each process of a job says the same: the first one's words count.
      if (*rank > lowest_rank_.value_or(*rank)) return;
      lowest_rank_ = rank;
    }
    const ObjectsOfLine objects = each_object(
        line.text, names_, [&](const json::object& object) { add(row_of(object, line.text, line.number)); });
    if (objects.torn) take_torn(line);
    if (objects.found > 0 || objects.torn) return;
    if (look_ == Look::words && take_words(line)) return;
    ++log_.other_lines;
  }

  void take_torn(const LogLine& line) {
    if (line.last) {
      log_.torn = true;
      return;
    }
    if (log_.torn_lines++ == 0) log_.first_torn = line.number;
  }

  // A line of a step and a number beside it, or of facts alone.
  bool take_words(const LogLine& line) {
    const LogRow row = words_of(line.text, line.number, names_);
    const auto tells = [&](const LogField& field, std::string_view ours) {
      return names_.ours(field.name).ours == ours;
    };
    const bool steps =
        std::any_of(row.fields.begin(), row.fields.end(), [&](const LogField& field) { return tells(field, "step"); });
    const auto is_fact = [&](const LogField& field) {
      return tells(field, "params") || tells(field, "batch") || tells(field, "context") || tells(field, "seed") ||
             tells(field, "tokenizer") || tells(field, "dataset");
    };
    if (steps && row.fields.size() > 1) {
      reader_.add(row);
      return true;
    }
    LogRow facts{.line = row.line, .fields = {}};
    std::copy_if(row.fields.begin(), row.fields.end(), std::back_inserter(facts.fields), is_fact);
    if (steps || facts.fields.empty()) return false;
    reader_.add(facts);
    return true;
  }

  const Look look_;
  const LogNames& names_;
  LogReader& reader_;
  TidyRows tidy_;
  ForeignLog& log_;
  std::optional<int> lowest_rank_;
};

template <class Read>
Pass pass_over(const std::string& stem, const ForeignFormat& format, const LogNames& names, bool loss_a_token,
               Read read) {
  Pass pass;
  LogReader reader(stem, format, names, loss_a_token, pass.tally);
  read(reader, pass);
  pass.any_eval = reader.any_eval();
  pass.any_loss_a_token = reader.any_loss_a_token();
  pass.log.runs = reader.finish();
  pass.log.described = reader.described();
  return pass;
}

ForeignLog told(Pass pass, Findings& findings) {
  const bool wrong = pass.tally.any_mistake();
  pass.tally.tell_mistakes(findings, /*notes_too=*/wrong);
  if (!wrong) pass.log.notes = pass.tally.notes();
  return std::move(pass.log);
}

// By losses in bits per byte; where there is none, and somebody told the unit of the losses, by those a token.
template <class Read>
Pass read_either_loss(const std::string& stem, const ForeignFormat& format, const LogNames& names, Read read) {
  Pass pass = pass_over(stem, format, names, false, read);
  if (pass.any_eval || !pass.any_loss_a_token || !format.unit_is_told) return pass;
  return pass_over(stem, format, names, true, read);
}

// A lone object without a list is a line like any other, and its mistakes have a line.
bool holds_list(const json::value& document) {
  if (!document.is_object()) return document.is_array();
  const json::object& object = document.get_object();
  return std::any_of(object.begin(), object.end(), [](const auto& member) { return member.value().is_array(); });
}

}  // namespace

int64_t ForeignRun::evals() const {
  return std::count_if(events.begin(), events.end(), [](const event::Event& event) { return event.kind == "eval"; });
}

ForeignLog read_foreign_jsonl(std::string_view text, const std::string& stem, const ForeignFormat& format,
                              Findings& findings) {
  const LogNames names(format.columns);
  if (const auto document = parse_document(text); document && holds_list(*document))
    return told(read_either_loss(stem, format, names,
                                 [&](LogReader& reader, Pass& pass) {
                                   TidyRows tidy(names, pass.tally);
                                   const auto add = [&](const LogRow& row) { reader.add(row); };
                                   each_document_row(*document, names, [&](const LogRow& row) {
                                     if (!tidy.take(row)) reader.add(row);
                                   });
                                   tidy.flush(add);
                                 }),
                findings);
  const auto look_for = [&](Look look) {
    return read_either_loss(stem, format, names, [&](LogReader& reader, Pass& pass) {
      LineReader(look, names, reader, pass).read(text);
      pass.log.of_words = look == Look::words;
    });
  };
  Pass objects = look_for(Look::objects);
  if (objects.any_eval || !objects.log.described.empty()) return told(std::move(objects), findings);
  const size_t first = text.find_first_not_of(" \t\r\n\xEF\xBB\xBF");
  if (first != std::string_view::npos && text[first] == '{')
    if (Pass whole = look_for(Look::whole_text); whole.any_eval) return told(std::move(whole), findings);
  Pass words = look_for(Look::words);
  // What is no evaluation in words either is told as what it looks like more.
  const bool none = !words.any_eval && !words.any_loss_a_token;
  return told(std::move(none ? objects : words), findings);
}

ForeignLog read_foreign_csv(std::string_view text, const std::string& stem, const ForeignFormat& format,
                            Findings& findings) {
  const LogNames names(format.columns);
  const CsvTable table = read_csv(text, findings);
  return told(read_either_loss(stem, format, names,
                               [&](LogReader& reader, Pass& pass) {
                                 TidyRows tidy(names, pass.tally);
                                 each_table_row(table, text, names, pass.tally, [&](const LogRow& row) {
                                   if (!tidy.take(row)) reader.add(row);
                                 });
                                 tidy.flush([&](const LogRow& row) { reader.add(row); });
                               }),
              findings);
}

ForeignLog read_foreign_log(std::string_view text, const std::string& stem, std::string_view suffix,
                            const ForeignFormat& format, Findings& findings) {
  if (const std::string other = not_text(text); !other.empty()) {
    findings.add(0, 0, other);
    return {};
  }
  return is_table(text, suffix, LogNames(format.columns)) ? read_foreign_csv(text, stem, format, findings)
                                                          : read_foreign_jsonl(text, stem, format, findings);
}

void describe(std::vector<ForeignRun*> runs, const std::vector<DescribedRun>& described) {
  for (ForeignRun* run : runs)
    for (const DescribedRun& told : described) {
      if (told.name != run->name || !run->is_named) continue;
      ForeignFacts& facts = run->facts;
      for (auto fact : {&ForeignFacts::params, &ForeignFacts::batch, &ForeignFacts::context})
        if (!(facts.*fact)) facts.*fact = told.facts.*fact;
      for (auto fact : {&ForeignFacts::plugin, &ForeignFacts::dataset, &ForeignFacts::tokenizer})
        if ((facts.*fact).empty()) facts.*fact = told.facts.*fact;
      if (facts.seed.is_null()) facts.seed = told.facts.seed;
      if (run->status.empty()) run->status = told.state;
    }
}

const std::vector<std::string>& foreign_forms() {
  static const std::vector<std::string> kForms = {
      "JSON lines, alone, several in a line or behind a prefix: {\"step\": 100, \"val_bpb\": 1.15, …}",
      "words: step:500/50000 val_loss:2.97 val_bpb:1.15 train_time:77540ms, or key=value, or key value",
      "a document with a list of such objects: log_history of trainer_state.json, [{…}, {…}]",
      "CSV, a row an evaluation: step,val_bpc,tokens,…",
      "CSV or JSON lines, a row a value: run,key,value,step",
      "CSV, a column a run: Step,RUN - val/bpb (__MIN and __MAX are passed over); Wall time,Step,Value",
      "what 'bitsweep export SWEEP -o FOLDER' wrote: FOLDER, or its evals and runs",
  };
  return kForms;
}

}  // namespace bitsweep::imports
