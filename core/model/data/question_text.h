// The text of a file of questions or of examples.
#pragma once

#include <string>

namespace bitsweep::data {

// Of a built-in one (spec::builtin_task_files), or of the file at a path: as it lies, or compressed by gzip or zstd,
// which its first bytes say; up to 1 GiB of text. Throws Error{input} for what cannot be read, is larger, damaged, or
// no text, in words what it is.
std::string question_text(const std::string& file);

}  // namespace bitsweep::data
