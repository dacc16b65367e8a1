// Files: whole reads, durable atomic writes, read-only maps, owned descriptors. Errors are `Error` with the path and
// the system's reason in the message.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace bitsweep {

namespace fs = std::filesystem;

// Owns a file descriptor; always opened close-on-exec.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(other.release()) {}
  Fd& operator=(Fd&& other) noexcept;
  ~Fd() { reset(); }
  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  int release();
  void reset();

 private:
  int fd_ = -1;
};

// Throws Error{environment} "cannot open PATH: reason" when the system refuses.
Fd open_file(const fs::path& path, int flags, int mode = 0644);

// The whole file. Throws Error{input} when it cannot be read or is larger than `limit_bytes`.
std::string read_file(const fs::path& path, uint64_t limit_bytes = UINT64_C(1) << 32);

// What can be read of a file that may vanish while it is read, as those of /proc and /sys; "" for nothing.
std::string read_if_there(const fs::path& path);

// Writes all of `data` or throws Error{environment}; retries on EINTR and short writes.
void write_all(int fd, std::string_view data, const fs::path& path_for_message);

// Durable replacement: temporary file in the same folder, fsync, rename, fsync of the folder. The old file stays whole
// until the new one is. Throws Error{environment}; no temporary file stays behind.
void write_file_atomic(const fs::path& path, std::string_view data);

// The same in pieces, for what does not fit into one string: the file appears whole at commit() or not at all.
class AtomicFile {
 public:
  explicit AtomicFile(fs::path path);
  ~AtomicFile();  // removes the temporary file of one that was not committed
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  void write(std::string_view data);
  void commit();

 private:
  fs::path path_, temporary_;
  Fd fd_;
};

void sync_folder(const fs::path& folder);

// Creates the folder and its parents. Throws Error{environment} naming the folder.
void make_folder(const fs::path& folder);

// A file mapped for reading. An empty file maps to an empty span.
class MappedFile {
 public:
  MappedFile() = default;
  explicit MappedFile(const fs::path& path);
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  ~MappedFile();
  std::span<const uint8_t> bytes() const { return {data_, size_}; }

 private:
  const uint8_t* data_ = nullptr;
  size_t size_ = 0;
};

// The folder of the running program (/proc/self/exe), symbolic links resolved.
fs::path program_folder();

// Bytes free to this user on the filesystem of `path` (or of its nearest existing parent).
uint64_t free_bytes(const fs::path& path);

}  // namespace bitsweep
