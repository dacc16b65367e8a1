// Values that move with a run's progress, in [0, 1]. Pure: a resumed run has them again.
#pragma once

#include <cmath>
#include <numbers>

namespace bitsweep::nn {

enum class Anneal {
  linear,     // start + (end − start) · p
  cosine,     // half a period of a cosine: flat at both ends
  geometric,  // start · (end/start)^p; both ends above 0
};

inline double anneal(Anneal kind, double start, double end, double progress) {
  if (kind == Anneal::geometric) return start * std::pow(end / start, progress);
  if (kind == Anneal::cosine) progress = 0.5 - 0.5 * std::cos(std::numbers::pi * progress);
  return start + (end - start) * progress;
}

}  // namespace bitsweep::nn
