#include "render/document.h"
#include "render/escape.h"

namespace bitsweep::render {
namespace {

constexpr const char* kStyle = R"css(
:root { color-scheme: light dark;
        --text: #1f2328; --soft: #59636e; --line: #d1d9e0; --page: #ffffff; --stripe: #f6f8fa; }
@media (prefers-color-scheme: dark) {
  :root { --text: #f0f6fc; --soft: #9198a1; --line: #3d444d; --page: #0d1117; --stripe: #151b23; }
}
body { margin: 0; background: var(--page); color: var(--text);
       font: 16px/1.5 system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; }
main { max-width: 60rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; }
h1, h2, h3, h4 { line-height: 1.25; margin: 2em 0 .6em; }
h1 { margin-top: .5em; } h2 { border-bottom: 1px solid var(--line); padding-bottom: .25em; }
code { font: .88em ui-monospace, "SF Mono", "DejaVu Sans Mono", monospace; background: var(--stripe);
       border-radius: 4px; padding: .1em .3em; overflow-wrap: anywhere; }
.scroll { overflow-x: auto; margin: 1em 0; }
table { border-collapse: collapse; font-size: .875rem; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .3em .75em; border-bottom: 1px solid var(--line); vertical-align: top; }
td:not(.n) { min-width: 6em; overflow-wrap: break-word; } td:first-child:not(.n) { min-width: 10em; }
th { color: var(--soft); font-weight: 600; } .n { text-align: right; } td.n { white-space: nowrap; }
tbody tr:hover { background: var(--stripe); }
figure { margin: 1.5em 0; } figcaption { color: var(--soft); font-size: .875rem; }
summary { cursor: pointer; color: var(--soft); }
.part { border-top: 1px solid var(--line); } .part > summary { color: var(--text); font-weight: 600; padding: .6em 0; }
.tall { max-height: 32rem; overflow-y: auto; }
)css";

std::string inline_html(const Text& text) {
  std::string out;
  for (const Text::Part& part : text.parts()) {
    const std::string escaped = escape_html(part.text);
    switch (part.kind) {
      case Text::Kind::plain:
        out += escaped;
        break;
      case Text::Kind::code:
        out += "<code>" + escaped + "</code>";
        break;
      case Text::Kind::strong:
        out += "<strong>" + escaped + "</strong>";
        break;
    }
  }
  return out;
}

struct HtmlWriter {
  std::string out;

  void operator()(const Heading& heading) {
    const std::string tag = "h" + std::to_string(heading.level);
    out += "<" + tag + ">" + escape_html(heading.text) + "</" + tag + ">\n";
  }
  void operator()(const Paragraph& paragraph) { out += "<p>" + inline_html(paragraph.text) + "</p>\n"; }
  void operator()(const BulletList& list) {
    out += "<ul>\n";
    for (const Text& item : list.items) out += "<li>" + inline_html(item) + "</li>\n";
    out += "</ul>\n";
  }
  void operator()(const TableBlock& block) {
    const std::string table = html_table(block.wider.value_or(block.table));
    // A long one scrolls in a frame of its own.
    out += block.cut() ? "<div class=\"tall\">\n" + table + "</div>\n" : table;
  }
  void operator()(const FigureBlock& figure) {
    out += "<figure>\n" + figure.svg + "<figcaption>" + escape_html(figure.caption) + "</figcaption>\n</figure>\n";
  }
  void operator()(const FoldBegin& fold) {
    out += "<details class=\"part\"><summary>" + escape_html(fold.summary) + "</summary>\n";
  }
  void operator()(const FoldEnd&) { out += "</details>\n"; }
};

}  // namespace

std::string render_html(const Document& document) {
  HtmlWriter writer;
  const std::string title = escape_html(document.title);
  writer.out =
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>" +
      title + "</title>\n<style>" + kStyle + "</style>\n</head>\n<body>\n<main>\n";
  writer(Heading{1, document.title});
  for (const Block& block : document.blocks) std::visit(writer, block);
  return writer.out + "</main>\n</body>\n</html>\n";
}

}  // namespace bitsweep::render
