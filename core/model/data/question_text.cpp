#include "data/question_text.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/error.h"
#include "base/files.h"
#include "base/units.h"
#include "data/decompress.h"
#include "data/file_kind.h"
#include "data/stories_questions.h"
#include "spec/task_spec.h"

namespace bitsweep::data {
namespace {

constexpr uint64_t most_bytes = UINT64_C(1) << 30;

std::span<const uint8_t> as_bytes(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

[[noreturn]] void no_text(const std::string& file, const std::string& what) {
  throw Error(ErrorKind::input,
              {{file, 0, 0,
                fmt::format("this is {}: read is JSON in UTF-8, a line for each object or one list, as "
                            "it is or compressed by gzip or zstd",
                            what)}});
}

std::string unpacked(const std::string& packed, const FileKind& kind, const std::string& file) {
  std::string text;
  decompress(kind.way, as_bytes(packed), file, [&](std::span<const uint8_t> part) {
    if (text.empty())
      if (const FileKind inner = file_kind_of(part, 0); inner.way != FileKind::Way::text)
        no_text(file, fmt::format("{} within {}", inner.what, kind.what));
    if (text.size() + part.size() > most_bytes)
      throw Error(ErrorKind::input,
                  {{file, 0, 0, fmt::format("it unpacks to more than {}", format_bytes(most_bytes))}});
    text.append(reinterpret_cast<const char*>(part.data()), part.size());
  });
  return text;
}

}  // namespace

std::string question_text(const std::string& file) {
  const std::vector<std::string>& names = spec::builtin_task_files();
  if (std::find(names.begin(), names.end(), file) != names.end()) return stories_questions_lines(file);
  std::string text = read_file(file, most_bytes);
  const FileKind kind = file_kind_of(as_bytes(text), text.size());
  if (kind.way == FileKind::Way::text) return text;
  if (kind.way != FileKind::Way::gzip && kind.way != FileKind::Way::zstd) no_text(file, kind.what);
  return unpacked(text, kind, file);
}

}  // namespace bitsweep::data
