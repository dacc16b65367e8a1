// What a config.json says in our options, and what of it is refused.
#include "weights/released_config.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/files.h"

namespace bitsweep::weights {
namespace {

using testing::AllOf;
using testing::HasSubstr;

json::object golden_config(const std::string& name) {
  const fs::path file = fs::path(BITSWEEP_SOURCE_DIR) / "tests/model/weights/goldens" / name / "config.json";
  return parse_json(read_file(file), name).as_object();
}

struct Read {
  ReleasedConfig config;
  std::string wrong;  // a line each
};

Read read(const json::object& config) {
  std::vector<Diagnostic> wrong;
  Read result{read_released_config(compact_json(config), "config.json", wrong), ""};
  for (const Diagnostic& diagnostic : wrong) result.wrong += diagnostic.to_string() + "\n";
  return result;
}

// The golden llama with one value more or another.
std::string refusal(std::string_view key, const json::value& value, const char* of = "llama") {
  json::object config = golden_config(of);
  config[key] = value;
  return read(config).wrong;
}

TEST(ReleasedConfig, IsSaidInThePluginsOptions) {
  const Read llama = read(golden_config("llama"));
  EXPECT_EQ(llama.wrong, "");
  EXPECT_EQ(llama.config.plugin(), "llama");
  EXPECT_EQ(llama.config.vocab, 32);
  EXPECT_EQ(llama.config.positions, 64);
  EXPECT_EQ(canonical_json(llama.config.options()),
            R"({"d_ff":24,"d_model":16,"n_heads":4,"n_kv_heads":2,"n_layers":2,"norm_eps":1e-05,"positions":"rope",)"
            R"("rope_theta":50000,"tied":false})");
  const Read bitnet = read(golden_config("bitnet"));
  EXPECT_EQ(bitnet.wrong, "");
  EXPECT_EQ(bitnet.config.plugin(), "b158");
  EXPECT_EQ(canonical_json(bitnet.config.options()),
            R"({"activation":"relu2","d_ff":24,"d_model":16,"n_heads":4,"n_kv_heads":2,"n_layers":2,"norm_eps":1e-05,)"
            R"("norms":"outer_and_sub","positions":"rope","rope_theta":500000,"tied":true})");
  const Read other = read(golden_config("bitnet_1bitllm"));
  EXPECT_EQ(other.wrong, "");
  EXPECT_EQ(other.config.form, ReleaseForm::bitnet_1bitllm);
  EXPECT_EQ(string_or(other.config.options(), "activation", ""), "silu");
}

TEST(ReleasedConfig, KeysOfBothVersionsSayThePositions) {
  json::object config = golden_config("llama");
  config.erase("rope_parameters");
  EXPECT_EQ(read(config).config.rope_theta, 1e4);
  config["rope_theta"] = 3e5;
  config["rope_scaling"] = json::object{{"rope_type", "default"}};
  const Read four = read(config);
  EXPECT_EQ(four.wrong, "");
  EXPECT_EQ(four.config.rope_theta, 3e5);
}

// As published, without scaled positions.
TEST(ReleasedConfig, SmolLM2IsRead) {
  const Read smol = read(parse_json(R"({"architectures": ["LlamaForCausalLM"], "attention_bias": false,
    "attention_dropout": 0.0, "bos_token_id": 0, "eos_token_id": 0, "head_dim": 64, "hidden_act": "silu",
    "hidden_size": 576, "intermediate_size": 1536, "is_llama_config": true, "max_position_embeddings": 8192,
    "mlp_bias": false, "model_type": "llama", "num_attention_heads": 9, "num_hidden_layers": 30,
    "num_key_value_heads": 3, "pretraining_tp": 1, "rms_norm_eps": 1e-05, "rope_interleaved": false,
    "rope_scaling": null, "rope_theta": 100000, "tie_word_embeddings": true, "torch_dtype": "bfloat16",
    "use_cache": true, "vocab_size": 49152})",
                                    "config.json")
                             .get_object());
  EXPECT_EQ(smol.wrong, "");
  EXPECT_EQ(smol.config.plugin(), "llama");
  EXPECT_EQ(smol.config.rope_theta, 1e5);
  EXPECT_TRUE(smol.config.tied);
}

// As Llama 3.2 is published, and as transformers 5 writes it.
TEST(ReleasedConfig, ScaledPositionsOfLlama3AreOptions) {
  json::object scaled = {{"factor", 32.0},
                         {"high_freq_factor", 4.0},
                         {"low_freq_factor", 1.0},
                         {"original_max_position_embeddings", 8192},
                         {"rope_type", "llama3"}};
  for (const char* key : {"rope_scaling", "rope_parameters"}) {
    json::object config = golden_config("llama");
    config.erase("rope_parameters");
    config["rope_theta"] = 5e5;
    config[key] = scaled;
    const Read llama = read(config);
    EXPECT_EQ(llama.wrong, "");
    EXPECT_THAT(canonical_json(llama.config.options()),
                HasSubstr(R"("rope_factor":32,"rope_high_freq_factor":4,"rope_low_freq_factor":1,)"
                          R"("rope_original_positions":8192,"rope_theta":500000,)"));
  }
  scaled.erase("low_freq_factor");
  scaled["attention_factor"] = 2;
  EXPECT_THAT(refusal("rope_scaling", scaled),
              AllOf(HasSubstr("'rope_scaling.low_freq_factor': expected a number, found none"),
                    HasSubstr("'rope_scaling.attention_factor'")));
}

