#include "report/stored_section.h"

#include "analysis/stored.h"
#include "report/rendered.h"

namespace bitsweep::report {
namespace {

using testing::HasSubstr;
using testing::Not;

// Two sizes of v57, three seeds of the larger, and llama beside it.
analysis::ReportInput stored_input() {
  analysis::ReportInput input = analysis::made_input({{.variant = "v57", .params = 1e6},
                                                      {.variant = "v57", .params = 2e6, .seed = 0, .noise = 0.01},
                                                      {.variant = "v57", .params = 2e6, .seed = 1, .noise = -0.01},
                                                      {.variant = "llama", .params = 2e6}});
  for (analysis::MeasuredRun& run : input.runs) {
    const bool full = run.row.plugin == "llama";
    run.start["stored_bits_per_weight"] = full ? 16.0 : 1.0;
    run.start["stored_bytes"] = full ? run.row.params * 2 : run.row.params / 5;
    run.start["stored_float_bits"] = 16;
  }
  return input;
}

TEST(StoredCells, AreComparedWithTheFullestAtTheSamePoint) {
  const analysis::ReportInput input = stored_input();
  const analysis::Analysis analysis = analyse(input);
  const analysis::GroupAnalysis& g = analysis.groups.at(0);
  const std::vector<analysis::StoredCell> cells = stored_cells(input, g);
  ASSERT_EQ(cells.size(), 3u);
  EXPECT_FALSE(cells[0].twin);  // nothing beside it at 1M
  ASSERT_TRUE(cells[1].twin);
  EXPECT_EQ(g.table.cells[*cells[1].twin].variant, "llama");
  EXPECT_DOUBLE_EQ(cells[1].smaller, 10);
  EXPECT_NEAR(cells[1].change->mean, analysis::law("v57", 2e6, 4e6) - analysis::law("llama", 2e6, 4e6), 1e-9);
  EXPECT_FALSE(cells[2].twin);  // it is the fullest
}

TEST(StoredSize, TakesBackTheFloatsOfAnOlderWorker) {
  const auto size = [](double bits, int64_t bytes, std::optional<int> float_bits) {
    json::object start{{"stored_bits_per_weight", bits}, {"stored_bytes", bytes}, {"params_extra", 100}};
    if (float_bits) start["stored_float_bits"] = *float_bits;
    return analysis::stored_size(start, 8000 + 200).value();
  };
  EXPECT_EQ(size(32, 4 * 8200, {}).bytes, 2 * 8200);
  EXPECT_EQ(size(32, 4 * 8200, {}).bits_per_weight, 16);
  EXPECT_EQ(size(1, 8000 / 8 + 4 * 300, {}).bytes, 8000 / 8 + 2 * 300);  // 200 thresholds among the params
  EXPECT_EQ(size(1, 8000 / 8 + 2 * 300, 16).bytes, 8000 / 8 + 2 * 300);
  EXPECT_EQ(size(2.5, 4000, {}).bytes, 4000);  // which of the weights are floats is not told
  EXPECT_FALSE(analysis::stored_size({}, 8200));
}

TEST(StoredSection, SaysWhatIsLost) {
  const analysis::ReportInput input = stored_input();
  const std::string text = markdown_of(input);
  EXPECT_THAT(text, HasSubstr("What a stored bit buys"));
  EXPECT_THAT(text, HasSubstr("| v57 | 2M | 4M | 1 | 400 kB |"));
  EXPECT_THAT(text, HasSubstr("**v57**: 1 bit a weight, 400 kB, 10 times smaller than llama; it loses "));
}

TEST(StoredSection, NothingOfRunsThatDidNotSay) {
  const analysis::ReportInput input = analysis::made_input({{.variant = "v57"}, {.variant = "llama"}});
  EXPECT_TRUE(stored_cells(input, analyse(input).groups.at(0)).empty());
  EXPECT_THAT(markdown_of(input), Not(HasSubstr("stored bit")));
}

}  // namespace
}  // namespace bitsweep::report
