// What a run says of its settings, as dotted paths and texts: by them runs are cells, and cells differ. Pure.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "query/rows.h"

namespace bitsweep::analysis {

// "train.lr", "0.001". A tokenizer is one setting, a mixture's weights are another ("data.corpus.weight", "3:1").
using Settings = std::vector<std::pair<std::string, std::string>>;

inline constexpr const char* kTokenizerSetting = "data.tokenizer";

// In the order of their paths.
Settings run_settings(const query::RunRow& run);
// Null where it is not said.
const std::string* find_setting(const Settings& settings, std::string_view path);

// Options of a model that make it larger or smaller, by their names below `model.`: they are told by its parameters.
bool is_shape_option(std::string_view option);
bool is_model_option(std::string_view path);
bool is_shape_setting(std::string_view path);
// Whether a run of this train.init_from begins with another's weights: it has that one's shape, and no other size of it
// can be run.
bool starts_from_weights(std::string_view init_from);
// Which log a run from elsewhere is of: its identity, and no setting.
bool is_imported_log(std::string_view path);

// Whether runs that differ in it are no seeds of one configuration: not in what names no run (spec/run_spec.h), and
// not in where a text lies whose content is known.
bool tells_cells_apart(const Settings& settings, std::string_view path);
// What names, sizes, budgets and the group say of a cell already, or of no consequence for the loss.
bool is_told_elsewhere(std::string_view path);

}  // namespace bitsweep::analysis