TEST(ReleasedConfig, WhatNoOptionSaysIsRefusedByItsName) {
  const json::object scaled = {{"rope_type", "yarn"}, {"factor", 8.0}};
  EXPECT_THAT(refusal("rope_scaling", scaled),
              AllOf(HasSubstr("config.json: 'rope_scaling.rope_type': expected \"default\", found \"yarn\""),
                    HasSubstr("'rope_scaling.factor'")));
  EXPECT_THAT(refusal("rope_parameters", scaled), HasSubstr("'rope_parameters.rope_type'"));
  EXPECT_THAT(refusal("partial_rotary_factor", 0.5), HasSubstr("'partial_rotary_factor': expected 1, found 0.5"));
  EXPECT_THAT(refusal("attention_bias", true), HasSubstr("'attention_bias': expected false, found true"));
  EXPECT_THAT(refusal("mlp_bias", true), HasSubstr("'mlp_bias'"));
  EXPECT_THAT(refusal("sliding_window", 4096), HasSubstr("'sliding_window': expected null, found 4096"));
  EXPECT_THAT(refusal("hidden_act", "sillu"), HasSubstr("expected silu, found sillu; did you mean 'silu'?"));
  EXPECT_THAT(refusal("hidden_act", "relu2"), HasSubstr("'hidden_act': expected silu, found relu2"));
  EXPECT_EQ(refusal("hidden_act", "silu", "bitnet"), "");
  EXPECT_THAT(refusal("head_dim", 8), HasSubstr("'head_dim': expected 4, found 8"));
  EXPECT_THAT(refusal("num_key_value_heads", 3), HasSubstr("expected a divisor of num_attention_heads (4), found 3"));
  EXPECT_THAT(refusal("num_hidden_layers", -2), HasSubstr("expected a whole number from 1 to 10000, found -2"));
  EXPECT_THAT(refusal("rms_norm_eps", "1e-5"), HasSubstr("'rms_norm_eps': expected a number above 0"));
  EXPECT_THAT(refusal("tie_word_embeddings", "yes"), HasSubstr("'tie_word_embeddings': expected true or false"));
  EXPECT_THAT(refusal("input_bits", 4, "bitnet_1bitllm"), HasSubstr("'input_bits': expected 8, found 4"));
  EXPECT_THAT(refusal("architectures", json::array{"BitnetForCausualLM"}),
              AllOf(HasSubstr("expected one of LlamaForCausalLM"), HasSubstr("did you mean 'BitnetForCausalLM'?")));
}

TEST(ReleasedConfig, TernaryWeightsMustBeFloatsThatAreRoundedOnTheWay) {
  const json::object online = golden_config("bitnet").at("quantization_config").as_object();
  EXPECT_THAT(refusal("quantization_config", online), HasSubstr("'quantization_config': expected none"));
  EXPECT_THAT(refusal("quantization_config", nullptr, "bitnet"),
              HasSubstr("found none, so that transformers computes with the weights as they are"));
  EXPECT_THAT(refusal("quantization_config", json::object{{"quant_method", "bitnet"}}, "bitnet"),
              AllOf(HasSubstr("'quantization_config.linear_class': expected \"autobitlinear\", found none: packed"),
                    HasSubstr("'quantization_config.quantization_mode': expected \"online\", found none: packed")));
  json::object normed = online;
  normed["use_rms_norm"] = true;
  EXPECT_THAT(refusal("quantization_config", normed, "bitnet"), HasSubstr("'quantization_config.use_rms_norm'"));
}

TEST(ReleasedConfig, AllThatIsWrongIsToldAtOnce) {
  json::object config = golden_config("llama");
  config.erase("vocab_size");
  config["vocabsize"] = 32;
  config["attention_bias"] = true;
  config["hidden_act"] = "gelu";
  EXPECT_THAT(read(config).wrong,
              AllOf(HasSubstr("'vocab_size': expected a whole number from 1 to 1000000000, found none; did you mean "
                              "'vocabsize'?"),
                    HasSubstr("attention_bias"), HasSubstr("gelu")));
  std::vector<Diagnostic> wrong;
  read_released_config("[1]", "config.json", wrong);
  EXPECT_EQ(wrong.at(0).to_string(), "config.json: expected a JSON object");
  EXPECT_THROW(read_released_config("{", "config.json", wrong), Error);
}

}  // namespace
}  // namespace bitsweep::weights
