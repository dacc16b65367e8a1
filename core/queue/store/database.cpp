#include "store/database.h"

#include <cmath>
#include <cstring>
#include <memory>

#include <linux/magic.h>
#include <sqlite3.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <fmt/format.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/units.h"

namespace bitsweep::store {
namespace {

// Writers are one coordinator and short submissions; whoever holds the lock longer than this is stuck or foreign.
constexpr int kBusyTimeoutMs = 10'000;

// An address in SQLite's URI form: what has a meaning there is escaped.
std::string uri_of(const fs::path& file, std::string_view parameters) {
  std::string uri = "file:";
  for (const char c : fs::absolute(file).string()) {
    if (c == '?' || c == '#' || c == '%')
      uri += fmt::format("%{:02x}", static_cast<unsigned char>(c));
    else
      uri += c;
  }
  return fmt::format("{}?{}", uri, parameters);
}

// Before the first database of the process: without counting every allocation under a lock, inserts are a tenth faster.
void configure_sqlite() {
  static const int once = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
  static_cast<void>(once);
}

[[noreturn]] void fail_damaged(const fs::path& file, const char* what) {
  throw Error(
      ErrorKind::refused,
      fmt::format("'{0}' {1}; nothing was changed. 'bitsweep rebuild' makes it again from the run folders and keeps "
                  "this one beside it; what can be read of it alone: 'sqlite3 {0} .recover'",
                  file.string(), what));
}

[[noreturn]] void fail_full(const fs::path& file) {
  throw Error(
      ErrorKind::environment,
      fmt::format("cannot write '{}': the disk is full ({} free); nothing that was saved is lost. Free some space "
                  "and run the same command again",
                  file.string(), format_bytes(static_cast<double>(free_bytes(file.parent_path())))));
}

}  // namespace

// --- Statement ----------------------------------------------------------------------------------------------------

Statement::Statement(Statement&& other) noexcept
    : database_(other.database_), handle_(std::exchange(other.handle_, nullptr)) {}

Statement& Statement::operator=(Statement&& other) noexcept {
  std::swap(database_, other.database_);
  std::swap(handle_, other.handle_);
  return *this;
}

Statement::~Statement() { sqlite3_finalize(handle_); }

void Statement::reset() { sqlite3_reset(handle_); }

bool Statement::step() {
  const int code = sqlite3_step(handle_);
  if (code == SQLITE_ROW) return true;
  sqlite3_reset(handle_);
  if (code == SQLITE_DONE) return false;
  database_->fail(code, "run a statement");
}

void Statement::bind_null(int index) { sqlite3_bind_null(handle_, index); }
void Statement::bind_integer(int index, int64_t value) { sqlite3_bind_int64(handle_, index, value); }

void Statement::bind_real(int index, double value) {
  if (std::isfinite(value))
    sqlite3_bind_double(handle_, index, value);
  else
    sqlite3_bind_null(handle_, index);
}

void Statement::bind_text(int index, std::string_view value, Text text) {
  // A view of nothing may point nowhere, which SQLite would take for null.
  const char* data = value.data() == nullptr ? "" : value.data();
  const auto owner = text == Text::lives ? SQLITE_STATIC : SQLITE_TRANSIENT;
  const int code = sqlite3_bind_text64(handle_, index, data, value.size(), owner, SQLITE_UTF8);
  if (code != SQLITE_OK) database_->fail(code, "bind a text");
}

Statement& Statement::bind_list(std::span<const json::value> values) {
  reset();
  int index = 0;
  for (const json::value& value : values) {
    ++index;
    if (value.is_string())
      bind_text(index, std::string_view(value.get_string()), Text::copied);
    else if (value.is_double())
      bind_real(index, value.get_double());
    else if (value.is_number())
      bind_integer(index, value.to_number<int64_t>());
    else if (value.is_bool())
      bind_integer(index, value.get_bool() ? 1 : 0);
    else
      bind_null(index);
  }
  return *this;
}

bool Statement::is_null(int column) const { return sqlite3_column_type(handle_, column) == SQLITE_NULL; }
int64_t Statement::integer(int column) const { return sqlite3_column_int64(handle_, column); }
double Statement::real(int column) const { return sqlite3_column_double(handle_, column); }
std::string Statement::text(int column) const { return std::string(text_view(column)); }

std::string_view Statement::text_view(int column) const {
  const auto* data = reinterpret_cast<const char*>(sqlite3_column_text(handle_, column));
  if (data == nullptr) return "";
  return {data, static_cast<size_t>(sqlite3_column_bytes(handle_, column))};
}

std::optional<int64_t> Statement::optional_integer(int column) const {
  if (is_null(column)) return std::nullopt;
  return integer(column);
}

std::optional<double> Statement::optional_real(int column) const {
  if (is_null(column)) return std::nullopt;
  return real(column);
}

json::value Statement::value(int column) const {
  switch (sqlite3_column_type(handle_, column)) {
    case SQLITE_INTEGER:
      return integer(column);
    case SQLITE_FLOAT:
      return real(column);
    case SQLITE_TEXT:
      return json::value(text_view(column));
    case SQLITE_BLOB: {
      const auto* data = static_cast<const unsigned char*>(sqlite3_column_blob(handle_, column));
      std::string hex;
      for (int i = 0; i < sqlite3_column_bytes(handle_, column); ++i) hex += fmt::format("{:02x}", data[i]);
      return json::value(hex);
    }
    default:
      return nullptr;
  }
}

int Statement::columns() const { return sqlite3_column_count(handle_); }
std::string Statement::column_name(int column) const { return sqlite3_column_name(handle_, column); }
bool Statement::reads_only() const { return sqlite3_stmt_readonly(handle_) != 0; }

// --- Database -----------------------------------------------------------------------------------------------------

Database::Database(const fs::path& file, Mode mode) : file_(file), mode_(mode) {
  try {
    open(false);
  } catch (const Error& error) {
    sqlite3_close_v2(std::exchange(handle_, nullptr));
    // A reader of a write-ahead log makes a small file beside the database. Where nobody can write, nobody does: the
    // file is then read as it is, unless a log beside it says that a writer was here.
    const fs::path log = file_.string() + "-wal";
    std::error_code code;
    const bool quiet = !fs::exists(log, code) || fs::file_size(log, code) == 0;
    const bool sealed = ::access(file_.parent_path().c_str(), W_OK) != 0 && ::access(file_.c_str(), R_OK) == 0;
    if (mode != Mode::read_only || error.kind() != ErrorKind::environment || !quiet || !sealed) throw;
    try {
      open(true);
    } catch (...) {
      sqlite3_close_v2(std::exchange(handle_, nullptr));
      throw;
    }
  } catch (...) {
    sqlite3_close_v2(std::exchange(handle_, nullptr));
    throw;
  }
}

Database::~Database() { sqlite3_close_v2(handle_); }

void Database::open(bool immutable) {
  configure_sqlite();
  const bool writes = mode_ == Mode::create;
  if (!writes && !fs::exists(file_))
    throw Error(ErrorKind::environment,
                fmt::format("there is no database '{}' yet; make one with 'bitsweep run SWEEP.yaml', or name another "
                            "folder with --root",
                            file_.string()));
  const int flags = SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE |
                    (writes ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY);
  const std::string uri = uri_of(file_, writes ? "mode=rwc" : immutable ? "mode=ro&immutable=1" : "mode=ro");
  if (const int code = sqlite3_open_v2(uri.c_str(), &handle_, flags, nullptr); code != SQLITE_OK) fail(code, "open");
  sqlite3_busy_timeout(handle_, kBusyTimeoutMs);
  // No statement of a person's may load code, and no damaged schema may run any.
  sqlite3_db_config(handle_, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(handle_, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  execute("PRAGMA foreign_keys = ON");
  // The first look at the file: a damaged or foreign one is found here.
  execute("SELECT count(*) FROM sqlite_schema");
  if (!writes) return;
  // Some systems build SQLite so that it writes zeros over what it frees, page splits included: nothing here is secret.
  execute(
      "PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -16384; PRAGMA secure_delete = OFF");
}

Statement Database::prepare(std::string_view sql) {
  sqlite3_stmt* handle = nullptr;
  const char* rest = nullptr;
  const int code =
      sqlite3_prepare_v3(handle_, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT, &handle, &rest);
  if (code != SQLITE_OK) fail(code, "prepare a statement");
  Statement statement(this, handle);
  const std::string_view left = sql.substr(static_cast<size_t>(rest - sql.data()));
  if (handle == nullptr) throw Error(ErrorKind::input, "an empty SQL statement");
  if (left.find_first_not_of(" \t\r\n;") != std::string_view::npos && left.find("--") == std::string_view::npos)
    throw Error(ErrorKind::input,
                fmt::format("one SQL statement at a time; after the first comes '{}'", left.substr(0, 40)));
  return statement;
}

void Database::execute(const std::string& script) {
  if (const int code = sqlite3_exec(handle_, script.c_str(), nullptr, nullptr, nullptr); code != SQLITE_OK)
    fail(code, "run a statement");
}

int64_t Database::changes() const { return sqlite3_changes64(handle_); }
int64_t Database::last_row_id() const { return sqlite3_last_insert_rowid(handle_); }
bool Database::in_transaction() const { return sqlite3_get_autocommit(handle_) == 0; }

void Database::wait_for_disk(bool each_commit) {
  if (each_commit) sync();
  execute(each_commit ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
}

void Database::sync() {
  const int64_t changes = sqlite3_total_changes64(handle_);
  if (changes == synced_changes_) return;
  sqlite3_file* log = nullptr;  // the write-ahead log
  sqlite3_file_control(handle_, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log);
  if (log == nullptr || log->pMethods == nullptr) return;
  if (const int code = log->pMethods->xSync(log, SQLITE_SYNC_NORMAL); code != SQLITE_OK)
    fail(code, "force to the disk");
  synced_changes_ = changes;
}

int64_t Database::integer(std::string_view sql) {
  Statement statement = prepare(sql);
  return statement.step() ? statement.integer(0) : 0;
}

void Database::copy_to(const fs::path& file) {
  sqlite3* raw = nullptr;
  const int opened = sqlite3_open_v2(file.c_str(), &raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, nullptr);
  const std::unique_ptr<sqlite3, int (*)(sqlite3*)> copy(raw, sqlite3_close_v2);
  int code = opened;
  if (code == SQLITE_OK) {
    sqlite3_backup* backup = sqlite3_backup_init(raw, "main", handle_, "main");
    if (backup != nullptr) {
      sqlite3_backup_step(backup, -1);
      sqlite3_backup_finish(backup);
    }
    code = sqlite3_errcode(raw);
  }
  if (code == SQLITE_OK || code == SQLITE_DONE) return;
  if ((code & 0xff) == SQLITE_FULL) fail_full(file);
  throw Error(ErrorKind::environment,
              fmt::format("cannot copy '{}' to '{}': {}", file_.string(), file.string(), sqlite3_errstr(code)));
}

void Database::limit_time(double seconds) {
  deadline_s_ = seconds > 0 ? system_clock().monotonic_s() + seconds : 0;
  const auto late = [](void* self) {
    return system_clock().monotonic_s() > static_cast<Database*>(self)->deadline_s_ ? 1 : 0;
  };
  sqlite3_progress_handler(handle_, seconds > 0 ? 20'000 : 0, seconds > 0 ? +late : nullptr, this);
}

void Database::fail(int code, std::string_view doing) const {
  rethrow_hook_failure();
  const std::string reason = handle_ != nullptr ? sqlite3_errmsg(handle_) : sqlite3_errstr(code);
  const std::string name = file_.string();
  switch (code & 0xff) {
    case SQLITE_NOTADB:
      fail_damaged(file_, "is not a SQLite database");
    case SQLITE_CORRUPT:
      fail_damaged(file_, "is damaged or cut short");
    case SQLITE_FULL:
      fail_full(file_);
    case SQLITE_IOERR:
      if (errno == ENOSPC || errno == EDQUOT) fail_full(file_);
      break;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      throw Error(ErrorKind::refused,
                  fmt::format("'{}' is in use by another process; try again when that has ended", name));
    case SQLITE_INTERRUPT:
      throw Error(ErrorKind::refused, "the statement took longer than it was allowed to");
    case SQLITE_READONLY:
      if (mode_ == Mode::read_only) throw Error(ErrorKind::input, "the database is open for reading only");
      throw Error(ErrorKind::environment, fmt::format("'{}' cannot be written; check the owner and the mount, or name "
                                                      "another folder with --root",
                                                      name));
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
      throw Error(ErrorKind::environment,
                  fmt::format("cannot open '{}': {}; check that its folder can be written, or name "
                              "another one with --root",
                              name, errno != 0 ? std::strerror(errno) : reason));
    case SQLITE_ERROR:
    case SQLITE_AUTH:
    case SQLITE_TOOBIG:
    case SQLITE_RANGE:
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
      throw Error(ErrorKind::input, fmt::format("SQL: {}", reason));
    default:
      break;
  }
  throw Error(ErrorKind::environment, fmt::format("'{}': cannot {}: {}", name, doing, reason));
}

// --- Transaction --------------------------------------------------------------------------------------------------

Transaction::Transaction(Database& database) : database_(database), owner_(!database.in_transaction()) {
  if (owner_) database_.execute("BEGIN IMMEDIATE");
}

Transaction::~Transaction() {
  if (!owner_ || !database_.in_transaction()) return;
  try {
    database_.execute("ROLLBACK");
  } catch (const Error&) {
    // SQLite has rolled back by itself, or will when the connection closes.
  }
}

void Transaction::commit() {
  if (!owner_) return;
  database_.execute("COMMIT");
  owner_ = false;
}

// --- filesystems --------------------------------------------------------------------------------------------------

std::string_view network_filesystem_name(uint64_t magic) {
  switch (magic) {
    case NFS_SUPER_MAGIC:
      return "NFS";
    case SMB_SUPER_MAGIC:
    case 0xff534d42:
    case 0xfe534d42:
      return "CIFS (SMB)";
    case 0x0bd00bd0:
      return "Lustre";
    case 0x47504653:
      return "GPFS";
    case 0x65735546:
      return "FUSE";
    case 0x00c36400:
      return "Ceph";
    case 0x01021997:
      return "9P";
    case AFS_SUPER_MAGIC:
      return "AFS";
    case CODA_SUPER_MAGIC:
      return "Coda";
    default:
      return "";
  }
}

void refuse_network_filesystem(const fs::path& folder) {
  std::error_code code;
  fs::path existing = fs::absolute(folder);
  while (!fs::exists(existing, code) && existing.has_relative_path()) existing = existing.parent_path();
  struct statfs info {};
  if (::statfs(existing.c_str(), &info) != 0) return;  // what is wrong with it is said when it is opened
  const std::string_view name = network_filesystem_name(static_cast<uint64_t>(info.f_type));
  if (name.empty()) return;
  throw Error(ErrorKind::refused,
              fmt::format("'{}' is on {}, where a database loses data without a word; put the root on a local disk "
                          "(--root DIR or BITSWEEP_ROOT)",
                          folder.string(), name));
}

}  // namespace bitsweep::store
