// One table, four ways out: aligned for a terminal, Markdown, HTML, CSV. Cells are text; the caller has formatted them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace bitsweep::render {

enum class Align { left, right };

struct Column {
  std::string title;
  Align align = Align::left;
};

struct Table {
  std::vector<Column> columns;
  std::vector<std::vector<std::string>> rows;  // each as long as `columns`; missing cells are empty

  bool empty() const { return rows.empty(); }
};

// Columns two blanks apart, no trailing blanks, wide characters counted as they are shown. Control characters are
// shown as '?', so that a name cannot drive the terminal. Ends with a newline unless there are no columns.
std::string terminal_table(const Table& table);
// A GitHub table; '|', '<', '&' and newlines in cells are escaped.
std::string markdown_table(const Table& table);
std::string html_table(const Table& table);
// RFC 4180 with '\n' at the ends of lines.
std::string csv_table(const Table& table);
std::string csv_cell(std::string_view text);

// Columns a string takes on a terminal: UTF-8 code points, combining marks 0, East Asian wide 2.
size_t display_width(std::string_view text);

}  // namespace bitsweep::render
