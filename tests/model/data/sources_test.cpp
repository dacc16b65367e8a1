#include <cstdlib>
#include <optional>

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gmock/gmock.h>

#include "data/sources.h"
#include "temp_folder.h"

namespace bitsweep::data {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class SourcesTest : public TempFolder {
 protected:
  std::vector<std::string> listed(const std::string& glob = "") const {
    std::vector<std::string> relative;
    for (const SourceFile& file : list_sources({root / "c", glob, ""}).files)
      relative.push_back(file.path.lexically_relative(root / "c").string());
    return relative;
  }
  std::vector<std::string> notes(const std::string& glob = "") const {
    return list_sources({root / "c", glob, ""}).notes;
  }
  std::string refusal(const CorpusSpec& spec) const {
    const Error error = error_of([&] { list_sources(spec); });
    EXPECT_EQ(error.kind(), ErrorKind::input);
    return error.what();
  }
};

TEST_F(SourcesTest, a_folder_is_walked_in_the_order_of_its_paths) {
  for (const char* name : {"b.txt", "a/z.txt", "a.txt", "a/b/c.txt", "B.txt", "with space 'n' quote\".txt"})
    write(std::string("c/") + name, "x");
  EXPECT_THAT(listed(), ElementsAre("B.txt", "a.txt", "a/b/c.txt", "a/z.txt", "b.txt", "with space 'n' quote\".txt"));
  EXPECT_THAT(listed("[ab].txt"), ElementsAre("a.txt", "b.txt"));
  EXPECT_THAT(listed("a/**/*.txt"), ElementsAre("a/b/c.txt", "a/z.txt"));
}

TEST_F(SourcesTest, hidden_names_are_left_out_and_told) {
  write("c/.git/config", "x");
  write("c/.hidden", "x");
  write("c/seen", "x");
  EXPECT_THAT(listed(), ElementsAre("seen"));
  EXPECT_THAT(notes(), ElementsAre(HasSubstr("2 hidden names (first: '.git')")));
  EXPECT_THAT(notes("*n"), ElementsAre(HasSubstr("2 hidden names (first: '.git')")));
  EXPECT_THAT(notes("s*"), ElementsAre(HasSubstr("1 hidden name (first: '.git')")));
}

TEST_F(SourcesTest, linked_files_are_taken_and_linked_folders_told) {
  write("elsewhere/f", "x");
  write("c/own", "x");
  std::filesystem::create_symlink(root / "elsewhere/f", root / "c/link");
  std::filesystem::create_directory_symlink(root / "c", root / "c/loop");
  EXPECT_THAT(listed(), ElementsAre("link", "own"));
  EXPECT_THAT(notes(), ElementsAre(HasSubstr("1 linked folder (first: 'loop')")));
}

TEST_F(SourcesTest, one_bad_name_does_not_refuse_a_folder_and_each_kind_is_told) {
  write("c/a.txt", "x");
  write("c/sub/empty.txt", "");
  for (const char* name : {"l2", "l1", "sub/l0"}) std::filesystem::create_symlink("/nowhere", root / "c" / name);
  std::filesystem::create_symlink("circle", root / "c/circle");
  ASSERT_EQ(::mkfifo((root / "c/pipe").c_str(), 0600), 0);
  EXPECT_THAT(listed(), ElementsAre("a.txt", "sub/empty.txt"));
  EXPECT_THAT(notes(), ElementsAre("left out of '" + (root / "c").string() +
                                   "': 3 dangling links (first: 'l1'), 1 link in a circle (first: 'circle'), 1 pipe, "
                                   "socket or device (first: 'pipe'), 1 empty file (first: 'sub/empty.txt')."));
}

// In a process of its own, as somebody who may not read everything.
TEST_F(SourcesTest, what_may_not_be_read_is_left_out_and_told) {
  write("c/a.txt", "x");
  std::filesystem::permissions(write("c/b.txt", "x"), std::filesystem::perms::none);
  write("c/sub/c.txt", "x");
  std::filesystem::permissions(root / "c/sub", std::filesystem::perms::none);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    if (::geteuid() == 0 && ::seteuid(65534) != 0) ::_exit(3);
    const bool told = listed() == std::vector<std::string>{"a.txt"} && notes().size() == 1 &&
                      notes()[0].find("2 unreadable names (first: 'b.txt', Permission denied)") != std::string::npos;
    ::_exit(told ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  std::filesystem::permissions(root / "c/sub", std::filesystem::perms::all);
}

TEST_F(SourcesTest, pipes_are_not_read) {
  write("c/own", "x");
  ASSERT_EQ(::mkfifo((root / "c/pipe").c_str(), 0600), 0);
  EXPECT_THAT(listed(), ElementsAre("own"));
  EXPECT_THAT(refusal({root / "c/pipe", "", ""}), HasSubstr("no regular file"));
  EXPECT_THAT(refusal({"/dev/zero", "", ""}), HasSubstr("no regular file"));
}

TEST_F(SourcesTest, bad_paths_are_refused_by_name) {
  EXPECT_THAT(refusal({"", "", ""}), HasSubstr("data.corpus is empty"));
  EXPECT_THAT(refusal({root / "nowhere", "", ""}), HasSubstr("nowhere': No such file"));
  EXPECT_THAT(refusal({(root / "file").string() + "/x", "", ""}), HasSubstr("No such file"));
  std::filesystem::create_symlink(root / "gone", root / "dangling");
  EXPECT_THAT(refusal({root / "dangling", "", ""}), HasSubstr("dangling' is a symbolic link to"));
  EXPECT_THAT(refusal({write("empty.txt", ""), "", ""}), HasSubstr("empty.txt' is empty"));
  EXPECT_THAT(refusal({std::string("a\0b", 3), "", ""}), HasSubstr("NUL byte"));
  EXPECT_THAT(refusal({std::string(5000, 'x'), "", ""}), HasSubstr("name too long"));
}

TEST_F(SourcesTest, folders_without_text_are_refused) {
  std::filesystem::create_directories(root / "c/sub");
  EXPECT_THAT(refusal({root / "c", "", ""}), HasSubstr("holds no regular file"));
  write("c/a.txt", "");
  EXPECT_THAT(refusal({root / "c", "", ""}), HasSubstr("is empty"));
  EXPECT_THAT(refusal({root / "c", "*.md", ""}), HasSubstr("data.glob '*.md' matches none of the 1 files in"));
}

TEST_F(SourcesTest, a_folder_of_nothing_but_bad_names_is_refused_with_them) {
  std::filesystem::create_directories(root / "c");
  for (int i = 0; i < 30; ++i)
    std::filesystem::create_symlink("/nowhere/" + std::to_string(i), root / "c" / ("l" + std::to_string(i)));
  EXPECT_THAT(refusal({root / "c", "", ""}),
              HasSubstr("holds no regular file; left out: 30 dangling links (first: 'l0')"));
}

TEST_F(SourcesTest, sizes_beyond_32_bits_are_counted) {
  for (const char* name : {"c/a", "c/b"}) {
    write(name, "x");
    std::filesystem::resize_file(root / name, (uint64_t{1} << 32) + 7);  // sparse
  }
  const Sources sources = list_sources({root / "c", "", ""});
  EXPECT_EQ(sources.bytes(), 2 * ((uint64_t{1} << 32) + 7));
}

TEST_F(SourcesTest, glob_and_field_are_refused_where_they_mean_nothing) {
  EXPECT_THAT(refusal({write("f.txt", "x"), "*.txt", ""}), HasSubstr("data.glob is for folders"));
  EXPECT_THAT(refusal({"stories", "", "text"}), HasSubstr("takes neither data.glob nor data.field"));
  EXPECT_THAT(refusal({"headers", "*.h", ""}), HasSubstr("takes neither data.glob nor data.field"));
}

TEST_F(SourcesTest, the_fingerprint_notices_every_change) {
  write("c/a.txt", "one");
  write("c/b.txt", "two");
  const auto fingerprint = [&](const std::string& field = "") {
    return list_sources({root / "c", "", field}).fingerprint();
  };
  std::set<std::string> seen{fingerprint()};
  EXPECT_EQ(fingerprint(), *seen.begin());
  EXPECT_TRUE(seen.insert(fingerprint("text")).second);
  write("c/a.txt", "uno", std::chrono::seconds(30));  // same size, other time
  EXPECT_TRUE(seen.insert(fingerprint()).second);
  write("c/a.txt", "three", std::chrono::seconds(30));
  EXPECT_TRUE(seen.insert(fingerprint()).second);
  write("c/c.txt", "new");
  EXPECT_TRUE(seen.insert(fingerprint()).second);
  std::filesystem::rename(root / "c/c.txt", root / "c/d.txt");
  EXPECT_TRUE(seen.insert(fingerprint()).second);
  std::filesystem::remove(root / "c/b.txt");
  EXPECT_TRUE(seen.insert(fingerprint()).second);
}

TEST_F(SourcesTest, fresh_files_are_not_settled) {
  const Sources sources = list_sources({write("f.txt", "x", std::chrono::seconds(0)), "", ""});
  const int64_t modified = sources.files[0].modified_ns;
  EXPECT_FALSE(sources.settled(modified + 1'000'000'000));
  EXPECT_TRUE(sources.settled(modified + 3'000'000'000));
  EXPECT_TRUE(list_sources({"stories", "", ""}).settled(0));
}

// The variable of the build, at run time.
class HeadersTest : public SourcesTest {
 protected:
  void SetUp() override {
    if (const char* value = std::getenv("BITSWEEP_TORCH")) before_ = value;
  }
  void TearDown() override { before_ ? ::setenv("BITSWEEP_TORCH", before_->c_str(), 1) : ::unsetenv("BITSWEEP_TORCH"); }
  std::optional<std::string> before_;
};

TEST_F(HeadersTest, are_of_the_build_whatever_the_environment_says) {
  ::unsetenv("BITSWEEP_TORCH");
  const Sources sources = list_sources({"headers", "", ""});
  EXPECT_EQ(sources.name, "headers");
  EXPECT_GT(sources.files.size(), 1000u);
  for (const char* value : {"python", "", "/no/such/folder", root.c_str()}) {
    ::setenv("BITSWEEP_TORCH", value, 1);
    EXPECT_EQ(list_sources({"headers", "", ""}).fingerprint(), sources.fingerprint()) << value;
  }
}

TEST_F(HeadersTest, lie_where_the_build_had_them_or_beside_the_installed_program) {
  const std::vector<std::filesystem::path> folders = header_folders();
  ASSERT_EQ(folders.size(), 2u);
  EXPECT_TRUE(folders[0].string().ends_with("/include")) << folders[0];
  EXPECT_TRUE(folders[1].string().ends_with("/lib/bitsweep/libtorch/include")) << folders[1];
  write("b/include/a.h", "x");
  EXPECT_EQ(torch_headers({root / "a" / "include", root / "b" / "include"}), root / "b" / "include");
}

TEST_F(HeadersTest, without_torch_say_what_mends_it) {
  const Error error = error_of([&] { torch_headers({root / "none", root / "neither"}); });
  EXPECT_EQ(error.kind(), ErrorKind::environment);
  EXPECT_THAT(error.what(), HasSubstr("./quickstart"));
  EXPECT_THAT(error.what(), HasSubstr((root / "none").string()));
}

}  // namespace
}  // namespace bitsweep::data
