// The induction tasks: what a line is, which bytes are answers wherever a window is cut, and the exact entropy.
#include <cmath>
#include <map>
#include <set>

#include <gmock/gmock.h>

#include "base/rng.h"
#include "base/sha256.h"
#include "data/corpus.h"
#include "data/dataset.h"
#include "data/generated.h"
#include "data/induction.h"
#include "temp_folder.h"

namespace bitsweep::data {
namespace {

using testing::Contains;
using testing::HasSubstr;

constexpr InductionTask tasks[] = {InductionTask::repeat, InductionTask::copy, InductionTask::needle};

bool capital(char c) { return c >= 'A' && c <= 'Z'; }

// A line taken apart by its format, and not by the rule that finds answers: where the line says each of its bytes
// before (offsets in the line), and the bits of the choices that made it.
struct Line {
  std::map<size_t, size_t> evidence;
  double bits = 0;
};

double distinct_bits(size_t n) {
  double bits = 0;
  for (size_t i = 0; i < n; ++i) bits += std::log2(26.0 - static_cast<double>(i));
  return bits;
}

Line read_copy_line(InductionTask task, const std::string& line) {
  const bool repeat = task == InductionTask::repeat;
  Line read;
  EXPECT_EQ(line[0], '>');
  size_t n = 0, gap = 0;
  while (capital(line[1 + n])) ++n;
  while (std::islower(line[1 + n + gap])) ++gap;
  const std::string said = line.substr(0, n + 1);
  EXPECT_EQ(std::set<char>(said.begin(), said.end()).size(), n + 1);
  const size_t least = repeat ? 4 : 6, least_gap = repeat ? 0 : 8, most_gap = repeat ? 0 : 40,
               most_said = repeat ? 8 : 2;
  EXPECT_TRUE(n >= least && n <= 12 && gap >= least_gap && gap <= most_gap) << line;
  size_t times = 1;
  for (size_t at = 1 + n + gap; line[at] != '\n'; at += n + 1, ++times) {
    EXPECT_EQ(line.substr(at, n + 1), said);
    // Each copy's letters were said in the one before it, the first copy's before the gap.
    for (size_t k = 1; k <= n; ++k) read.evidence[at + k] = (times == 1 ? 0 : at - n - 1) + k;
  }
  EXPECT_TRUE(times >= 2 && times <= most_said) << line;
  read.bits = std::log2(13.0 - static_cast<double>(least)) + std::log2(static_cast<double>(most_said) - 1) +
              distinct_bits(n) + std::log2(static_cast<double>(most_gap - least_gap) + 1) +
              static_cast<double>(gap) * std::log2(26.0);
  return read;
}

Line read_needle_line(const std::string& line) {
  Line read;
  const size_t marker = line.find('>');
  std::map<char, size_t> value_at;
  size_t gap = 0;
  for (size_t i = 0; i < marker; ++i) {
    if (!capital(line[i])) {
      EXPECT_TRUE(std::islower(line[i])) << line;
      ++gap;
      continue;
    }
    EXPECT_TRUE(gap >= 1 && gap <= 8) << line;
    EXPECT_TRUE(value_at.emplace(line[i], i + 1).second) << line;
    read.bits += 3 + static_cast<double>(gap + 1) * std::log2(26.0);
    gap = 0, ++i;
  }
  EXPECT_TRUE(gap >= 1 && gap <= 8) << line;
  read.bits += 3 + static_cast<double>(gap) * std::log2(26.0);
  const size_t n = value_at.size();
  EXPECT_TRUE(n >= 4 && n <= 8) << line;
  EXPECT_EQ(line.size(), marker + 2 * n + 2);
  for (size_t k = 0; k < n; ++k) {
    const size_t key = marker + 1 + 2 * k;
    EXPECT_TRUE(value_at.count(line[key])) << line;
    read.evidence[key + 1] = value_at[line[key]];
  }
  EXPECT_EQ(read.evidence.size(), n);
  read.bits += std::log2(5.0) + distinct_bits(n) + std::lgamma(static_cast<double>(n) + 1) / std::log(2.0);
  return read;
}

Line read_line(InductionTask task, const std::string& line) {
  return task == InductionTask::needle ? read_needle_line(line) : read_copy_line(task, line);
}

// The whole text read line by line: answers with their evidence, by offset.
struct Reading {
  std::map<size_t, size_t> evidence;
  double bits = 0;
  size_t longest = 0;
};

Reading read_text(InductionTask task, const std::string& text) {
  Reading reading;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = text.find('\n', begin) + 1;
    const Line line = read_line(task, text.substr(begin, end - begin));
    for (const auto& [answer, evidence] : line.evidence) reading.evidence[begin + answer] = begin + evidence;
    reading.bits += line.bits;
    reading.longest = std::max(reading.longest, end - begin);
    begin = end;
  }
  return reading;
}

class Induction : public testing::TestWithParam<InductionTask> {};
std::string task_name(const testing::TestParamInfo<InductionTask>& info) {
  return std::string(generated_corpora()[1 + static_cast<size_t>(info.param)].name);
}
INSTANTIATE_TEST_SUITE_P(Tasks, Induction, testing::ValuesIn(tasks), task_name);

TEST_P(Induction, is_deterministic_and_grows_by_appending) {
  const std::string text = generate_induction(GetParam(), 5, 20'000);
  EXPECT_EQ(text, generate_induction(GetParam(), 5, 20'000));
  EXPECT_GE(text.size(), 20'000u);
  EXPECT_LT(text.size(), 20'200u);
  EXPECT_TRUE(text.ends_with("\n"));
  EXPECT_TRUE(generate_induction(GetParam(), 5, 40'000).starts_with(text));
  EXPECT_NE(text, generate_induction(GetParam(), 6, 20'000));
  EXPECT_EQ(generate_induction(GetParam(), 5, 0), "");
}

// Bytes that both vocabularies hold.
TEST_P(Induction, is_printable_ascii_in_lines) {
  for (const char c : generate_induction(GetParam(), 5, 20'000))
    ASSERT_TRUE(std::isprint(static_cast<unsigned char>(c)) || c == '\n');
}

TEST_P(Induction, lines_are_at_most_as_long_as_told) {
  const Reading reading = read_text(GetParam(), generate_induction(GetParam(), 1, 300'000));
  EXPECT_LE(static_cast<int64_t>(reading.longest), induction_longest_line(GetParam()));
  EXPECT_GT(static_cast<int64_t>(reading.longest), induction_longest_line(GetParam()) * 3 / 4);
}

// A reader that follows each answer's evidence is always right, in any window, and misses only answers whose evidence,
// with the byte that leads to it, lies before the window.
TEST_P(Induction, answers_of_any_window_are_those_whose_evidence_it_shows) {
  const std::string text = generate_induction(GetParam(), 7, 60'000);
  const Reading reading = read_text(GetParam(), text);
  int64_t found = 0;
  for (uint64_t i = 0; i < 3'000; ++i) {
    const size_t size = 2 + random_below(1, 2, 2 * i, 160), begin = random_below(1, 2, 2 * i + 1, text.size() - size);
    std::vector<InductionAnswer> expected;
    for (auto it = reading.evidence.lower_bound(begin); it != reading.evidence.end() && it->first < begin + size; ++it)
      if (it->second > begin)
        expected.push_back({static_cast<int64_t>(it->first - begin), static_cast<int64_t>(it->second - begin)});
    const std::string window = text.substr(begin, size);
    const std::vector<InductionAnswer> answers = induction_answers(GetParam(), bytes_of(window));
    ASSERT_EQ(answers, expected) << window;
    for (const InductionAnswer& a : answers) {
      ASSERT_LT(a.evidence, a.position);
      ASSERT_EQ(window[static_cast<size_t>(a.evidence)], window[static_cast<size_t>(a.position)]);
    }
    found += static_cast<int64_t>(answers.size());
  }
  EXPECT_GT(found, 3'000);
}

// Whether a byte is an answer follows from the bytes before it: nothing after them, and not the byte itself, matters.
TEST_P(Induction, what_is_an_answer_follows_from_the_bytes_before) {
  const std::string text = generate_induction(GetParam(), 8, 600);
  const auto all = induction_answers(GetParam(), bytes_of(text));
  for (size_t size = 0; size < text.size(); ++size) {
    const auto some = induction_answers(GetParam(), bytes_of(text.substr(0, size) + "#"));
    std::vector<InductionAnswer> expected;
    for (const InductionAnswer& a : all)
      if (a.position <= static_cast<int64_t>(size)) expected.push_back(a);
    ASSERT_EQ(some, expected) << size;
  }
}

// The law of large numbers: the code length of the choices read off a long text approaches the computed rate.
TEST_P(Induction, entropy_is_the_code_length_of_the_choices) {
  const std::string text = generate_induction(GetParam(), 3, 1'000'000);
  EXPECT_NEAR(
      read_text(GetParam(), text).bits / static_cast<double>(text.size()) / induction_entropy_bits_per_byte(GetParam()),
      1, 0.012);
}

// Each letter is as often an answer as any other, so that a guess that does not look back is right in 1 of 26.
TEST_P(Induction, a_blind_guess_is_right_by_chance_only) {
  const std::string text = generate_induction(GetParam(), 4, 1'000'000);
  std::map<char, double> count;
  double total = 0;
  for (const InductionAnswer& a : induction_answers(GetParam(), bytes_of(text)))
    ++count[text[static_cast<size_t>(a.position)]], ++total;
  EXPECT_EQ(count.size(), 26u);
  for (const auto& [letter, n] : count) EXPECT_NEAR(n / total / induction_chance, 1, 0.05) << letter;
}

// A change here is a change of the corpus: raise induction_version with it.
TEST(InductionGolden, texts_and_rates) {
  const auto hash = [](InductionTask task) { return sha256_hex(generate_induction(task, induction_seed, 1'000'000)); };
  EXPECT_EQ(hash(InductionTask::repeat), "1b0246568cc51f2bb86925cbf17db900cb8ceb2e05d14918d6737d41cb30e9d9");
  EXPECT_EQ(hash(InductionTask::copy), "463d63a516830430a7371ceba504e6ec84ade6d205e7847e1f74565bfd1a47a2");
  EXPECT_EQ(hash(InductionTask::needle), "9be977d8493754a3c9d69ee813e9fdbece7dae48263c71c043890af06f98311d");
  EXPECT_NEAR(induction_entropy_bits_per_byte(InductionTask::repeat), 0.9041371081, 1e-8);
  EXPECT_NEAR(induction_entropy_bits_per_byte(InductionTask::copy), 3.5675818636, 1e-8);
  EXPECT_NEAR(induction_entropy_bits_per_byte(InductionTask::needle), 4.1137209535, 1e-8);
}

TEST(InductionAnswers, of_lines_cut_anywhere) {
  const auto at = [](InductionTask task, std::string_view window) {
    std::vector<int64_t> positions;
    for (const InductionAnswer& a : induction_answers(task, bytes_of(window))) positions.push_back(a.position);
    return positions;
  };
  using Positions = std::vector<int64_t>;
  EXPECT_EQ(at(InductionTask::repeat, ">ABC>ABC\n>DE>DE\n"), (Positions{5, 6, 7, 13, 14}));
  EXPECT_EQ(at(InductionTask::repeat, ">AB>AB>AB\n"), (Positions{4, 5, 7, 8}));
  EXPECT_EQ(at(InductionTask::repeat, "BC>ABC\n"), (Positions{5}));  // what leads to A and to B is cut off
  EXPECT_EQ(at(InductionTask::repeat, "C>ABC\n"), Positions{});
  EXPECT_EQ(at(InductionTask::repeat, "C>ABC>ABC\n"), (Positions{6, 7, 8}));  // the copy in the window tells the next
  EXPECT_EQ(at(InductionTask::repeat, ">ABC\n>AB>A"), (Positions{9}));        // nothing is carried over a line's end
  EXPECT_EQ(at(InductionTask::copy, ">ABxyz>AB\n"), (Positions{7, 8}));       // behind B stood noise, so B ends it
  EXPECT_EQ(at(InductionTask::copy, "Bxyz>AB\n"), Positions{});
  EXPECT_EQ(at(InductionTask::needle, "xAbyCd>CdAb\n"), (Positions{8, 10}));
  EXPECT_EQ(at(InductionTask::needle, "byCd>CdAb\n"), (Positions{6}));
  EXPECT_EQ(at(InductionTask::needle, ">CdAb\n"), Positions{});
  for (const InductionTask task : tasks)
    for (const std::string_view odd : {"", ">", ">>", "\n\n", ">A>", "A>", "A>A", "\xff>\xff>"})
      for (const InductionAnswer& a : induction_answers(task, bytes_of(odd)))
        EXPECT_LT(a.position, static_cast<int64_t>(odd.size())) << odd;
}

class InductionCorpus : public TempFolder {
 protected:
  spec::DataSpec spec(const std::string& corpus, int64_t context = 128) const {
    spec::DataSpec data;
    data.corpus = corpus;
    data.context = context;
    return data;
  }
};

TEST_F(InductionCorpus, is_built_in) {
  const auto text = open_corpus({{"needle", "", ""}}, root / "cache");
  EXPECT_GE(text->bytes().size(), induction_bytes);
  EXPECT_EQ(text->facts.name, "needle");
  EXPECT_EQ(text->facts.entropy_bits_per_byte, induction_entropy_bits_per_byte(InductionTask::needle));
  EXPECT_EQ(text->facts.stats.high_bytes, 0u);
  std::set<std::string> fingerprints;
  for (const GeneratedCorpus& corpus : generated_corpora())
    fingerprints.insert(list_sources({std::string(corpus.name), "", ""}).fingerprint());
  EXPECT_EQ(fingerprints.size(), generated_corpora().size());
}

TEST_F(InductionCorpus, validation_windows_know_their_answers) {
  const Dataset data = Dataset::open(spec("repeat"), root / "cache");
  const ValidationWindows windows = data.validation(20);
  ASSERT_TRUE(windows.have_answers());
  std::vector<uint8_t> tokens(20 * 129);
  windows.fill(0, 20, tokens);
  std::vector<int64_t> expected;
  for (int64_t w = 0; w < 20; ++w)
    for (const InductionAnswer& a :
         induction_answers(InductionTask::repeat, std::span(tokens).subspan(static_cast<size_t>(w) * 129, 129)))
      expected.push_back(w * 128 + a.position - 1);
  EXPECT_GT(expected.size(), 500u);
  EXPECT_EQ(windows.answers(0, 20), expected);
  std::vector<int64_t> in_two = windows.answers(0, 7);
  for (const int64_t place : windows.answers(7, 13)) in_two.push_back(place + 7 * 128);
  EXPECT_EQ(in_two, expected);
  EXPECT_TRUE(data.info().notes.empty());
}

TEST_F(InductionCorpus, other_texts_have_no_answers) {
  const fs::path file = write("repeat", generate_induction(InductionTask::repeat, 1, 50'000));
  const Dataset own = Dataset::open(spec(file.string()), root / "cache");
  EXPECT_FALSE(own.validation(5).have_answers());
  EXPECT_TRUE(own.validation(5).answers(0, 5).empty());
  spec::DataSpec separate = spec("repeat");
  separate.val = file.string();
  EXPECT_FALSE(Dataset::open(separate, root / "cache").validation(5).have_answers());
}

TEST_F(InductionCorpus, a_context_that_cuts_lines_is_told) {
  EXPECT_THAT(Dataset::inspect(spec("copy", 66), root / "cache").notes,
              Contains(HasSubstr("shorter than the longest line of 'copy', 67 bytes")));
  EXPECT_TRUE(Dataset::inspect(spec("copy", 67), root / "cache").notes.empty());
}

TEST_F(InductionCorpus, bad_input_is_refused) {
  const auto refusal = [&](const CorpusSpec& corpus) {
    const Error error = error_of([&] { list_sources(corpus); });
    EXPECT_EQ(error.kind(), ErrorKind::input);
    return std::string(error.what());
  };
  EXPECT_THAT(refusal({"needle", "*.txt", ""}), HasSubstr("'needle' takes neither data.glob nor data.field"));
  EXPECT_THAT(refusal({root / "neelde", "", ""}), HasSubstr("No such file or directory; did you mean 'needle'?"));
  EXPECT_THAT(refusal({root / "cpy.txt", "", ""}), Not(HasSubstr("did you mean")));
  EXPECT_THAT(refusal({root / "far from all", "", ""}), testing::EndsWith("No such file or directory"));
}

}  // namespace
}  // namespace bitsweep::data
