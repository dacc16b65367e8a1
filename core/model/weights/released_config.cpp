#include "weights/released_config.h"

#include <array>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/nearest.h"
#include "weights/config_values.h"

namespace bitsweep::weights {
namespace {

constexpr int64_t kMostLayers = 10'000;

// What transformers takes for keys that are left out.
struct FormFacts {
  ReleaseForm form;
  const char* architecture;
  const char* activation;
  double norm_epsilon, rope_theta;
};
constexpr std::array<FormFacts, 3> kForms{{{ReleaseForm::llama, "LlamaForCausalLM", "silu", 1e-6, 1e4},
                                           {ReleaseForm::bitnet, "BitNetForCausalLM", "relu2", 1e-5, 5e5},
                                           {ReleaseForm::bitnet_1bitllm, "BitnetForCausalLM", "silu", 1e-6, 1e4}}};

constexpr std::array<const char*, 4> kScalingKeys{"factor", "low_freq_factor", "high_freq_factor",
                                                  "original_max_position_embeddings"};

class ConfigReader {
 public:
  ConfigReader(const json::object& object, const std::string& file, std::vector<Diagnostic>& wrong)
      : object_(object), file_(file), wrong_(wrong), values_(object, file, "", wrong) {}

  ReleasedConfig read() {
    const FormFacts& facts = form();
    out_.form = facts.form;
    read_shape();
    out_.shape_is_known = wrong_.empty();
    read_rope(facts);
    out_.tied = values_.boolean("tie_word_embeddings", false);
    out_.norm_epsilon = values_.number("rms_norm_eps", facts.norm_epsilon);
    const bool either = facts.form != ReleaseForm::llama;
    out_.activation =
        values_.word("hidden_act", facts.activation,
                     either ? std::vector<std::string>{"silu", "relu2"} : std::vector<std::string>{"silu"});
    refuse_what_cannot_be_said();
    read_quantization();
    return out_;
  }

 private:
  const FormFacts& form() {
    std::vector<std::string> known;
    for (const FormFacts& facts : kForms) known.emplace_back(facts.architecture);
    const json::value* list = object_.if_contains("architectures");
    const bool one =
        list != nullptr && list->is_array() && list->get_array().size() == 1 && list->get_array()[0].is_string();
    const std::string name = one ? std::string(list->get_array()[0].get_string()) : "";
    for (const FormFacts& facts : kForms)
      if (name == facts.architecture) return facts;
    values_.add("architectures",
                fmt::format("expected one of {}, found {}{}", fmt::join(known, ", "),
                            list == nullptr ? "none" : compact_json(*list), did_you_mean(name, known)));
    return kForms[0];
  }

  void read_shape() {
    out_.vocab = values_.needed_count("vocab_size");
    out_.d_model = values_.needed_count("hidden_size");
    out_.n_layers = values_.needed_count("num_hidden_layers", kMostLayers);
    out_.n_heads = values_.needed_count("num_attention_heads");
    out_.n_kv_heads = values_.count("num_key_value_heads", out_.n_heads);
    out_.d_ff = values_.needed_count("intermediate_size");
    out_.positions = values_.count("max_position_embeddings", 2048);
    if (out_.d_model % out_.n_heads != 0)
      values_.add("num_attention_heads",
                  fmt::format("expected a divisor of hidden_size ({}), found {}", out_.d_model, out_.n_heads));
    if (out_.n_heads % out_.n_kv_heads != 0)
      values_.add("num_key_value_heads", fmt::format("expected a divisor of num_attention_heads ({}), found {}",
                                                     out_.n_heads, out_.n_kv_heads));
    const int64_t size = out_.d_model / out_.n_heads;
    values_.expect("head_dim", size, size, "heads are of hidden_size / num_attention_heads");
  }

  void read_rope(const FormFacts& facts) {
    constexpr const char* kScaled = "no option says how it changes the angles of positions";
    out_.rope_theta = values_.number("rope_theta", facts.rope_theta);
    for (const char* key : {"rope_parameters", "rope_scaling"}) {
      const json::object* object = values_.object(key);
      if (object == nullptr) continue;
      ConfigValues rope(*object, file_, std::string(key) + ".", wrong_);
      // A type of any other name is refused by the first.
      const bool scaled = string_or(*object, "rope_type", string_or(*object, "type", "")) == "llama3";
      std::vector<std::string> keys{"rope_theta", "rope_type", "type", "partial_rotary_factor"};
      if (scaled) keys.insert(keys.end(), kScalingKeys.begin(), kScalingKeys.end());
      rope.only(keys, kScaled);
      const char* type = scaled ? "llama3" : "default";
      for (const char* key : {"rope_type", "type"}) rope.expect(key, type, type, kScaled);
      if (scaled) read_scaling(rope);
      rope.expect("partial_rotary_factor", 1, 1, "all of a head is turned");
      out_.rope_theta = rope.number("rope_theta", out_.rope_theta);
    }
    values_.expect("partial_rotary_factor", 1, 1, "all of a head is turned");
  }

