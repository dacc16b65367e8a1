// Answers of the induction tasks, scored against models that are known to be right or wrong.
#include <cmath>
#include <functional>

#include <gtest/gtest.h>

#include "data/induction.h"
#include "nn/model.h"
#include "tiny_model.h"
#include "tiny_run.h"
#include "train/evaluate.h"

namespace bitsweep::train {
namespace {

// Says the byte that `say` names after each prefix of a window, with a logit of 10 against 0.
class Oracle : public nn::Model {
 public:
  using Say =
      std::function<uint8_t(std::span<const uint8_t> window, const data::InductionAnswer* answer, int64_t position)>;
  explicit Oracle(data::InductionTask task, Say say) : task_(task), say_(std::move(say)) {}

  at::Tensor forward(const at::Tensor& tokens, const nn::StepContext&) override {
    const int64_t rows = tokens.size(0), length = tokens.size(1);
    const at::Tensor bytes = tokens.to(at::kByte).contiguous();
    at::Tensor logits = at::zeros({rows, length, 256});
    for (int64_t r = 0; r < rows; ++r) {
      // What is asked for after the last byte counts too; the byte itself is hidden.
      std::vector<uint8_t> window(bytes.const_data_ptr<uint8_t>() + r * length,
                                  bytes.const_data_ptr<uint8_t>() + (r + 1) * length);
      window.push_back('#');
      const std::vector<data::InductionAnswer> answers = induction_answers(task_, window);
      auto next = answers.begin();
      for (int64_t position = 1; position <= length; ++position) {
        const bool asked = next != answers.end() && next->position == position;
        logits.index_put_({at::tensor(r), at::tensor(position - 1),
                           at::tensor(int64_t{say_(window, asked ? &*next : nullptr, position)})},
                          at::tensor(10.f));
        if (asked) ++next;
      }
    }
    return logits;
  }

 private:
  data::InductionTask task_;
  Say say_;
};

class Answers : public testing::TestWithParam<const char*> {
 protected:
  Answers() {
    spec_.corpus = GetParam();
    spec_.context = 128;
  }
  Validation score(nn::Model& model, int64_t windows = 12, int64_t batch = 5) {
    return validate(model, dataset().validation(windows), spec_.context, batch, {}, c10::Device(c10::kCPU),
                    Precision::f32);
  }
  const data::Dataset& dataset() {
    if (!dataset_) dataset_.emplace(data::Dataset::open(spec_, fresh_folder() / "data"));
    return *dataset_;
  }
  data::InductionTask task() const { return *data::find_induction_task(GetParam()); }

  spec::DataSpec spec_;
  std::optional<data::Dataset> dataset_;
};

INSTANTIATE_TEST_SUITE_P(Tasks, Answers, testing::Values("repeat", "copy", "needle"),
                         [](const auto& info) { return std::string(info.param); });

TEST_P(Answers, OneWhoLooksBackIsAlwaysRight) {
  Oracle model(task(), [](auto window, const data::InductionAnswer* answer, int64_t) {
    return answer != nullptr ? window[static_cast<size_t>(answer->evidence)] : uint8_t{'#'};
  });
  const Validation validation = score(model);
  ASSERT_TRUE(validation.answers.has_value());
  EXPECT_EQ(validation.answers->accuracy, 1.0);
  EXPECT_NEAR(validation.answers->loss_bits, std::log2(1 + 255 * std::exp(-10.0)), 1e-5);
  // All other bytes are wrong.
  const double wrong_bits = 10 / std::log(2.0) + validation.answers->loss_bits;
  EXPECT_GT(validation.bits_per_byte, wrong_bits * 0.2);
  EXPECT_LT(validation.bits_per_byte, wrong_bits * 0.95);
}

TEST_P(Answers, TheFractionThatIsRightIsCounted) {
  int64_t asked = 0, right = 0;
  Oracle model(task(), [&](auto window, const data::InductionAnswer* answer, int64_t) {
    if (answer == nullptr) return uint8_t{'#'};
    const bool know = asked++ % 3 == 0;
    right += know;
    return know ? window[static_cast<size_t>(answer->evidence)] : uint8_t{'!'};
  });
  const Validation validation = score(model);
  ASSERT_TRUE(validation.answers.has_value());
  EXPECT_GT(asked, 50);
  EXPECT_DOUBLE_EQ(validation.answers->accuracy, static_cast<double>(right) / static_cast<double>(asked));
  EXPECT_EQ(asked, static_cast<int64_t>(dataset().validation(12).answers(0, 12).size()));
}

TEST_P(Answers, ABlindGuessIsAtChance) {
  const uint8_t guess = task() == data::InductionTask::needle ? 'e' : 'E';
  Oracle model(task(), [&](auto, const data::InductionAnswer*, int64_t) { return guess; });
  EXPECT_NEAR(score(model, 400, 100).answers->accuracy, data::induction_chance, 0.015);
}

TEST_P(Answers, TheBatchSizeDoesNotMatter) {
  TinyModel model(3);
  const Validation one = score(model, 9, 1), all = score(model, 9, 9);
  EXPECT_EQ(one.answers->accuracy, all.answers->accuracy);
  EXPECT_NEAR(one.answers->loss_bits, all.answers->loss_bits, 1e-6);
}

TEST_P(Answers, WindowsTooShortForAnyHaveNoScore) {
  spec_.context = 2;
  TinyModel model(3);
  EXPECT_FALSE(score(model).answers.has_value());
}

}  // namespace
}  // namespace bitsweep::train
