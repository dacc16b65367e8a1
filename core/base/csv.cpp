#include "base/csv.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/file_sign.h"

namespace bitsweep {
namespace {

constexpr size_t kMostDiagnostics = 50;

// Splits text into rows of cells. Lines count LF, CRLF and CR as one end each; columns count bytes.
class Reader {
 public:
  Reader(std::string_view text, Findings& findings) : text_(text), findings_(findings) {
    if (text_.substr(0, 3) == "\xEF\xBB\xBF") text_.remove_prefix(3);
  }

  std::vector<CsvRow> rows() {
    std::vector<CsvRow> rows;
    while (at_ < text_.size()) {
      if (skip_line_without_data()) continue;
      if (delimiter_ == 0) delimiter_ = find_delimiter();
      rows.push_back(row());
    }
    return rows;
  }
  char delimiter() const { return delimiter_; }

 private:
  bool skip_line_without_data() {
    size_t end = at_;
    while (end < text_.size() && text_[end] != '\n' && text_[end] != '\r') ++end;
    const std::string_view line = text_.substr(at_, end - at_);
    const size_t first = line.find_first_not_of(" \t");
    if (first != std::string_view::npos && line[first] != '#') return false;
    at_ = end;
    end_line();
    return true;
  }

  // The one that occurs most in the header outside of quotes; a comma when none does.
  char find_delimiter() const {
    int comma = 0, semicolon = 0, tab = 0;
    bool quoted = false;
    for (size_t i = at_; i < text_.size() && (quoted || (text_[i] != '\n' && text_[i] != '\r')); ++i) {
      if (text_[i] == '"') quoted = !quoted;
      if (quoted) continue;
      comma += text_[i] == ',', semicolon += text_[i] == ';', tab += text_[i] == '\t';
    }
    if (semicolon > comma && semicolon >= tab) return ';';
    return tab > comma ? '\t' : ',';
  }

  CsvRow row() {
    CsvRow row;
    for (;;) {
      row.push_back(cell());
      if (at_ < text_.size() && text_[at_] == delimiter_) {
        ++at_;
        continue;
      }
      end_line();
      return row;
    }
  }

  CsvCell cell() {
    CsvCell cell;
    while (at_ < text_.size() && (text_[at_] == ' ' || (text_[at_] == '\t' && delimiter_ != '\t'))) ++at_;
    cell.line = line_;
    cell.column = static_cast<int>(at_ - line_start_) + 1;
    if (at_ < text_.size() && text_[at_] == '"') return quoted(std::move(cell));
    while (at_ < text_.size() && text_[at_] != delimiter_ && text_[at_] != '\n' && text_[at_] != '\r')
      cell.text += text_[at_++];
    cell.text = trimmed(cell.text);
    return cell;
  }

  CsvCell quoted(CsvCell cell) {
    cell.quoted = true;
    ++at_;
    for (;;) {
      if (at_ >= text_.size()) {
        findings_.add(cell.line, cell.column, "a quote is opened here and never closed");
        return cell;
      }
      const char c = text_[at_];
      if (c == '"') {
        ++at_;
        if (at_ >= text_.size() || text_[at_] != '"') break;
        cell.text += '"', ++at_;
      } else if (c == '\n' || c == '\r') {
        cell.text += '\n';
        end_line();
      } else {
        cell.text += c, ++at_;
      }
    }
    const size_t after = at_;
    while (at_ < text_.size() && text_[at_] != delimiter_ && text_[at_] != '\n' && text_[at_] != '\r') ++at_;
    if (text_.substr(after, at_ - after).find_first_not_of(" \t") != std::string_view::npos)
      findings_.add_kind("text after quote", line_, static_cast<int>(after - line_start_) + 1,
                         "text after a closing quote");
    return cell;
  }

