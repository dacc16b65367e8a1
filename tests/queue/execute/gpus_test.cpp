#include "execute/gpus.h"

#include <fstream>

#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace bitsweep::execute {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::vector<std::string> kGpus = {"GPU-aaaa1111", "", "GPU-bbbb2222"};
const std::vector<std::string> kFour = {"GPU-aaaa1111", "GPU-aabb2222", "GPU-cccc3333", "GPU-dddd4444"};

std::vector<std::string> names(const std::string& variable, const std::vector<std::string>& gpus = kFour) {
  return visible_gpus(variable, gpus).names;
}

std::string gpu(const char* device, const std::optional<std::string>& variable,
                const std::vector<std::string>& gpus = kGpus) {
  return visible_gpu(device, visible_gpus(variable, gpus));
}

std::string hidden(const std::string& device, const std::optional<std::string>& variable,
                   const std::vector<std::string>& gpus = kFour) {
  return hidden_gpu(device, visible_gpus(variable, gpus));
}

TEST(Gpus, AreInTheOrderOfTheBus) {
  const fs::path folder = fs::path(testing::TempDir()) / ("bitsweep_gpus" + std::to_string(::getpid()));
  const auto add = [&](const char* place, const char* uuid) {
    fs::create_directories(folder / place);
    std::ofstream(folder / place / "information")
        << "Model: \t\t NVIDIA H200\nIRQ:   \t\t 97\nGPU UUID: \t " << uuid << "\nVideo BIOS: \t ??.??.??.??.??\n";
  };
  add("0000:c8:00.0", "GPU-c");
  add("0000:1b:00.0", "GPU-a");
  add("0000:4c:00.0", std::string("GPU-" + std::string(32, '?')).c_str());
  fs::create_directories(folder / "0001:00:00.0");  // tells nothing
  EXPECT_EQ(driver_gpus(folder), (std::vector<std::string>{"GPU-a", "", "GPU-c", ""}));
  fs::remove_all(folder);
  EXPECT_TRUE(driver_gpus(folder).empty());
}

TEST(Gpus, ARunIsGivenItsGpuByName) {
  EXPECT_EQ(gpu("cuda:0", {}), "GPU-aaaa1111");
  EXPECT_EQ(gpu("cuda:2", {}), "GPU-bbbb2222");
  EXPECT_EQ(gpu("cuda:1", {}), "1") << "the driver does not tell its name";
  EXPECT_EQ(gpu("cuda:1", {}, {}), "1") << "no driver's files";
  EXPECT_EQ(gpu("cuda:7", {}), "") << "it has three";
  EXPECT_EQ(gpu("cpu", {}), "");
}

TEST(Gpus, TheCoordinatorsOwnListIsHeldTo) {
  EXPECT_EQ(gpu("cuda:0", "2,0"), "GPU-bbbb2222");
  EXPECT_EQ(gpu("cuda:1", "2, 0"), "GPU-aaaa1111");
  EXPECT_EQ(gpu("cuda:2", "2,0"), "") << "it has only two";
  EXPECT_EQ(gpu("cuda:1", "2,GPU-abc,0"), "GPU-abc") << "perhaps the one whose name is not told";
  EXPECT_EQ(gpu("cuda:0", "GPU-bbbb"), "GPU-bbbb2222") << "the beginning of a name, as CUDA takes it";
  EXPECT_EQ(gpu("cuda:0", "MIG-123"), "MIG-123");
  EXPECT_EQ(gpu("cuda:0", ""), "");
  EXPECT_EQ(gpu("cuda:1", "4,6", {}), "6") << "without the driver's files indices are believed";
}

