#include "report/layout.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "render/format.h"

namespace bitsweep::report {
namespace {

using render::Block;

// "Where attention looks" as "where-attention-looks".
std::string slug(const std::string& title) {
  std::string out;
  for (const char c : title) {
    const char low = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    if ((low >= 'a' && low <= 'z') || (low >= '0' && low <= '9'))
      out += low;
    else if (!out.empty() && out.back() != '-')
      out += '-';
  }
  while (!out.empty() && out.back() == '-') out.pop_back();
  return out.empty() ? "more" : out;
}

std::vector<Block> folded(std::vector<Block> blocks, const std::vector<std::string>& open) {
  std::vector<Block> out;
  bool inside = false;
  const auto end = [&] {
    if (inside) out.emplace_back(render::FoldEnd{});
    inside = false;
  };
  for (Block& block : blocks) {
    const auto* heading = std::get_if<render::Heading>(&block);
    if (heading == nullptr || heading->level != 2) {
      out.push_back(std::move(block));
      continue;
    }
    end();
    if (std::find(open.begin(), open.end(), heading->text) != open.end()) {
      out.push_back(std::move(block));
      continue;
    }
    inside = true;
    out.emplace_back(render::FoldBegin{heading->text});
  }
  end();
  return out;
}

// Of each table in a fold the Markdown shows so many rows, and of minor ones so many.
void cut_tables(render::Document& document, size_t rows, size_t minor_rows) {
  bool inside = false;
  for (Block& block : document.blocks) {
    inside =
        (inside || std::holds_alternative<render::FoldBegin>(block)) && !std::holds_alternative<render::FoldEnd>(block);
    auto* table = std::get_if<render::TableBlock>(&block);
    if (table == nullptr || !inside || table->worth == render::TableBlock::Worth::whole) continue;
    const size_t most = table->worth == render::TableBlock::Worth::minor ? minor_rows : rows;
    // "1 more" would take the line of that row.
    table->shown = table->table.rows.size() > most + 1 ? std::optional(most) : std::nullopt;
  }
}

// After what each table stands beneath, whether it will be cut or not: the names do not depend on the room.
void name_files(render::Document& document) {
  std::string heading;
  std::map<std::string, size_t> named;
  for (Block& block : document.blocks) {
    if (const auto* found = std::get_if<render::Heading>(&block)) heading = found->text;
    if (const auto* found = std::get_if<render::FoldBegin>(&block)) heading = found->summary;
    auto* table = std::get_if<render::TableBlock>(&block);
    if (table == nullptr || !table->file.empty() || table->worth == render::TableBlock::Worth::whole) continue;
    const std::string stem = slug(heading);
    const size_t number = ++named[stem];
    table->file = kTablePrefix + stem + (number > 1 ? fmt::format("-{}", number) : "") + ".csv";
  }
}

size_t lines_of(const render::Document& document) {
  const std::string text = render_markdown(document);
  return static_cast<size_t>(std::count(text.begin(), text.end(), '\n'));
}

}  // namespace

render::Table without_empty_columns(render::Table t) {
  for (size_t c = t.columns.size(); c-- > 0;) {
    if (std::any_of(t.rows.begin(), t.rows.end(), [&](const auto& row) { return row[c] != render::kNothing; }))
      continue;
    t.columns.erase(t.columns.begin() + static_cast<std::ptrdiff_t>(c));
    for (std::vector<std::string>& row : t.rows) row.erase(row.begin() + static_cast<std::ptrdiff_t>(c));
  }
  return t;
}

void lay_out(render::Document& document, const std::vector<std::string>& open, const Room& room) {
  document.blocks = folded(std::move(document.blocks), open);
  name_files(document);
  const auto fits = [&](size_t rows, size_t minor_rows) {
    cut_tables(document, rows, minor_rows);
    return lines_of(document) <= room.lines;
  };
  for (size_t rows = room.most_rows; rows >= room.some_rows; --rows)
    if (fits(rows, rows)) return;
  for (size_t rows = room.some_rows; rows >= room.least_rows; --rows)
    if (fits(rows, 0)) return;
}

std::vector<std::pair<std::string, std::string>> table_files(const render::Document& document) {
  std::vector<std::pair<std::string, std::string>> files;
  for (const Block& block : document.blocks)
    if (const auto* shown = std::get_if<render::TableBlock>(&block);
        shown != nullptr && (shown->cut() || shown->wider) && shown->file.starts_with(kTablePrefix))
      files.emplace_back(shown->file, csv_table(shown->wider.value_or(shown->table)));
  return files;
}

}  // namespace bitsweep::report
