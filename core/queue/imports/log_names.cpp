#include "imports/log_names.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/csv.h"
#include "base/error.h"
#include "base/metric_kind.h"
#include "base/nearest.h"

namespace bitsweep::imports {
namespace {

constexpr int kTailRank = 2 * LogName::kLoose;  // matched by its last parts

struct LogColumn {
  std::string_view name;
  std::vector<std::string_view> also;  // what others call it
};

const std::vector<LogColumn>& columns() {
  static const std::vector<LogColumn> kColumns = [] {
    std::vector<LogColumn> all = {
        {"run", {"run_name", "run_id", "name", "run_uuid"}},
        {"event", {"type", "kind"}},
        {"status", {}},
        {"step", {"steps", "iter", "iteration", "global_step", "_step", "it", "train_step", "iter_num", "s"}},
        {"time", {"timestamp", "ts", "_timestamp", "wall_time", "datetime", "created_at"}},
        {"params", {"n_params", "num_params", "total_params", "model_params", "num_parameters"}},
        {"batch", {"batch_size", "bs"}},
        {"context", {"seq_len", "block_size", "context_length", "train_seq_len", "sequence_length"}},
        {"seed", {}},
        {"plugin", {"variant", "arch", "model"}},
        {"dataset", {"corpus"}},
        {"tokenizer", {}},
    };
    for (const LoggedMetric& metric : logged_metrics()) all.push_back({metric.name, metric.also});
    return all;
  }();
  return kColumns;
}

// Cuts at commas and the first '=' of each part, but not inside of quotes that begin a name.
class MapReader {
 public:
  explicit MapReader(const std::string& text) : text_(text) {}

  std::map<std::string, std::string> read() {
    std::map<std::string, std::string> map;
    for (;;) {
      const size_t begin = at_;
      const std::string ours = name("=,");
      std::string theirs;
      if (at_ < text_.size() && text_[at_] == '=') {
        ++at_;
        theirs = name(",");
      }
      take(trimmed(text_.substr(begin, at_ - begin)), ours, theirs, map);
      if (at_ >= text_.size()) break;
      ++at_;
    }
    if (!wrong_.empty()) throw Error(ErrorKind::input, wrong_);
    return map;
  }

 private:
  // Up to one of `ends`, or what stands in quotes.
  std::string name(std::string_view ends) {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
    if (at_ < text_.size() && (text_[at_] == '"' || text_[at_] == '\'')) {
      const size_t close = text_.find(text_[at_], at_ + 1);
      if (close != std::string::npos) {
        const std::string quoted = text_.substr(at_ + 1, close - at_ - 1);
        at_ = std::min(text_.find_first_of(ends, close + 1), text_.size());
        return quoted;
      }
      wrong_.push_back(
          {"", 0, 0, fmt::format("--map: the quote before {} is never closed", text_.substr(at_ + 1, 40))});
    }
    const size_t end = std::min(text_.find_first_of(ends, at_), text_.size());
    const std::string plain = trimmed(text_.substr(at_, end - at_));
    at_ = end;
    return plain;
  }

  void take(const std::string& part, const std::string& ours, const std::string& theirs,
            std::map<std::string, std::string>& map) {
    const std::vector<std::string>& known = log_columns();
    if (theirs.empty())
      wrong_.push_back(
          {"", 0, 0,
           fmt::format("--map: '{}' is not of the form step=NAME,val_bpc=NAME (a name with ',' or '=' in quotes)",
                       excerpt(part))});
    else if (std::find(known.begin(), known.end(), ours) == known.end())
      wrong_.push_back({"", 0, 0,
                        fmt::format("--map: unknown column '{}'{}; known: {}", excerpt(ours), did_you_mean(ours, known),
                                    fmt::join(known, ", "))});
    else if (!map.emplace(ours, theirs).second)
      wrong_.push_back({"", 0, 0, fmt::format("--map: '{}' is mapped twice", ours)});
  }

  const std::string& text_;
  size_t at_ = 0;
  std::vector<Diagnostic> wrong_;
};

}  // namespace

const std::vector<std::string>& log_columns() {
  static const std::vector<std::string> kNames = [] {
    std::vector<std::string> names;
    for (const LogColumn& column : columns()) names.emplace_back(column.name);
    return names;
  }();
  return kNames;
}

std::string lower_case(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

std::string plain_name(std::string_view name) {
  std::string plain = lower_case(name);
  for (char& c : plain)
    if (c == '/' || c == '.' || c == '-' || c == ' ' || c == ':') c = '_';
  return plain;
}

LogNames::LogNames(const std::map<std::string, std::string>& mapped) {
  for (const LogColumn& column : columns()) {
    const auto given = mapped.find(std::string(column.name));
    if (given != mapped.end()) {
      exact_.emplace(given->second, column.name);
      continue;
    }
    names_.emplace(column.name, LogName{column.name, 0});
    for (size_t i = 0; i < column.also.size(); ++i)
      names_.emplace(column.also[i], LogName{column.name, static_cast<int>(i) + 1});
  }
}

LogName LogNames::ours(std::string_view theirs) const {
  if (const auto found = exact_.find(std::string(theirs)); found != exact_.end()) return {found->second, 0};
  if (const auto found = names_.find(lower_case(theirs)); found != names_.end()) return found->second;
  if (theirs.find_first_of("/.- :") == std::string_view::npos) return {};
  if (const auto found = names_.find(plain_name(theirs)); found != names_.end())
    return {found->second.ours, found->second.rank + LogName::kLoose};
  for (size_t cut = theirs.find_first_of("/."); cut != std::string_view::npos;
       cut = theirs.find_first_of("/.", cut + 1))
    if (const auto found = names_.find(plain_name(theirs.substr(cut + 1))); found != names_.end())
      return {found->second.ours, found->second.rank + kTailRank};
  return {};
}

std::map<std::string, std::string> parse_foreign_map(const std::string& text) { return MapReader(text).read(); }

}  // namespace bitsweep::imports
