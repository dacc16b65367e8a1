#include "execute/records.h"

#include <fstream>

#include <gtest/gtest.h>
#include <unistd.h>

#include "base/error.h"

namespace bitsweep::execute {
namespace {

class RecordsTest : public testing::Test {
 protected:
  RecordsTest() : folder(fs::path(testing::TempDir()) / ("bitsweep_records" + std::to_string(::getpid()))) {
    fs::remove_all(folder);
    fs::create_directories(folder);
  }
  ~RecordsTest() override { fs::remove_all(folder); }
  void put(const char* name, const std::string& text) { std::ofstream(folder / name, std::ios::binary) << text; }
  fs::path folder;
};

TEST_F(RecordsTest, WhatIsWrittenComesBack) {
  write_intent(
      folder,
      {.run = "r", .attempt = 3, .command = {"/bin/x", "a b", "\"q\""}, .environment = {{"A", "1"}, {"B", ""}}});
  const auto intent = read_intent(folder);
  ASSERT_TRUE(intent.has_value());
  EXPECT_EQ(intent->attempt, 3);
  EXPECT_EQ(intent->command, (std::vector<std::string>{"/bin/x", "a b", "\"q\""}));
  EXPECT_EQ(intent->environment.at("B"), "");

  write_process(folder, {.shim = {10, 20, "boot"}, .worker = {11, 21, "boot"}});
  const auto processes = read_process(folder);
  ASSERT_TRUE(processes.has_value());
  EXPECT_EQ(processes->worker.pid, 11);
  EXPECT_EQ(processes->shim.start_ticks, 20);

  ExitRecord exit;
  exit.signal = 9;
  exit.peak_rss_bytes = 123;
  exit.ended = 5.5;
  write_exit(folder, exit);
  const auto back = read_exit(folder);
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(back->signal, 9);
  EXPECT_FALSE(back->exit_code.has_value());
  EXPECT_EQ(back->peak_rss_bytes, 123);
}

TEST_F(RecordsTest, MissingAndDamagedFilesAreNoEvidence) {
  EXPECT_FALSE(read_intent(folder) || read_process(folder) || read_exit(folder));
  for (const std::string& bad :
       {std::string(), std::string("{"), std::string("[]"), std::string("\0\0", 2), std::string("{}"),
        std::string(R"({"exit_code": "0", "shim": 3, "command": [1, 2]})")}) {
    for (const char* name : {"intent.json", "process.json", "exit.json"}) put(name, bad);
    EXPECT_FALSE(read_intent(folder) || read_process(folder) || read_exit(folder)) << bad;
  }
}

TEST_F(RecordsTest, ADiskThatRefusesIsAnError) {
  fs::create_directory(folder / "exit.json");
  ExitRecord exit;
  exit.exit_code = 0;
  EXPECT_THROW(write_exit(folder, exit), Error);
  EXPECT_THROW(write_intent(folder / "nowhere", {.run = "r", .attempt = 1, .command = {"x"}, .environment = {}}),
               Error);
}

}  // namespace
}  // namespace bitsweep::execute
