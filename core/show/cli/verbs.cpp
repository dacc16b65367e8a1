#include "cli/verb.h"

namespace bitsweep::cli {

// In the order of a user's day.
std::span<const Verb* const> all_verbs() {
  static constexpr const Verb* kVerbs[] = {
      &kPlanVerb,           &kRunVerb,    &kSubmitVerb,  &kWorkVerb,    &kStatusVerb,  &kRunsVerb,
      &kShowVerb,           &kLogsVerb,   &kReportVerb,  &kFitVerb,     &kSuggestVerb, &kCalibrationVerb,
      &kProbeVerb,          &kAskVerb,    &kCompareVerb, &kProfileVerb, &kQueryVerb,   &kRetryVerb,
      &kCancelVerb,         &kPauseVerb,  &kResumeVerb,  &kBumpVerb,    &kDevicesVerb, &kPluginsVerb,
      &kImportVerb,         &kExportVerb, &kRebuildVerb, &kGcVerb,      &kDoctorVerb,  &kTokenizeVerb,
      &kPredictWaitingVerb,
  };
  return kVerbs;
}

}  // namespace bitsweep::cli