TEST(VisibleGpus, EndAtTheFirstEntryThatIsNone) {
  EXPECT_THAT(names("1,0"), ElementsAre(kFour[1], kFour[0]));
  EXPECT_THAT(names("0,2,-1,1"), ElementsAre(kFour[0], kFour[2]));
  EXPECT_THAT(names("-1"), IsEmpty());
  EXPECT_THAT(names("0,,1"), ElementsAre(kFour[0]));
  EXPECT_THAT(names(",1"), IsEmpty());
  EXPECT_THAT(names("0,"), ElementsAre(kFour[0]));
  EXPECT_THAT(names("3,4,0"), ElementsAre(kFour[3])) << "there is no fifth";
  EXPECT_THAT(names("NoDevFiles"), IsEmpty()) << "Slurm's word for none";
  EXPECT_THAT(names("all"), IsEmpty());
  EXPECT_THAT(names("0,99999999999999999999999,1"), ElementsAre(kFour[0]));
  EXPECT_THAT(names(" 1 ,\t2 "), ElementsAre(kFour[1], kFour[2]));
  EXPECT_THAT(names("+1,2x"), ElementsAre(kFour[1], kFour[2])) << "as strtol reads them";
}

TEST(VisibleGpus, EmptyIsNone) {
  for (const char* variable : {"", " ", "\t"}) {
    EXPECT_THAT(names(variable), IsEmpty());
    EXPECT_TRUE(visible_gpus(variable, {}).counted) << "none, whatever the driver tells";
  }
}

TEST(VisibleGpus, AUuidMayBeShortAsLongAsItIsOneGpus) {
  EXPECT_THAT(names("GPU-c,GPU-aaaa1111"), ElementsAre(kFour[2], kFour[0]));
  EXPECT_THAT(names("GPU-aab,GPU-aa,GPU-d"), ElementsAre(kFour[1])) << "two begin with GPU-aa";
  EXPECT_THAT(names("GPU-eeee,0"), IsEmpty());
  EXPECT_THAT(names("gpu-aaaa1111"), IsEmpty());
  EXPECT_THAT(names("GPU-eeee", {}), ElementsAre("GPU-eeee")) << "nothing is known here, CUDA will know";
}

TEST(VisibleGpus, OneGpuTwiceIsOne) {
  EXPECT_THAT(names("0,0"), ElementsAre(kFour[0]));
  EXPECT_THAT(names("0,0,1"), ElementsAre(kFour[0], kFour[1]));
  EXPECT_THAT(names("0,GPU-aaaa,2"), ElementsAre(kFour[0], kFour[2])) << "by either name";
  EXPECT_THAT(names("MIG-1,MIG-2,MIG-1"), ElementsAre("MIG-1", "MIG-2"));
  EXPECT_THAT(names("0,0", {}), ElementsAre("0"));
}

TEST(VisibleGpus, MigDevicesAreTakenAsTheyStand) {
  EXPECT_THAT(names("MIG-GPU-aaaa1111/1/0"), ElementsAre("MIG-GPU-aaaa1111/1/0"));
  EXPECT_EQ(gpu("cuda:1", "MIG-5,MIG-6", kFour), "MIG-6");
}

TEST(HiddenGpus, AreSaidWithWhatThereIs) {
  const std::string third = hidden("cuda:3", "0,2,-1,1");
  EXPECT_THAT(third, HasSubstr("'cuda:3' is not there"));
  EXPECT_THAT(third, HasSubstr("CUDA_VISIBLE_DEVICES=0,2,-1,1 shows 2 GPUs, cuda:0 to cuda:1"));
  EXPECT_THAT(third, HasSubstr("up to '-1'"));
  EXPECT_THAT(hidden("cuda:0", ""), HasSubstr("CUDA_VISIBLE_DEVICES='' (empty) shows no GPU"));
  EXPECT_THAT(hidden("cuda:4", {}), HasSubstr("this machine has 4 GPUs, cuda:0 to cuda:3"));
  EXPECT_THAT(hidden("cuda:1", "0,0"), HasSubstr("shows 1 GPU, cuda:0"));
  EXPECT_THAT(hidden("cuda:1", "0,7"), HasSubstr("up to '7' (this machine has 4 GPUs)"));
  EXPECT_THAT(hidden("cuda:0", "GPU-aa"), HasSubstr("2 GPUs have that beginning"));
  EXPECT_EQ(hidden("cuda:1", "0,2,-1,1"), "");
  EXPECT_EQ(hidden("cpu", ""), "");
  EXPECT_EQ(hidden("cuda:9", {}, {}), "") << "nothing says how many there are";
}

}  // namespace
}  // namespace bitsweep::execute
