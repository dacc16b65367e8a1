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
    if (list_may_follow()) out.pop_back();
    for (const Text& item : list.items) out += "- " + inline_markdown(item) + "\n";
    out += "\n";
  }
  void operator()(const TableBlock& block) {
    if (!block.cut()) {
      out += markdown_table(block.table) + "\n";
      if (block.wider && !block.file.empty())
        out += fmt::format("[All {} columns]({})\n\n", block.wider->columns.size(), block.file);
      return;
    }
    const size_t shown = *block.shown;
    if (shown == 0) {
      // In the line of the words that announce it.
      if (out.ends_with(":\n\n")) out.resize(out.size() - 2), out += ' ';
      out += fmt::format("[{} rows]({})\n\n", block.table.rows.size(), block.file);
      return;
    }
    Table head{block.table.columns,
               {block.table.rows.begin(), block.table.rows.begin() + static_cast<ptrdiff_t>(shown)}};
    out += markdown_table(head) + fmt::format("| [{} more]({}) |", block.table.rows.size() - shown, block.file);
    for (size_t c = 1; c < block.table.columns.size(); ++c) out += " |";
    out += "\n\n";
  }
  void operator()(const FigureBlock& figure) {
    out +=
        "![" + escape_markdown(figure.title) + "](" + figure.file + ")<br>" + escape_markdown(figure.caption) + "\n\n";
  }
  // HTML that begins a block needs no blank line before it, and only what Markdown follows needs one after it.
  void operator()(const FoldBegin& fold) {
    if (out.ends_with(kEnd)) out.pop_back();
    out += "<details><summary><b>" + escape_html(fold.summary) + "</b></summary>\n\n";
  }
  void operator()(const FoldEnd&) {
    if (out.ends_with("\n\n")) out.pop_back();
    out += kEnd;
  }

 private:
  // A list ends a paragraph and a table by itself; after a heading a line is left for the eye.
  bool list_may_follow() const {
    const size_t line = out.size() < 3 ? std::string::npos : out.rfind('\n', out.size() - 3);
    return line != std::string::npos && out.ends_with("\n\n") && out[line + 1] != '#' && out[line + 1] != '<';
  }
  static constexpr std::string_view kEnd = "</details>\n\n";
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
