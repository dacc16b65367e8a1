#include "columns/parquet_column.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>

#include <fcntl.h>

#include <arrow/io/file.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <parquet/column_reader.h>
#include <parquet/exception.h>
#include <parquet/file_reader.h>
#include <parquet/metadata.h>
#include <parquet/properties.h>
#include <parquet/schema.h>

#include "base/nearest.h"
#include "base/units.h"

namespace bitsweep::columns {
namespace {

constexpr int64_t values_at_once = 1024;
constexpr int64_t buffer_bytes = 1 << 20;  // of the file, read ahead
constexpr size_t most_names = 20;          // of columns, in a message

std::string counted(int64_t value) { return format_thousands(value); }

class ParquetFile {
 public:
  explicit ParquetFile(const fs::path& file) : file_(file) {
    const std::shared_ptr<arrow::io::ReadableFile> opened = open();
    check_ends(*opened);
    parquet::ReaderProperties properties;
    properties.enable_buffered_stream();
    properties.set_buffer_size(buffer_bytes);
    properties.set_page_checksum_verification(true);
    try {
      reader_ = parquet::ParquetFileReader::Open(opened, properties);
    } catch (const parquet::ParquetException& error) {
      refuse(HelperExit::damaged, fmt::format("its footer is damaged: {}", error.what()));
    }
    metadata_ = reader_->metadata();
  }

  std::vector<std::string> text_columns() const {
    std::vector<std::string> names;
    for (int i = 0; i < schema().num_columns(); ++i)
      if (other_than_text(i).empty()) names.push_back(name_of(i));
    return names;
  }

  void read(const std::string& column, const ValueSink& sink) const {
    const int index = find(column);
    if (const std::string other = other_than_text(index); !other.empty())
      refuse(HelperExit::no_text,
             fmt::format("column '{}' holds {}, no text; {}", column, other, told("columns of text", text_columns())));
    int64_t row = 0;
    for (int group = 0; group < metadata_->num_row_groups(); ++group) {
      try {
        read_group(group, index, row, sink);
      } catch (const parquet::ParquetException& error) {
        damaged(group, row, error.what());
      }
    }
    if (row != metadata_->num_rows())
      refuse(HelperExit::damaged,
             fmt::format("its footer is damaged: {} rows in it, and {} in its row groups", metadata_->num_rows(), row));
  }

 private:
  const parquet::SchemaDescriptor& schema() const { return *metadata_->schema(); }
  std::string name_of(int index) const { return schema().Column(index)->path()->ToDotString(); }

  [[noreturn]] void refuse(HelperExit exit_code, const std::string& why) const {
    throw ColumnRefused{exit_code, fmt::format("{}: {}", file_.string(), why)};
  }
  [[noreturn]] void damaged(int group, int64_t row, const std::string& why) const {
    refuse(HelperExit::damaged,
           fmt::format("damaged in row group {} of {}, at row {} of {} or after it: {}", group + 1,
                       metadata_->num_row_groups(), counted(row + 1), counted(metadata_->num_rows()), why));
  }

