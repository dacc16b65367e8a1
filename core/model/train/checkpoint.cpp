#include "train/checkpoint.h"

#include <array>
#include <cmath>
#include <cstring>
#include <optional>
#include <set>

#include <fcntl.h>
#include <unistd.h>

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/error.h"
#include "base/sha256.h"
#include "base/units.h"

namespace bitsweep::train {
namespace {

constexpr std::string_view kFormat = "bitsweep.checkpoint.1";

std::string_view raw_bytes(const at::Tensor& tensor) {
  return {static_cast<const char*>(tensor.const_data_ptr()), static_cast<size_t>(tensor.nbytes())};
}

struct TypeName {
  at::ScalarType type;
  const char* name;  // in the container
};
constexpr std::array<TypeName, 6> kTypes{{{at::kFloat, "F32"},
                                          {at::kDouble, "F64"},
                                          {at::kLong, "I64"},
                                          {at::kShort, "I16"},
                                          {at::kChar, "I8"},
                                          {at::kByte, "U8"}}};

const char* type_name(const NamedTensor& named) {
  for (const TypeName& known : kTypes) {
    if (named.tensor.scalar_type() == known.type) return known.name;
  }
  TORCH_CHECK(false, named.name, " is of a type that a checkpoint does not hold");
}

std::map<std::string, std::string> metadata_of(const CheckpointOwner& owner, const Progress& progress,
                                               std::string payload_sha256) {
  std::map<std::string, std::string> metadata = {{"format", std::string(kFormat)},
                                                 {"run", owner.run},
                                                 {"spec_sha256", owner.spec_sha256},
                                                 {"plugin", owner.plugin},
                                                 {"step", fmt::format("{}", progress.step)},
                                                 {"tokens", fmt::format("{}", progress.tokens)},
                                                 {"best_step", fmt::format("{}", progress.best_step)},
                                                 {"elapsed_s", fmt::format("{}", progress.elapsed_s)},
                                                 {"interval_nats", fmt::format("{}", progress.interval_nats)},
                                                 {"interval_losses", fmt::format("{}", progress.interval_losses)},
                                                 {"payload_sha256", std::move(payload_sha256)}};
  const std::string best = fmt::format("{}", progress.best_value);  // the shortest text that reads back the same
  if (progress.best_metric == Progress{}.best_metric) {
    metadata["best_val_bpc"] = best;
  } else {
    metadata["best_metric"] = progress.best_metric;
    metadata["best_value"] = best;
  }
  if (!owner.tokenizer_sha256.empty()) metadata["tokenizer_sha256"] = owner.tokenizer_sha256;
  return metadata;
}

// Reads metadata of one file, with errors that name file and key.
class Metadata {
 public:
  Metadata(const fs::path& path, const std::map<std::string, std::string>& values) : path_(path), values_(values) {}

  std::string text(const char* key) const {
    const auto it = values_.find(key);
    if (it == values_.end()) fail(fmt::format("no checkpoint of bitsweep: its metadata lack '{}'", key));
    return it->second;
  }
  // "" where it is not there.
  std::string text_or_none(const char* key) const { return values_.contains(key) ? values_.at(key) : ""; }
  double number(const char* key) const {
    const std::optional<double> value = parse_number(text(key));
    if (!value) fail(fmt::format("'{}' in its metadata is no number", key));
    return *value;
  }
  int64_t count(const char* key) const {
    const double value = number(key);
    if (!(value >= 0 && value < 9e15) || value != std::floor(value))
      fail(fmt::format("'{}' in its metadata is no count", key));
    return static_cast<int64_t>(value);
  }
  [[noreturn]] void fail(std::string message) const {
    throw Error(ErrorKind::input, {Diagnostic{.file = path_.string(), .message = std::move(message)}});
  }

