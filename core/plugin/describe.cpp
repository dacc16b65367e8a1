#include "plugin/describe.h"

#include <cmath>

#include <fmt/format.h>

#include "base/error.h"

namespace bitsweep {
namespace {

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

}  // namespace

json::object to_json(const DescribeRequest& request) {
  return {{"options", request.options}, {"vocab", request.vocab}, {"context", request.context}};
}

DescribeRequest describe_request_from_json(const json::object& object) {
  constexpr const char* what = "describe request";
  return {.options = object_member(object, "options", what),
          .vocab = count_member(object, "vocab", 1, what),
          .context = count_member(object, "context", 1, what)};
}

json::object to_json(const Description& d) {
  return {{"options", d.options},
          {"params", d.params},
          {"params_embedding", d.params_embedding},
          {"params_nonembedding", d.params_nonembedding()},
          {"params_extra", d.params_extra},
          {"latent_bits_per_weight", d.latent_bits_per_weight},
          {"stored_bits_per_weight", d.stored_bits_per_weight},
          {"flops_forward_per_token", d.flops_forward_per_token}};
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
  if (d.params_embedding > d.params) fail(what, "'params_embedding' is larger than 'params'");
  return d;
}

}  // namespace bitsweep
