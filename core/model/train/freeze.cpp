#include "train/freeze.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/error.h"
#include "base/nearest.h"

namespace bitsweep::train {
namespace {

// What a mistyped pattern may have meant: whole names, and each name's prefixes with a star.
std::vector<std::string> words_for(const std::vector<nn::Parameter>& parameters) {
  std::vector<std::string> words;
  for (const nn::Parameter& parameter : parameters) {
    words.push_back(parameter.name);
    for (size_t dot = parameter.name.find('.'); dot != std::string::npos; dot = parameter.name.find('.', dot + 1))
      words.push_back(parameter.name.substr(0, dot) + ".*");
  }
  std::sort(words.begin(), words.end());
  words.erase(std::unique(words.begin(), words.end()), words.end());
  return words;
}

}  // namespace

// Backtracks to the last star only, which suffices: O(name * pattern).
bool matches_pattern(std::string_view name, std::string_view pattern) {
  size_t n = 0, p = 0, star = std::string_view::npos, restart = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      restart = n;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == name[n])) {
      ++p, ++n;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      n = ++restart;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

std::vector<std::string> freeze_parameters(const std::vector<nn::Parameter>& parameters,
                                           const std::vector<std::string>& patterns) {
  std::vector<std::string> frozen;
  std::vector<Diagnostic> problems;
  for (const std::string& pattern : patterns) {
    bool any = false;
    for (const nn::Parameter& parameter : parameters) {
      if (!matches_pattern(parameter.name, pattern)) continue;
      any = true;
      if (!parameter.tensor.requires_grad()) continue;
      parameter.tensor.set_requires_grad(false);
      frozen.push_back(parameter.name);
    }
    if (!any)
      problems.push_back({.file = "",
                          .message = fmt::format("train.freeze: '{}' matches no parameter{}", pattern,
                                                 did_you_mean(pattern, words_for(parameters)))});
  }
  if (!problems.empty()) throw Error(ErrorKind::input, std::move(problems));
  return frozen;
}

std::vector<std::string> freeze_parameters(const nn::Model& model, const std::vector<std::string>& patterns) {
  std::vector<nn::Parameter> trained = model.parameters();
  for (const nn::BitMatrix& matrix : model.bit_matrices())
    trained.push_back({matrix.name, matrix.port, /*decay=*/false});
  return freeze_parameters(trained, patterns);
}

}  // namespace bitsweep::train
