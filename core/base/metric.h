// What runs are measured by: one table of names, units and directions, for whatever reads, compares or words them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace bitsweep {

enum class Better { lower, higher, neither };

struct Metric {
  std::string_view name;               // as events, tables and options have it: val_bpc
  std::vector<std::string_view> also;  // as others spell it, the more certain first
  std::string_view unit;               // "bits per byte"; "" for a bare number
  Better better = Better::neither;
  std::string_view words;  // "validation loss"
};

const std::vector<Metric>& metrics();

// Nothing for a name that is none of the table's own.
const Metric* find_metric(std::string_view name);

// How many bytes a token of the text has, from one evaluation's loss in nats a token and in bits per byte.
double bytes_per_token(double nats_per_token, double bits_per_byte);

}  // namespace bitsweep
