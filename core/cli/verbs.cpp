#include "cli/verb.h"

namespace bitsweep {

// In the order of a user's day.
std::span<const Verb* const> all_verbs() {
  // Order: plan run submit work status runs show logs report fit query plugins doctor; hidden ones last.
  static constexpr const Verb* kVerbs[] = {
      &kSubmitVerb, &kWorkVerb, &kRetryVerb, &kCancelVerb, &kStatusVerb, &kRunsVerb,
      &kShowVerb,   &kLogsVerb, &kFitVerb,    &kQueryVerb, &kDoctorVerb, &kShimVerb,
  };
  return kVerbs;
}

}  // namespace bitsweep
