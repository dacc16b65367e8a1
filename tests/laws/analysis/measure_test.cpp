// By which measure cells meet where tokenizers vary.
#include "analysis/tokenized_input.h"

namespace bitsweep::analysis {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

GroupAnalysis group_of(const std::vector<Tokenized>& runs) {
  Analysis analysis = analyse(tokenized_input(runs));
  EXPECT_EQ(analysis.groups.size(), 1u);
  return analysis.groups.at(0);
}

TEST(Measure, of_one_tokenizer_is_parameters_and_tokens) {
  const GroupAnalysis g = group_of({{"bytes256", 1e6, 1e5, 4e6, 0}, {"bytes256", 1e6, 1e5, 8e6, 0}});
  EXPECT_FALSE(g.table.measure.body);
  EXPECT_FALSE(g.table.measure.bytes);
  EXPECT_EQ(g.table.budget_text(0), "4M tokens");
}

// Three vocabularies on one body, each for the same text: by parameters and tokens nothing meets.
TEST(Measure, is_body_and_bytes_where_those_meet) {
  const GroupAnalysis g = group_of({{"bytes256", 2e6, 1e5, 7.6e6, 0},
                                    {"a/sp.model", 2e6, 1e6, 3.3e6, 2.3},
                                    {"b/gpt2.json", 2e6, 4e6, 2.75e6, 2.76}});
  EXPECT_TRUE(g.table.measure.body);
  EXPECT_TRUE(g.table.measure.bytes);
  EXPECT_THAT(g.table.sizes, SizeIs(1));
  EXPECT_THAT(g.table.budgets, SizeIs(1));
  EXPECT_THAT(g.variant_comparisons, SizeIs(3));
  EXPECT_EQ(g.table.size_text(0), "2M body parameters");
  EXPECT_THAT(g.table.budget_text(0), testing::EndsWith(" bytes of text"));
}

TEST(Measure, amounts_of_text_that_differ_are_two_budgets) {
  const GroupAnalysis g = group_of({{"bytes256", 2e6, 1e5, 7.6e6, 0}, {"a/sp.model", 2e6, 1e6, 3.3e6, 2.4}});
  EXPECT_THAT(g.variant_comparisons, IsEmpty());
}

// As many steps each: at equal tokens, by the body.
TEST(Measure, is_tokens_where_those_alone_meet) {
  const GroupAnalysis g = group_of({{"bytes256", 2e6, 1e5, 4e6, 0}, {"a/sp.model", 2e6, 1e6, 4e6, 2.3}});
  EXPECT_TRUE(g.table.measure.body);
  EXPECT_FALSE(g.table.measure.bytes);
  EXPECT_THAT(g.variant_comparisons, SizeIs(1));
}

TEST(Measure, is_all_parameters_where_those_alone_meet) {
  const GroupAnalysis g = group_of({{"bytes256", 2e6, 0.1e6, 4.6e6, 0}, {"a/sp.model", 1e6, 1.1e6, 2e6, 2.3}});
  EXPECT_FALSE(g.table.measure.body);
  EXPECT_TRUE(g.table.measure.bytes);
  EXPECT_THAT(g.variant_comparisons, SizeIs(1));
}

TEST(Measure, bytes_that_one_run_does_not_tell_are_no_measure) {
  const GroupAnalysis g = group_of({{"bytes256", 2e6, 1e5, 7.6e6, 0}, {"a/sp.model", 2e6, 1e6, 3.3e6, 0}});
  EXPECT_FALSE(g.table.measure.bytes);
  EXPECT_THAT(g.variant_comparisons, IsEmpty());
}

}  // namespace
}  // namespace bitsweep::analysis
