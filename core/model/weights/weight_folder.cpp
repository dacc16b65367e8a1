#include "weights/weight_folder.h"

#include <set>

#include <fmt/format.h>

#include "base/json.h"
#include "base/sha256.h"

namespace bitsweep::weights {
namespace {

constexpr uint64_t kLargestIndex_bytes = UINT64_C(64) << 20;

// The files that an index names, by tensor.
std::map<std::string, std::string> read_index(const fs::path& path, std::vector<Diagnostic>& wrong) {
  std::map<std::string, std::string> index;
  const auto problem = [&](std::string message) {
    wrong.push_back({.file = path.string(), .message = std::move(message)});
  };
  const json::value value = parse_json(read_file(path, kLargestIndex_bytes), path.string());
  const json::value* map = value.is_object() ? value.get_object().if_contains("weight_map") : nullptr;
  if (map == nullptr || !map->is_object() || map->get_object().empty()) {
    problem("'weight_map': expected an object of a file's name for each tensor");
    return index;
  }
  for (const auto& member : map->get_object()) {
    const std::string file = member.value().is_string() ? std::string(member.value().get_string()) : "";
    if (file.empty() || fs::path(file).filename() != file)
      problem(fmt::format("'weight_map.{}': expected the name of a file beside it, found {}",
                          std::string_view(member.key()), compact_json(member.value())));
    else
      index[std::string(member.key())] = file;
  }
  return index;
}

std::string nothing_there(const fs::path& folder) {
  std::error_code code;
  const bool pickled =
      fs::exists(folder / "pytorch_model.bin", code) || fs::exists(folder / "pytorch_model.bin.index.json", code);
  return fmt::format("expected model.safetensors, or model.safetensors.index.json with the files that it names{}",
                     pickled ? "; pytorch_model.bin is not read: save it as safetensors (save_pretrained)" : "");
}

}  // namespace

WeightFolder::WeightFolder(const fs::path& folder, std::vector<Diagnostic>& wrong) {
  const fs::path single = folder / "model.safetensors", index_file = folder / "model.safetensors.index.json";
  std::error_code code;
  if (fs::exists(single, code)) {
    open_files({single}, wrong);
    return;
  }
  if (!fs::exists(index_file, code)) {
    wrong.push_back({.file = folder.string(), .message = nothing_there(folder)});
    return;
  }
  const std::map<std::string, std::string> index = read_index(index_file, wrong);
  std::set<std::string> names;
  for (const auto& [tensor, file] : index) names.insert(file);
  std::vector<fs::path> paths;
  for (const std::string& name : names) paths.push_back(folder / name);
  open_files(paths, wrong);
  if (files_.size() != paths.size()) return;
  for (const auto& [tensor, file] : index) {
    const auto place = places_.find(tensor);
    if (place == places_.end() || files_[place->second].path.filename() != file)
      wrong.push_back({.file = index_file.string(),
                       .message = fmt::format("'weight_map.{}': the tensor is not in {}", tensor, file)});
  }
}

void WeightFolder::open_files(const std::vector<fs::path>& paths, std::vector<Diagnostic>& wrong) {
  files_.reserve(paths.size());  // entries are pointed to
  for (const fs::path& path : paths) {
    try {
      MappedFile map(path);
      Safetensors content = parse_safetensors(map.bytes(), path.string());
      files_.push_back({path, std::move(map), std::move(content)});
    } catch (const Error& error) {
      wrong.insert(wrong.end(), error.diagnostics().begin(), error.diagnostics().end());
      continue;
    }
    for (const TensorEntry& entry : files_.back().content.tensors) {
      places_[entry.name] = files_.size() - 1;
      if (!tensors_.emplace(entry.name, &entry).second)
        wrong.push_back(
            {.file = path.string(), .message = fmt::format("tensor '{}' is in another file, too", entry.name)});
    }
  }
}

std::span<const uint8_t> WeightFolder::bytes_of(const std::string& name) const {
  const File& file = files_[places_.at(name)];
  const TensorEntry& entry = *tensors_.at(name);
  return file.map.bytes().subspan(file.content.payload_offset + entry.begin, entry.end - entry.begin);
}

std::string WeightFolder::sha256() const {
  std::string all;
  for (const File& file : files_) {
    Sha256 hash;
    hash.update(file.map.bytes().data(), file.map.bytes().size());
    all += hash.hex();
  }
  return files_.size() == 1 ? all : sha256_hex(all);
}

}  // namespace bitsweep::weights