  void end_line() {
    if (at_ < text_.size() && text_[at_] == '\r')
      ++at_;
    else if (at_ < text_.size() && text_[at_] == '\n') {
      ++at_;
      ++line_;
      line_start_ = at_;
      return;
    } else
      return;
    if (at_ < text_.size() && text_[at_] == '\n') ++at_;
    ++line_, line_start_ = at_;
  }

  std::string_view text_;
  Findings& findings_;
  char delimiter_ = 0;
  size_t at_ = 0, line_start_ = 0;
  int line_ = 1;
};

// What a file is that should be a table, and what to do about it.
std::string table_advice(const FileSign& sign) {
  using Family = FileSign::Family;
  switch (sign.family) {
    case Family::gzip:
    case Family::zstd:
    case Family::compressed:
      return fmt::format("{}; unpack it first{}", sign.is, sign.way.empty() ? "" : fmt::format(": {} FILE", sign.way));
    case Family::archive:
      return fmt::format("{} (a spreadsheet of .xlsx or .ods is one, too); export it as CSV", sign.is);
    case Family::parquet:
    case Family::table:
    case Family::array:
    case Family::document:
      return fmt::format("{}; export it as CSV", sign.is);
    case Family::no_text:
      return std::string(sign.is);
    case Family::stand_in:
      return fmt::format("{}; {}", sign.is, sign.way);
  }
  return "";
}

}  // namespace

std::string trimmed(const std::string& text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string::npos) return "";
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

void Findings::add(int line, int column, std::string message) {
  if (++count_ <= kMostDiagnostics) found_.push_back({name_, line, column, std::move(message)});
}

void Findings::add_kind(const std::string& kind, int line, int column, std::string message) {
  const auto [known, first] = kinds_.try_emplace(kind, Kind{found_.size(), 0});
  if (first)
    add(line, column, std::move(message));
  else
    ++known->second.more;
}

std::vector<Diagnostic> Findings::take() {
  for (const auto& [name, kind] : kinds_)
    if (kind.more > 0 && kind.at < found_.size())
      found_[kind.at].message += fmt::format(" (and {} more like it)", kind.more);
  kinds_.clear();
  if (count_ > kMostDiagnostics) found_.push_back({name_, 0, 0, fmt::format("and {} more", count_ - kMostDiagnostics)});
  count_ = 0;
  return std::move(found_);
}

void Findings::throw_if_any() {
  if (any()) throw Error(ErrorKind::input, take());
}

CsvTable read_csv(std::string_view text, Findings& findings) {
  Reader reader(text, findings);
  CsvTable table{.rows = reader.rows()};
  if (reader.delimiter() != 0) table.delimiter = reader.delimiter();
  return table;
}

std::string not_text(std::string_view bytes) {
  const std::string_view head = bytes.substr(0, 4096);
  if (const auto sign = file_sign_of(head)) return table_advice(*sign);
  if (const std::string_view encoding = wide_encoding_of(head); !encoding.empty())
    return fmt::format("{0}; write it as UTF-8: iconv -f {0} -t UTF-8 FILE", encoding);
  const auto zeros = static_cast<size_t>(std::count(head.begin(), head.end(), '\0'));
  // Every second byte zero: UTF-16 without its mark, however short.
  if (head.size() >= 8 && zeros * 5 >= head.size() * 2 && zeros * 5 <= head.size() * 3)
    return "UTF-16 without a mark; write it as UTF-8: iconv -f UTF-16LE -t UTF-8 FILE";
  return zeros >= 8 ? "binary" : "";
}

std::string with_decimal_point(std::string text, char delimiter) {
  if (delimiter != ',' && std::count(text.begin(), text.end(), ',') == 1 && text.find('.') == std::string::npos)
    std::replace(text.begin(), text.end(), ',', '.');
  return text;
}

std::string excerpt(const std::string& text) {
  std::string safe;
  for (const char c : text.substr(0, 40)) safe += static_cast<unsigned char>(c) < 32 || c == 127 ? '?' : c;
  return text.size() > 40 ? safe + "…" : safe;
}

}  // namespace bitsweep
