// Files of a run that lie elsewhere than when its attempt began.
#include "cli/spec_at_hand.h"

#include <gmock/gmock.h>

#include "data/token_plan.h"
#include "query/query_fixture.h"

namespace bitsweep::cli {
namespace {

using query::thrown;
using testing::HasSubstr;

const fs::path kGoldens = fs::path(BITSWEEP_SOURCE_DIR) / "tests/model/tokenize/goldens";

std::string sha256_of(const fs::path& file) {
  spec::DataSpec data;
  data.tokenizer = file.string();
  return data::open_file_tokenizer(data)->facts().sha256;
}

class SpecAtHand : public testing::Test {
 protected:
  SpecAtHand() : folder_(query::new_root()) {
    fs::create_directories(folder_ / "attempt-1/checkpoints");
    spec::RunSpec spec;
    spec.model.plugin = "v57";
    spec.data.corpus = "/old/text";
    spec.data.tokenizer = (folder_ / "t.model").string();
    spec.data.tokenizer_sha256 = sha256_of(kGoldens / "bpe.model");
    spec.train.steps = 1;
    spec.train.accumulate = 4;  // of that attempt alone
    chosen_.file = folder_ / "attempt-1/checkpoints/best.safetensors";
    chosen_.run.id = "aaaaaaaaaaaa";
    write(spec);
    spec.train.accumulate = 1;
    chosen_.run.spec = to_json(spec);
  }
  ~SpecAtHand() override { fs::remove_all(folder_); }
  void write(const spec::RunSpec& spec) {
    write_file_atomic(folder_ / "attempt-1/spec.json", compact_json(to_json(spec)));
  }

  fs::path folder_;
  ChosenCheckpoint chosen_;
};

TEST_F(SpecAtHand, ATokenizerThatMovedIsNamedByHand) {
  EXPECT_THAT(thrown([&] { spec_at_hand(chosen_, std::nullopt); }),
              HasSubstr("t.model' any more; say with --tokenizer FILE where it lies"));
  const std::string moved = (kGoldens / "bpe.model").string();
  EXPECT_EQ(spec_at_hand(chosen_, moved).data.tokenizer, moved);
  EXPECT_THAT(thrown([&] { spec_at_hand(chosen_, (kGoldens / "unigram.model").string()); }),
              HasSubstr("is another tokenizer than that of run aaaaaaaaaaaa"));
  EXPECT_THAT(thrown([&] { spec_at_hand(chosen_, "/none.model"); }), HasSubstr("/none.model"));
}

TEST_F(SpecAtHand, PathsOfANewerSubmissionAreTaken) {
  spec::RunSpec known = spec::run_spec_from_json(chosen_.run.spec);
  known.data.corpus = "/new/text";
  known.data.tokenizer = (kGoldens / "bpe.model").string();
  chosen_.run.spec = to_json(known);
  const spec::RunSpec spec = spec_at_hand(chosen_, std::nullopt);
  EXPECT_EQ(spec.data.corpus, "/new/text");
  EXPECT_EQ(spec.data.tokenizer, known.data.tokenizer);
  EXPECT_EQ(spec.train.accumulate, 4);
}

TEST_F(SpecAtHand, AnAlphabetIsNoFile) {
  spec::RunSpec bytes;
  bytes.model.plugin = "v57";
  write(bytes);
  chosen_.run.spec = to_json(bytes);
  EXPECT_EQ(spec_at_hand(chosen_, std::nullopt).data.tokenizer, "bytes256");
  EXPECT_THAT(thrown([&] { spec_at_hand(chosen_, "/t.model"); }), HasSubstr("has no tokenizer of a file (bytes256)"));
}

}  // namespace
}  // namespace bitsweep::cli
