// Columns of Parquet files by Arrow's libraries, a page at a time. Only the program bitsweep-parquet is made of this.
#pragma once

#include <string>
#include <vector>

#include "base/files.h"
#include "columns/frames.h"

namespace bitsweep::columns {

// Why a file or a column is not read, in words that name the file.
struct ColumnRefused {
  HelperExit exit_code;
  std::string words;
};

// Passes every value of `column` to `sink`, in order; a column within a struct is named by its path, "meta.text".
// Memory is a page of the column and its dictionary, whatever the file. Throws ColumnRefused, after some values too.
void read_column(const fs::path& file, const std::string& column, const ValueSink& sink);

// The columns that read_column reads. Throws ColumnRefused.
std::vector<std::string> text_columns(const fs::path& file);

}  // namespace bitsweep::columns
