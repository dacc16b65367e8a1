// What is told of the windows one by one, and that models and count models are scored on the same bytes of them.
#include "train/window_spread.h"

#include <cmath>
#include <numeric>

#include "data/count_model.h"
#include "data/dataset.h"
#include "tiny_model.h"
#include "tiny_run.h"
#include "train/evaluate.h"

namespace bitsweep::train {
namespace {

double mean_of(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double sd_of(const std::vector<double>& values) {
  double squares = 0;
  for (const double value : values) squares += (value - mean_of(values)) * (value - mean_of(values));
  return std::sqrt(squares / static_cast<double>(values.size() - 1));
}

TEST(WindowSpread, OfEqualWindowsIsTheirSdOverTheRootOfTheirNumber) {
  const std::vector<double> bits{20, 30, 25, 41};
  const std::vector<int64_t> bytes(4, 10);
  const WindowSpread spread = window_spread(bits, bytes);
  ASSERT_EQ(spread.blocks.size(), 4u);
  for (size_t i = 0; i < 4; ++i) EXPECT_DOUBLE_EQ(spread.blocks[i], bits[i] / 10);
  EXPECT_DOUBLE_EQ(spread.standard_error.value(), sd_of(spread.blocks) / 2);
}

TEST(WindowSpread, WeighsWindowsByTheirBytes) {
  // Both at 3 bits per byte: nothing to spread, however long they are.
  EXPECT_NEAR(window_spread(std::vector<double>{30, 90}, std::vector<int64_t>{10, 30}).standard_error.value(), 0,
              1e-12);
  const WindowSpread spread = window_spread(std::vector<double>{30, 60}, std::vector<int64_t>{10, 30});
  EXPECT_DOUBLE_EQ(mean_of(spread.blocks), 90.0 / 40);
  EXPECT_DOUBLE_EQ(spread.standard_error.value(), sd_of(spread.blocks) / std::sqrt(2.0));
}

TEST(WindowSpread, ManyWindowsAreToldInBlocks) {
  std::vector<double> bits(3000);
  for (size_t i = 0; i < bits.size(); ++i) bits[i] = 2 + std::sin(static_cast<double>(i));
  const WindowSpread spread = window_spread(bits, std::vector<int64_t>(bits.size(), 1));
  EXPECT_EQ(spread.blocks.size(), kMostBlocks);
  EXPECT_NEAR(mean_of(spread.blocks), mean_of(bits), 1e-12);
  EXPECT_NEAR(spread.standard_error.value(), sd_of(bits) / std::sqrt(3000.0), 1e-12);
}

TEST(WindowSpread, NothingIsSaidOfOneWindowOrOfWhatIsNotFinite) {
  EXPECT_FALSE(window_spread(std::vector<double>{3}, std::vector<int64_t>{1}).standard_error.has_value());
  const WindowSpread lost = window_spread(std::vector<double>{3, NAN}, std::vector<int64_t>{1, 1});
  EXPECT_FALSE(lost.standard_error.has_value());
  EXPECT_TRUE(lost.blocks.empty());
  EXPECT_TRUE(window_spread({}, {}).blocks.empty());
}

// Says what a count model says of each token after those before it in the window.
class CountedModel : public nn::Model {
 public:
  CountedModel(const data::CountModel& counts, int order) : counts_(counts), order_(order) {}
  at::Tensor forward(const at::Tensor& tokens, const nn::StepContext&) override {
    const int64_t batch = tokens.size(0), length = tokens.size(1);
    at::Tensor logits = at::empty({batch, length, 256});
    for (int64_t b = 0; b < batch; ++b) {
      std::vector<uint8_t> seen;
      for (int64_t t = 0; t < length; ++t) {
        seen.push_back(static_cast<uint8_t>(tokens[b][t].item<int64_t>()));
        const auto used = std::min<size_t>(static_cast<size_t>(order_), seen.size());
        float* row = logits[b][t].mutable_data_ptr<float>();
        for (int symbol = 0; symbol < 256; ++symbol)
          row[symbol] = static_cast<float>(
              std::log(counts_.probability(static_cast<int>(used), seen, static_cast<uint8_t>(symbol))));
      }
    }
    return logits;
  }

 private:
  const data::CountModel& counts_;
  int order_;
};

TEST(Yardstick, AModelOfTheSameProbabilitiesScoresTheSame) {
  const fs::path folder = fresh_folder();
  const spec::RunSpec spec = tiny_spec(folder);
  const data::Dataset dataset = data::Dataset::open(spec.data, folder / "data");
  const data::CountModel counts(dataset.train_text(), dataset.split().train,
                                tokenize::ByteAlphabet(spec.data.tokenizer));
  const data::Yardsticks yardsticks = dataset.yardsticks({6}).windows[0];
  const data::ValidationWindows windows = dataset.validation(6);
  EXPECT_EQ(yardsticks.scored_bytes, static_cast<uint64_t>(windows.target_bytes(0, windows.count())));
  for (int order = 0; order <= 3; ++order) {
    CountedModel model(counts, order);
    const Validation validation = validate(model, windows, 16, 4, {}, c10::Device(c10::kCPU), Precision::f32);
    EXPECT_NEAR(validation.bits_per_byte, yardsticks.bits_per_byte[static_cast<size_t>(order)], 1e-5) << order;
    EXPECT_NEAR(mean_of(validation.spread.blocks), validation.bits_per_byte, 1e-9);
    EXPECT_NEAR(validation.spread.standard_error.value(), sd_of(validation.spread.blocks) / std::sqrt(6.0), 1e-9);
  }
}

}  // namespace
}  // namespace bitsweep::train
