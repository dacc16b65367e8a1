#include <csignal>
#include <thread>

#include <sys/resource.h>
#include <sys/wait.h>

#include <gmock/gmock.h>

#include "base/sha256.h"
#include "compressed.h"
#include "data/corpus.h"
#include "data/stories.h"
#include "temp_folder.h"

namespace bitsweep::data {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::IsSupersetOf;

class CorpusTest : public TempFolder {
 protected:
  std::shared_ptr<const CorpusText> open(const CorpusSpec& spec) const { return open_corpus({spec}, cache()); }
  fs::path cache() const { return root / "cache"; }
  fs::path text_file(const std::string& sha256) const { return cache() / (sha256.substr(0, 12) + ".txt"); }
};

TEST_F(CorpusTest, one_text_file_is_mapped_where_it_lies) {
  const auto text = open({write("a.txt", "hello\nworld"), "", ""});
  EXPECT_EQ(text_of(text->bytes()), "hello\nworld");
  EXPECT_EQ(text->facts.sha256, sha256_hex("hello\nworld"));
  EXPECT_EQ(text->facts.name, "a.txt");
  EXPECT_EQ(text->facts.stats.bytes, 11u);
  for (const std::string& name : names("cache")) EXPECT_THAT(name, testing::StartsWith("sources-"));
}

TEST_F(CorpusTest, a_folder_is_joined_with_newlines_where_they_are_missing) {
  write("c/2", "two");
  write("c/1", "one\n");
  write("c/3", "");
  write("c/4", "four");
  const auto text = open({root / "c", "", ""});
  EXPECT_EQ(text_of(text->bytes()), "one\ntwo\nfour\n");
  EXPECT_EQ(text->facts.sha256, sha256_hex("one\ntwo\nfour\n"));
  EXPECT_EQ(text->facts.name, "c");
  EXPECT_EQ(read_file(text_file(text->facts.sha256)), "one\ntwo\nfour\n");
}

TEST_F(CorpusTest, a_trailing_slash_changes_nothing) {
  write("c/1", "one");
  EXPECT_EQ(open({(root / "c").string() + "/", "", ""})->facts.name, "c");
}

TEST_F(CorpusTest, json_lines_of_a_file_and_of_a_folder) {
  write("c/b.jsonl", "{\"t\":\"two\"}\n");
  const fs::path file = write("c/a.jsonl", "{\"t\":\"one\"}\n\n{\"t\":\"1b\"}");
  EXPECT_EQ(text_of(open({file, "", "t"})->bytes()), "one\n1b\n");
  EXPECT_EQ(text_of(open({root / "c", "*.jsonl", "t"})->bytes()), "one\n1b\ntwo\n");
}

TEST_F(CorpusTest, json_lines_without_field_are_text_and_it_is_said) {
  const auto text = open({write("a.jsonl", "{\"t\":\"one\"}\n"), "", ""});
  EXPECT_EQ(text_of(text->bytes()), "{\"t\":\"one\"}\n");
  EXPECT_THAT(text->facts.notes, ElementsAre(HasSubstr("data.field")));
}

TEST_F(CorpusTest, wrong_json_lines_of_several_files_are_told_together_and_nothing_stays) {
  write("c/a.jsonl", "{\"t\":1}\n{\"t\":\"fine\"}\n");
  write("c/b.jsonl", "{\"t\":\"fine\"}\n{\"t\":\"torn");
  const Error error = error_of([&] { open({root / "c", "", "t"}); });
  EXPECT_EQ(error.kind(), ErrorKind::input);
  ASSERT_EQ(error.diagnostics().size(), 2u);
  EXPECT_THAT(error.what(), HasSubstr("a.jsonl:1: 't' is a number"));
  EXPECT_THAT(error.what(), HasSubstr("b.jsonl:2: the last line is no complete JSON"));
  EXPECT_THAT(names("cache"), IsEmpty());
}

TEST_F(CorpusTest, compressed_text_is_the_text_it_holds) {
  const std::string text = numbered_text(50'000);
  const std::string plain = open({write("a.txt", text), "", ""})->facts.sha256;
  EXPECT_EQ(open({write("a.txt.gz", gzip(text)), "", ""})->facts.sha256, plain);
  EXPECT_EQ(open({write("named as it likes", zstd(text)), "", ""})->facts.sha256, plain);
  EXPECT_EQ(inspect_corpus({{root / "a.txt.gz", "", ""}}, cache()).facts.sha256, plain);
  write("c/1.gz", gzip("one"));
  write("c/2.zst", zstd("tw") + zstd("o"));
  write("c/3", "three");
  EXPECT_EQ(text_of(open({root / "c", "", ""})->bytes()), "one\ntwo\nthree\n");
}

TEST_F(CorpusTest, compressed_json_lines_are_read_by_their_field) {
  write("c/a.jsonl.gz", gzip("{\"t\":\"one\"}\n{\"t\"") + gzip(":\"1b\"}\n"));
  write("c/b.jsonl.zst", zstd("{\"t\":\"two\"}\n{\"t\":null}"));
  const auto text = open({root / "c", "", "t"});
  EXPECT_EQ(text_of(text->bytes()), "one\n1b\ntwo\n");
  EXPECT_THAT(text->facts.notes, ElementsAre(HasSubstr("1 document passed over: 't' is null there")));
  EXPECT_EQ(find_cached_corpus(text->facts.sha256, cache())->facts.notes.size(), 1u);
}

TEST_F(CorpusTest, json_lines_taken_as_text_are_told_whatever_the_name) {
  const std::string lines = "{\"text\":\"one\"}\n{\"text\":\"two\"}\n";
  for (const auto& file : {write("a.json.gz", gzip(lines)), write("a.json", lines), write("a", zstd(lines))})
    EXPECT_THAT(open({file, "", ""})->facts.notes, ElementsAre(HasSubstr("holds JSON lines"))) << file;
  EXPECT_THAT(open({write("b.txt", "{\"a\":1}\nand text\n"), "", ""})->facts.notes, IsEmpty());
}

TEST_F(CorpusTest, a_file_that_is_no_text_is_refused_in_words) {
  const std::string xz(
      "\xFD"
      "7zXZ\0....",
      10);
  const std::string wide("\xFF\xFEt\0e\0x\0t\0", 10);
  for (const char* field : {"", "text"}) {
    EXPECT_THAT(error_of([&] {
                  open({write("a.txt", xz), "", field});
                }).what(),
                HasSubstr("a.txt' is xz-compressed data, which is not read: unpack it (xz -d)"));
    EXPECT_THAT(error_of([&] {
                  inspect_corpus({{write("b.txt", wide), "", field}}, cache());
                }).what(),
                HasSubstr("is UTF-16LE text"));
    EXPECT_THAT(error_of([&] {
                  open({write("c.gz", gzip(xz)), "", field});
                }).what(),
                HasSubstr("is xz-compressed data within gzip-compressed data"));
    EXPECT_THAT(error_of([&] {
                  open({write("d.gz", gzip(gzip("text"))), "", field});
                }).what(),
                HasSubstr("gzip-compressed data within gzip-compressed data, which is not read: unpack it once"));
  }
  EXPECT_THAT(names("cache"), IsEmpty());
}

TEST_F(CorpusTest, files_of_a_folder_that_are_no_text_are_left_out_unless_they_are_most_of_it) {
  write("c/a.txt", numbered_text(1000));
  write("c/b.pdf", "%PDF-1.4 first");
  write("c/c.pdf", "%PDF-1.4 second");
  const auto text = open({root / "c", "", ""});
  EXPECT_EQ(text->facts.stats.bytes, 1001u);
  EXPECT_THAT(text->facts.notes, ElementsAre("left out of 'c': 2 files that are no text (first: 'b.pdf' is a PDF "
                                             "document)."));
  write("c/c.pdf", "%PDF-1.4 " + numbered_text(2000));
  EXPECT_THAT(error_of([&] {
                open({root / "c", "", ""});
              }).what(),
              HasSubstr("b.pdf' is a PDF document, which is not read: write its text out (pdftotext) (the "
                        "first of 2 such files)"));
}

TEST_F(CorpusTest, damaged_compressed_files_of_a_folder_are_told_with_their_places) {
  write("c/a.txt", "text");
  write("c/b.gz", gzip(numbered_text(1000)).substr(0, 100));
  write("c/c.zst", zstd(numbered_text(1000)).substr(0, 100));
  const Error error = error_of([&] { open({root / "c", "", ""}); });
  EXPECT_EQ(error.diagnostics().size(), 2u);
  EXPECT_THAT(error.what(), HasSubstr("b.gz: the gzip data is cut off: the file ends at byte 100"));
  EXPECT_THAT(error.what(), HasSubstr("c.zst: the zstd data is cut off: the file ends at byte 100"));
  EXPECT_THAT(names("cache"), IsEmpty());
}

TEST_F(CorpusTest, a_byte_order_mark_of_a_plain_text_is_kept_and_told) {
  EXPECT_THAT(open({write("a.txt", "\xEF\xBB\xBFtext"), "", ""})->facts.notes,
              ElementsAre(HasSubstr("byte-order mark")));
  write("c/1", "\xEF\xBB\xBFone");
  write("c/2", "two");
  const auto text = open({root / "c", "", ""});
  EXPECT_EQ(text_of(text->bytes()), "\xEF\xBB\xBFone\ntwo\n");
  EXPECT_THAT(text->facts.notes, ElementsAre(HasSubstr("1 file of 'c' with a byte-order mark")));
}

TEST_F(CorpusTest, json_lines_that_hold_no_line_are_refused) {
  EXPECT_THAT(error_of([&] { open({write("a.jsonl", "\n\n"), "", "t"}); }).what(), HasSubstr("holds no text"));
  EXPECT_THAT(error_of([&] {
                inspect_corpus({{root / "a.jsonl", "", "t"}}, cache());
              }).what(),
              HasSubstr("holds no text"));
}

TEST_F(CorpusTest, is_built_once) {
  write("c/1", "one");
  const auto first = open({root / "c", "", ""});
  const fs::path path = text_file(first->facts.sha256);
  const auto inode = look_at(path).inode;
  EXPECT_EQ(text_of(open({root / "c", "", ""})->bytes()), "one\n");
  EXPECT_EQ(look_at(path).inode, inode);
}

TEST_F(CorpusTest, notices_a_changed_an_added_and_a_removed_file) {
  write("c/1", "one");
  EXPECT_EQ(text_of(open({root / "c", "", ""})->bytes()), "one\n");
  write("c/1", "uno", std::chrono::seconds(30));
  EXPECT_EQ(text_of(open({root / "c", "", ""})->bytes()), "uno\n");
  write("c/2", "two");
  EXPECT_EQ(text_of(open({root / "c", "", ""})->bytes()), "uno\ntwo\n");
  fs::remove(root / "c/1");
  EXPECT_EQ(text_of(open({root / "c", "", ""})->bytes()), "two\n");
}

TEST_F(CorpusTest, notices_a_file_rewritten_within_a_tick_of_the_clock) {
  const fs::path file = write("a.txt", "one", std::chrono::seconds(0));
  const auto time = fs::last_write_time(file);
  const std::string before = open({file, "", ""})->facts.sha256;
  std::ofstream(file) << "two";
  fs::last_write_time(file, time);  // the same attributes, another content
  EXPECT_NE(open({file, "", ""})->facts.sha256, before);
}

TEST_F(CorpusTest, the_hash_of_a_file_is_remembered_by_its_attributes) {
  const fs::path file = write("a.txt", "one");
  const auto time = fs::last_write_time(file);
  const std::string before = open({file, "", ""})->facts.sha256;
  std::ofstream(file) << "two";
  fs::last_write_time(file, time);  // a forgery: shows that the content was not read again
  EXPECT_EQ(open({file, "", ""})->facts.sha256, before);
}

TEST_F(CorpusTest, a_damaged_cache_is_made_anew) {
  write("c/1", "one");
  const std::string sha256 = open({root / "c", "", ""})->facts.sha256;
  fs::resize_file(text_file(sha256), 2);
  EXPECT_EQ(text_of(open({root / "c", "", ""})->bytes()), "one\n");
  fs::remove(text_file(sha256));
  EXPECT_EQ(text_of(open({root / "c", "", ""})->bytes()), "one\n");
  for (const auto& entry : fs::directory_iterator(cache()))
    if (entry.path().extension() == ".json") std::ofstream(entry.path()) << "{\"sha256\": tru";
  EXPECT_EQ(text_of(open({root / "c", "", ""})->bytes()), "one\n");
  EXPECT_NE(find_cached_corpus(sha256, cache()), nullptr);
}

TEST_F(CorpusTest, is_found_by_hash_when_its_sources_are_gone) {
  write("c/1", "one");
  const std::string sha256 = open({root / "c", "", ""})->facts.sha256;
  fs::remove_all(root / "c");
  const auto found = find_cached_corpus(sha256, cache());
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(text_of(found->bytes()), "one\n");
  EXPECT_EQ(find_cached_corpus(sha256_hex("other"), cache()), nullptr);
  EXPECT_EQ(find_cached_corpus(sha256, root / "nowhere"), nullptr);
}

TEST_F(CorpusTest, inspection_finds_the_same_and_writes_nothing) {
  write("c/1", "one");
  const fs::path file = write("f.txt", "a file");
  const InspectedCorpus folder = inspect_corpus({{root / "c", "", ""}}, cache());
  const InspectedCorpus single = inspect_corpus({{file, "", ""}}, cache());
  EXPECT_FALSE(fs::exists(cache()));
  EXPECT_EQ(folder.text, nullptr);
  ASSERT_NE(single.text, nullptr);
  EXPECT_EQ(folder.facts.sha256, open({root / "c", "", ""})->facts.sha256);
  EXPECT_EQ(single.facts.sha256, open({file, "", ""})->facts.sha256);
  EXPECT_NE(inspect_corpus({{root / "c", "", ""}}, cache()).text, nullptr);
}

TEST_F(CorpusTest, stories_have_a_known_entropy) {
  const auto text = open({"stories", "", ""});
  EXPECT_GE(text->bytes().size(), stories_bytes);
  EXPECT_EQ(text->facts.entropy_bits_per_byte, stories_entropy_bits_per_byte());
  // Through JSON, whose parser may miss the last bit.
  EXPECT_NEAR(find_cached_corpus(text->facts.sha256, cache())->facts.entropy_bits_per_byte.value(),
              stories_entropy_bits_per_byte(), 1e-12);
}

TEST_F(CorpusTest, threads_may_build_the_same_text_at_once) {
  for (int i = 0; i < 50; ++i) write("c/" + std::to_string(i), numbered_text(5000));
  std::vector<std::thread> threads;
  std::vector<std::string> texts(6);
  for (std::string& text : texts) threads.emplace_back([&] { text = text_of(open({root / "c", "", ""})->bytes()); });
  for (std::thread& thread : threads) thread.join();
  for (const std::string& text : texts) EXPECT_EQ(text, texts[0]);
  EXPECT_EQ(texts[0].size(), 50u * 5001);
  for (const std::string& name : names("cache")) EXPECT_THAT(name, testing::Not(HasSubstr("tmp")));
}

TEST_F(CorpusTest, processes_may_build_the_same_text_at_once) {
  for (int i = 0; i < 50; ++i) write("c/" + std::to_string(i), numbered_text(5000));
  std::vector<pid_t> children;
  for (int i = 0; i < 4; ++i) {
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      try {
        ::_exit(open({root / "c", "", ""})->bytes().size() == 50u * 5001 ? 0 : 1);
      } catch (...) {
        ::_exit(2);
      }
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = -1;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
  }
  EXPECT_EQ(names("cache").size(), 4u);  // the text, its documents' ends, its facts, its sources
}

TEST_F(CorpusTest, a_cache_that_cannot_be_is_an_error_of_the_environment) {
  write("c/1", "one");
  write("cache", "a file in its place");
  const Error error = error_of([&] { open({root / "c", "", ""}); });
  EXPECT_EQ(error.kind(), ErrorKind::environment);
  EXPECT_THAT(error.what(), HasSubstr("cache"));
  // A text in place does without.
  EXPECT_EQ(text_of(open({write("a.txt", "text"), "", ""})->bytes()), "text");
}

TEST_F(CorpusTest, a_text_larger_than_the_disk_is_refused_before_it_is_written) {
  const CorpusCache cache_of_root(cache());
  const Error error = error_of([&] { CorpusWriter(cache_of_root, "big", uint64_t{1} << 60); });
  EXPECT_EQ(error.kind(), ErrorKind::environment);
  EXPECT_THAT(error.what(), HasSubstr("corpus 'big' takes"));
  EXPECT_THAT(names("cache"), IsEmpty());
}

// A limit on file sizes refuses a write as a full disk does, and needs no disk of its own.
TEST_F(CorpusTest, a_disk_that_fills_up_is_an_error_and_leaves_nothing) {
  for (int i = 0; i < 50; ++i) write("c/" + std::to_string(i), numbered_text(50'000));
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{1'100'000, 1'100'000};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    try {
      open({root / "c", "", ""});
    } catch (const Error& error) {
      ::_exit(error.exit_code());
    }
    ::_exit(0);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(WEXITSTATUS(status), static_cast<int>(ErrorKind::environment));
  EXPECT_THAT(names("cache"), IsEmpty());
}

TEST_F(CorpusTest, an_unfinished_text_leaves_nothing) {
  {
    CorpusWriter writer(CorpusCache(cache()), "half", 100);
    writer.add(bytes_of(numbered_text(3 << 20)));
    EXPECT_EQ(names("cache").size(), 1u);
  }
  EXPECT_THAT(names("cache"), IsEmpty());
}

TEST_F(CorpusTest, what_a_crash_left_is_removed_after_a_day) {
  write("cache/building-1-1.tmp", "old", std::chrono::hours(25));
  write("cache/building-1-2.tmp", "fresh");
  write("cache/other.tmp", "not ours", std::chrono::hours(25));
  write("c/1", "one");
  open({root / "c", "", ""});
  EXPECT_THAT(names("cache"), IsSupersetOf({"building-1-2.tmp", "other.tmp"}));
  EXPECT_FALSE(names("cache").contains("building-1-1.tmp"));
}

}  // namespace
}  // namespace bitsweep::data
