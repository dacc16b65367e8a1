#include <fmt/format.h>

#include "render/document.h"
#include "render/escape.h"

namespace bitsweep::render {
namespace {

std::string inline_markdown(const Text& text) {
  std::string out;
  for (const Text::Part& part : text.parts()) {
    switch (part.kind) {
      case Text::Kind::plain:
        out += escape_markdown(part.text);
        break;
      case Text::Kind::code:
        out += markdown_code(part.text);
        break;
      case Text::Kind::strong:
        out += "**" + escape_markdown(part.text) + "**";
        break;
    }
  }
  return out;
}

struct MarkdownWriter {
  std::string out;

  void operator()(const Heading& heading) {
    out += std::string(static_cast<size_t>(heading.level), '#') + " " + escape_markdown(heading.text) + "\n\n";
  }
  void operator()(const Paragraph& paragraph) { out += inline_markdown(paragraph.text) + "\n\n"; }
  void operator()(const BulletList& list) {
    for (const Text& item : list.items) out += "- " + inline_markdown(item) + "\n";
    out += "\n";
  }
  void operator()(const TableBlock& block) {
    if (!block.cut()) {
      out += markdown_table(block.table) + "\n";
      return;
    }
    Table head{block.table.columns,
               {block.table.rows.begin(), block.table.rows.begin() + static_cast<ptrdiff_t>(block.shown)}};
    out += markdown_table(head) + "\n" +
           fmt::format("The first {} of {} rows: [{}]({}) has all.\n\n", block.shown, block.table.rows.size(),
                       block.file, block.file);
  }
  void operator()(const FigureBlock& figure) {
    out +=
        "![" + escape_markdown(figure.title) + "](" + figure.file + ")\\\n" + escape_markdown(figure.caption) + "\n\n";
  }
  void operator()(const Details& details) {
    out += "<details><summary>" + escape_html(details.summary) + "</summary>\n\n";
    if (!details.text.parts().empty()) out += inline_markdown(details.text) + "\n\n";
    if (!details.table.empty()) out += markdown_table(details.table) + "\n";
    out += "</details>\n\n";
  }
  void operator()(const FoldBegin& fold) {
    out += "<details><summary><b>" + escape_html(fold.summary) + "</b></summary>\n\n";
  }
  void operator()(const FoldEnd&) { out += "</details>\n\n"; }
};

}  // namespace

std::string Text::plain() const {
  std::string text;
  for (const Part& part : parts_) text += part.text;
  return text;
}

std::string render_markdown(const Document& document) {
  MarkdownWriter writer;
  writer(Heading{1, document.title});
  for (const Block& block : document.blocks) std::visit(writer, block);
  while (writer.out.size() > 1 && writer.out[writer.out.size() - 2] == '\n') writer.out.pop_back();
  return writer.out;
}

}  // namespace bitsweep::render
