// JSON as a table, so that it is read as CSV is: JSON lines, a list of objects, a document that holds one, objects by
// name, or columns. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/csv.h"

namespace bitsweep::fit {

// By its first byte, or by its name: .json, .jsonl, .ndjson.
bool is_json_table(std::string_view text, const std::string& name);

// The header holds every key in order of appearance; members of members are named by their dotted path ("config.lr"),
// lists stand as their JSON. NaN and Infinity, which are no JSON, are empty cells, as null is. A cell's line is that on
// which its object begins, its column 1.
//
// Of lines: an object after a prefix, and several in a line, are read; lines that hold none are passed over and told in
// `notes`. Adds to `findings` what is wrong with a document, and a text that holds no object at all.
CsvTable read_json_table(std::string_view text, Findings& findings, std::vector<std::string>& notes);

}  // namespace bitsweep::fit