  // All four are needed, as transformers has it.
  void read_scaling(ConfigValues& rope) {
    for (const char* key : kScalingKeys)
      if (!rope.has(key)) rope.add(key, "expected a number, found none");
    out_.rope_scaling = RopeScalingFacts{.factor = rope.number("factor", 1),
                                         .low_freq_factor = rope.number("low_freq_factor", 1),
                                         .high_freq_factor = rope.number("high_freq_factor", 4),
                                         .positions = rope.count("original_max_position_embeddings", 8192)};
  }

  void refuse_what_cannot_be_said() {
    for (const char* key : {"attention_bias", "mlp_bias"})
      values_.expect(key, false, false, "linears have no biases here");
    if (values_.boolean("use_sliding_window", true))
      values_.expect("sliding_window", nullptr, nullptr, "attention sees all that came before");
    if (out_.form != ReleaseForm::bitnet_1bitllm) return;
    values_.expect("input_bits", 8, 8, "activations have 8 bits");
    values_.expect("weight_bits", 1, 1, "weights are ternary");
  }

  void read_quantization() {
    const json::object* object = values_.object("quantization_config");
    if (out_.form != ReleaseForm::bitnet) {
      if (object != nullptr)
        values_.add("quantization_config",
                    "expected none: weights are read as floats, and computed with as the "
                    "architecture does");
      return;
    }
    if (object == nullptr && values_.has("quantization_config")) return;  // told
    if (object == nullptr) {
      values_.add("quantization_config",
                  "found none, so that transformers computes with the weights as they are; ternary ones are said by "
                  R"({"quant_method":"bitnet","linear_class":"autobitlinear","quantization_mode":"online"})");
      return;
    }
    ConfigValues quantization(*object, file_, "quantization_config.", wrong_);
    quantization.expect("quant_method", "bitnet", nullptr, "of ternary weights");
    quantization.expect("linear_class", "autobitlinear", "bitlinear", "packed weights must be unpacked first");
    quantization.expect("quantization_mode", "online", "offline", "packed weights must be unpacked first");
    quantization.expect("use_rms_norm", false, false, "norms stand in the architecture's places alone");
    if (object->contains("modules_to_not_convert"))
      quantization.expect("modules_to_not_convert", json::array{"lm_head"}, json::array{"lm_head"},
                          "every linear but the head is ternary");
  }

  const json::object& object_;
  const std::string& file_;
  std::vector<Diagnostic>& wrong_;
  ConfigValues values_;
  ReleasedConfig out_;
};

}  // namespace

std::string ReleasedConfig::plugin() const { return form == ReleaseForm::llama ? "llama" : "b158"; }

json::object ReleasedConfig::options() const {
  json::object options = {{"d_model", d_model},       {"n_layers", n_layers}, {"n_heads", n_heads},
                          {"n_kv_heads", n_kv_heads}, {"d_ff", d_ff},         {"positions", "rope"},
                          {"rope_theta", rope_theta}, {"tied", tied},         {"norm_eps", norm_epsilon}};
  if (rope_scaling) {
    options["rope_factor"] = rope_scaling->factor;
    options["rope_low_freq_factor"] = rope_scaling->low_freq_factor;
    options["rope_high_freq_factor"] = rope_scaling->high_freq_factor;
    options["rope_original_positions"] = rope_scaling->positions;
  }
  if (form == ReleaseForm::llama) return options;
  options["norms"] = "outer_and_sub";
  options["activation"] = activation;
  return options;
}

ReleasedConfig read_released_config(std::string_view text, const std::string& file, std::vector<Diagnostic>& wrong) {
  const json::value value = parse_json(text, file);
  if (value.is_object()) return ConfigReader(value.get_object(), file, wrong).read();
  wrong.push_back({.file = file, .message = "expected a JSON object"});
  return {};
}

}  // namespace bitsweep::weights
