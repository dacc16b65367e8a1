// What a person reads when sweeps are submitted again.
#include "prepare/submission.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace bitsweep::prepare {
namespace {

using testing::HasSubstr;
using testing::Not;

Submission with(RunState state, spec::Renewal change) {
  Submission submission;
  submission.sweep = "s";
  submission.result.already = {"aaaaaaaaaaaa"};
  submission.result.renewed = {{"aaaaaaaaaaaa", state, std::move(change)}};
  return submission;
}

spec::Renewal mended() {
  spec::Renewal change;
  change.taken = {"eval.also.base.corpus: /a -> /b"};
  return change;
}

TEST(Submission, SaysWhatAKnownRunTookOver) {
  EXPECT_THAT(submission_text(with(RunState::queued, mended())),
              HasSubstr("run aaaaaaaaaaaa takes over eval.also.base.corpus: /a -> /b\n"));
  EXPECT_THAT(submission_text(with(RunState::failed, mended())),
              HasSubstr("it is failed: 'bitsweep retry aaaaaaaaaaaa' tries it again"));
  EXPECT_THAT(submission_text(with(RunState::running, mended())),
              HasSubstr("run aaaaaaaaaaaa is running and takes nothing over; submit it again when it has ended"));
  const json::array told = to_json(with(RunState::failed, mended())).at("renewed").as_array();
  EXPECT_EQ(told.at(0).at("taken").as_array().size(), 1u);
  EXPECT_TRUE(to_json(with(RunState::running, mended())).at("renewed").at(0).as_object().contains("not_taken"));
}

TEST(Submission, SaysWhatAFinishedRunIsNotAsked) {
  spec::Renewal change;
  change.tasks = {"t2"};
  change.texts = {"base"};
  const std::string text = submission_text(with(RunState::done, change));
  EXPECT_THAT(text, HasSubstr("run aaaaaaaaaaaa is done: its new task 't2' is asked by "
                              "'bitsweep ask aaaaaaaaaaaa --tasks FILE'"));
  EXPECT_THAT(text, HasSubstr("the text 'base' of eval.also is not scored any more"));
  EXPECT_THAT(text, Not(HasSubstr("takes over")));
}

}  // namespace
}  // namespace bitsweep::prepare