 private:
  const fs::path& path_;
  const std::map<std::string, std::string>& values_;
};

}  // namespace

uint64_t write_checkpoint(const fs::path& path, const CheckpointOwner& owner, const Progress& progress,
                          const std::vector<NamedTensor>& tensors) {
  std::vector<weights::TensorEntry> entries;
  std::vector<at::Tensor> data;  // contiguous, on the CPU
  Sha256 hash;
  uint64_t at = 0;
  for (const NamedTensor& named : tensors) {
    data.push_back(named.tensor.detach().to(at::kCPU).contiguous());
    const std::string_view bytes = raw_bytes(data.back());
    hash.update(bytes);
    entries.push_back({.name = named.name,
                       .dtype = type_name(named),
                       .shape = named.tensor.sizes().vec(),
                       .begin = at,
                       .end = at + bytes.size()});
    at += bytes.size();
  }
  const std::string header = weights::safetensors_header(metadata_of(owner, progress, hash.hex()), entries);
  AtomicFile file(path);
  file.write(header);
  for (const at::Tensor& tensor : data) file.write(raw_bytes(tensor));
  file.commit();
  return header.size() + at;
}

void link_checkpoint(const fs::path& from, const fs::path& to) {
  // Checkpoints are replaced by rename and never changed in place, so two names may share one file.
  const fs::path temporary = to.string() + fmt::format(".tmp{}", ::getpid());
  ::unlink(temporary.c_str());
  if (::link(from.c_str(), temporary.c_str()) == 0) {
    if (::rename(temporary.c_str(), to.c_str()) == 0) {
      ::unlink(temporary.c_str());  // rename leaves it when both are already the same file
      sync_folder(to.parent_path());
      return;
    }
    ::unlink(temporary.c_str());
  }
  const MappedFile map(from);
  write_file_atomic(to, {reinterpret_cast<const char*>(map.bytes().data()), map.bytes().size()});
}

Checkpoint::Checkpoint(const fs::path& path)
    : path_(path), map_(path), content_(weights::parse_safetensors(map_.bytes(), path_.string())) {
  const Metadata metadata(path_, content_.metadata);
  if (const std::string format = metadata.text("format"); format != kFormat)
    metadata.fail(fmt::format("a checkpoint of format '{}', this program reads '{}'", format, kFormat));
  owner_ = {.run = metadata.text("run"),
            .spec_sha256 = metadata.text("spec_sha256"),
            .plugin = metadata.text("plugin"),
            .tokenizer_sha256 = metadata.text_or_none("tokenizer_sha256")};
  const std::string other_metric = metadata.text_or_none("best_metric");
  progress_ = {.step = metadata.count("step"),
               .tokens = metadata.count("tokens"),
               .best_metric = other_metric.empty() ? Progress{}.best_metric : other_metric,
               .best_value = metadata.number(other_metric.empty() ? "best_val_bpc" : "best_value"),
               .best_step = metadata.count("best_step"),
               .elapsed_s = metadata.number("elapsed_s"),
               .interval_nats = metadata.number("interval_nats"),
               .interval_losses = metadata.count("interval_losses")};
  payload_sha256_ = metadata.text("payload_sha256");
}

void Checkpoint::verify_payload() const {
  const auto payload = map_.bytes().subspan(content_.payload_offset);
  Sha256 hash;
  hash.update(payload.data(), payload.size());
  if (hash.hex() != payload_sha256_)
    Metadata(path_, content_.metadata).fail("damaged: its tensors do not have the recorded checksum");
}

void Checkpoint::require_owner(const CheckpointOwner& owner) const {
  const Metadata metadata(path_, content_.metadata);
  if (owner_.run != owner.run) metadata.fail(fmt::format("belongs to run {}, not to {}", owner_.run, owner.run));
  if (owner_.spec_sha256 != owner.spec_sha256) metadata.fail("was written under another spec of the same run id");
  if (owner_.plugin != owner.plugin)
    metadata.fail(fmt::format("was written by plugin '{}', not '{}'", owner_.plugin, owner.plugin));
}

void Checkpoint::require_tokenizer(const std::string& sha256) const {
  if (sha256.empty() || owner_.tokenizer_sha256.empty() || sha256 == owner_.tokenizer_sha256) return;
  Metadata(path_, content_.metadata)
      .fail(fmt::format("run {} has another tokenizer (SHA-256 {:.12}) than this one (SHA-256 {:.12}), so that its "
                        "weights are of other tokens",
                        owner_.run, owner_.tokenizer_sha256, sha256));
}

void Checkpoint::require_tensors(const std::vector<NamedTensor>& tensors, bool exactly) const {
  std::vector<Diagnostic> problems;
  const auto problem = [&](std::string message) {
    problems.push_back({.file = path_.string(), .message = std::move(message)});
  };
  std::set<std::string_view> wanted;
  for (const NamedTensor& named : tensors) {
    wanted.insert(named.name);
    const weights::TensorEntry* entry = content_.find(named.name);
    if (entry == nullptr)
      problem(fmt::format("has no tensor '{}' (it was written by plugin '{}')", named.name, owner_.plugin));
    else if (entry->dtype != type_name(named))
      problem(fmt::format("tensor '{}' is {}, expected {}", named.name, entry->dtype, type_name(named)));
    else if (at::IntArrayRef(entry->shape) != named.tensor.sizes())
      problem(fmt::format("tensor '{}' has shape [{}], this model's has [{}]", named.name,
                          fmt::join(entry->shape, ", "), fmt::join(named.tensor.sizes(), ", ")));
  }
  for (const weights::TensorEntry& entry : content_.tensors)
    if (exactly && !wanted.contains(entry.name))
      problem(fmt::format("has a tensor '{}' that this run lacks", entry.name));
  // A model of another shape differs everywhere; the first few say it.
  constexpr size_t kShown = 5;
  if (problems.size() > kShown) {
    const size_t more = problems.size() - kShown;
    problems.resize(kShown);
    problem(fmt::format("and {} more tensors that do not fit", more));
  }
  if (!problems.empty()) throw Error(ErrorKind::input, std::move(problems));
}

void Checkpoint::copy_into(const std::vector<NamedTensor>& tensors) const {
  const at::NoGradGuard no_grad;
  const uint8_t* payload = map_.bytes().data() + content_.payload_offset;
  for (const NamedTensor& named : tensors) {
    const weights::TensorEntry* entry = content_.find(named.name);
    // Through memory of LibTorch's own: the payload need not be aligned for every device copy.
    const at::Tensor host = at::empty(entry->shape, named.tensor.scalar_type());
    if (entry->end > entry->begin)
      std::memcpy(host.mutable_data_ptr(), payload + entry->begin, entry->end - entry->begin);
    named.tensor.copy_(host);
  }
}

}  // namespace bitsweep::train
