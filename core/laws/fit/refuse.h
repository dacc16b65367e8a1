// Why points cannot carry a law: named rules, each a sentence that gives the figures it rests on.
//
// The rules on the design look at where the points are; the rules on the outcome look at losses and the fit.
#pragma once

#include <string>
#include <vector>

#include "fit/axis.h"
#include "fit/law.h"
#include "fit/points.h"

namespace bitsweep::fit {

using Reasons = std::vector<std::string>;

// Fewer configurations than parameters.
void refuse_few_configurations(const std::vector<Point>& points, int parameters, const std::string& law, Reasons& out);
// Fewer than three different values on an axis of a joint law: two cannot tell a floor from a slower fall.
void refuse_few_levels(const std::vector<Point>& points, Axis axis, Reasons& out);
// The same for a law of one axis.
void refuse_few_values(const std::vector<Point>& points, Axis axis, int parameters, const std::string& law,
                       Reasons& out);
// A law of one axis over points that also differ on the other.
void refuse_other_axis_varies(const std::vector<Point>& points, Axis axis, Reasons& out);
// log D a straight line of log N (D = k·N): which of the two lowers the loss cannot be told.
void refuse_collinear_axes(const std::vector<Point>& points, Reasons& out);
// What a joint law of N and D needs: levels enough on both axes, and axes that can be told apart.
void refuse_unidentified_axes(const std::vector<Point>& points, Reasons& out);
// Points of several variants or datasets are not one law.
void refuse_mixed_variants(const std::vector<Point>& points, Reasons& out);
void refuse_mixed_datasets(const std::vector<Point>& points, Reasons& out);
void refuse_mixed_labels(const std::vector<Point>& points, Reasons& out);
// A label with a parameter of its own and no point.
void refuse_absent(const std::vector<Point>& points, const std::vector<std::string>& labels, std::string Point::*of,
                   Reasons& out);
// Values that the law reads and that have no logarithm.
void refuse_nonpositive(const std::vector<Point>& points, const Law& law, Reasons& out);
// All losses the same, or a loss that rises along an axis.
void refuse_flat_or_rising(const std::vector<Point>& points, bool along_params, bool along_tokens, Reasons& out);

}  // namespace bitsweep::fit
