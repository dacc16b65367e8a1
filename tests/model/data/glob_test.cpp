#include <gmock/gmock.h>

#include "data/glob.h"
#include "temp_folder.h"

namespace bitsweep::data {
namespace {

bool matches(std::string_view pattern, std::string_view path) { return Glob(pattern).matches(path); }

TEST(Glob, without_a_slash_takes_the_name_in_any_folder) {
  EXPECT_TRUE(matches("*.h", "a.h"));
  EXPECT_TRUE(matches("*.h", "deep/er/a.h"));
  EXPECT_FALSE(matches("*.h", "a.hpp"));
  EXPECT_FALSE(matches("*.h", "a.h/readme"));
  EXPECT_TRUE(matches("?.txt", "x/1.txt"));
  EXPECT_FALSE(matches("?.txt", "x/12.txt"));
}

TEST(Glob, with_a_slash_takes_the_whole_path) {
  EXPECT_TRUE(matches("src/*.c", "src/a.c"));
  EXPECT_FALSE(matches("src/*.c", "src/sub/a.c"));
  EXPECT_FALSE(matches("src/*.c", "lib/src/a.c"));
}

TEST(Glob, two_stars_cross_folders) {
  EXPECT_TRUE(matches("src/**/a.c", "src/a.c"));
  EXPECT_TRUE(matches("src/**/a.c", "src/x/y/a.c"));
  EXPECT_FALSE(matches("src/**/a.c", "src/x/ya.c"));
  EXPECT_TRUE(matches("**/test/*", "a/b/test/c"));
  EXPECT_TRUE(matches("**/test/*", "test/c"));
  EXPECT_TRUE(matches("src/**", "src/x/y"));
}

TEST(Glob, sets_and_escapes) {
  EXPECT_TRUE(matches("[a-c]1", "b1"));
  EXPECT_FALSE(matches("[a-c]1", "d1"));
  EXPECT_TRUE(matches("[!a-c]1", "d1"));
  EXPECT_TRUE(matches("[]x]", "]"));
  EXPECT_TRUE(matches("[a-]", "-"));
  EXPECT_TRUE(matches("\\*", "*"));
  EXPECT_FALSE(matches("\\*", "a"));
  EXPECT_FALSE(matches("a/[!b]", "a//"));
}

TEST(Glob, braces_give_alternatives) {
  for (const char* path : {"a.h", "x/b.cpp", "c.cu"}) EXPECT_TRUE(matches("*.{h,cpp,cu}", path)) << path;
  EXPECT_FALSE(matches("*.{h,cpp}", "a.py"));
  EXPECT_TRUE(matches("{a,b}{1,2}", "b1"));
  EXPECT_TRUE(matches("a{,b}", "a"));
  EXPECT_TRUE(matches("\\{a", "{a"));
}

TEST(Glob, refuses_what_is_not_closed) {
  for (const char* pattern : {"*.{h,cpp", "a[bc", "{a,{b,c}}", "x{[a,b}"}) {
    const Error error = error_of([&] { Glob{pattern}; });
    EXPECT_EQ(error.kind(), ErrorKind::input);
    EXPECT_THAT(error.what(), testing::HasSubstr(pattern));
  }
  EXPECT_THROW(Glob("{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}"), Error);
}

TEST(Glob, many_stars_take_no_exponential_time) {
  std::string pattern, text(4000, 'a');
  for (int i = 0; i < 60; ++i) pattern += "*a";
  EXPECT_FALSE(matches(pattern + "b", text));
  EXPECT_TRUE(matches(pattern, text));
}

}  // namespace
}  // namespace bitsweep::data
