#include "columns/helper.h"

#include <cerrno>

#include <poll.h>
#include <unistd.h>

#include <fmt/format.h>

#include "base/child_process.h"
#include "base/error.h"
#include "base/units.h"

namespace bitsweep::columns {
namespace {

constexpr size_t read_bytes = 1 << 18;
constexpr size_t most_words_bytes = 64 << 10;  // of what it says on its standard error

// One call of the helper.
class Listening {
 public:
  Listening(std::vector<std::string> command, fs::path file, const ValueSink& sink)
      : file_(std::move(file)), frames_(sink), child_(command), program_(command.at(0)), buffer_(read_bytes, '\0') {}

  void run() {
    child_.in.reset();
    while ((child_.out || child_.err) && frames_.wrong().empty()) step();
    if (!frames_.wrong().empty()) child_.kill();
    conclude(child_.wait());
  }

 private:
  void step() {
    pollfd fds[2] = {{child_.out.get(), POLLIN, 0}, {child_.err.get(), POLLIN, 0}};
    if (::poll(fds, 2, -1) <= 0) return;
    if (fds[0].revents != 0) read_values();
    if (fds[1].revents == 0) return;
    read_some(child_.err, words_);
    if (words_.size() > most_words_bytes) words_.resize(most_words_bytes);
  }

  void read_values() {
    const ssize_t got = ::read(child_.out.get(), buffer_.data(), buffer_.size());
    if (got > 0) frames_.add(std::string_view(buffer_).substr(0, static_cast<size_t>(got)));
    if (got == 0 || (got < 0 && errno != EINTR && errno != EAGAIN)) child_.out.reset();
  }

  void conclude(int exit_code) const {
    if (!frames_.wrong().empty()) died(fmt::format("wrote what is no column ({}): build it again", frames_.wrong()));
    const std::string words = words_.substr(0, words_.find_last_not_of('\n') + 1);
    switch (static_cast<HelperExit>(exit_code)) {
      case HelperExit::done:
        if (!frames_.whole()) died("ended as if all were well, and did not tell the end of the column");
        return;
      case HelperExit::unreadable:
      case HelperExit::no_column:
      case HelperExit::no_text:
      case HelperExit::damaged:
        if (!words.empty()) throw Error(ErrorKind::input, words);
        [[fallthrough]];
      default:
        died(ending_of(exit_code) + (words.empty() ? "" : ": " + words));
    }
  }

  [[noreturn]] void died(const std::string& how) const {
    throw Error(ErrorKind::environment,
                fmt::format("'{}', which reads '{}', {}; it had told {} of its values", program_, file_.string(), how,
                            format_thousands(static_cast<int64_t>(frames_.values()))));
  }

  fs::path file_;
  FrameReader frames_;
  ChildProcess child_;
  std::string program_;
  std::string buffer_, words_;
};

void listen(const fs::path& program, std::vector<std::string> arguments, const fs::path& file, const ValueSink& sink) {
  if (!fs::exists(program))
    throw Error(ErrorKind::environment,
                fmt::format("'{}' is a Parquet table, and the program that reads it, '{}', was not built: {}",
                            file.string(), program.string(), how_to_read_parquet));
  arguments.insert(arguments.begin(), program.string());
  Listening(std::move(arguments), file, sink).run();
}

}  // namespace

fs::path parquet_program() { return program_folder() / "bitsweep-parquet"; }

void read_parquet_column(const fs::path& program, const fs::path& file, const std::string& column,
                         const ValueSink& sink) {
  listen(program, {file.string(), column}, file, sink);
}

std::vector<std::string> parquet_text_columns(const fs::path& program, const fs::path& file) {
  std::vector<std::string> names;
  listen(program, {file.string()}, file, [&](std::optional<std::string_view> name) {
    if (name) names.emplace_back(*name);
  });
  return names;
}

}  // namespace bitsweep::columns
