#include "data/source_reader.h"

#include <map>
#include <optional>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/error.h"
#include "base/units.h"
#include "columns/helper.h"
#include "data/decompress.h"
#include "data/file_kind.h"
#include "data/generated.h"
#include "data/jsonl.h"

namespace bitsweep::data {
namespace {

constexpr size_t most_findings = 20;
constexpr std::string_view mark_of_order = "\xEF\xBB\xBF";

std::span<const uint8_t> as_bytes(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

std::string_view as_text(std::span<const uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

[[noreturn]] void changed(const fs::path& path) {
  throw Error(ErrorKind::input, fmt::format("'{}' changed while it was read", path.string()));
}

// What a Parquet file without data.field lacks: the key's value, from its footer, or the program that reads such files.
std::string advice_on_parquet(const SourceFile& file, const fs::path& program) {
  if (!fs::exists(program))
    return fmt::format("it is read by a program that was not built ({}); data.field names its column then",
                       columns::how_to_read_parquet);
  try {
    const std::vector<std::string> texts = columns::parquet_text_columns(program, file.path);
    if (texts.empty()) return "none of its columns holds text";
    return fmt::format("name the column with its text in data.field ('{}')", fmt::join(texts, "', '"));
  } catch (const Error& error) {
    return error.what();
  }
}

std::string refusal_of(const SourceFile& file, const FileKind& kind, const fs::path& parquet_program) {
  const std::string advice =
      kind.way == FileKind::Way::parquet ? advice_on_parquet(file, parquet_program) : kind.advice;
  return fmt::format("'{}' is {}, which is not read: {}", file.path.string(), kind.what, advice);
}

// Thrown by what looks into compressed data, before any of it was passed on.
struct NoTextWithin {
  FileKind kind;
};

// Looks at the begin of what compressed data holds before it passes it on.
class LookWithin {
 public:
  LookWithin(const FileKind& outer, const TextSink& sink) : outer_(outer), sink_(sink) {}

  void operator()(std::span<const uint8_t> part) {
    if (!looked_) look(part);
    looked_ = true;
    sink_(part);
  }

 private:
  void look(std::span<const uint8_t> part) const {
    FileKind inner = file_kind_of(part, 0);
    if (inner.way == FileKind::Way::text) return;
    if (inner.way == FileKind::Way::parquet)
      inner.advice = "unpack it: such a table is compressed within itself";
    else if (inner.way != FileKind::Way::refused)
      inner.advice = "unpack it once: one layer of compression is read";
    inner.way = FileKind::Way::refused;
    inner.what += " within " + outer_.what;
    throw NoTextWithin{inner};
  }

  const FileKind& outer_;
  const TextSink& sink_;
  bool looked_ = false;
};

// Files that are no text, of one kind.
struct NoText {
  uint64_t files = 0;
  SourceFile first;
  FileKind kind;
};

class Reading {
 public:
  Reading(const Sources& sources, const TextSink& sink, const DocumentEnd& end)
      : sources_(sources),
        sink_(sink),
        end_(end),
        lines_(sources.field, sink, end),
        whole_(sources.kind == Sources::Kind::file) {}

  void read_files() {
    for (const SourceFile& file : sources_.files) {
      try {
        read_file(file);
      } catch (const NoTextWithin& within) {
        leave_out(file, within.kind);
      } catch (const Error& error) {
        if (error.kind() != ErrorKind::input) throw;
        wrong_.insert(wrong_.end(), error.diagnostics().begin(), error.diagnostics().end());
      }
      if (wrong_.size() >= most_findings || lines_.gave_up()) break;
    }
  }

  // Throws what is wrong, or tells what was left out.
  void conclude(std::vector<std::string>& notes) {
    for (Diagnostic& finding : lines_.wrong()) wrong_.push_back(std::move(finding));
    if (wrong_.size() >= most_findings) wrong_.push_back({"", 0, 0, "what follows was not looked at"});
    if (left_out_bytes_ > read_bytes_) refuse_left_out();
    if (!wrong_.empty()) throw Error(ErrorKind::input, std::move(wrong_));
    for (const auto& [what, none] : no_text_)
      notes.push_back(fmt::format("left out of '{}': {} no text (first: '{}' is {}).", sources_.name,
                                  none.files == 1 ? "1 file that is" : fmt::format("{} files that are", none.files),
                                  none.first.path.filename().string(), none.kind.what));
    for (std::string& note : lines_.documents().notes()) notes.push_back(std::move(note));
    if (marks_ > 0)
      notes.push_back(fmt::format("{} of '{}' with a byte-order mark, three bytes that are kept as text (first: '{}').",
                                  marks_ == 1 ? "1 file" : fmt::format("{} files", marks_), sources_.name,
                                  first_mark_));
  }

 private:
  void read_file(const SourceFile& file) {
    const MappedFile map = map_source(file);
    const FileKind kind = file_kind_of(map.bytes(), map.bytes().size());
    const bool table = kind.way == FileKind::Way::parquet;
    if (kind.way == FileKind::Way::refused || (table && sources_.field.empty())) return leave_out(file, kind);
    if (table)
      read_table(file);
    else if (sources_.field.empty())
      read_plain(file, kind, map.bytes());
    else
      read_lines(file, kind, map.bytes());
    read_bytes_ += file.bytes;
    check_unchanged(file);
  }

  void read_lines(const SourceFile& file, const FileKind& kind, std::span<const uint8_t> bytes) {
    lines_.begin_file(file.path.string());
    pass_text(file, kind, bytes, [&](std::span<const uint8_t> part) { lines_.add(part); });
    lines_.end_file();
  }

  void read_table(const SourceFile& file) {
    const std::string name = file.path.string();
    DocumentPlace place{name, 0, true};
    columns::read_parquet_column(sources_.parquet_program, file.path, sources_.field,
                                 [&](std::optional<std::string_view> text) {
                                   ++place.number;
                                   if (text)
                                     lines_.documents().add(*text, place);
                                   else
                                     lines_.documents().add_null(place);
                                 });
  }

  void read_plain(const SourceFile& file, const FileKind& kind, std::span<const uint8_t> bytes) {
    uint8_t last = '\n';
    bool begun = false;
    pass_text(file, kind, bytes, [&](std::span<const uint8_t> part) {
      if (part.empty()) return;
      if (!begun) look_at_begin(file, part);
      begun = true;
      last = part.back();
      sink_(part);
    });
    // A file alone is its text to the byte, compressed or not; texts that are joined end in a newline each.
    if (!whole_ && last != '\n') sink_(as_bytes("\n"));
    if (begun) end_();
  }

  void look_at_begin(const SourceFile& file, std::span<const uint8_t> begin) {
    if (whole_) {
      for (std::string& note : notes_on_plain_text(sources_.name, begin)) whole_notes.push_back(std::move(note));
    } else if (as_text(begin).starts_with(mark_of_order) && marks_++ == 0) {
      first_mark_ = file.path.filename().string();
    }
  }

  void pass_text(const SourceFile& file, const FileKind& kind, std::span<const uint8_t> bytes, const TextSink& sink) {
    if (kind.way == FileKind::Way::text) return sink(bytes);
    LookWithin look(kind, sink);
    decompress(kind.way, bytes, file.path.string(), std::ref(look));
  }

  void leave_out(const SourceFile& file, const FileKind& kind) {
    if (whole_) return wrong_.push_back({"", 0, 0, refusal_of(file, kind, sources_.parquet_program)});
    left_out_bytes_ += file.bytes;
    NoText& none = no_text_[kind.advice];
    if (none.files++ == 0) {
      none.first = file;
      none.kind = kind;
    }
  }

  // What was left out is most of the folder: then it is what the folder is, and its rest is no corpus.
  void refuse_left_out() {
    for (const auto& [what, none] : no_text_) {
      std::string message = refusal_of(none.first, none.kind, sources_.parquet_program);
      if (none.files > 1) message += fmt::format(" (the first of {} such files)", none.files);
      wrong_.push_back({"", 0, 0, std::move(message)});
    }
  }

 public:
  std::vector<std::string> whole_notes;  // on the text of a file alone

 private:
  const Sources& sources_;
  const TextSink& sink_;
  const DocumentEnd& end_;
  JsonLines lines_;
  bool whole_;  // the corpus is one file
  std::vector<Diagnostic> wrong_;
  std::map<std::string, NoText> no_text_;  // by what to do with them
  uint64_t left_out_bytes_ = 0, read_bytes_ = 0;
  uint64_t marks_ = 0;
  std::string first_mark_;
};

// Whether the text begins with two objects a line each, or with one and nothing else.
bool begins_with_json_lines(std::string_view text, JsonLine& reader) {
  const size_t end = text.find('\n');
  if (end == std::string_view::npos) return false;
  const JsonLine::Found found = reader.read(text.substr(0, end));
  if (found == JsonLine::Found::no_json || found == JsonLine::Found::not_object) return false;
  return end + 1 == text.size() || text[end + 1] == '{';
}

}  // namespace

MappedFile map_source(const SourceFile& file) {
  MappedFile map(file.path);
  if (map.bytes().size() != file.bytes) changed(file.path);
  return map;
}

void check_unchanged(const SourceFile& file) {
  if (look_at(file.path) != file) changed(file.path);
}

bool lies_in_place(const Sources& sources) {
  if (sources.kind != Sources::Kind::file) return false;
  const SourceFile& file = sources.files.front();
  const MappedFile map = map_source(file);
  const FileKind kind = file_kind_of(map.bytes(), map.bytes().size());
  if (kind.way == FileKind::Way::refused || (kind.way == FileKind::Way::parquet && sources.field.empty()))
    throw Error(ErrorKind::input, refusal_of(file, kind, sources.parquet_program));
  return kind.way == FileKind::Way::text && sources.field.empty();
}

std::vector<std::string> notes_on_plain_text(const std::string& name, std::span<const uint8_t> begin) {
  constexpr size_t looked_at = 1 << 20;
  const std::string_view text = as_text(begin.first(std::min(begin.size(), looked_at)));
  std::vector<std::string> notes;
  JsonLine reader("text");
  if (name.ends_with(".jsonl") || name.ends_with(".ndjson"))
    notes.push_back(fmt::format("'{}' is taken as plain text; data.field names the text in JSON lines.", name));
  else if (begins_with_json_lines(text, reader))
    notes.push_back(
        fmt::format("'{}' holds JSON lines and is taken as plain text; data.field names the text in them.", name));
  if (text.starts_with(mark_of_order))
    notes.push_back(fmt::format("'{}' begins with a byte-order mark, three bytes that are kept as text.", name));
  return notes;
}

void read_sources(const Sources& sources, const TextSink& sink, const DocumentEnd& end,
                  std::vector<std::string>& notes) {
  if (sources.kind == Sources::Kind::generated) return sink(as_bytes(find_generated_corpus(sources.name)->text()));
  Reading reading(sources, sink, end);
  reading.read_files();
  reading.conclude(notes);
  for (std::string& note : reading.whole_notes) notes.push_back(std::move(note));
}

}  // namespace bitsweep::data
