#include "conformance/conformance.h"

#include <exception>

#include <c10/util/Exception.h>
#include <fmt/format.h>

#include "base/error.h"
#include "base/nearest.h"
#include "conformance/checks.h"

namespace bitsweep::conformance {

std::span<const Check> conformance_checks() {
  static constexpr Check kChecks[] = {
      {"describe", "describing builds no tensor, and describing its own answer changes nothing", check_describe},
      {"counts", "what is built has exactly the described number of parameters", check_counts},
      {"options", "options out of range, of a wrong type or unknown are refused by name; defaults are the manifest's",
       check_options},
      {"logits", "logits are finite f32 [B, T, V], for any number of sequences and a shorter context", check_logits},
      {"halves", "where a model parts into trunk and head, they are its forward pass, and the head reads rows alone",
       check_halves},
      {"causality", "changing token t changes no earlier logit, bit for bit, in evaluation and in training",
       check_causality},
      {"decode", "decoding token by token, with what the model keeps, gives the logits of the whole", check_decode},
      {"evaluation", "evaluating twice gives the same bits", check_evaluation},
      {"batch", "a sequence's logits do not depend on the others of its batch, nor on how many there are", check_batch},
      {"noise", "training draws from the step's generator alone: equal noise, equal logits, gradients and update",
       check_noise},
      {"registered", "everything trained that the loss depends on is registered, and in exactly one optimizer group",
       check_registered},
      {"gradients", "gradients are finite and f32, in f32 and under bf16 autocast", check_gradients},
      {"slopes", "where the loss is smooth in a parameter, its gradient is the slope of finite differences",
       check_slopes},
      {"moves", "every trained tensor, bits too, has moved after ten steps", check_moves},
      {"seeds", "the same seed gives the same weights and losses, another seed others", check_seeds},
      {"resume", "a run that was saved and resumed goes on bit for bit", check_resume},
      {"memory", "tensors alive after 200 steps take no more bytes than after 20", check_memory},
      {"learns", "a short training run leaves a model of byte frequencies well behind", check_learns},
  };
  return kChecks;
}

const Check& find_check(std::string_view name) {
  std::vector<std::string> names;
  for (const Check& check : conformance_checks()) {
    if (name == check.name) return check;
    names.emplace_back(check.name);
  }
  throw Error(ErrorKind::input, fmt::format("no check '{}'{}", name, did_you_mean(name, names)));
}

Outcome run_check(const Check& check, const Workbench& bench) {
  try {
    return check.run(bench);
  } catch (const c10::Error& error) {  // whose what() carries a backtrace
    return {false, fmt::format("LibTorch refused: {}", error.what_without_backtrace())};
  } catch (const std::exception& error) {
    return {false, error.what()};
  } catch (...) {
    return {false, "the plugin threw something that is no std::exception"};
  }
}

}  // namespace bitsweep::conformance
