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

void lay_out(render::Document& document, const std::vector<std::string>& open, size_t rows) {
  std::string heading;
  bool whole = true;
  std::map<std::string, size_t> named;
  for (Block& block : document.blocks) {
    if (const auto* found = std::get_if<render::Heading>(&block)) {
      heading = found->text;
      if (found->level == 2) whole = std::find(open.begin(), open.end(), heading) != open.end();
    }
    if (whole) continue;
    auto* shown = std::get_if<render::TableBlock>(&block);
    if (shown == nullptr || shown->table.rows.size() <= rows) continue;
    shown->shown = rows;
    if (!shown->file.empty()) continue;
    const std::string stem = slug(heading);
    const size_t number = ++named[stem];
    shown->file = kTablePrefix + stem + (number > 1 ? fmt::format("-{}", number) : "") + ".csv";
  }
  document.blocks = folded(std::move(document.blocks), open);
}

std::vector<std::pair<std::string, std::string>> table_files(const render::Document& document) {
  std::vector<std::pair<std::string, std::string>> files;
  for (const Block& block : document.blocks)
    if (const auto* shown = std::get_if<render::TableBlock>(&block);
        shown != nullptr && shown->cut() && shown->file.starts_with(kTablePrefix))
      files.emplace_back(shown->file, csv_table(shown->table));
  return files;
}

}  // namespace bitsweep::report
