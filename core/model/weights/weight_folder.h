// The tensors of a checkpoint that lies in a folder, in one safetensors file or in several with an index.
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/files.h"
#include "weights/safetensors.h"

namespace bitsweep::weights {

class WeightFolder {
 public:
  // Maps model.safetensors, or every file that model.safetensors.index.json names. What is wrong with any of them goes
  // into `wrong`.
  WeightFolder(const fs::path& folder, std::vector<Diagnostic>& wrong);

  // By name; each lies in one file.
  const std::map<std::string, const TensorEntry*>& tensors() const { return tensors_; }
  // REQUIRES that there is a tensor of the name.
  const fs::path& file_of(const std::string& name) const { return files_[places_.at(name)].path; }
  std::span<const uint8_t> bytes_of(const std::string& name) const;

  // Of the file's bytes; of several files, of their hashes in the order of their names. Reads all of them.
  std::string sha256() const;

 private:
  struct File {
    fs::path path;
    MappedFile map;
    Safetensors content;
  };
  void open_files(const std::vector<fs::path>& paths, std::vector<Diagnostic>& wrong);

  std::vector<File> files_;
  std::map<std::string, const TensorEntry*> tensors_;
  std::map<std::string, size_t> places_;  // into files_
};

}  // namespace bitsweep::weights
