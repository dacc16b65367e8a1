#include "worker/arguments.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "process.h"
#include "train/tiny_run.h"

namespace bitsweep::worker {
namespace {

const std::vector<std::string> kLeast{"--spec", "s.json",    "--out", "o",       "--run",
                                      "0123",   "--attempt", "2",     "--cache", "c"};

std::vector<std::string> with(std::vector<std::string> more) {
  std::vector<std::string> all = kLeast;
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

std::string refusal(const std::vector<std::string>& args) {
  try {
    parse_train_arguments(args);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::input);
    return error.what();
  }
  return "";
}

TEST(Arguments, DefaultsAndEverything) {
  const auto least = parse_train_arguments(kLeast);
  ASSERT_TRUE(least);
  EXPECT_EQ(least->device, "cpu");
  EXPECT_EQ(least->threads, 1);
  EXPECT_EQ(least->plugin_dir.filename(), "plugins");
  EXPECT_TRUE(least->resume.empty());
  const auto all = parse_train_arguments(with(
      {"--device", "cuda:1", "--threads", "4", "--resume", "a b", "--resume=c", "--init", "i", "--plugin-dir", "p"}));
  ASSERT_TRUE(all);
  EXPECT_EQ(all->resume, (std::vector<fs::path>{"a b", "c"}));
  EXPECT_EQ(all->init, "i");
  EXPECT_EQ(all->attempt, 2);
}

TEST(Arguments, MistakesAreNamed) {
  EXPECT_NE(refusal(with({"--devise", "cpu"})).find("'device'"), std::string::npos);
  EXPECT_NE(refusal({}).find("required"), std::string::npos);
  EXPECT_NE(refusal(with({"--threads", "0"})).find("--threads 0"), std::string::npos);
  EXPECT_NE(refusal(with({"--threads", "two"})), "");
  EXPECT_NE(refusal(with({"--threads"})), "");
  EXPECT_NE(refusal(with({"stray"})), "");
  EXPECT_NE(refusal(with({"--dev", "cpu"})), "");  // no guessing at prefixes
  EXPECT_NE(refusal(with({"--spec", "again"})), "");
}

TEST(Arguments, OfACheckAreAPluginAndOptions) {
  const auto check = parse_check_arguments({"--plugin", "v57", "--options", R"({"alibi": false})", "--only", "a", "b"});
  ASSERT_TRUE(check);
  EXPECT_EQ(check->plugin, "v57");
  EXPECT_FALSE(check->options.at("alibi").as_bool());
  EXPECT_EQ(check->only, (std::vector<std::string>{"a", "b"}));
  EXPECT_TRUE(parse_check_arguments({"--list"})->list);
  EXPECT_THROW(parse_check_arguments({}), Error);
  EXPECT_THROW(parse_check_arguments({"--plugin", "v57", "--options", "[1]"}), Error);
  EXPECT_THROW(parse_check_arguments({"--plugin", "v57", "--options", "{"}), Error);
}

TEST(WorkerProgram, VersionUsageAndUnknownVerb) {
  const fs::path folder = train::fresh_folder();
  const auto worker = [&](std::vector<std::string> args) {
    args.insert(args.begin(), BITSWEEP_WORKER);
    return Process(std::move(args), folder).wait();
  };
  const Ended version = worker({"--version"});
  EXPECT_EQ(version.exit_code, 0);
  EXPECT_NE(version.out.find("torch2."), std::string::npos);
  EXPECT_EQ(worker({"--help"}).exit_code, 0);
  EXPECT_NE(worker({"train", "--help"}).out.find("--resume"), std::string::npos);
  const Ended unknown = worker({"tran"});
  EXPECT_EQ(unknown.exit_code, 2);
  EXPECT_NE(unknown.err.find("'train'"), std::string::npos);
  EXPECT_EQ(worker({}).exit_code, 2);
  EXPECT_EQ(worker({"train"}).exit_code, 2);
}

}  // namespace
}  // namespace bitsweep::worker
