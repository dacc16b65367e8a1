// The learning-rate schedule as the `curve` law reads it: the area below it, and how far it has been annealed.
//
// Tissue, Wang, Wang 2024, "Scaling law with learning rate annealing": with η_i the rate of step i,
//     S1 = Σ_i η_i,   S2 = Σ_i m_i,   m_i = λ m_{i−1} + (η_{i−1} − η_i),
// so that annealing acts with the momentum λ, of about 1/(1 − λ) steps. Warmup counts in S1 alone.
#pragma once

#include <vector>

#include "fit/points.h"

namespace bitsweep::fit {

inline constexpr double kAnnealingMomentum = 0.999;

struct ScheduleArea {
  double lr_area = 0;    // S1
  double annealing = 0;  // S2
};

// The rate at a step; between two of them it is a straight line, before the first the first, after the last the last.
struct RateAt {
  double step = 0;
  double lr = 0;
};

// S1 and S2 after each of `steps` (ascending, >= 0) of a schedule with rates at ascending steps. Linear in the last
// step.
std::vector<ScheduleArea> schedule_areas(const std::vector<RateAt>& schedule, const std::vector<double>& steps,
                                         double momentum = kAnnealingMomentum);

}  // namespace bitsweep::fit
