#include "data/sources.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <sys/stat.h>

#include <fmt/format.h>

#include "base/error.h"
#include "base/files.h"
#include "base/nearest.h"
#include "base/sha256.h"
#include "data/generated.h"
#include "data/glob.h"
#include "spec/keys.h"

namespace bitsweep {
namespace {

// What a corpus's text is made of, beside its sources; a change of the rules makes every fingerprint a new one.
constexpr int rules_version = 1;
constexpr size_t max_reported = 20;

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

// A mistyped built-in name is looked for as a file.
void check_exists(const fs::path& path, const std::string& name) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) == 0 || errno != ENOENT) return;
  refuse(fmt::format("cannot read '{}': {}{}", path.string(), std::strerror(ENOENT),
                     did_you_mean(name, find_run_key("data.corpus")->words)));
}

SourceFile source_file(const fs::path& path, const struct stat& info) {
  return {path, static_cast<uint64_t>(info.st_size),
          int64_t{info.st_mtim.tv_sec} * 1'000'000'000 + info.st_mtim.tv_nsec, static_cast<uint64_t>(info.st_ino)};
}

// Walks a folder, collecting what a pattern takes and everything that is wrong.
class Walk {
 public:
  Walk(fs::path root, const std::string& glob) : root_(std::move(root)), all_(glob.empty()), glob_(glob) {}

  void folder(const fs::path& relative) {
    std::error_code code;
    fs::directory_iterator entry(root_ / relative, code);
    while (!code && entry != fs::directory_iterator()) {
      const std::string name = entry->path().filename().string();
      if (name[0] != '.') visit(*entry, relative / name);
      entry.increment(code);
    }
    if (code)
      wrong.push_back({"", 0, 0, fmt::format("cannot read '{}': {}", (root_ / relative).string(), code.message())});
  }

  std::vector<std::pair<std::string, SourceFile>> taken;  // by relative path
  std::vector<Diagnostic> wrong;
  int64_t passed_over = 0;  // regular files that the pattern does not take
  int64_t linked_folders = 0;
  int64_t special = 0;  // sockets, pipes, devices

 private:
  void visit(const fs::directory_entry& entry, const fs::path& relative) {
    std::error_code code;
    const bool link = entry.is_symlink(code);
    if (!link && entry.is_directory(code)) return folder(relative);
    if (!all_ && !glob_.matches(relative.generic_string())) {
      ++passed_over;
      return;
    }
    try {
      const struct stat info = attributes(root_ / relative);
      if (S_ISDIR(info.st_mode)) {
        ++linked_folders;
      } else if (S_ISREG(info.st_mode)) {
        taken.emplace_back(relative.generic_string(), source_file(root_ / relative, info));
      } else {
        ++special;
      }
    } catch (const Error& error) {
      wrong.insert(wrong.end(), error.diagnostics().begin(), error.diagnostics().end());
    }
  }

  fs::path root_;
  bool all_;
  Glob glob_;
};

void list_folder(Sources& sources, const fs::path& root, const std::string& glob) {
  Walk walk(root, glob);
  walk.folder("");
  if (walk.wrong.size() > max_reported) {
    const size_t more = walk.wrong.size() - max_reported;
    walk.wrong.resize(max_reported);
    walk.wrong.push_back({"", 0, 0, fmt::format("and {} more in '{}'", more, root.string())});
  }
  if (!walk.wrong.empty()) throw Error(ErrorKind::input, std::move(walk.wrong));
  if (walk.taken.empty() && walk.passed_over > 0)
    refuse(fmt::format("data.glob '{}' matches none of the {} files in '{}'", glob, walk.passed_over, root.string()));
  if (walk.taken.empty()) refuse(fmt::format("folder '{}' holds no regular file", root.string()));
  std::sort(walk.taken.begin(), walk.taken.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  for (auto& [relative, file] : walk.taken) sources.files.push_back(std::move(file));
  if (walk.linked_folders > 0)
    sources.notes.push_back(
        fmt::format("{} linked folder(s) in '{}' not entered.", walk.linked_folders, root.string()));
  if (walk.special > 0)
    sources.notes.push_back(
        fmt::format("{} pipe(s), socket(s) or device(s) in '{}' not read.", walk.special, root.string()));
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

}  // namespace bitsweep
