#include "plugin/describe.h"

#include <cmath>

#include <fmt/format.h>

#include "base/error.h"

namespace bitsweep::plugin {
namespace {

// "bits" is what descriptions and events said while engines were for bits alone.
constexpr const char *kOwn = "own", *kBits = "bits", *kBlocks = "blocks";

[[noreturn]] void fail(const char* what, std::string message) {
  throw Error(ErrorKind::input, fmt::format("{}: {}", what, message));
}

const json::value& member(const json::object& object, const char* key, const char* what) {
  const json::value* value = object.if_contains(key);
  if (value == nullptr) fail(what, fmt::format("'{}' is missing", key));
  return *value;
}

json::object object_member(const json::object& object, const char* key, const char* what) {
  const json::value& value = member(object, key, what);
  if (!value.is_object()) fail(what, fmt::format("'{}' must be an object", key));
  return value.get_object();
}

int64_t count_member(const json::object& object, const char* key, int64_t least, const char* what) {
  const json::value& value = member(object, key, what);
  boost::system::error_code code;
  const int64_t count = value.is_number() ? value.to_number<int64_t>(code) : least - 1;
  if (code || count < least) fail(what, fmt::format("'{}' must be an integer of at least {}", key, least));
  return count;
}

double number_member(const json::object& object, const char* key, const char* what) {
  const json::value& value = member(object, key, what);
  const double number = value.is_number() ? value.to_number<double>() : NAN;
  if (!std::isfinite(number) || number < 0) fail(what, fmt::format("'{}' must be a finite number, not negative", key));
  return number;
}

json::object to_json(const BlockCost& block) {
  return {{"name", block.name},
          {"params", block.params},
          {"flops_forward_per_token", block.flops_forward_per_token},
          {"flops_backward_per_token", block.flops_backward_per_token},
          {"kept_bytes", block.kept_bytes}};
}

BlockCost block_from_json(const json::value& value) {
  constexpr const char* what = "description: blocks";
  if (!value.is_object()) fail(what, "each must be an object");
  const json::object& object = value.get_object();
  const double forward = number_member(object, "flops_forward_per_token", what);
  const bool says = object.if_contains("flops_backward_per_token") != nullptr;
  return {.name = string_or(object, "name", ""),
          .params = count_member(object, "params", 0, what),
          .flops_forward_per_token = forward,
          .kept_bytes = count_member(object, "kept_bytes", 0, what),
          .flops_backward_per_token = says ? number_member(object, "flops_backward_per_token", what) : 2 * forward};
}

MemoryNeed memory_from_json(const json::object& object) {
  constexpr const char* what = "description: bytes";
  return {.weights = count_member(object, "weights", 0, what),
          .gradients = count_member(object, "gradients", 0, what),
          .optimizer = count_member(object, "optimizer", 0, what),
          .activations = count_member(object, "activations", 0, what),
          .peak = count_member(object, "peak", 0, what)};
}

// What a plugin may leave unsaid.
void read_costs(const json::object& object, Description& description) {
  if (const json::value* blocks = object.if_contains("blocks")) {
    if (!blocks->is_array()) fail("description", "'blocks' must be a list");
    for (const json::value& block : blocks->get_array()) description.blocks.push_back(block_from_json(block));
  }
  if (object.if_contains("implied") != nullptr) description.implied = object_member(object, "implied", "description");
  if (object.if_contains("flops_backward_per_token") != nullptr)
    description.flops_backward_per_token = number_member(object, "flops_backward_per_token", "description");
  if (object.if_contains("stored_bits_per_weight_body") != nullptr)
    description.stored_bits_per_weight_body = number_member(object, "stored_bits_per_weight_body", "description");
  if (object.if_contains("stored_bytes") != nullptr)
    description.stored_bytes = count_member(object, "stored_bytes", 0, "description");
  if (object.if_contains("bytes") != nullptr)
    description.bytes = memory_from_json(object_member(object, "bytes", "description"));
  description.path = step_path_from_json(object);
  const json::value* rounds = object.if_contains("rounds_gradients");
  if (description.path) {
    description.path->rounds = rounds != nullptr && rounds->is_bool() && rounds->get_bool();
    description.path->only_f32 = string_or(object, "gradients_f32_because", "");
  }
}

}  // namespace

json::object to_json(const DescribeRequest& request) {
  json::object object{{"options", request.options},         {"vocab", request.vocab},
                      {"context", request.context},         {"sequences", request.sequences},
                      {"accumulates", request.accumulates}, {"precision", request.precision},
                      {"gradients", request.gradients}};
  if (!request.defaults.empty()) object["defaults"] = request.defaults;
  return object;
}

DescribeRequest describe_request_from_json(const json::object& object) {
  constexpr const char* what = "describe request";
  DescribeRequest request{.options = object_member(object, "options", what),
                          .vocab = count_member(object, "vocab", 1, what),
                          .context = count_member(object, "context", 1, what)};
  if (object.if_contains("defaults") != nullptr) request.defaults = object_member(object, "defaults", what);
  if (object.if_contains("sequences") != nullptr) request.sequences = count_member(object, "sequences", 1, what);
  if (const json::value* value = object.if_contains("accumulates")) {
    if (!value->is_bool()) fail(what, "'accumulates' must be true or false");
    request.accumulates = value->get_bool();
  }
  request.precision = string_or(object, "precision", request.precision);
  if (request.precision != "f32" && request.precision != "bf16") fail(what, "'precision' must be f32 or bf16");
  request.gradients = string_or(object, "gradients", request.gradients);
  return request;
}

json::object to_json(const MemoryNeed& bytes) {
  return {{"weights", bytes.weights},         {"gradients", bytes.gradients}, {"optimizer", bytes.optimizer},
          {"activations", bytes.activations}, {"peak", bytes.peak},           {"checkpoint", bytes.checkpoint()}};
}

json::object to_json(const std::optional<StepPath>& path) {
  if (!path) return {};
  json::object object{{"engine", path->own ? kOwn : kBlocks}};
  if (!path->own) object["engine_because"] = path->because;
  return object;
}

std::optional<StepPath> step_path_from_json(const json::object& object) {
  if (object.if_contains("engine") == nullptr) return std::nullopt;
  const std::string engine = string_or(object, "engine", "");
  if (engine != kOwn && engine != kBits && engine != kBlocks) fail("description", "'engine' must be own or blocks");
  return StepPath{.own = engine != kBlocks, .because = string_or(object, "engine_because", "")};
}

json::object to_json(const Description& d) {
  json::object object{{"options", d.options},
                      {"params", d.params},
                      {"params_embedding", d.params_embedding},
                      {"params_nonembedding", d.params_nonembedding()},
                      {"params_extra", d.params_extra},
                      {"latent_bits_per_weight", d.latent_bits_per_weight},
                      {"stored_bits_per_weight", d.stored_bits_per_weight},
                      {"flops_forward_per_token", d.flops_forward_per_token}};
  if (!d.implied.empty()) object["implied"] = d.implied;
  if (d.flops_backward_per_token) object["flops_backward_per_token"] = *d.flops_backward_per_token;
  if (d.stored_bits_per_weight_body) object["stored_bits_per_weight_body"] = *d.stored_bits_per_weight_body;
  if (d.stored_bytes > 0) object["stored_bytes"] = d.stored_bytes;
  if (!d.blocks.empty()) {
    json::array blocks;
    for (const BlockCost& block : d.blocks) blocks.push_back(to_json(block));
    object["blocks"] = std::move(blocks);
  }
  if (d.bytes) object["bytes"] = to_json(*d.bytes);
  for (const auto& member : to_json(d.path)) object[member.key()] = member.value();
  if (d.path) object["rounds_gradients"] = d.path->rounds;
  if (d.path && !d.path->only_f32.empty()) object["gradients_f32_because"] = d.path->only_f32;
  return object;
}

Description description_from_json(const json::object& object) {
  constexpr const char* what = "description";
  Description d{.options = object_member(object, "options", what),
                .params = count_member(object, "params", 1, what),
                .params_embedding = count_member(object, "params_embedding", 0, what),
                .params_extra = count_member(object, "params_extra", 0, what),
                .latent_bits_per_weight = number_member(object, "latent_bits_per_weight", what),
                .stored_bits_per_weight = number_member(object, "stored_bits_per_weight", what),
                .flops_forward_per_token = number_member(object, "flops_forward_per_token", what)};
  read_costs(object, d);
  if (d.params_embedding > d.params) fail(what, "'params_embedding' is larger than 'params'");
  return d;
}

}  // namespace bitsweep::plugin