  std::shared_ptr<arrow::io::ReadableFile> open() const {
    Fd fd(::open(file_.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd) refuse(HelperExit::unreadable, fmt::format("cannot be read: {}", std::strerror(errno)));
    auto opened = arrow::io::ReadableFile::Open(fd.get());
    if (!opened.ok()) refuse(HelperExit::unreadable, "cannot be read: " + opened.status().ToString());
    fd.release();  // Arrow closes it
    return *opened;
  }

  // Both ends of a Parquet file are marked; its table of contents stands before the last mark.
  void check_ends(arrow::io::RandomAccessFile& source) const {
    constexpr std::string_view mark = "PAR1";
    const auto bytes = source.GetSize();
    if (!bytes.ok()) refuse(HelperExit::unreadable, "cannot be read: " + bytes.status().ToString());
    const auto marked = [&](int64_t offset) {
      const auto read = source.ReadAt(offset, static_cast<int64_t>(mark.size()));
      if (!read.ok()) refuse(HelperExit::unreadable, "cannot be read: " + read.status().ToString());
      return std::string_view(**read) == mark;
    };
    if (*bytes == 0) refuse(HelperExit::damaged, "is empty");
    if (*bytes < 4 || !marked(0)) refuse(HelperExit::damaged, "is no Parquet file: it does not begin with PAR1");
    if (*bytes < 12 || !marked(*bytes - 4))
      refuse(HelperExit::damaged,
             fmt::format("is cut off: it ends at byte {} without its footer; fetch it again", counted(*bytes)));
  }

  // What a column holds where that is no text of one value a row; else "".
  std::string other_than_text(int index) const {
    const parquet::ColumnDescriptor& column = *schema().Column(index);
    if (column.max_repetition_level() > 0) return "lists";
    const parquet::LogicalType& logical = *column.logical_type();
    if (column.physical_type() == parquet::Type::BYTE_ARRAY &&
        (logical.is_none() || logical.is_string() || logical.is_JSON() || logical.is_enum()))
      return "";
    return logical.is_none() ? parquet::TypeToString(column.physical_type()) : logical.ToString();
  }

  static std::string told(std::string_view what, std::vector<std::string> names) {
    if (names.empty()) return fmt::format("{}: none", what);
    const size_t more = names.size() - std::min(names.size(), most_names);
    names.resize(names.size() - more);
    return fmt::format("{}: '{}'{}", what, fmt::join(names, "', '"), more > 0 ? fmt::format(" and {} more", more) : "");
  }

  int find(const std::string& column) const {
    std::vector<std::string> names;
    std::optional<int> found;
    for (int i = 0; i < schema().num_columns(); ++i) {
      names.push_back(name_of(i));
      if (names.back() != column) continue;
      if (found) refuse(HelperExit::no_column, fmt::format("'{}' is the name of more than one column", column));
      found = i;
    }
    if (found) return *found;
    const auto part = std::find_if(names.begin(), names.end(),
                                   [&](const std::string& name) { return name.starts_with(column + "."); });
    if (part != names.end())
      refuse(HelperExit::no_text, fmt::format("column '{}' is made of others ('{}'), no text", column, *part));
    if (names.empty()) refuse(HelperExit::no_column, "has no columns");
    refuse(HelperExit::no_column,
           fmt::format("no column '{}'; {}{}", column, told("its columns", names), did_you_mean(column, names)));
  }

  // `row`: of the file, from 0; moved on as values are passed.
  void read_group(int group, int index, int64_t& row, const ValueSink& sink) const {
    const std::shared_ptr<parquet::ColumnReader> any = reader_->RowGroup(group)->Column(index);
    auto& column = dynamic_cast<parquet::ByteArrayReader&>(*any);
    const int16_t defined = any->descr()->max_definition_level();
    const int64_t rows_here = metadata_->RowGroup(group)->num_rows();
    if (rows_here < 0 || rows_here > metadata_->num_rows() - row)
      damaged(group, row, fmt::format("{} rows of {} are said to be in it", rows_here, metadata_->num_rows()));
    const int64_t end = row + rows_here;
    std::vector<int16_t> levels(values_at_once, 0);
    std::vector<parquet::ByteArray> values(values_at_once);
    while (column.HasNext()) {
      int64_t got = 0;  // values; nulls are told by their levels alone
      const int64_t rows =
          column.ReadBatch(std::min(values_at_once, end - row + 1), levels.data(), nullptr, values.data(), &got);
      if (rows == 0) break;
      if (row + rows > end) damaged(group, row, "it holds more rows than its footer says");
      int64_t next = 0;
      for (int64_t i = 0; i < rows; ++i, ++row) {
        if (defined > 0 && levels[static_cast<size_t>(i)] < defined)
          sink(std::nullopt);
        else if (next < got)
          pass(values[static_cast<size_t>(next++)], row, sink);
        else
          damaged(group, row, "a page holds fewer values than it says");
      }
    }
    if (row < end) damaged(group, row, "it holds fewer rows than its footer says");
  }

  void pass(const parquet::ByteArray& value, int64_t row, const ValueSink& sink) const {
    if (value.len > longest_value_bytes)
      refuse(HelperExit::no_text, fmt::format("row {}: a text of {} bytes, above {}", counted(row + 1),
                                              counted(value.len), counted(longest_value_bytes)));
    sink(std::string_view(reinterpret_cast<const char*>(value.ptr), value.len));
  }

  const fs::path& file_;
  std::unique_ptr<parquet::ParquetFileReader> reader_;
  std::shared_ptr<parquet::FileMetaData> metadata_;
};

}  // namespace

void read_column(const fs::path& file, const std::string& column, const ValueSink& sink) {
  ParquetFile(file).read(column, sink);
}

std::vector<std::string> text_columns(const fs::path& file) { return ParquetFile(file).text_columns(); }

}  // namespace bitsweep::columns
