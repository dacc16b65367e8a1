#include "train/checkpoint.h"

#include <cmath>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/rng.h"
#include "tiny_model.h"
#include "tiny_run.h"
#include "train/adamw.h"
#include "train/restore.h"

namespace bitsweep::train {
namespace {

const CheckpointOwner kOwner{.run = "0123456789ab", .spec_sha256 = "feed", .plugin = "tiny"};

std::string why_refused(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::input);
    return error.what();
  }
  return "";
}

struct Saved {
  fs::path path;
  TinyModel model{1};
  std::unique_ptr<Optimizer> optimizer = make_optimizer({}, model.parameters());
  Progress progress{.step = 7,
                    .tokens = 448,
                    .best_value = 0.1 + 0.2,
                    .best_step = 5,
                    .elapsed_s = 1.0 / 3,
                    .interval_nats = 2.0 / 7,
                    .interval_losses = 2};

  explicit Saved(const fs::path& folder) : path(folder / "last.safetensors") {
    write_checkpoint(path, kOwner, progress, all_tensors(model, *optimizer));
  }
};

bool same_parameters(const nn::Model& a, const nn::Model& b) {
  for (size_t i = 0; i < a.parameters().size(); ++i)
    if (!at::equal(a.parameters()[i].tensor, b.parameters()[i].tensor)) return false;
  return true;
}

TEST(Checkpoint, RoundTripIsExact) {
  const Saved saved(fresh_folder());
  TinyModel other(2);
  const auto optimizer = make_optimizer({}, other.parameters());
  const Checkpoint read(saved.path);
  read.verify_payload();
  read.require_owner(kOwner);
  const auto tensors = all_tensors(other, *optimizer);
  read.require_tensors(tensors, true);
  EXPECT_FALSE(same_parameters(saved.model, other));
  read.copy_into(tensors);
  EXPECT_TRUE(same_parameters(saved.model, other));
  EXPECT_EQ(read.progress().best_value, 0.1 + 0.2);
  EXPECT_EQ(read.progress().interval_nats, 2.0 / 7);
  EXPECT_EQ(read.progress().elapsed_s, 1.0 / 3);
  EXPECT_EQ(read.progress().step, 7);
  EXPECT_TRUE(other.parameters()[0].tensor.requires_grad());
}

TEST(Checkpoint, BeforeTheFirstEvaluationBestIsInfinite) {
  const fs::path path = fresh_folder() / "c.safetensors";
  TinyModel model;
  write_checkpoint(path, kOwner, Progress{}, model_tensors(model));
  EXPECT_TRUE(std::isinf(Checkpoint(path).progress().best_value));
}

TEST(Checkpoint, AnotherMetricThanTheLossIsNamed) {
  const fs::path path = fresh_folder() / "c.safetensors";
  TinyModel model;
  write_checkpoint(path, kOwner, Progress{}, model_tensors(model));
  EXPECT_EQ(Checkpoint(path).progress().best_metric, "val_bpc");
  write_checkpoint(path, kOwner, Progress{.best_metric = "q.acc", .best_value = 0.1 + 0.2, .best_step = 3},
                   model_tensors(model));
  const Progress read = Checkpoint(path).progress();
  EXPECT_EQ(read.best_metric, "q.acc");
  EXPECT_EQ(read.best_value, 0.1 + 0.2);
  EXPECT_EQ(read.best_step, 3);
}

