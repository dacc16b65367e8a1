#include "render/table.h"

#include <gtest/gtest.h>

namespace bitsweep::render {
namespace {

Table small() { return {{{"name"}, {"loss", Align::right}}, {{"a|b", "3.25"}, {"<x>", "12.5"}}}; }

TEST(Table, TerminalColumnsAreAligned) {
  EXPECT_EQ(terminal_table(small()), "name  loss\na|b   3.25\n<x>   12.5\n");
  EXPECT_EQ(terminal_table({{{"a"}, {"b"}}, {{"x", ""}}}), "a  b\nx\n");
  EXPECT_EQ(terminal_table({}), "");
}

TEST(Table, WidthIsWhatATerminalShows) {
  EXPECT_EQ(display_width("±é"), 2u);
  EXPECT_EQ(display_width("e\u0301"), 1u);
  EXPECT_EQ(display_width("模型"), 4u);
  EXPECT_EQ(terminal_table({{{"n"}, {"x"}}, {{"模型", "1"}, {"ab", "2"}}}), "n     x\n模型  1\nab    2\n");
}

TEST(Table, ATerminalIsNotDrivenByCells) { EXPECT_EQ(terminal_table({{{"n"}}, {{"\x1b[2Jx\ny"}}}), "n\n[2Jx y\n"); }

TEST(Table, MarkdownIsOneLineARow) {
  EXPECT_EQ(markdown_table(small()), "| name | loss |\n| --- | ---: |\n| a\\|b | 3.25 |\n| &lt;x&gt; | 12.5 |\n");
  EXPECT_EQ(markdown_table({{{"n"}}, {{"a\nb"}}}), "| n |\n| --- |\n| a b |\n");
}

TEST(Table, HtmlIsEscaped) {
  const std::string html = html_table(small());
  EXPECT_NE(html.find("<td>&lt;x&gt;</td><td class=\"n\">12.5</td>"), std::string::npos);
  EXPECT_EQ(html.find("<x>"), std::string::npos);
}

TEST(Table, CsvQuotesWhatNeedsIt) {
  EXPECT_EQ(csv_table({{{"a"}, {"b"}}, {{"1,5", "x\"y"}, {"l\nm", " p "}}}), "a,b\n\"1,5\",\"x\"\"y\"\n\"l\nm\", p \n");
  EXPECT_EQ(csv_cell("plain"), "plain");
}

TEST(Table, ShortRowsAreFilled) {
  EXPECT_EQ(csv_table({{{"a"}, {"b"}, {"c"}}, {{"1"}}}), "a,b,c\n1,,\n");
  EXPECT_EQ(markdown_table({{{"a"}, {"b"}}, {{"1"}}}), "| a | b |\n| --- | --- |\n| 1 |  |\n");
}

}  // namespace
}  // namespace bitsweep::render
