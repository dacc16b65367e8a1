// Rows of a log, one after the other, put together as runs. Pure.
#pragma once

#include <set>

#include "imports/foreign_log.h"
#include "imports/log_row.h"
#include "imports/log_tally.h"

namespace bitsweep::imports {

// One row by our names.
struct NamedRow {
  struct Value {
    json::value value;
    std::string theirs;
    int rank = 0, column = 0;
  };
  int line = 0;
  std::map<std::string_view, Value> ours;
  json::object rest;  // by the log's names

  const Value* find(std::string_view name) const;
  std::string text(std::string_view name) const;  // "" where there is none
};

NamedRow named_row(const LogRow& row, const LogNames& names);

class LogReader {
 public:
  // `loss_a_token`: losses a token are the evaluations, for there are none in bits per byte.
  LogReader(const std::string& stem, const ForeignFormat& format, const LogNames& names, bool loss_a_token,
            LogTally& tally)
      : stem_(stem), format_(format), names_(names), loss_a_token_(loss_a_token), tally_(tally) {}

  void add(const LogRow& row);
  // In order of appearance, each in the order of its steps. Tells what hinders: no evaluation, rows that a column tells
  // apart.
  std::vector<ForeignRun> finish();
  const std::vector<DescribedRun>& described() const { return described_; }
  bool any_eval() const;
  bool any_loss_a_token() const { return any_loss_a_token_; }

 private:
  ForeignRun& run_named(const std::string& name, bool is_named);
  void mistake(const NamedRow& row, const NamedRow::Value& value, const std::string& kind, const std::string& message);
  std::optional<double> number(const NamedRow& row, std::string_view name);
  double loss(const NamedRow& row, std::string_view name, double value);
  void add_described(const NamedRow& row);
  void learn(const NamedRow& row, ForeignFacts& facts);
  void learn_seed(const NamedRow& row, ForeignFacts& facts);
  void fill(ForeignFacts& facts) const;
  std::optional<int64_t> step_of(const NamedRow& row);
  void add_event(const NamedRow& row, const std::string& kind, ForeignRun& run);
  void put_time(const NamedRow& row, event::Event& event);
  void put_fields(const NamedRow& row, event::Event& event, ForeignRun& run);
  void complain_of_nothing(const std::string& whose);
  void complain_of_no_steps();

  const std::string& stem_;
  const ForeignFormat& format_;
  const LogNames& names_;
  const bool loss_a_token_;
  LogTally& tally_;
  ForeignFacts facts_;
  std::vector<ForeignRun> runs_;
  std::vector<DescribedRun> described_;
  std::map<std::string, size_t> index_;
  std::map<std::string, std::vector<double>> ratios_;  // bytes a token of each run's evaluations
  std::set<std::string> seen_;
  bool any_loss_a_token_ = false, any_step_ = false;
  int64_t losses_without_step_ = 0;
};

}  // namespace bitsweep::imports
