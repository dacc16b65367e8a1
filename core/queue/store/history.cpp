#include "store/history.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <random>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "base/error.h"
#include "store/schema.h"

namespace bitsweep::store {
namespace {

// Rows of these follow from events.jsonl. A table of a newer version is followed without a word here.
constexpr std::array<std::string_view, 5> kDerivedTables = {"event", "eval", "metric", "metric_kind", "history"};
// Of these some rows follow from no event: of a checkpoint that was looked at later.
constexpr std::array<std::string_view, 2> kPartlyDerived = {"metric", "metric_kind"};
// Columns that ingest keeps. They are noted with every other change of their row, but alone they are none.
constexpr std::array<std::string_view, 9> kDerivedColumns = {"step",           "best_val_bpc",  "best_step",
                                                             "last_val_bpc",   "tokens_per_s",  "wall_s",
                                                             "peak_rss_bytes", "events_offset", "elapsed_s"};
constexpr std::array<std::string_view, 2> kDerivedOfAttempt = {"resumed_step", "events_file"};

template <class List>
bool holds(const List& list, std::string_view word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

bool is_derived(std::string_view table, std::string_view column) {
  if (table != "run" && table != "attempt") return false;
  return holds(kDerivedColumns, column) || (table == "attempt" && holds(kDerivedOfAttempt, column));
}

std::vector<std::string> tables_of(Database& database) {
  Statement names = database.prepare(
      "SELECT name FROM main.sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY rowid");
  std::vector<std::string> tables;
  while (names.step()) tables.push_back(names.text(0));
  return tables;
}

std::string new_id() {
  std::random_device device;
  return fmt::format("{:08x}{:08x}", device(), device());
}

std::string put_line(std::string_view table, const json::object& row) {
  return compact_json(json::object{{"put", table}, {"row", row}}) + "\n";
}

// Those of one connection's row that `mask` names.
json::object row_of(const std::vector<std::string>& columns, std::span<const json::value> values, uint64_t mask) {
  json::object row;
  for (size_t i = 0; i < columns.size(); ++i)
    if ((mask >> i & 1) != 0) row[columns[i]] = values[i];
  return row;
}

// put_line() of row_of(), without the values in between: ten thousand runs are submitted in one commit.
std::string changed_line(std::string_view table, const std::vector<std::string>& columns,
                         std::span<const json::value> values, uint64_t mask) {
  std::string line = fmt::format("{{\"put\":\"{}\",\"row\":{{", table);
  const char* comma = "";
  for (size_t i = 0; i < columns.size(); ++i) {
    if ((mask >> i & 1) == 0) continue;
    line += comma, line += '"', line += columns[i], line += "\":";
    comma = ",";
    if (values[i].is_null())
      line += "null";
    else if (values[i].is_int64())
      fmt::format_to(std::back_inserter(line), "{}", values[i].get_int64());
    else
      line += compact_json(values[i]);
  }
  line += "}}\n";
  return line;
}

void snapshot_table(Database& database, const std::string& table, AtomicFile& file, uint64_t& bytes) {
  Statement rows = database.prepare(fmt::format("SELECT * FROM main.\"{}\"", table));
  while (rows.step()) {
    json::object row;
    for (int c = 0; c < rows.columns(); ++c) row[rows.column_name(c)] = rows.value(c);
    const std::string line = put_line(table, row);
    bytes += line.size();
    file.write(line);
  }
}

// Empty when the file is missing, or begins with something else.
json::object first_line(const fs::path& file) {
  const Fd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  std::string head(256, '\0');
  const ssize_t got = fd ? ::pread(fd.get(), head.data(), head.size(), 0) : -1;
  head.resize(static_cast<size_t>(std::max<ssize_t>(0, got)));
  auto first = try_parse_json(head.substr(0, head.find('\n')));
  return first && first->is_object() ? std::move(first->get_object()) : json::object();
}

// A name that is free: history.kept-1.jsonl …
void keep_aside(const fs::path& file) {
  for (int n = 1;; ++n) {
    const fs::path kept = file.parent_path() / fmt::format("history.kept-{}.jsonl", n);
    if (fs::exists(kept)) continue;
    std::error_code code;
    fs::rename(file, kept, code);
    if (code) throw Error(ErrorKind::environment, fmt::format("cannot move '{}': {}", file.string(), code.message()));
    return;
  }
}

}  // namespace

History::History(Database& database, fs::path file) : database_(database), file_(std::move(file)) {
  if (!is_current()) write_anew();
  database_.define("history_note", [this](std::span<const json::value> values) { return note_change(values); });
  database_.on_commit([this] { write(); }, [this] { forget(); });
  for (const std::string& table : tables_of(database_)) follow(table, !holds(kDerivedTables, table));
}

History::~History() { database_.on_commit(nullptr, nullptr); }

// Whether the file is this database's and holds all that is committed.
bool History::is_current() const {
  Statement row = database_.prepare("SELECT id, bytes FROM history");
  if (!row.step() || row.integer(1) < 0) return false;
  std::error_code code;
  const auto size = fs::file_size(file_, code);
  if (code || size < static_cast<uint64_t>(row.integer(1))) return false;
  const json::object first = first_line(file_);
  return string_or(first, "history", "") == row.text_view(0) &&
         integer_or(first, "schema", 0) == migrations().back().version;
}

// All rows as they are, under the write lock: nobody commits meanwhile.
void History::write_anew() {
  Transaction transaction(database_);
  if (is_current()) return;  // another process was quicker
  make_folder(file_.parent_path());
  Statement row = database_.prepare("SELECT id FROM history");
  const std::string known = row.step() ? row.text(0) : "";
  row.reset();
  std::error_code code;
  const bool ours = !known.empty() && string_or(first_line(file_), "history", "") == known;
  if (!ours && fs::exists(file_, code)) keep_aside(file_);
  const std::string id = new_id();
  const std::string first = compact_json(json::object{{"history", id}, {"schema", migrations().back().version}}) + "\n";
  uint64_t bytes = first.size();
  AtomicFile file(file_);
  file.write(first);
  for (const std::string& table : tables_of(database_))
    if (!holds(kDerivedTables, table) || holds(kPartlyDerived, table)) snapshot_table(database_, table, file, bytes);
  file.commit();
  database_.prepare("UPDATE history SET id = ?, bytes = ?").run(id, bytes);
  transaction.commit();
}

// A trigger of one kind gives the whole row, and which columns it is about: all of a new one, those that changed.
void History::follow(const std::string& name, bool with_triggers) {
  Table table;
  Statement columns = database_.prepare("SELECT name, pk FROM pragma_table_info(?1, 'main') ORDER BY cid");
  for (columns.bind(name); columns.step();) {
    const uint64_t bit = UINT64_C(1) << table.columns.size();
    if (columns.integer(1) > 0) table.key |= bit;
    if (is_derived(name, columns.text_view(0))) table.derived |= bit;
    table.columns.push_back(columns.text(0));
  }
  std::string fresh, old, changed = "0", watched;
  for (size_t i = 0; i < table.columns.size(); ++i) {
    const std::string& column = table.columns[i];
    fresh += fmt::format(", NEW.\"{}\"", column);
    old += fmt::format(", OLD.\"{}\"", column);
    changed += fmt::format(" | ((NEW.\"{0}\" IS NOT OLD.\"{0}\") << {1})", column, i);
    if ((table.derived >> i & 1) == 0) watched += fmt::format("{}\"{}\"", watched.empty() ? "" : ", ", column);
  }
  tables_.emplace(name, std::move(table));
  if (!with_triggers) return;
  const auto trigger = [&](const char* what, const std::string& when, const std::string& mask, const std::string& row) {
    database_.execute(
        fmt::format("CREATE TEMP TRIGGER \"history_{0}_{1}\" AFTER {2} ON main.\"{0}\" BEGIN "
                    "UPDATE history SET bytes = history_note(bytes, '{0}', {3}{4}); END",
                    name, what, when, mask, row));
  };
  trigger("insert", "INSERT", "-1", fresh);
  trigger("update", "UPDATE OF " + watched, changed, fresh);
  trigger("delete", "DELETE", "NULL", old);
}

// Arguments: bytes committed, table, mask (-1: a new row, null: it is gone), the row's values.
int64_t History::note_change(std::span<const json::value> arguments) {
  const int64_t committed = arguments[0].to_number<int64_t>();
  const std::string_view name = arguments[1].get_string();
  const Table& table = tables_.find(name)->second;
  const auto values = arguments.subspan(3);
  if (arguments[2].is_null()) {
    const json::object key = row_of(table.columns, values, table.key);
    return append(committed, compact_json(json::object{{"drop", name}, {"row", key}}) + "\n", true);
  }
  const auto changed = static_cast<uint64_t>(arguments[2].to_number<int64_t>());
  if ((changed & ~table.derived) == 0) return committed;
  const bool is_new = changed == ~UINT64_C(0);
  const uint64_t mask = is_new ? changed : changed | table.key | table.derived;
  return append(committed, changed_line(name, table.columns, values, mask), is_new && name != "attempt");
}

void History::note(const std::string& table, const json::object& row) {
  const int64_t bytes = append(database_.integer("SELECT bytes FROM history"), put_line(table, row), true);
  database_.prepare("UPDATE history SET bytes = ?").run(bytes);
}

// The bytes that the file will have; -1 when it lacks something.
int64_t History::append(int64_t committed, std::string_view line, bool durable) {
  if (!noting_) begin(committed);
  lines_ += line;
  durable_ |= durable;
  return incomplete_ ? -1 : static_cast<int64_t>(base_ + lines_.size());
}

void History::begin(int64_t committed) {
  lines_.clear();
  open_file_again();
  struct stat info {};
  if (::fstat(fd_.get(), &info) != 0) info.st_size = 0;
  base_ = static_cast<uint64_t>(info.st_size);
  incomplete_ = committed < 0 || base_ < static_cast<uint64_t>(committed);
  if (!incomplete_ && base_ > static_cast<uint64_t>(committed))
    lines_ = fmt::format("\n{{\"skip\":[{},{}]}}\n", committed, base_ + 1);
  durable_ = false;
  noting_ = true;
}

// Another process may have written the file anew, or a person may have removed it.
void History::open_file_again() {
  struct stat info {};
  const bool same = fd_ && ::stat(file_.c_str(), &info) == 0 && static_cast<uint64_t>(info.st_ino) == inode_;
  if (same) return;
  make_folder(file_.parent_path());
  fd_ = open_file(file_, O_WRONLY | O_CREAT | O_APPEND);
  if (::fstat(fd_.get(), &info) == 0) inode_ = static_cast<uint64_t>(info.st_ino);
}

void History::write() {
  if (!noting_) return;
  write_all(fd_.get(), lines_, file_);
  if (durable_ && ::fdatasync(fd_.get()) != 0)
    throw Error(ErrorKind::environment, fmt::format("'{}' cannot be forced to the disk", file_.string()));
  forget();
}

void History::forget() {
  noting_ = false;
  lines_.clear();
}

int64_t history_schema(const fs::path& file) { return integer_or(first_line(file), "schema", 0); }

bool history_has_rows(const fs::path& file) {
  std::error_code code;
  if (!fs::exists(file, code)) return false;
  const MappedFile map(file);
  const auto bytes = map.bytes();
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const size_t second = text.find('\n');
  return second != std::string_view::npos && text.find("{\"put\"", second) != std::string_view::npos;
}

}  // namespace bitsweep::store
