// Which parameters a finetune leaves alone: patterns over parameter names, `*` any characters (dots too), `?` any one.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "nn/model.h"

namespace bitsweep::train {

bool matches_pattern(std::string_view name, std::string_view pattern);

// Takes the gradient from every parameter that a pattern matches; their names. Throws Error{input} naming every pattern
// that matches nothing, with the nearest name.
std::vector<std::string> freeze_parameters(const std::vector<nn::Parameter>& parameters,
                                           const std::vector<std::string>& patterns);

// The same of all that a model trains, its bits among them.
std::vector<std::string> freeze_parameters(const nn::Model& model, const std::vector<std::string>& patterns);

}  // namespace bitsweep::train
