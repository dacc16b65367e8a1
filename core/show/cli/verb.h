// A verb of `bitsweep`: its name, what it does, and its run function. One file a verb; verbs.cpp lists them all.
#pragma once

#include <span>
#include <string>
#include <vector>

namespace bitsweep::cli {

struct Verb {
  const char* name;
  const char* summary;  // one line
  const char* usage;    // arguments: "SWEEP.yaml…"
  const char* example;  // shown first by --help
  // Returns the exit code; throws Error. `args` are what follows the verb.
  int (*run)(const Verb& verb, const std::vector<std::string>& args);
  bool hidden = false;  // for the program's own use
};

std::span<const Verb* const> all_verbs();

extern const Verb kFitVerb, kLogsVerb, kPlanVerb, kPluginsVerb, kProbeVerb, kProfileVerb, kQueryVerb, kReportVerb,
    kRunVerb, kRunsVerb, kShowVerb, kStatusVerb, kSubmitVerb, kWorkVerb, kRetryVerb, kCancelVerb, kPauseVerb,
    kResumeVerb, kBumpVerb, kDevicesVerb, kDoctorVerb, kRebuildVerb, kCalibrationVerb, kSuggestVerb, kImportVerb,
    kExportVerb, kGcVerb, kPredictWaitingVerb, kTokenizeVerb, kAskVerb, kCompareVerb;

}  // namespace bitsweep::cli
