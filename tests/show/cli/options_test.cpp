#include <algorithm>
#include <cstdlib>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "cli/invocation.h"
#include "cli/options.h"

namespace bitsweep::cli {
namespace {

const Verb kTestVerb{"test", "A verb for tests", "FILE…", "bitsweep test a.yaml",
                     [](const Verb&, const std::vector<std::string>&) { return 0; }};

struct Parsed {
  std::string error;
  std::vector<std::string> positional, sets;
  bool json = false;
};

Parsed parse(const std::vector<std::string>& args, size_t least = 0, size_t most = SIZE_MAX) {
  CommandLine line(kTestVerb);
  line.root_option().output_options().values("set", "override").value("limit,n", "rows");
  Parsed parsed;
  try {
    line.parse(args, least, most);
    line.number("limit", 1, 100);
    parsed = {"", line.positional(), line.all("set"), line.has("json")};
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::input);
    parsed.error = error.what();
  }
  return parsed;
}

TEST(CommandLine, MixesOptionsAndArguments) {
  const Parsed p = parse({"a.yaml", "--set", "train.lr=1e-3", "--json", "b.yaml", "--set=x=y"});
  EXPECT_EQ(p.error, "");
  EXPECT_EQ(p.positional, (std::vector<std::string>{"a.yaml", "b.yaml"}));
  EXPECT_EQ(p.sets, (std::vector<std::string>{"train.lr=1e-3", "x=y"}));
  EXPECT_TRUE(p.json);
}

TEST(CommandLine, NamesTheNearestOption) {
  EXPECT_EQ(parse({"--jsno"}).error,
            "bitsweep test: unknown option '--jsno'; did you mean '--json'? (see 'bitsweep test --help')");
}

TEST(CommandLine, DoesNotGuessPrefixes) { EXPECT_NE(parse({"--lim", "3"}).error, ""); }

TEST(CommandLine, SaysWhatIsMissingOrTooMuch) {
  EXPECT_NE(parse({"--set"}).error.find("needs a value"), std::string::npos);
  EXPECT_NE(parse({"--json=3"}).error.find("takes no value"), std::string::npos);
  EXPECT_NE(parse({}, 1).error.find("expected FILE…"), std::string::npos);
  EXPECT_NE(parse({"a", "b"}, 0, 1).error.find("unexpected argument 'b'"), std::string::npos);
}

TEST(CommandLine, NumbersHaveARange) {
  EXPECT_EQ(parse({"-n", "7"}).error, "");
  for (const char* bad : {"0", "101", "x", "nan", ""})
    EXPECT_NE(parse({"--limit", bad}).error.find("expected a number from 1 to 100"), std::string::npos) << bad;
}

TEST(CommandLine, OddArgumentsArePassedOn) {
  EXPECT_EQ(parse({"it's a \"path\""}).positional[0], "it's a \"path\"");
  EXPECT_EQ(parse({"--", "--json"}).positional[0], "--json");
}

TEST(CommandLine, RootComesFromOptionThenEnvironmentThenHere) {
  ::setenv("BITSWEEP_ROOT", "/tmp/from environment", 1);
  CommandLine with(kTestVerb), without(kTestVerb);
  with.root_option();
  with.parse({"--root", "/tmp/given/../x"});
  EXPECT_EQ(with.root(), "/tmp/x");
  without.root_option();
  without.parse({});
  EXPECT_EQ(without.root(), "/tmp/from environment");
  ::unsetenv("BITSWEEP_ROOT");
  EXPECT_EQ(without.root(), fs::current_path() / "results");
}

TEST(CommandLine, OneOutputFormatOnly) {
  CommandLine line(kTestVerb);
  line.output_options();
  line.parse({"--json", "--csv"});
  EXPECT_THROW(output_format(line), Error);
}

// What parse_invocation() makes of words: the verb, then its arguments; or its error.
std::string invocation(const std::vector<std::string>& words) {
  try {
    const Invocation asked = parse_invocation(words);
    return fmt::format("{}|{}", asked.verb, fmt::join(asked.args, "|"));
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::input);
    return error.what();
  }
}

TEST(Invocation, CommonOptionsMayStandBeforeTheVerb) {
  EXPECT_EQ(invocation({"--root", "DIR", "plan", "x.yaml"}), "plan|--root=DIR|x.yaml");
  EXPECT_EQ(invocation({"--root=a b", "--json", "runs"}), "runs|--root=a b|--json");
  EXPECT_EQ(invocation({"--json", "--root", "DIR", "runs", "--sort", "id"}), "runs|--json|--root=DIR|--sort|id");
  EXPECT_EQ(invocation({"-q", "run", "x.yaml", "--root", "d"}), "run|--quiet|x.yaml|--root|d");
  EXPECT_EQ(invocation({"runs", "--json"}), "runs|--json");
  EXPECT_EQ(invocation({"--root", "d", "--help"}), "--help|--root=d");
  EXPECT_EQ(invocation({}), "|");
}

TEST(Invocation, OthersBeforeTheVerbAreRefusedByName) {
  EXPECT_EQ(invocation({"--rot", "d", "plan"}),
            "bitsweep: unknown option '--rot' before the verb, where only --root DIR, --json and --quiet may stand; "
            "did you mean '--root'? (see 'bitsweep --help')");
  EXPECT_NE(invocation({"--set", "a=1", "plan"}).find("unknown option '--set'"), std::string::npos);
  EXPECT_NE(invocation({"--json=1", "runs"}).find("takes no value"), std::string::npos);
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"--root"}, {"--root="}, {"--root", "--json", "runs"}, {"--root", "", "runs"}})
    EXPECT_NE(invocation(words).find("'--root' needs a folder"), std::string::npos);
  EXPECT_NE(invocation({"--root", "d"}).find("a verb is missing"), std::string::npos);
}

TEST(Invocation, AVerbWithoutACommonOptionSaysSo) {
  CommandLine line(kTestVerb);
  for (const char* word : {"--root=d", "--quiet", "--json"}) {
    try {
      line.parse({word});
      ADD_FAILURE() << word;
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find("this verb has no option '--"), std::string::npos) << error.what();
      EXPECT_EQ(std::string(error.what()).find("=d"), std::string::npos) << error.what();
    }
  }
}

TEST(Verbs, AreNamedOnceAndExplained) {
  std::vector<std::string> names;
  for (const Verb* verb : all_verbs()) {
    names.emplace_back(verb->name);
    EXPECT_NE(std::string(verb->summary), "");
    if (!verb->hidden) {
      EXPECT_NE(std::string(verb->example).find("bitsweep " + names.back()), std::string::npos) << names.back();
    }
  }
  std::sort(names.begin(), names.end());
  EXPECT_EQ(std::unique(names.begin(), names.end()), names.end());
}

}  // namespace
}  // namespace bitsweep::cli
