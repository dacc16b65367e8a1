// A report as blocks of text, tables and figures, and its two forms: Markdown for GitHub, one self-contained HTML file.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "render/svg.h"
#include "render/table.h"

namespace bitsweep::render {

// Running text: plain parts, code and strong ones. Everything is escaped by the form.
class Text {
 public:
  Text() = default;
  Text(const char* plain) { *this << std::string(plain); }
  Text(std::string plain) { *this << std::move(plain); }

  enum class Kind { plain, code, strong };
  struct Part {
    Kind kind;
    std::string text;
  };
  Text& operator<<(std::string plain) { return add(Kind::plain, std::move(plain)); }
  Text& code(std::string text) { return add(Kind::code, std::move(text)); }
  Text& strong(std::string text) { return add(Kind::strong, std::move(text)); }
  const std::vector<Part>& parts() const { return parts_; }
  std::string plain() const;

 private:
  Text& add(Kind kind, std::string text) {
    parts_.push_back({kind, std::move(text)});
    return *this;
  }
  std::vector<Part> parts_;
};

struct Heading {
  int level = 2;
  std::string text;
};
struct Paragraph {
  Text text;
};
struct BulletList {
  std::vector<Text> items;
};
struct TableBlock {
  Table table;
  // The HTML has all rows. The Markdown has the first so many, and where the whole table is: beside it.
  std::optional<size_t> shown = std::nullopt;
  std::string file = "";
  std::optional<Table> wider = std::nullopt;  // what the file has in its place: columns that the page has no room for
  enum class Worth {
    some,   // some rows tell what kind of table it is
    whole,  // never to be cut: one row is of no use without the others
    minor,  // words near it say what it amounts to: where room is short the file will do
  };
  Worth worth = Worth::some;

  bool cut() const { return shown && !file.empty() && table.rows.size() > *shown; }
};
struct FigureBlock {
  std::string file;  // beside the Markdown
  std::string title, caption;
  std::string svg;  // inlined into the HTML
};
// What lies between the two is folded until asked for.
struct FoldBegin {
  std::string summary;
};
struct FoldEnd {};

using Block = std::variant<Heading, Paragraph, BulletList, TableBlock, FigureBlock, FoldBegin, FoldEnd>;

struct Document {
  std::string title;
  std::vector<Block> blocks;
};

std::string render_markdown(const Document& document);
std::string render_html(const Document& document);

}  // namespace bitsweep::render
