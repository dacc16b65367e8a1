// The sweeps that come with the project: each loads against the project's own plugins.
#include "spec/support.h"

namespace bitsweep::spec {
namespace {

std::vector<std::string> sweep_files() {
  std::vector<std::string> files;
  for (const auto& entry : fs::directory_iterator(fs::path(BITSWEEP_SOURCE_DIR) / "sweeps")) {
    if (entry.path().extension() == ".yaml") files.push_back(entry.path().filename().string());
  }
  std::sort(files.begin(), files.end());
  return files;
}

class SweepFiles : public testing::TestWithParam<std::string> {
 protected:
  // A sweep that fine-tunes.
  static bool of_examples() {
    return read_file(fs::path(BITSWEEP_SOURCE_DIR) / "sweeps" / GetParam()).find("examples:") != std::string::npos;
  }
};

TEST_P(SweepFiles, Expand) {
  std::vector<std::string> problems;
  const auto plugins = plugin::find_plugins(fs::path(BITSWEEP_SOURCE_DIR) / "plugins", &problems);
  EXPECT_TRUE(problems.empty()) << problems.front();
  const Sweep sweep = load_sweep({fs::path(BITSWEEP_SOURCE_DIR) / "sweeps" / GetParam(), {}, plugins});
  EXPECT_FALSE(sweep.runs.empty());
  EXPECT_EQ(sweep.name + ".yaml", GetParam());
  EXPECT_TRUE(sweep.notes.empty());
  // A text of one's own takes the place of the built-in one everywhere.
  for (const ExpandedRun& run :
       load_sweep({fs::path(BITSWEEP_SOURCE_DIR) / "sweeps" / GetParam(),
                   {std::string(of_examples() ? "data.examples" : "data.corpus") + "=/my text.txt"},
                   plugins})
           .runs)
    EXPECT_EQ(run.spec.data.corpus + run.spec.data.examples.file, "/my text.txt");
}

INSTANTIATE_TEST_SUITE_P(Project, SweepFiles, testing::ValuesIn(sweep_files()), [](const auto& info) {
  std::string name = info.param;
  std::replace_if(
      name.begin(), name.end(), [](char c) { return !std::isalnum(static_cast<unsigned char>(c)); }, '_');
  return name;
});

TEST(SweepFilesShared, TheThirdScalePointIsARunOfTheLadder) {
  const auto plugins = plugin::find_plugins(fs::path(BITSWEEP_SOURCE_DIR) / "plugins");
  const fs::path folder = fs::path(BITSWEEP_SOURCE_DIR) / "sweeps";
  const Sweep ladder = load_sweep({folder / "v57-parameter-ladder.yaml", {}, plugins});
  const Sweep point = load_sweep({folder / "v57-third-scale-point.yaml", {}, plugins});
  int same = 0;
  for (const ExpandedRun& run : ladder.runs) same += run_id(run.spec) == run_id(point.runs.at(0).spec);
  EXPECT_EQ(ladder.runs.size(), 9u);
  EXPECT_EQ(same, 1);
}

}  // namespace
}  // namespace bitsweep::spec
