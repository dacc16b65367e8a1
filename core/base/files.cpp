#include "base/files.h"

#include <atomic>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>
#include <utility>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "base/error.h"

namespace bitsweep {
namespace {

[[noreturn]] void fail(ErrorKind kind, const char* what, const fs::path& path, int code) {
  throw Error(kind, fmt::format("cannot {} '{}': {}", what, path.string(), std::strerror(code)));
}

}  // namespace

Fd& Fd::operator=(Fd&& other) noexcept {
  if (this != &other) {
    reset();
    fd_ = other.release();
  }
  return *this;
}

int Fd::release() { return std::exchange(fd_, -1); }

void Fd::reset() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

Fd open_file(const fs::path& path, int flags, int mode) {
  const int fd = ::open(path.c_str(), flags | O_CLOEXEC, mode);
  if (fd < 0) fail(ErrorKind::environment, "open", path, errno);
  return Fd(fd);
}

std::string read_file(const fs::path& path, uint64_t limit_bytes) {
  Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) fail(ErrorKind::input, "read", path, errno);
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) fail(ErrorKind::input, "read", path, errno);
  if (S_ISDIR(info.st_mode)) fail(ErrorKind::input, "read", path, EISDIR);
  std::string text;
  char buffer[1 << 16];
  for (;;) {
    const ssize_t got = ::read(fd.get(), buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail(ErrorKind::input, "read", path, errno);
    if (got == 0) return text;
    text.append(buffer, static_cast<size_t>(got));
    if (text.size() > limit_bytes)
      throw Error(ErrorKind::input,
                  fmt::format("'{}' is larger than the {} bytes allowed here", path.string(), limit_bytes));
  }
}

std::string read_if_there(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

void write_all(int fd, std::string_view data, const fs::path& path_for_message) {
  while (!data.empty()) {
    const ssize_t put = ::write(fd, data.data(), data.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) fail(ErrorKind::environment, "write", path_for_message, errno);
    data.remove_prefix(static_cast<size_t>(put));
  }
}

namespace {

// Unlike any other's, of this process's threads too.
std::string temporary_suffix() {
  static std::atomic<uint64_t> counter{0};
  return fmt::format(".tmp{}-{}", ::getpid(), counter++);
}

}  // namespace

AtomicFile::AtomicFile(fs::path path)
    : path_(std::move(path)),
      temporary_(path_.string() + temporary_suffix()),
      fd_(open_file(temporary_, O_WRONLY | O_CREAT | O_TRUNC)) {}

AtomicFile::~AtomicFile() {
  if (fd_) ::unlink(temporary_.c_str());
}

void AtomicFile::write(std::string_view data) { write_all(fd_.get(), data, path_); }

void AtomicFile::commit() {
  if (::fsync(fd_.get()) != 0) fail(ErrorKind::environment, "sync", path_, errno);
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) fail(ErrorKind::environment, "replace", path_, errno);
  fd_.reset();
  sync_folder(path_.parent_path());
}

void write_file_atomic(const fs::path& path, std::string_view data) {
  AtomicFile file(path);
  file.write(data);
  file.commit();
}

void sync_folder(const fs::path& folder) {
  const fs::path name = folder.empty() ? fs::path(".") : folder;
  Fd fd = open_file(name, O_RDONLY | O_DIRECTORY);
  // Some filesystems do not sync folders and say so; the rename is then as durable as they can make it.
  if (::fsync(fd.get()) != 0 && errno != EINVAL && errno != EROFS) fail(ErrorKind::environment, "sync", name, errno);
}

void make_folder(const fs::path& folder) {
  std::error_code code;
  fs::create_directories(folder, code);
  if (code) fail(ErrorKind::environment, "create folder", folder, code.value());
}

MappedFile::MappedFile(const fs::path& path) {
  Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) fail(ErrorKind::input, "read", path, errno);
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) fail(ErrorKind::input, "read", path, errno);
  if (!S_ISREG(info.st_mode)) throw Error(ErrorKind::input, fmt::format("'{}' is not a regular file", path.string()));
  size_ = static_cast<size_t>(info.st_size);
  if (size_ == 0) return;
  void* map = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, fd.get(), 0);
  if (map == MAP_FAILED) fail(ErrorKind::input, "map", path, errno);
  data_ = static_cast<const uint8_t*>(map);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(const_cast<uint8_t*>(data_), size_);
}

fs::path program_folder() { return fs::read_symlink("/proc/self/exe").parent_path(); }

uint64_t free_bytes(const fs::path& path) {
  std::error_code code;
  fs::path existing = fs::absolute(path);
  while (!fs::exists(existing, code) && existing.has_relative_path()) existing = existing.parent_path();
  const fs::space_info info = fs::space(existing, code);
  return code ? 0 : info.available;
}

}  // namespace bitsweep
