#include "data/generated.h"

#include <array>

#include "data/induction.h"
#include "data/stories.h"

namespace bitsweep::data {
namespace {

template <InductionTask task>
constexpr GeneratedCorpus induction_corpus(std::string_view name) {
  return {name,
          induction_version,
          induction_seed,
          induction_bytes,
          [] { return generate_induction(task); },
          [] { return induction_entropy_bits_per_byte(task); }};
}

constexpr std::array corpora{GeneratedCorpus{"stories", stories_version, stories_seed, stories_bytes,
                                             [] { return generate_stories(); }, stories_entropy_bits_per_byte},
                             induction_corpus<InductionTask::repeat>("repeat"),
                             induction_corpus<InductionTask::copy>("copy"),
                             induction_corpus<InductionTask::needle>("needle")};

}  // namespace

std::span<const GeneratedCorpus> generated_corpora() { return corpora; }

const GeneratedCorpus* find_generated_corpus(std::string_view name) {
  for (const GeneratedCorpus& corpus : corpora)
    if (corpus.name == name) return &corpus;
  return nullptr;
}

}  // namespace bitsweep::data
