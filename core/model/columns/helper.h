// The helper program bitsweep-parquet, started and listened to: columns of Parquet files without a line of Arrow here.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/files.h"
#include "columns/frames.h"

namespace bitsweep::columns {

// Where it lies, whether it was built or not: beside the running program.
fs::path parquet_program();

// What gives a Parquet file to a build without the helper, as an imperative.
inline constexpr std::string_view how_to_read_parquet =
    "call third_party/get-parquet and build again, or write the column out as JSON lines";

// Passes every value of `column` of the Parquet file to `sink`, in order, while `program` reads it: nothing waits in
// memory but the longest value. Throws Error{input} in the helper's words, which name the file: it cannot be read, no
// such column (with those there are and the nearest), no column of text, damaged (with row group and row). Throws
// Error{environment} when the helper is missing, or was ended, or did not tell all of the column; what `sink` got till
// then is no column.
void read_parquet_column(const fs::path& program, const fs::path& file, const std::string& column,
                         const ValueSink& sink);

// The columns that hold text, from the file's footer alone. Throws as above.
std::vector<std::string> parquet_text_columns(const fs::path& program, const fs::path& file);

}  // namespace bitsweep::columns
