// What the options of points say: names and units of columns, rules for variants.
#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "base/csv.h"
#include "base/error.h"
#include "base/nearest.h"
#include "fit/points_csv.h"

namespace bitsweep::fit {
namespace {

// The end of the part that begins at `begin`: the next `separator` outside of quotes, or the end. Quotes are opened at
// the begin of a name alone, so that an apostrophe within one is itself; "" within "…" is a quote.
size_t end_of_part(const std::string& text, size_t begin, char separator) {
  char quote = 0;
  bool at_begin = true;
  for (size_t i = begin; i < text.size(); ++i) {
    const char c = text[i];
    if (quote != 0) {
      if (c == quote && i + 1 < text.size() && text[i + 1] == quote)
        ++i;
      else if (c == quote)
        quote = 0;
      continue;
    }
    if (c == separator) return i;
    if (at_begin && (c == '"' || c == '\'')) quote = c;
    at_begin = c == '=' || (at_begin && (c == ' ' || c == '\t'));
  }
  return text.size();
}

// What stands in quotes, without them; other text as it is.
std::string unquoted(const std::string& text) {
  const bool quoted = text.size() >= 2 && (text[0] == '"' || text[0] == '\'') && text.back() == text[0];
  if (!quoted) return text;
  std::string plain;
  for (size_t i = 1; i + 1 < text.size(); ++i) {
    plain += text[i];
    if (text[i] == text[0] && text[i + 1] == text[0] && i + 2 < text.size()) ++i;
  }
  return plain;
}

// "params=N,tokens=D" as pairs; what is wrong with one is told by `take`, or is its form.
template <typename Take>
void read_pairs(const std::string& text, const char* option, const char* example, Take&& take) {
  std::vector<Diagnostic> wrong;
  std::set<std::string> seen;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = end_of_part(text, begin, ',');
    const std::string part = trimmed(text.substr(begin, end - begin));
    begin = end + 1;
    const size_t equals = part.find('=');
    const std::string ours = trimmed(part.substr(0, equals));
    const std::string theirs = equals == std::string::npos ? "" : unquoted(trimmed(part.substr(equals + 1)));
    std::string problem;
    if (theirs.empty())
      problem = fmt::format("'{}' is not of the form {} (names with commas stand in quotes: loss=\"a,b\")",
                            excerpt(part), example);
    else if (!seen.insert(ours).second)
      problem = fmt::format("'{}' is mapped twice", ours);
    else
      problem = take(ours, theirs);
    if (!problem.empty()) wrong.push_back({"", 0, 0, fmt::format("{}: {}", option, problem)});
  }
  if (!wrong.empty()) throw Error(ErrorKind::input, wrong);
}

std::string unknown(const char* noun, const std::string& name, const std::vector<std::string>& known) {
  return fmt::format("unknown {} '{}'{}; known: {}", noun, excerpt(name), did_you_mean(name, known),
                     fmt::join(known, ", "));
}

}  // namespace

const std::vector<std::string>& point_columns() {
  static const std::vector<std::string> names = {
      "params",  "tokens",    "flops", "loss", "unique_tokens",       "variant",  "dataset", "seed", "run",
      "lr_area", "annealing", "step",  "lr",   "params_nonembedding", "best_loss"};
  return names;
}

ColumnMap parse_column_map(const std::string& text) {
  ColumnMap map;
  read_pairs(text, "--map", "params=N,tokens=D",
             [&](const std::string& ours, const std::string& theirs) -> std::string {
               const auto& known = point_columns();
               if (std::find(known.begin(), known.end(), ours) == known.end()) return unknown("column", ours, known);
               map[ours] = theirs;
               return "";
             });
  return map;
}

std::map<std::string, double> parse_units(const std::string& text) {
  static const std::vector<std::string> known = {"params", "tokens", "flops", "unique_tokens", "params_nonembedding"};
  static const std::map<std::string, double> factors = {{"1", 1},   {"k", 1e3}, {"K", 1e3}, {"M", 1e6},
                                                        {"m", 1e6}, {"B", 1e9}, {"b", 1e9}, {"T", 1e12}};
  std::map<std::string, double> units;
  read_pairs(text, "--units", "params=M,tokens=B",
             [&](const std::string& ours, const std::string& unit) -> std::string {
               if (std::find(known.begin(), known.end(), ours) == known.end()) return unknown("column", ours, known);
               const auto factor = factors.find(unit);
               if (factor == factors.end()) return unknown("unit", unit, {"1", "k", "M", "B", "T"});
               units[ours] = factor->second;
               return "";
             });
  return units;
}

VariantRule parse_variant_rule(const std::string& text) {
  // A label may have a colon in it; what ends it is followed by a space where there is one.
  const size_t spaced = text.find(": "), colon = spaced == std::string::npos ? text.find(':') : spaced;
  const std::string label = trimmed(text.substr(0, colon));
  if (colon == std::string::npos || label.empty())
    throw Error(ErrorKind::input,
                fmt::format("--label: '{}' is not of the form NAME: COLUMN = VALUE", excerpt(trimmed(text))));
  return {label, RowFilter(text.substr(colon + 1), "--label")};
}

}  // namespace bitsweep::fit
