// SQLite behind a few typed calls: the only place that knows its C interface is database.cpp.
//
// A Database belongs to one thread. Every failure is an Error that names the file:
//   refused (4)      in use by another process, newer, not a database, damaged, or on a network filesystem
//   environment (3)  the disk is full, the folder cannot be written, there is no database
//   input (2)        the statement itself is wrong (for people's own SQL), or breaks a rule of a table
#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/files.h"
#include "base/json.h"

struct sqlite3;
struct sqlite3_stmt;

namespace bitsweep::store {

class Database;

// A prepared statement, made by Database::prepare and used many times. Must not outlive its Database.
class Statement {
 public:
  Statement() = default;
  Statement(Statement&& other) noexcept;
  Statement& operator=(Statement&& other) noexcept;
  ~Statement();

  // Starts anew with these values as parameters 1…n. Text is copied. A double that is not finite is bound as null.
  template <class... Values>
  Statement& bind(const Values&... values) {
    reset();
    int index = 0;
    (bind_value(++index, values, Text::copied), ...);
    return *this;
  }

  // True: a row is there to read. False: done; the statement is ready to be bound again.
  bool step();
  // bind(values…) and to the end; rows are passed over.
  template <class... Values>
  void run(const Values&... values) {
    reset();
    int index = 0;
    (bind_value(++index, values, Text::lives), ...);  // texts stay where they are: they outlive the steps
    while (step()) {
    }
  }
  // bind() of values by their own JSON types; what is no number, text or truth value is bound as null.
  Statement& bind_list(std::span<const json::value> values);
  void reset();

  // The current row; columns from 0. A null reads as 0, 0.0 or "".
  bool is_null(int column) const;
  int64_t integer(int column) const;
  double real(int column) const;
  std::string text(int column) const;
  std::string_view text_view(int column) const;  // valid until the next step
  std::optional<int64_t> optional_integer(int column) const;
  std::optional<double> optional_real(int column) const;
  // By its own type: null, integer, double, string; a blob as lower-case hex.
  json::value value(int column) const;

  int columns() const;
  std::string column_name(int column) const;
  bool reads_only() const;  // changes nothing in the database

 private:
  friend class Database;
  Statement(Database* database, sqlite3_stmt* handle) : database_(database), handle_(handle) {}
  void bind_null(int index);
  void bind_integer(int index, int64_t value);
  void bind_real(int index, double value);
  enum class Text { copied, lives };
  void bind_text(int index, std::string_view value, Text text);

  template <class T>
  void bind_value(int index, const T& value, Text text) {
    if constexpr (std::same_as<T, std::nullptr_t>)
      bind_null(index);
    else if constexpr (std::integral<T>)
      bind_integer(index, static_cast<int64_t>(value));
    else if constexpr (std::floating_point<T>)
      bind_real(index, value);
    else
      bind_text(index, std::string_view(value), text);
  }
  template <class T>
  void bind_value(int index, const std::optional<T>& value, Text text) {
    if (value)
      bind_value(index, *value, text);
    else
      bind_null(index);
  }

  Database* database_ = nullptr;
  sqlite3_stmt* handle_ = nullptr;
};

class Database {
 public:
  enum class Mode {
    create,     // read and write; made when missing
    read_only,  // never creates, never changes; may read while another process writes
  };

  Database(const fs::path& file, Mode mode);
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;
  ~Database();

  // One statement; text after it is an error.
  Statement prepare(std::string_view sql);
  // Any number of statements, no results.
  void execute(const std::string& script);
  int64_t changes() const;  // rows changed by the last statement
  int64_t last_row_id() const;
  bool in_transaction() const;
  // Whether a commit returns only when it is on the disk (as it does at first), or as soon as it is whole for every
  // process of this machine, which then survives their deaths but not the machine's: sync() is for all of those at
  // once.
  void wait_for_disk(bool each_commit);
  // All that was committed is on the disk when it returns; costs nothing when nothing was since the last time.
  void sync();
  // First column of the first row.
  int64_t integer(std::string_view sql);
  // A whole, consistent copy in a new file.
  void copy_to(const fs::path& file);
  // Gives up a running statement with Error{refused} once `seconds` have passed; 0 is no limit.
  void limit_time(double seconds);

  // A function of SQL, for temporary triggers. What it throws is what the calling statement throws.
  using Function = std::function<int64_t(std::span<const json::value>)>;
  void define(const char* name, Function function);
  // `before` runs within every commit that writes, while no other process can write; what it throws turns the commit
  // into a rollback and is thrown by it. `undone` runs after every rollback. Null functions end both.
  void on_commit(std::function<void()> before, std::function<void()> undone);

  const fs::path& file() const { return file_; }
  Mode mode() const { return mode_; }
  // Throws what the last failure of this connection was.
  [[noreturn]] void fail(int code, std::string_view doing) const;

 private:
  struct Hooks;
  void open(bool immutable);
  Hooks& hooks();
  void rethrow_hook_failure() const;

  fs::path file_;
  Mode mode_;
  sqlite3* handle_ = nullptr;
  double deadline_s_ = 0;         // monotonic; 0 is none
  int64_t synced_changes_ = 0;    // rows changed by this connection when it was last synced
  std::shared_ptr<Hooks> hooks_;  // none until it is asked for
};

// Takes the write lock at once; rolled back unless committed. Within another transaction it does nothing: the outer one
// decides, so that a caller can group several calls into one durable commit.
class Transaction {
 public:
  explicit Transaction(Database& database);
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  ~Transaction();
  void commit();

 private:
  Database& database_;
  bool owner_;
};

// Throws Error{refused} when `folder` (or its nearest existing parent) lies on a network or user-space filesystem,
// where SQLite's locks and write-ahead log lose committed data without a word.
void refuse_network_filesystem(const fs::path& folder);
// The part that decides: the name of a refused filesystem by its statfs magic, or "".
std::string_view network_filesystem_name(uint64_t magic);

}  // namespace bitsweep::store