TEST(Checkpoint, ADamagedPayloadIsNoticed) {
  const Saved saved(fresh_folder());
  {
    std::fstream file(saved.path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(-3, std::ios::end);
    file.put('\x55');
  }
  const Checkpoint read(saved.path);
  EXPECT_NE(why_refused([&] { read.verify_payload(); }).find("checksum"), std::string::npos);
}

TEST(Checkpoint, AnotherRunSpecOrPluginIsForeign) {
  const Saved saved(fresh_folder());
  const Checkpoint read(saved.path);
  CheckpointOwner owner = kOwner;
  owner.run = "ffffffffffff";
  EXPECT_NE(why_refused([&] { read.require_owner(owner); }).find("belongs to run 0123456789ab"), std::string::npos);
  owner = kOwner;
  owner.spec_sha256 = "beef";
  EXPECT_NE(why_refused([&] { read.require_owner(owner); }).find("another spec"), std::string::npos);
  owner = kOwner;
  owner.plugin = "v57";
  EXPECT_NE(why_refused([&] { read.require_owner(owner); }).find("plugin 'tiny'"), std::string::npos);
}

TEST(Checkpoint, AnotherShapeIsRefusedNamingTheTensors) {
  const Saved saved(fresh_folder());
  TinyModel wider(1, 12);
  const Checkpoint read(saved.path);
  const std::string why = why_refused([&] { read.require_tensors(model_tensors(wider), false); });
  EXPECT_NE(why.find("'model.layers.0.weight' has shape [8, 8], this model's has [12, 12]"), std::string::npos) << why;
  const auto missing = std::vector<NamedTensor>{{"model.layers.9.weight", at::zeros({1})}};
  EXPECT_NE(why_refused([&] { read.require_tensors(missing, false); }).find("no tensor 'model.layers.9.weight'"),
            std::string::npos);
  EXPECT_NE(why_refused([&] { read.require_tensors(model_tensors(saved.model), true); }).find("that this run lacks"),
            std::string::npos);
}

TEST(Checkpoint, ForeignFilesAreRefusedByName) {
  const fs::path folder = fresh_folder();
  const fs::path path = folder / "x.safetensors";
  EXPECT_NE(why_refused([&] { Checkpoint(folder / "missing"); }).find("missing"), std::string::npos);
  EXPECT_NE(why_refused([&] { Checkpoint{folder}; }), "");
  std::ofstream(path) << "";
  EXPECT_NE(why_refused([&] { Checkpoint{path}; }).find("x.safetensors"), std::string::npos);
  std::ofstream(path) << std::string(5000, 'z');
  EXPECT_NE(why_refused([&] { Checkpoint{path}; }), "");
  std::ofstream(path) << weights::safetensors_header({}, {});
  EXPECT_NE(why_refused([&] { Checkpoint{path}; }).find("lack 'format'"), std::string::npos);
  std::ofstream(path) << weights::safetensors_header({{"format", "bitsweep.checkpoint.99"}}, {});
  EXPECT_NE(why_refused([&] { Checkpoint{path}; }).find("bitsweep.checkpoint.99"), std::string::npos);
}

TEST(Checkpoint, AFullDiskLeavesTheOldOneWhole) {
  const Saved saved(fresh_folder());
  TinyModel model;
  const auto tensors = model_tensors(model);
  try {
    write_checkpoint("/dev/full/last.safetensors", kOwner, Progress{}, tensors);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::environment);
  }
  EXPECT_NO_THROW(Checkpoint(saved.path).verify_payload());
}

TEST(Checkpoint, LinkReplacesAndRepeats) {
  const fs::path folder = fresh_folder();
  const Saved saved(folder);
  const fs::path best = folder / "best.safetensors";
  std::ofstream(best) << "old";
  link_checkpoint(saved.path, best);
  link_checkpoint(saved.path, best);
  EXPECT_NO_THROW(Checkpoint(best).verify_payload());
  size_t files = 0;
  for ([[maybe_unused]] const auto& entry : fs::directory_iterator(folder)) ++files;
  EXPECT_EQ(files, 2u);
  // Writing last anew leaves best as it was.
  write_checkpoint(saved.path, kOwner, Progress{.step = 99}, model_tensors(saved.model));
  EXPECT_EQ(Checkpoint(best).progress().step, 7);
}

TEST(Restore, FallsBackPastBadCandidatesAndTellsOfEach) {
  const fs::path folder = fresh_folder();
  const Saved saved(folder);
  const fs::path truncated = folder / "truncated.safetensors";
  fs::copy_file(saved.path, truncated);
  fs::resize_file(truncated, fs::file_size(truncated) - 10);
  TinyModel model(2);
  const auto optimizer = make_optimizer({}, model.parameters());
  std::vector<std::string> refused;
  const auto resumed = resume_from(
      {folder / "missing", truncated, saved.path}, kOwner, all_tensors(model, *optimizer),
      [&](const fs::path& path, const std::string& why) { refused.push_back(path.filename().string() + ": " + why); });
  ASSERT_TRUE(resumed);
  EXPECT_EQ(resumed->from, saved.path);
  EXPECT_EQ(resumed->progress.step, 7);
  ASSERT_EQ(refused.size(), 2u);
  EXPECT_NE(refused[1].find("truncated"), std::string::npos);
  EXPECT_TRUE(same_parameters(saved.model, model));
}

