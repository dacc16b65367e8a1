#include <fstream>
#include <functional>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/files.h"

namespace bitsweep {
namespace {

fs::path fresh_folder() {
  const auto* info = testing::UnitTest::GetInstance()->current_test_info();
  const fs::path folder = fs::path(testing::TempDir()) / "bitsweep files" / info->name();
  fs::remove_all(folder);
  fs::create_directories(folder);
  return folder;
}

std::string message_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(Files, AtomicWriteReplacesAndLeavesNothingElse) {
  const fs::path folder = fresh_folder();
  write_file_atomic(folder / "it's", "one");
  write_file_atomic(folder / "it's", std::string("two\0three", 9));
  EXPECT_EQ(read_file(folder / "it's"), std::string("two\0three", 9));
  EXPECT_EQ(std::distance(fs::directory_iterator(folder), fs::directory_iterator()), 1);
}

TEST(Files, AtomicWriteIntoNothingNamesThePath) {
  const fs::path folder = fresh_folder();
  const std::string message = message_of([&] { write_file_atomic(folder / "no" / "file", "x"); });
  EXPECT_NE(message.find("No such file"), std::string::npos) << message;
  EXPECT_NE(message.find((folder / "no").string()), std::string::npos) << message;
}

TEST(Files, AFailedWriteKeepsTheOldFileAndNoTemporary) {
  const fs::path folder = fresh_folder();
  fs::create_directory(folder / "taken");  // rename of a file onto a folder fails
  EXPECT_THROW(write_file_atomic(folder / "taken", "x"), Error);
  EXPECT_TRUE(fs::is_directory(folder / "taken"));
  EXPECT_EQ(std::distance(fs::directory_iterator(folder), fs::directory_iterator()), 1);
}

TEST(Files, AFullDiskIsSaid) {
  Fd full = open_file("/dev/full", O_WRONLY);
  const std::string message = message_of([&] { write_all(full.get(), "x", "/dev/full"); });
  EXPECT_NE(message.find("No space left"), std::string::npos) << message;
}

TEST(Files, ReadingSaysWhy) {
  const fs::path folder = fresh_folder();
  EXPECT_NE(message_of([&] { read_file(folder / "none"); }).find("No such file"), std::string::npos);
  EXPECT_NE(message_of([&] { read_file(folder); }).find("Is a directory"), std::string::npos);
  write_file_atomic(folder / "big", std::string(100, 'x'));
  EXPECT_NE(message_of([&] { read_file(folder / "big", 99); }).find("larger than"), std::string::npos);
  EXPECT_EQ(read_file(folder / "big", 100).size(), 100u);
}

TEST(Files, ADanglingLinkIsNoFile) {
  const fs::path folder = fresh_folder();
  fs::create_symlink(folder / "nothing", folder / "link");
  EXPECT_THROW(read_file(folder / "link"), Error);
  EXPECT_THROW(MappedFile(folder / "link"), Error);
}

TEST(Files, MapsWholeAndEmptyFiles) {
  const fs::path folder = fresh_folder();
  write_file_atomic(folder / "a", "hello");
  write_file_atomic(folder / "empty", "");
  MappedFile map(folder / "a");
  EXPECT_EQ(std::string(map.bytes().begin(), map.bytes().end()), "hello");
  MappedFile moved = std::move(map);
  EXPECT_EQ(moved.bytes().size(), 5u);
  EXPECT_TRUE(MappedFile(folder / "empty").bytes().empty());
  EXPECT_THROW(MappedFile{folder}, Error);
}

TEST(Files, TwoWritersAtOnceLeaveOneWholeFile) {
  const fs::path path = fresh_folder() / "shared";
  const std::string a(200'000, 'a'), b(200'000, 'b');
  // Threads share a process id, hence a temporary name: separate processes are what the contract is for.
  const pid_t child = ::fork();
  for (int i = 0; i < 20; ++i) write_file_atomic(path, child == 0 ? a : b);
  if (child == 0) ::_exit(0);
  int status = 0;
  ::waitpid(child, &status, 0);
  const std::string text = read_file(path);
  EXPECT_TRUE(text == a || text == b);
}

TEST(Files, FoldersAreMadeOrNamed) {
  const fs::path folder = fresh_folder();
  make_folder(folder / "a/b");
  EXPECT_TRUE(fs::is_directory(folder / "a/b"));
  make_folder(folder / "a/b");
  write_file_atomic(folder / "file", "");
  EXPECT_NE(message_of([&] { make_folder(folder / "file/x"); }).find("cannot create folder"), std::string::npos);
}

TEST(Files, FreeBytesOfAFolderThatIsNotThereYet) { EXPECT_GT(free_bytes(fresh_folder() / "x/y/z"), 0u); }

TEST(Files, DescriptorsCloseOnExecAndOnce) {
  Fd fd = open_file("/dev/null", O_RDONLY);
  EXPECT_NE(::fcntl(fd.get(), F_GETFD) & FD_CLOEXEC, 0);
  const int raw = fd.get();
  Fd moved = std::move(fd);
  EXPECT_FALSE(fd);
  EXPECT_EQ(moved.get(), raw);
  moved.reset();
  EXPECT_EQ(::fcntl(raw, F_GETFD), -1);
}

}  // namespace
}  // namespace bitsweep
