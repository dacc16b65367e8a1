// What the verb `suggest` and the report's advice share: from the finished runs of one law to candidates with their
// costs, and from what was picked to a sweep file.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "advise/candidates.h"
#include "advise/suggest.h"
#include "store/store.h"

namespace bitsweep::advise {

// What the sweeps' files say of themselves.
struct SweepDefaults {
  json::object source;  // of the first sweep that still reads as JSON
  std::vector<int64_t> seeds;
  json::object kept;       // model.n_layers, model.n_heads given beside a size
  json::object resources;  // as in the file
};

SweepDefaults sweep_defaults(store::Store& store, const std::vector<std::string>& sweeps);

// How often a configuration may be run, with no word of the caller's: as often as the sweep runs its own.
int64_t most_seeds(const SweepDefaults& defaults);

// Of the kind of device that the law's runs are for.
std::vector<plan::MeasuredSpeed> speeds_for(const analysis::SweepData& data, const analysis::LawData& law,
                                            store::Store& store);

// Hours where this machine's speed is known for every candidate, else FLOPs.
struct Costs {
  bool hours = false;
  std::vector<double> of;               // a candidate each
  double spent = 0;                     // on the runs that are done, in the same unit
  std::string text(double cost) const;  // "2h 10m", "3.20e+15 FLOPs"
};

// Fills the candidates' times from the speeds of this machine, where it knows them.
Costs costs_of(CandidateSet& set, const analysis::SweepData& data, const analysis::LawData& law, store::Store& store);

std::vector<Candidate> as_candidates(const CandidateSet& set, const analysis::LawData& law, const Costs& costs);

// Each pick with the seed it takes, in the order of the batch.
std::vector<ChosenRun> with_seeds(const Suggestion& suggestion, const CandidateSet& set);

// "at 300M parameters, 1B tokens: 1.4800 ± 0.2 now, ± 0.09 expected after 6 runs (2h 10m)", a line a target.
std::vector<std::string> outlook_lines(const Suggestion& s, const Costs& costs);

// The sweep file of a batch, the largest run's settings first.
std::string next_sweep(const std::string& name, const std::string& maker, const Suggestion& s,
                       const std::vector<ChosenRun>& chosen, const SweepDefaults& defaults, const Costs& costs,
                       const analysis::SweepData& data, const analysis::LawData& law,
                       const std::vector<fit::Target>& targets);

// "NAME-next-1", "-2" …, with a variant "NAME-v57-next-1": the first that is not `taken`.
std::string next_name(const std::string& sweep, const std::string& variant,
                      const std::function<bool(const std::string&)>& taken);

// "v76 (alibi=false)" as part of a file's name: v76-alibi-false.
std::string slug(const std::string& name);

// Asks for all that will be wanted in one go: a worker takes longer to start than to answer.
class CachingDescriber : public plan::Describer {
 public:
  explicit CachingDescriber(plan::Describer& inner) : inner_(inner) {}

  void expect(std::vector<plan::DescribeQuestion> questions) {
    for (plan::DescribeQuestion& question : questions)
      if (keys_.insert(key(question)).second) waiting_.push_back(std::move(question));
  }

  std::vector<plan::DescribeAnswer> describe(const std::vector<plan::DescribeQuestion>& questions) override {
    expect(questions);
    if (!waiting_.empty()) {
      const std::vector<plan::DescribeAnswer> answers = inner_.describe(waiting_);
      for (size_t i = 0; i < waiting_.size(); ++i) answers_[key(waiting_[i])] = answers.at(i);
      waiting_.clear();
    }
    std::vector<plan::DescribeAnswer> told;
    for (const plan::DescribeQuestion& question : questions) told.push_back(answers_.at(key(question)));
    return told;
  }

 private:
  // Without train.freeze: the runs that are asked about trained with it.
  static std::string key(const plan::DescribeQuestion& question) {
    return question.plugin + " " + canonical_json(to_json(question.request));
  }
  plan::Describer& inner_;
  std::set<std::string> keys_;
  std::vector<plan::DescribeQuestion> waiting_;
  std::map<std::string, plan::DescribeAnswer> answers_;
};

}  // namespace bitsweep::advise
