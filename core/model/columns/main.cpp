// bitsweep-parquet: a column of a Parquet file as a stream of frames (columns/frames.h). The only program of Arrow's.
#include <cstdio>
#include <exception>

#include <unistd.h>

#include <fmt/format.h>

#include "base/error.h"
#include "base/little_endian.h"
#include "columns/parquet_column.h"

namespace bitsweep::columns {
namespace {

constexpr size_t written_at_once_bytes = 1 << 18;

// The frames of a column on standard output.
class FrameWriter {
 public:
  FrameWriter() : waiting_(stream_begin) {}

  void add(std::optional<std::string_view> value) {
    ++values_;
    append_little_endian(waiting_, value ? static_cast<uint32_t>(value->size()) : null_length);
    if (value) waiting_ += *value;
    if (waiting_.size() >= written_at_once_bytes) write();
  }

  void end() {
    append_little_endian(waiting_, end_length);
    append_little_endian(waiting_, values_);
    write();
  }

 private:
  void write() {
    write_all(STDOUT_FILENO, waiting_, "standard output");
    waiting_.clear();
  }

  std::string waiting_;
  uint64_t values_ = 0;
};

constexpr std::string_view usage =
    "usage: bitsweep-parquet FILE COLUMN   the values of a column of a Parquet file, each with its length before it\n"
    "       bitsweep-parquet FILE          the names of the columns that hold text, likewise\n"
    "Bitsweep starts it where a corpus is a Parquet file. The form is told in core/model/columns/frames.h.\n";

HelperExit run(int count, char** arguments) {
  if (count < 2 || count > 3 || std::string_view(arguments[1]) == "--help") {
    fmt::print(stderr, "{}", usage);
    return count == 2 ? HelperExit::done : HelperExit::unreadable;
  }
  FrameWriter frames;
  if (count == 3) {
    read_column(arguments[1], arguments[2], [&](std::optional<std::string_view> value) { frames.add(value); });
  } else {
    for (const std::string& name : text_columns(arguments[1])) frames.add(name);
  }
  frames.end();
  return HelperExit::done;
}

HelperExit told(int count, char** arguments) {
  try {
    return run(count, arguments);
  } catch (const ColumnRefused& refused) {
    fmt::print(stderr, "{}\n", refused.words);
    return refused.exit_code;
  } catch (const std::bad_alloc&) {
    fmt::print(stderr, "{}: not enough memory\n", arguments[1]);
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}: {}\n", arguments[1], error.what());
  }
  return HelperExit::failed;
}

}  // namespace
}  // namespace bitsweep::columns

int main(int count, char** arguments) { return static_cast<int>(bitsweep::columns::told(count, arguments)); }
