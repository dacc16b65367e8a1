#include "render/table.h"

#include <algorithm>
#include <cstdint>

#include "render/escape.h"

namespace bitsweep::render {
namespace {

const std::string& cell(const std::vector<std::string>& row, size_t column) {
  static const std::string kEmpty;
  return column < row.size() ? row[column] : kEmpty;
}

uint32_t next_code_point(std::string_view text, size_t& at) {
  const auto first = static_cast<uint8_t>(text[at]);
  const size_t length = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  uint32_t code = length == 1 ? first : first & (0xFFu >> (length + 1));
  for (size_t i = 1; i < length && at + i < text.size(); ++i)
    code = code << 6 | (static_cast<uint8_t>(text[at + i]) & 0x3F);
  at += length;
  return code;
}

// The ranges that matter to names of models and data; wcwidth() would depend on the locale.
size_t code_point_width(uint32_t code) {
  const auto within = [code](uint32_t low, uint32_t high) { return code >= low && code <= high; };
  if (within(0x300, 0x36F) || within(0x200B, 0x200F) || within(0xFE00, 0xFE0F)) return 0;
  if (within(0x1100, 0x115F) || within(0x2E80, 0xA4CF) || within(0xAC00, 0xD7A3) || within(0xF900, 0xFAFF) ||
      within(0xFE30, 0xFE6F) || within(0xFF00, 0xFF60) || within(0xFFE0, 0xFFE6) || within(0x1F300, 0x1FAFF) ||
      within(0x20000, 0x3FFFD))
    return 2;
  return 1;
}

void pad_to(std::string& line, const std::string& text, size_t width, Align align) {
  const std::string blanks(width - std::min(width, display_width(text)), ' ');
  line += align == Align::right ? blanks + text : text + blanks;
}

std::string terminal_line(const Table& table, const std::vector<std::string>& cells,
                          const std::vector<size_t>& widths) {
  std::string line;
  for (size_t c = 0; c < table.columns.size(); ++c) {
    if (c > 0) line += "  ";
    pad_to(line, cell(cells, c), widths[c], table.columns[c].align);
  }
  line.erase(line.find_last_not_of(' ') + 1);
  return line + '\n';
}

}  // namespace

size_t display_width(std::string_view text) {
  size_t width = 0;
  for (size_t at = 0; at < text.size();) width += code_point_width(next_code_point(text, at));
  return width;
}

std::string terminal_table(const Table& table) {
  if (table.columns.empty()) return "";
  std::vector<std::vector<std::string>> lines(1);
  for (const Column& column : table.columns) lines[0].push_back(clean_text(column.title));
  for (const auto& row : table.rows) {
    lines.emplace_back();
    for (size_t c = 0; c < table.columns.size(); ++c) lines.back().push_back(clean_text(cell(row, c)));
  }
  std::vector<size_t> widths(table.columns.size());
  for (const auto& line : lines)
    for (size_t c = 0; c < widths.size(); ++c) widths[c] = std::max(widths[c], display_width(line[c]));
  std::string out;
  for (const auto& line : lines) out += terminal_line(table, line, widths);
  return out;
}

std::string markdown_table(const Table& table) {
  if (table.columns.empty()) return "";
  std::string out = "|", rule = "|";
  for (const Column& column : table.columns) {
    out += ' ' + escape_markdown(column.title) + " |";
    rule += column.align == Align::right ? " ---: |" : " --- |";
  }
  out += '\n' + rule + '\n';
  for (const auto& row : table.rows) {
    out += '|';
    for (size_t c = 0; c < table.columns.size(); ++c) out += ' ' + escape_markdown(cell(row, c)) + " |";
    out += '\n';
  }
  return out;
}

std::string html_table(const Table& table) {
  const auto row_html = [&](const std::vector<std::string>& cells, const char* tag) {
    std::string line = "<tr>";
    for (size_t c = 0; c < table.columns.size(); ++c) {
      line += std::string("<") + tag + (table.columns[c].align == Align::right ? " class=\"n\">" : ">");
      line += escape_html(cell(cells, c)) + "</" + tag + ">";
    }
    return line + "</tr>\n";
  };
  std::vector<std::string> titles;
  for (const Column& column : table.columns) titles.push_back(column.title);
  std::string out = "<div class=\"scroll\"><table>\n<thead>" + row_html(titles, "th") + "</thead>\n<tbody>\n";
  for (const auto& row : table.rows) out += row_html(row, "td");
  return out + "</tbody></table></div>\n";
}

std::string csv_cell(std::string_view text) {
  if (text.find_first_of("\",\r\n") == std::string_view::npos) return std::string(text);
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

std::string csv_table(const Table& table) {
  std::string out;
  for (size_t c = 0; c < table.columns.size(); ++c) out += (c > 0 ? "," : "") + csv_cell(table.columns[c].title);
  if (!table.columns.empty()) out += '\n';
  for (const auto& row : table.rows) {
    for (size_t c = 0; c < table.columns.size(); ++c) out += (c > 0 ? "," : "") + csv_cell(cell(row, c));
    out += '\n';
  }
  return out;
}

}  // namespace bitsweep::render