// An attempt that was killed before its first checkpoint has only the best of the one before it.
TEST(Restore, TakesTheFurthestWhateverTheOrder) {
  const fs::path folder = fresh_folder();
  const Saved early(folder);
  const fs::path best = folder / "best.safetensors", last = folder / "later.safetensors";
  fs::rename(early.path, best);
  write_checkpoint(last, kOwner, Progress{.step = 800}, [&] {
    TinyModel trained(3);
    const auto optimizer = make_optimizer({}, trained.parameters());
    return all_tensors(trained, *optimizer);
  }());
  for (const std::vector<fs::path>& candidates : {std::vector{best, last}, std::vector{last, best}}) {
    TinyModel model(2);
    const auto optimizer = make_optimizer({}, model.parameters());
    const auto resumed = resume_from(candidates, kOwner, all_tensors(model, *optimizer), [](auto&, auto&) {});
    ASSERT_TRUE(resumed);
    EXPECT_EQ(resumed->from, last);
    EXPECT_EQ(resumed->progress.step, 800);
    EXPECT_TRUE(same_parameters(model, TinyModel(3)));
  }
}

TEST(Restore, ARefusedCandidateTouchesNothing) {
  const fs::path folder = fresh_folder();
  const Saved saved(folder);
  {
    std::fstream file(saved.path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(-1, std::ios::end);
    file.put('\x55');
  }
  TinyModel model(2), untouched(2);
  const auto optimizer = make_optimizer({}, model.parameters());
  EXPECT_FALSE(resume_from({saved.path}, kOwner, all_tensors(model, *optimizer), [](auto&, auto&) {}));
  EXPECT_TRUE(same_parameters(model, untouched));
  EXPECT_THROW(initialize_from(saved.path, model, ""), Error);
  EXPECT_TRUE(same_parameters(model, untouched));
}

TEST(Restore, WeightsOfOtherTokensAreRefusedWhereBothAreKnown) {
  const fs::path folder = fresh_folder();
  const Saved unknown(folder);
  TinyModel model(2), untouched(2);
  CheckpointOwner owner = kOwner;
  owner.tokenizer_sha256 = std::string(64, 'a');
  const fs::path path = folder / "known.safetensors";
  write_checkpoint(path, owner, unknown.progress, model_tensors(unknown.model));
  EXPECT_EQ(Checkpoint(path).owner().tokenizer_sha256, owner.tokenizer_sha256);
  const std::string why = why_refused([&] { initialize_from(path, model, std::string(64, 'b')); });
  EXPECT_THAT(
      why, testing::AllOf(
               testing::HasSubstr("known.safetensors: run 0123456789ab has another tokenizer (SHA-256 aaaaaaaaaaaa)"),
               testing::HasSubstr("bbbbbbbbbbbb")));
  EXPECT_TRUE(same_parameters(model, untouched));
  initialize_from(unknown.path, model, std::string(64, 'b'));
  EXPECT_TRUE(same_parameters(model, unknown.model));
  for (const std::string& same : {owner.tokenizer_sha256, std::string()}) {
    TinyModel other(2);
    initialize_from(path, other, same);
    EXPECT_TRUE(same_parameters(other, unknown.model));
  }
}

// Any mutation is refused or reads back the same tensors; nothing crashes.
TEST(Restore, MutatedCheckpointsNeverCrashNorLoadWrongWeights) {
  const fs::path folder = fresh_folder();
  const Saved saved(folder);
  const std::string original = read_file(saved.path);
  const fs::path path = folder / "m.safetensors";
  TinyModel model(2);
  const auto optimizer = make_optimizer({}, model.parameters());
  const auto tensors = all_tensors(model, *optimizer);
  for (uint64_t trial = 0; trial < 300; ++trial) {
    std::string file = original;
    const bool in_header = trial % 2 == 0;
    const uint64_t at = random_below(9, 1, trial, in_header ? 1500 : file.size());
    file[at] = static_cast<char>(random_below(9, 2, trial, 256));
    std::ofstream(path, std::ios::binary) << file;
    if (resume_from({path}, kOwner, tensors, [](auto&, auto&) {})) {
      ASSERT_TRUE(same_parameters(saved.model, model)) << at;
    }
  }
}

}  // namespace
}  // namespace bitsweep::train
