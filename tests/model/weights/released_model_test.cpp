// Folders with checkpoints as another program saved them, whole and broken.
#include "weights/released_model.h"

#include <fstream>

#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/sha256.h"

namespace bitsweep::weights {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

const fs::path kGoldens = fs::path(BITSWEEP_SOURCE_DIR) / "tests/model/weights/goldens";

// A copy of a golden that a test may break.
class ReleasedFolder : public testing::Test {
 protected:
  ~ReleasedFolder() override { fs::remove_all(folder_); }
  void copy(const std::string& name) {
    fs::remove_all(folder_);
    fs::create_directories(folder_.parent_path());
    fs::copy(kGoldens / name, folder_);
  }
  std::string refusal() const {
    try {
      read_released(folder_);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::input);
      return error.what();
    }
    return "";
  }
  // Replaces a tensor's entry in the header; its bytes stay.
  void edit(const std::string& file, const std::function<void(std::vector<TensorEntry>&)>& change) const {
    const std::string text = read_file(folder_ / file);
    Safetensors content = parse_safetensors({reinterpret_cast<const uint8_t*>(text.data()), text.size()}, file);
    change(content.tensors);
    std::ofstream(folder_ / file, std::ios::binary)
        << safetensors_header({}, content.tensors) << text.substr(content.payload_offset);
  }

  const fs::path folder_ = fs::path(testing::TempDir()) / ("bitsweep-released-" + std::to_string(::getpid()));
};

TEST_F(ReleasedFolder, EveryTensorOfOursIsFoundUnderItsName) {
  for (const char* name : {"llama", "llama_tied", "bitnet", "bitnet_1bitllm"}) {
    const ReleasedModel model = read_released(kGoldens / name);
    int64_t numbers = 0;
    for (const ReleasedTensor& tensor : model.tensors) {
      const TensorEntry& entry = *model.weights.tensors().at(tensor.theirs);
      EXPECT_EQ(entry.shape, tensor.shape) << tensor.theirs;
      EXPECT_EQ(model.weights.bytes_of(tensor.theirs).size(), entry.end - entry.begin);
      int64_t size = 1;
      for (const int64_t extent : tensor.shape) size *= extent;
      numbers += size;
    }
    EXPECT_EQ(model.tensors.size(), model.weights.tensors().size()) << name;
    const bool sub = std::string_view(name).starts_with("bitnet"), tied = model.config.tied;
    EXPECT_EQ(numbers,
              (tied ? 1 : 2) * 32 * 16 + 16 + 2 * (2 * 256 + 2 * 128 + 3 * 16 * 24 + 32 + (sub ? 16 + 24 : 0)));
  }
  EXPECT_TRUE(is_released(kGoldens / "llama"));
  EXPECT_FALSE(is_released(kGoldens));
}

TEST_F(ReleasedFolder, IsNamedByAllOfItsWeightsAndNothingElse) {
  const std::string whole = read_released(kGoldens / "llama").weights.sha256();
  EXPECT_EQ(whole, sha256_hex(read_file(kGoldens / "llama" / "model.safetensors")));
  const std::string parts = read_released(kGoldens / "llama_tied").weights.sha256();
  copy("llama_tied");
  std::ofstream(folder_ / "config.json", std::ios::app) << "\n";
  EXPECT_EQ(read_released(folder_).weights.sha256(), parts);
  std::fstream last(folder_ / "model-00003-of-00003.safetensors", std::ios::in | std::ios::out | std::ios::binary);
  last.seekp(-1, std::ios::end);
  last.put('\x11');
  last.close();
  EXPECT_NE(read_released(folder_).weights.sha256(), parts);
}

TEST_F(ReleasedFolder, MissingExtraAndMisshapenTensorsAreToldAtOnce) {
  copy("llama");
  edit("model.safetensors", [](std::vector<TensorEntry>& tensors) {
    for (TensorEntry& entry : tensors) {
      if (entry.name == "model.norm.weight") entry.name = "model.norms.weight";
      if (entry.name == "model.layers.0.self_attn.k_proj.weight") entry.shape = {16, 8};
      if (entry.name == "model.layers.1.input_layernorm.weight") entry.dtype = "I32";
    }
  });
  EXPECT_THAT(refusal(),
              AllOf(HasSubstr("tensor 'model.norm.weight': expected one of shape [16], found none; did you mean "
                              "'model.norms.weight'?"),
                    HasSubstr("model.safetensors: tensor 'model.norms.weight': config.json speaks of no such tensor"),
                    HasSubstr("'model.layers.0.self_attn.k_proj.weight': expected the shape [8, 16], found [16, 8]"),
                    HasSubstr("'model.layers.1.input_layernorm.weight': expected F32, F16 or BF16, found I32")));
}

TEST_F(ReleasedFolder, AHeadBesideATiedEmbeddingIsNoneOfTheModel) {
  copy("llama");
  json::object config = parse_json(read_file(folder_ / "config.json"), "config").as_object();
  config["tie_word_embeddings"] = true;
  config["attention_bias"] = true;
  std::ofstream(folder_ / "config.json") << compact_json(config);
  EXPECT_THAT(refusal(), AllOf(HasSubstr("tensor 'lm_head.weight': config.json speaks of no such tensor"),
                               HasSubstr("'attention_bias'")));
}

TEST_F(ReleasedFolder, TablesThatOlderVersionsSavedArePassedOver) {
  copy("llama");
  edit("model.safetensors", [](std::vector<TensorEntry>& tensors) {
    const uint64_t end = tensors.back().end;
    tensors.push_back({"model.layers.0.self_attn.rotary_emb.inv_freq", "F32", {0}, end, end});
  });
  EXPECT_EQ(refusal(), "");
}

TEST_F(ReleasedFolder, FilesOfAnIndexMustBeThereAndHoldWhatItSays) {
  copy("llama_tied");
  fs::rename(folder_ / "model-00002-of-00003.safetensors", folder_ / "other");
  EXPECT_THAT(refusal(), AllOf(HasSubstr("model-00002-of-00003.safetensors"), Not(HasSubstr("found none"))));
  fs::rename(folder_ / "other", folder_ / "model-00002-of-00003.safetensors");
  const std::string index = read_file(folder_ / "model.safetensors.index.json");
  const auto with = [&](std::string_view what, std::string_view instead) {
    std::string text = index;
    text.replace(text.find(what), what.size(), instead);
    std::ofstream(folder_ / "model.safetensors.index.json") << text;
    return refusal();
  };
  EXPECT_THAT(with("model-00001", "../model-00001"), HasSubstr("expected the name of a file beside it"));
  EXPECT_THAT(with("model-00001", "model-00002"), HasSubstr("the tensor is not in model-00002-of-00003.safetensors"));
  EXPECT_THAT(with("weight_map", "weights"), HasSubstr("'weight_map': expected an object"));
  fs::remove(folder_ / "model.safetensors.index.json");
  std::ofstream(folder_ / "pytorch_model.bin") << "PK";
  EXPECT_THAT(refusal(), AllOf(HasSubstr("expected model.safetensors, or model.safetensors.index.json"),
                               HasSubstr("pytorch_model.bin is not read")));
}

TEST_F(ReleasedFolder, EveryTruncationIsRefused) {
  copy("llama");
  const std::string whole = read_file(folder_ / "model.safetensors");
  for (size_t size = 0; size < whole.size(); size += 97) {
    std::ofstream(folder_ / "model.safetensors", std::ios::binary) << whole.substr(0, size);
    EXPECT_NE(refusal(), "") << size;
  }
}

}  // namespace
}  // namespace bitsweep::weights
