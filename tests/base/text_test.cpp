// Units, nearest words, errors, hashes, time.
#include <clocale>
#include <cmath>

#include <gtest/gtest.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/nearest.h"
#include "base/sha256.h"
#include "base/units.h"
#include "base/utf8.h"

namespace bitsweep {
namespace {

TEST(Units, SizesTakePowersOfAThousand) {
  EXPECT_EQ(parse_size("300M"), 300e6);
  EXPECT_EQ(parse_size("5.5M"), 5'500'000.0);
  EXPECT_EQ(parse_size("1B"), 1e9);
  EXPECT_EQ(parse_size("20k"), 20e3);
  EXPECT_EQ(parse_size("4_000_000"), 4e6);
  EXPECT_EQ(parse_size("3e-4"), 3e-4);
}

TEST(Units, SizesThatAreNone) {
  for (const char* text : {"", "M", "5.5MM", "five", "1 000", "_1", "1_", "0x10", "12h", "1e", "--1"})
    EXPECT_EQ(parse_size(text), std::nullopt) << text;
}

TEST(Units, NumbersKeepNonFiniteValuesVisible) {
  EXPECT_TRUE(std::isnan(*parse_number("nan")));
  EXPECT_TRUE(std::isnan(*parse_number(".nan")));
  EXPECT_TRUE(std::isinf(*parse_number("inf")));
  EXPECT_TRUE(std::isinf(*parse_number("1e999")));
  EXPECT_EQ(parse_number(".5"), 0.5);
  EXPECT_EQ(parse_number("+2"), 2.0);
}

TEST(Units, Durations) {
  EXPECT_EQ(parse_duration_s("90"), 90);
  EXPECT_EQ(parse_duration_s("30s"), 30);
  EXPECT_EQ(parse_duration_s("1.5m"), 90);
  EXPECT_EQ(parse_duration_s("12h"), 43200);
  EXPECT_EQ(parse_duration_s("2d"), 172800);
  for (const char* text : {"", "h", "-3s", "nan", "infh", "3 h"})
    EXPECT_EQ(parse_duration_s(text), std::nullopt) << text;
}

TEST(Units, CountsForPeople) {
  EXPECT_EQ(format_count(46448640), "46.4M");
  EXPECT_EQ(format_count(1.31e9), "1.31B");
  EXPECT_EQ(format_count(920), "920");
  EXPECT_EQ(format_count(999'600), "1M");  // never "1000k"
  EXPECT_EQ(format_count(0), "0");
}

TEST(Units, BytesAndDurationsForPeople) {
  EXPECT_EQ(format_bytes(38.7e6), "38.7 MB");
  EXPECT_EQ(format_bytes(512), "512 B");
  EXPECT_EQ(format_duration(0.25), "0.2 s");
  EXPECT_EQ(format_duration(12), "12 s");
  EXPECT_EQ(format_duration(185), "3m 05s");
  EXPECT_EQ(format_duration(7800), "2h 10m");
  EXPECT_EQ(format_duration(273600), "3d 4h");
  EXPECT_EQ(format_duration(NAN), "?");
}

TEST(Units, Thousands) {
  EXPECT_EQ(format_thousands(46448640), "46,448,640");
  EXPECT_EQ(format_thousands(999), "999");
  EXPECT_EQ(format_thousands(1000), "1,000");
  EXPECT_EQ(format_thousands(-123456), "-123,456");
  EXPECT_EQ(format_thousands(INT64_MIN), "-9,223,372,036,854,775,808");
}

TEST(Units, NumbersDoNotFollowTheLocale) {
  // A locale with decimal commas must change nothing, whichever of these the machine has.
  const std::string before = std::setlocale(LC_ALL, nullptr);
  for (const char* name : {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "C.UTF-8"})
    if (std::setlocale(LC_ALL, name) != nullptr) break;
  EXPECT_EQ(parse_number("1.5"), 1.5);
  EXPECT_EQ(format_count(1.31e9), "1.31B");
  std::setlocale(LC_ALL, before.c_str());
}

TEST(Utf8, SequencesAreThoseOfTable3_7) {
  const auto length = [](std::string_view text) { return utf8_length(text, 0); };
  EXPECT_EQ(length("a"), 1u);
  EXPECT_EQ(length("\xC3\xA4"), 2u);
  EXPECT_EQ(length("\xE2\x96\x81"), 3u);
  EXPECT_EQ(length("\xF4\x8F\xBF\xBF"), 4u);
  for (const char* none : {"\x80", "\xC0\x80", "\xC1\xBF", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xF0\x8F\xBF\xBF",
                           "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xC3", "\xE2\x96", "\xE2\x96z"})
    EXPECT_EQ(length(none), 0u) << none;
}

TEST(Utf8, WhatIsNoneIsReplacedByteByByte) {
  EXPECT_EQ(valid_utf8(""), "");
  EXPECT_EQ(valid_utf8("a\xC3\xA4z"), "a\xC3\xA4z");
  EXPECT_EQ(valid_utf8("\xE2\x96z\xFF"), "\uFFFD\uFFFDz\uFFFD");
}

TEST(Nearest, DistanceCountsASwapOnce) {
  EXPECT_EQ(edit_distance("stesp", "steps"), 1);
  EXPECT_EQ(edit_distance("", "abc"), 3);
  EXPECT_EQ(edit_distance("same", "same"), 0);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3);
}

TEST(Nearest, NamesTheClosestOrNothing) {
  const std::vector<std::string> known = {"train.steps", "train.batch", "train.lr"};
  EXPECT_EQ(nearest_word("train.stesp", known), "train.steps");
  EXPECT_EQ(did_you_mean("train.stesp", known), "; did you mean 'train.steps'?");
  EXPECT_EQ(did_you_mean("completely.else", known), "");
  EXPECT_EQ(nearest_word("x", {}), "");
  EXPECT_EQ(nearest_word("tau", {"alpha", "tau_start", "tau_end"}), "tau_end");  // cut short
  EXPECT_EQ(nearest_word("ta", {"tau_start"}), "");
}

TEST(Nearest, AHugeWordIsNotCompared) { EXPECT_EQ(nearest_word(std::string(1'000'000, 'a'), {"a"}), ""); }

TEST(Errors, DiagnosticsPrintWhatTheyKnow) {
  EXPECT_EQ((Diagnostic{"sweeps/a.yaml", 7, 3, "unknown key 'x'"}).to_string(), "sweeps/a.yaml:7:3: unknown key 'x'");
  EXPECT_EQ((Diagnostic{"a.csv", 2, 0, "no loss"}).to_string(), "a.csv:2: no loss");
  EXPECT_EQ((Diagnostic{"", 0, 0, "plain"}).to_string(), "plain");
}

TEST(Errors, CarryAllDiagnosticsAndTheExitCode) {
  const Error error(ErrorKind::input, {{"a", 1, 1, "one"}, {"a", 2, 1, "two"}});
  EXPECT_STREQ(error.what(), "a:1:1: one\na:2:1: two");
  EXPECT_EQ(error.exit_code(), 2);
  EXPECT_EQ(Error(ErrorKind::refused, "x").exit_code(), 4);
}

TEST(Sha256, KnownAnswers) {  // FIPS 180-2
  EXPECT_EQ(sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Sha256, StreamsAndStartsAnew) {
  Sha256 hash;
  hash.update("a");
  hash.update("bc");
  EXPECT_EQ(hash.hex(), sha256_hex("abc"));
  hash.update("abc");
  EXPECT_EQ(hash.hex(), sha256_hex("abc"));
}

TEST(Clock, UtcText) {
  EXPECT_EQ(format_utc(0), "1970-01-01 00:00:00");
  EXPECT_EQ(format_utc(1778161512), "2026-05-07 13:45:12");
}

TEST(Clock, FakeTimePassesOnlyBySleeping) {
  FakeClock clock;
  const double before = clock.unix_s();
  clock.sleep_s(5);
  EXPECT_EQ(clock.unix_s() - before, 5);
  EXPECT_EQ(clock.monotonic_s(), 5);
}

}  // namespace
}  // namespace bitsweep
