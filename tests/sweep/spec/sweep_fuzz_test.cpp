// Random and mutated inputs: every one is accepted or refused with an Error; none crashes, hangs or escapes another
// way. The same functions with a coverage-guided generator: tests/fuzz.
#include "base/rng.h"
#include "base/yaml.h"
#include "spec/expression.h"
#include "spec/support.h"

namespace bitsweep::spec {
namespace {

class Random {
 public:
  explicit Random(uint64_t seed) : seed_(seed) {}
  uint64_t below(uint64_t bound) { return random_below(seed_, 99, next_++, bound); }

 private:
  uint64_t seed_, next_ = 0;
};

std::string random_text(Random& random, std::string_view alphabet, size_t longest) {
  std::string text(random.below(longest + 1), ' ');
  for (char& c : text)
    c = alphabet.empty() ? static_cast<char>(random.below(256)) : alphabet[random.below(alphabet.size())];
  return text;
}

std::string mutated(Random& random, std::string text) {
  for (uint64_t i = 0, n = 1 + random.below(4); i < n && !text.empty(); ++i) {
    const size_t at = random.below(text.size());
    switch (random.below(5)) {
      case 0:
        text[at] = static_cast<char>(random.below(256));
        break;
      case 1:
        text.erase(at, 1 + random.below(8));
        break;
      case 2:
        text.insert(at, text.substr(random.below(text.size()), random.below(20)));
        break;
      case 3:
        text.insert(at, 1, "[]{}:,&*!|>'\"#\n \t-?%"[random.below(20)]);
        break;
      default:
        text.resize(at);
        break;
    }
  }
  return text;
}

void try_expression(const std::string& text) {
  try {
    const Expression expression = Expression::parse(text);
    expression.evaluate([](const std::string& name) -> std::optional<ExpressionValue> {
      return name.size() % 3 == 0 ? ExpressionValue(true) : ExpressionValue(2.5);
    });
  } catch (const ExpressionError& error) {
    EXPECT_LE(error.offset, text.size());
  }
}

void try_yaml(const std::string& text) {
  try {
    yaml_to_json(*parse_yaml(text, "fuzz"));
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::input);
  }
}

TEST(Fuzz, Expressions) {
  Random random(1);
  const std::vector<std::string> good{"3e-4 * sqrt(train.batch / 64)",
                                      "train.batch * train.steps <= 4_000_000 and not (a.b == 'x' or 2 ** -3 < 1)",
                                      "max(1, min(a, 5.5M), pow(2, b % 3)) - -1"};
  for (int i = 0; i < 20'000; ++i) {
    try_expression(random_text(random, "", 40));
    try_expression(random_text(random, "0123456789.e_kMB+-*/%<>=!()'\" andorntmxipsq,", 60));
    try_expression(mutated(random, good[random.below(good.size())]));
  }
}

TEST(Fuzz, Yaml) {
  Random random(2);
  const std::string good =
      "name: a\nb: &x { c: [1, 2.5, 'three', \"f\\tour\"], d: | \n  text\n  more\n}\ne: *x\n? k\n: - v\n  - <<: *x\n# "
      "end\n";
  for (int i = 0; i < 4'000; ++i) {
    try_yaml(random_text(random, "", 60));
    try_yaml(random_text(random, "ab:[]{},&*!|>'\"#\n \t-?%<0~", 80));
    try_yaml(mutated(random, good));
  }
}

class FuzzSweep : public SweepTest {};

TEST_F(FuzzSweep, MutatedFiles) {
  Random random(3);
  const std::string good = with(
      "grid: { train.batch: [8, 16], model.plugin: [strict, llama] }\nzip: { train.lr: [1e-3, 2e-3], train.warmup: [1, "
      "2] }\n"
      "cases:\n  - { eval.every: 5 }\n  - { eval: { windows: 7 } }\nrandom: { count: 3, axes: { train.clip: { uniform: "
      "[0, 1] } } }\n"
      "where: \"train.batch * train.steps <= 4_000_000\"\nderive: { train.weight_decay: \"0.1 / train.batch\" "
      "}\nseeds: [0, 1]\n"
      "resources: { timeout: 5m }\nreport: { targets: [{ params: 1M, tokens: 1B }] }\n");
  int accepted = 0;
  for (int i = 0; i < 1'500; ++i) {
    write_text(folder_ / "a.yaml", mutated(random, good));
    try {
      accepted += !load_file("a.yaml").runs.empty();
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::input);
    }
  }
  EXPECT_GT(accepted, 10);
  EXPECT_LT(accepted, 1'000);
}

TEST_F(FuzzSweep, Overrides) {
  Random random(4);
  for (int i = 0; i < 1'000; ++i) {
    try {
      load(with(""), {mutated(random, "grid.train.batch=[1, 2]"), mutated(random, "train.lr=1e-3")});
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::input);
    }
  }
}

}  // namespace
}  // namespace bitsweep::spec
