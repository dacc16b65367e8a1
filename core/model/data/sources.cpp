#include "data/sources.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "base/error.h"
#include "base/files.h"
#include "base/nearest.h"
#include "base/sha256.h"
#include "columns/helper.h"
#include "data/generated.h"
#include "data/glob.h"
#include "spec/keys.h"

namespace bitsweep::data {
namespace {

// What a corpus's text is made of, beside its sources; a change of the rules makes every fingerprint a new one.
constexpr int rules_version = 3;

[[noreturn]] void refuse(std::string message) { throw Error(ErrorKind::input, std::move(message)); }

struct stat attributes(const fs::path& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) == 0) return info;
  const int code = errno;
  std::error_code ignored;
  if (code == ENOENT && fs::is_symlink(fs::symlink_status(path, ignored)))
    refuse(fmt::format("'{}' is a symbolic link to '{}', which does not exist", path.string(),
                       fs::read_symlink(path, ignored).string()));
  refuse(fmt::format("cannot read '{}': {}", path.string(), std::strerror(code)));
}

// A mistyped built-in name is looked for as a file; none is meant by what has a folder or an ending.
void check_exists(const fs::path& path, const std::string& name) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) == 0 || errno != ENOENT) return;
  const bool of_a_file = name.find_first_of("/.") != std::string::npos;
  refuse(fmt::format("cannot read '{}': {}{}", path.string(), std::strerror(ENOENT),
                     of_a_file ? "" : did_you_mean(name, spec::find_run_key("data.corpus")->words)));
}

