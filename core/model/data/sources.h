// Where a corpus's text lies: the files it is made of, in order, with a fingerprint that changes when one of them is
// touched, comes or goes. Looks at folders and file attributes, never into files.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace bitsweep::data {

struct CorpusSpec {
  std::string corpus;  // a built-in one (headers, those of generated.h), or the path of a file or folder
  std::string glob;    // files taken from a folder; "" is all
  std::string field;   // the text's key in JSON lines, column in Parquet files; "" is plain text
};

struct SourceFile {
  std::filesystem::path path;
  uint64_t bytes = 0;
  int64_t modified_ns = 0;  // since 1970
  uint64_t inode = 0;
  bool operator==(const SourceFile&) const = default;
};

struct Sources {
  enum class Kind { generated, file, folder };
  Kind kind = Kind::file;
  std::string name;                // for people
  std::string field;               // as in CorpusSpec
  std::vector<SourceFile> files;   // in the order of their relative paths' bytes; none for a generated corpus
  std::vector<std::string> notes;  // what was passed over
  std::filesystem::path parquet_program;  // reads what is a Parquet file; it may be missing

  uint64_t bytes() const;
  // 64 hex digits over everything that decides the text, as far as attributes tell.
  std::string fingerprint() const;
  // False when a file was modified within the last two seconds: a later change could then leave its attributes as they
  // are (a clock tick of the filesystem is some milliseconds), so what is read now must not be remembered by them.
  bool settled(int64_t now_ns) const;
};

// Folders are walked to any depth; linked files are taken. What gives no text is left out and told in a note, by kind,
// with the count and the first name: names that begin with '.', linked folders, dangling links and links in circles,
// what may not be read, pipes, sockets and devices, empty files. Throws Error{input}: a corpus that is missing (with
// the nearest built-in name), empty, dangling, no regular file, no match, a glob or field where it has no meaning; and
// Error{environment} when the LibTorch of the build is gone, of which `headers` are.
Sources list_sources(const CorpusSpec& spec);

// Where the headers of the build's LibTorch may lie: where it was when bitsweep was built, or installed with it. No
// variable of the environment is asked: what a build was made with belongs to the build.
std::vector<std::filesystem::path> header_folders();

// The first of them that is there. Throws Error{environment} when none is.
std::filesystem::path torch_headers(const std::vector<std::filesystem::path>& folders);

// Now, as times of files are told.
int64_t file_time_now_ns();

// The attributes of one file now. Throws Error{input} when it cannot be read or is no regular file.
SourceFile look_at(const std::filesystem::path& path);

}  // namespace bitsweep::data
