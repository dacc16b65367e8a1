// Which of a log's names mean one of ours. Pure.
//
// A name is taken as it is, in whatever case; then with '/', '.', '-' and spaces as '_' ("val/bpb" is val_bpb); then by
// its last parts ("metrics/val_bpb").
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace bitsweep::imports {

// Our names of what a log may tell, in the order in which messages list them.
const std::vector<std::string>& log_columns();

struct LogName {
  std::string_view ours;  // "" where it means none of ours
  int rank = 0;           // how good a match it is: 0 is the best
  // Only with its separators read as '_', or by its last parts.
  bool is_loose() const { return rank >= kLoose; }
  static constexpr int kLoose = 100;
};

class LogNames {
 public:
  // `mapped`: our name -> the log's.
  explicit LogNames(const std::map<std::string, std::string>& mapped);
  LogName ours(std::string_view theirs) const;
  // Somebody said that this very name means one of ours.
  bool is_mapped(std::string_view theirs) const { return exact_.find(std::string(theirs)) != exact_.end(); }

 private:
  std::map<std::string, std::string_view> exact_;
  std::map<std::string, LogName, std::less<>> names_;
};

std::string lower_case(std::string_view text);  // of ASCII

// "val/bpb" as "val_bpb": lower case, '_' for what separates words.
std::string plain_name(std::string_view name);

// 'step=iteration,val_bpc="lr=0.1,bs=32 - val/bpb"': quotes hold a name together. Throws Error{input} for a name that
// is none of ours.
std::map<std::string, std::string> parse_foreign_map(const std::string& text);

}  // namespace bitsweep::imports