SourceFile source_file(const fs::path& path, const struct stat& info) {
  return {path, static_cast<uint64_t>(info.st_size),
          int64_t{info.st_mtim.tv_sec} * 1'000'000'000 + info.st_mtim.tv_nsec, static_cast<uint64_t>(info.st_ino)};
}

// Names in a folder that give no text, of one kind.
struct LeftOut {
  const char *one, *many;
  int64_t count = 0;
  std::string first = {};  // in the order of their paths' bytes

  void add(std::string name) {
    if (count++ == 0 || name < first) first = std::move(name);
  }
};

// Walks a folder, collecting what a pattern takes and what is left out.
class Walk {
 public:
  Walk(fs::path root, const std::string& glob) : root_(std::move(root)), all_(glob.empty()), glob_(glob) {}

  // Throws Error{input} when the root itself cannot be read.
  void folder(const fs::path& relative) {
    std::error_code code;
    fs::directory_iterator entry(root_ / relative, code);
    while (!code && entry != fs::directory_iterator()) {
      visit(*entry, relative / entry->path().filename());
      entry.increment(code);
    }
    if (!code) return;
    if (relative.empty()) refuse(fmt::format("cannot read '{}': {}", root_.string(), code.message()));
    unreadable_.add(fmt::format("{}/', {}", relative.generic_string(), code.message()));
  }

  // "2 dangling links (first: 'a/b'), 1 hidden name (first: '.git')"; "" for nothing.
  std::string left_out() const {
    std::string told;
    for (const LeftOut* kind : {&unreadable_, &dangling_, &circles_, &linked_folders_, &special_, &hidden_, &empty_}) {
      if (kind->count == 0) continue;
      told += fmt::format("{}{} {} (first: '{}{})", told.empty() ? "" : ", ", kind->count,
                          kind->count == 1 ? kind->one : kind->many, kind->first, kind == &unreadable_ ? "" : "'");
    }
    return told;
  }

  std::vector<std::pair<std::string, SourceFile>> taken;  // by relative path
  int64_t passed_over = 0;                                // regular files that the pattern does not take

 private:
  void visit(const fs::directory_entry& entry, const fs::path& relative) {
    std::error_code code;
    const bool folder_here = !entry.is_symlink(code) && entry.is_directory(code);
    const std::string name = relative.generic_string();
    if (relative.filename().native().starts_with('.')) {
      if (folder_here || all_ || glob_.matches(name)) hidden_.add(name);
      return;
    }
    if (folder_here) return folder(relative);
    if (!all_ && !glob_.matches(name)) {
      ++passed_over;
      return;
    }
    take(name);
  }

  void take(const std::string& name) {
    const fs::path path = root_ / name;
    struct stat info {};
    if (::stat(path.c_str(), &info) != 0) return missed(path, name, errno);
    if (S_ISDIR(info.st_mode)) return linked_folders_.add(name);
    if (!S_ISREG(info.st_mode)) return special_.add(name);
    if (::faccessat(AT_FDCWD, path.c_str(), R_OK, AT_EACCESS) != 0) return missed(path, name, errno);
    if (info.st_size == 0) empty_.add(name);
    taken.emplace_back(name, source_file(path, info));
  }

  void missed(const fs::path& path, const std::string& name, int code) {
    std::error_code ignored;
    if (code == ELOOP) return circles_.add(name);
    if (code == ENOENT && fs::is_symlink(fs::symlink_status(path, ignored))) return dangling_.add(name);
    unreadable_.add(fmt::format("{}', {}", name, std::strerror(code)));
  }

  fs::path root_;
  bool all_;
  Glob glob_;
  LeftOut unreadable_{"unreadable name", "unreadable names"};
  LeftOut dangling_{"dangling link", "dangling links"};
  LeftOut circles_{"link in a circle", "links in circles"};
  LeftOut linked_folders_{"linked folder", "linked folders"};
  LeftOut special_{"pipe, socket or device", "pipes, sockets or devices"};
  LeftOut hidden_{"hidden name", "hidden names"};
  LeftOut empty_{"empty file", "empty files"};
};

void list_folder(Sources& sources, const fs::path& root, const std::string& glob) {
  Walk walk(root, glob);
  walk.folder("");
  const std::string left_out = walk.left_out();
  const std::string besides = left_out.empty() ? "" : "; left out: " + left_out;
  if (walk.taken.empty() && walk.passed_over > 0)
    refuse(fmt::format("data.glob '{}' matches none of the {} files in '{}'{}", glob, walk.passed_over, root.string(),
                       besides));
  if (walk.taken.empty()) refuse(fmt::format("folder '{}' holds no regular file{}", root.string(), besides));
  std::sort(walk.taken.begin(), walk.taken.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  for (auto& [relative, file] : walk.taken) sources.files.push_back(std::move(file));
  if (!left_out.empty()) sources.notes.push_back(fmt::format("left out of '{}': {}.", root.string(), left_out));
}

}  // namespace

std::vector<fs::path> header_folders() {
  return {fs::path(BITSWEEP_TORCH_DIR) / "include",
          program_folder().parent_path() / "lib" / "bitsweep" / "libtorch" / "include"};
}

fs::path torch_headers(const std::vector<fs::path>& folders) {
  std::error_code unreadable;
  for (const fs::path& folder : folders)
    if (fs::is_directory(folder, unreadable)) return folder;
  throw Error(ErrorKind::environment,
              fmt::format("corpus 'headers' is the C++ headers of the LibTorch that bitsweep was built on, and '{}' is "
                          "gone: run ./quickstart, which builds again, or take a text of your own",
                          folders.at(0).string()));
}

int64_t file_time_now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

SourceFile look_at(const fs::path& path) {
  const struct stat info = attributes(path);
  if (!S_ISREG(info.st_mode)) refuse(fmt::format("'{}' is no regular file", path.string()));
  return source_file(path, info);
}

uint64_t Sources::bytes() const {
  if (kind == Kind::generated) return find_generated_corpus(name)->bytes;
  uint64_t sum = 0;
  for (const SourceFile& file : files) sum += file.bytes;
  return sum;
}

std::string Sources::fingerprint() const {
  Sha256 hash;
  hash.update(fmt::format("{} {} {}\n", rules_version, static_cast<int>(kind), field.size()));
  hash.update(field);
  if (kind == Kind::generated) {
    const GeneratedCorpus& made = *find_generated_corpus(name);
    hash.update(fmt::format("{} {} {} {}", made.name, made.version, made.seed, made.bytes));
  }
  for (const SourceFile& file : files) {
    hash.update(fmt::format("\n{} {} {} {} ", file.bytes, file.modified_ns, file.inode, file.path.native().size()));
    hash.update(file.path.native());
  }
  return hash.hex();
}

bool Sources::settled(int64_t now_ns) const {
  return std::all_of(files.begin(), files.end(),
                     [&](const SourceFile& file) { return file.modified_ns < now_ns - 2'000'000'000; });
}

Sources list_sources(const CorpusSpec& spec) {
  Sources sources;
  sources.field = spec.field;
  sources.parquet_program = columns::parquet_program();
  if (spec.corpus.empty()) refuse("data.corpus is empty");
  if (spec.corpus.find('\0') != std::string::npos) refuse("data.corpus holds a NUL byte, which no path can");
  const bool generated = find_generated_corpus(spec.corpus) != nullptr;
  if (generated || spec.corpus == "headers") {
    if (!spec.glob.empty() || !spec.field.empty())
      refuse(fmt::format("corpus '{}' takes neither data.glob nor data.field", spec.corpus));
    sources.name = spec.corpus;
    sources.kind = generated ? Sources::Kind::generated : Sources::Kind::folder;
    if (!generated) list_folder(sources, torch_headers(header_folders()), "*.{h,hh,hpp,hxx,cuh,inl,inc}");
    return sources;
  }
  const fs::path path = fs::absolute(spec.corpus).lexically_normal();
  const fs::path trimmed = path.has_filename() ? path : path.parent_path();
  sources.name = trimmed.filename().string();
  check_exists(path, sources.name);
  const struct stat info = attributes(path);
  if (S_ISDIR(info.st_mode)) {
    sources.kind = Sources::Kind::folder;
    list_folder(sources, path, spec.glob);
  } else {
    if (!spec.glob.empty()) refuse(fmt::format("data.glob is for folders, and '{}' is a file", path.string()));
    sources.files.push_back(look_at(path));
  }
  if (sources.bytes() == 0) refuse(fmt::format("'{}' is empty", path.string()));
  return sources;
}

}  // namespace bitsweep::data
