#include "render/escape.h"

#include <gtest/gtest.h>

namespace bitsweep::render {
namespace {

TEST(Escape, HtmlAndXmlTakeAnyText) {
  EXPECT_EQ(escape_html("a<b> & \"c\" 'd'"), "a&lt;b&gt; &amp; &quot;c&quot; &#39;d&#39;");
  EXPECT_EQ(escape_html("</title><script>"), "&lt;/title&gt;&lt;script&gt;");
  EXPECT_EQ(escape_html("é≈✓"), "é≈✓");
}

TEST(Escape, BytesThatAreNoTextAreReplaced) {
  EXPECT_EQ(clean_text(std::string("a\0b\x01\x7f", 5)), "ab");
  EXPECT_EQ(clean_text("a\tb\nc"), "a b c");
  EXPECT_EQ(clean_text("\xff\xc3(\xe2\x82"), "\uFFFD\uFFFD(\uFFFD\uFFFD");
  EXPECT_EQ(clean_text("\xed\xa0\x80"), "\uFFFD\uFFFD\uFFFD");  // a lone surrogate
  EXPECT_EQ(clean_text("\xc0\xaf"), "\uFFFD\uFFFD");            // overlong
  EXPECT_EQ(clean_text("\x1b[31mred\x1b[0m"), "[31mred[0m");    // a terminal is not driven
  EXPECT_EQ(clean_text("\xc2\x9b"), "");                        // nor by C1 controls
}

TEST(Escape, MarkdownShowsTheTextItself) {
  EXPECT_EQ(escape_markdown("a|b"), "a\\|b");
  EXPECT_EQ(escape_markdown("*a* [b](c) `d` ~e~ $f$ !"), "\\*a\\* \\[b\\](c) \\`d\\` \\~e\\~ \\$f\\$ \\!");
  EXPECT_EQ(escape_markdown("<img src=x>"), "&lt;img src=x&gt;");
  EXPECT_EQ(escape_markdown("val_bpc _b_"), "val_bpc \\_b\\_");
  EXPECT_EQ(escape_markdown("# x"), "\\# x");
  EXPECT_EQ(escape_markdown("- x"), "\\- x");
  EXPECT_EQ(escape_markdown("---"), "\\---");
  EXPECT_EQ(escape_markdown("+0.123"), "+0.123");
  EXPECT_EQ(escape_markdown("1. x"), "1\\. x");
  EXPECT_EQ(escape_markdown("1.5 x"), "1.5 x");
  EXPECT_EQ(escape_markdown("a\nb"), "a b");
}

TEST(Escape, CodeSpansHoldBackticksAndBars) {
  EXPECT_EQ(markdown_code("a b"), "`a b`");
  EXPECT_EQ(markdown_code("a`b"), "``a`b``");
  EXPECT_EQ(markdown_code("`"), "`` ` ``");
  EXPECT_EQ(markdown_code("a|b"), "`a\\|b`");
  EXPECT_EQ(markdown_code(""), "");
}

}  // namespace
}  // namespace bitsweep::render
