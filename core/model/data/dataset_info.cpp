#include "data/dataset_info.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/error.h"
#include "base/sha256.h"
#include "base/units.h"
#include "data/token_plan.h"
#include "data/window_order.h"
#include "tokenize/byte_alphabet.h"

namespace bitsweep::data {
namespace {

int64_t total_tokens(const std::vector<Segment>& segments) {
  int64_t sum = 0;
  for (const Segment& segment : segments) sum += static_cast<int64_t>(segment.size());
  return sum;
}

// Of each part of a mixture whose own text is validated on, else in all.
std::vector<uint64_t> val_bytes_of(const std::vector<Segment>& val, const std::vector<uint64_t>& part_ends) {
  std::vector<uint64_t> bytes(std::max<size_t>(1, part_ends.size()));
  for (const Segment& segment : val) {
    const auto part = std::lower_bound(part_ends.begin(), part_ends.end(), segment.end) - part_ends.begin();
    bytes.at(part_ends.empty() ? 0 : static_cast<size_t>(part)) += segment.size();
  }
  return bytes;
}

uint64_t unknown_bytes(const tokenize::ByteAlphabet& alphabet, const TextStats& stats) {
  return alphabet.knows_high_bytes() ? 0 : stats.high_bytes;
}

void note_bytes(const tokenize::ByteAlphabet& tokenizer, const CorpusFacts& facts, std::vector<std::string>& notes) {
  const TextStats& stats = facts.stats;
  if (stats.looks_binary())
    notes.push_back(fmt::format("'{}' looks like binary data, not text: {:.1f} % of its bytes are control characters.",
                                facts.name,
                                100.0 * static_cast<double>(stats.control_bytes) / static_cast<double>(stats.bytes)));
  if (const uint64_t unknown = unknown_bytes(tokenizer, stats); unknown > 0)
    notes.push_back(fmt::format(
        "{} of the {} bytes of '{}' ({:.2g} %) are outside {} and become one token, {}: "
        "which of them it was is neither learned nor scored.",
        format_thousands(static_cast<int64_t>(unknown)), format_thousands(static_cast<int64_t>(stats.bytes)),
        facts.name, 100.0 * static_cast<double>(unknown) / static_cast<double>(stats.bytes), tokenizer.name(),
        tokenize::unknown_token));
}

}  // namespace

void count_tokens(const Split& split, int64_t context, DatasetInfo& info) {
  info.train_tokens = total_tokens(split.train);
  info.train_windows = WindowOrder(split.train, context).windows_per_epoch();
  info.val_tokens = total_tokens(split.val);
  info.val_windows = count_validation_windows(split.val, context);
}

DatasetInfo describe_texts(const spec::DataSpec& spec, const CorpusFacts& train, const CorpusFacts* val,
                           const Split& split) {
  const tokenize::ByteAlphabet alphabet(spec.is_bytes() ? spec.tokenizer : "bytes256");
  DatasetInfo info;
  info.name = train.name;
  info.sha256 = val != nullptr ? sha256_hex(train.content() + val->sha256) : train.content();
  info.bytes = train.stats.bytes + (val != nullptr ? val->stats.bytes : 0);
  count_tokens(split, spec.context, info);
  info.val_bytes = val_bytes_of(split.val, val == nullptr ? train.part_ends : std::vector<uint64_t>());
  info.vocab = spec.is_bytes() ? model_vocab(spec, alphabet.vocab()) : alphabet.vocab();
  info.entropy_bits_per_byte = train.entropy_bits_per_byte;
  if (val == nullptr && spec.is_bytes()) info.task = find_induction_task(spec.corpus);
  for (const CorpusFacts* facts : {&train, val}) {
    if (facts == nullptr) continue;
    info.unknown_bytes += unknown_bytes(alphabet, facts->stats);
    info.notes.insert(info.notes.end(), facts->notes.begin(), facts->notes.end());
    note_bytes(alphabet, *facts, info.notes);
  }
  if (info.task && spec.context < induction_longest_line(*info.task))
    info.notes.push_back(
        fmt::format("data.context {} is shorter than the longest line of '{}', {} bytes: answers whose evidence a "
                    "window cuts off do "
                    "not count.",
                    spec.context, spec.corpus, induction_longest_line(*info.task)));
  // A run of before stays what it was.
  if (spec.sha256.empty() && val != nullptr && val->sha256 == train.sha256)
    throw Error(ErrorKind::input,
                fmt::format("'{}' holds the same text as '{}', both to train on and to validate on (data.val)",
                            spec.val, info.name));
  if (!spec.sha256.empty() && spec.sha256 != info.sha256)
    throw Error(
        ErrorKind::input,
        fmt::format("'{}' is no longer the text that the run was planned on (SHA-256 {:.12}, then {:.12}); plan and "
                    "submit it anew",
                    info.name, info.sha256, spec.sha256));
  return info;
}

json::object to_json(const DatasetInfo& info) {
  json::value entropy = nullptr;
  if (info.entropy_bits_per_byte) entropy = *info.entropy_bits_per_byte;
  json::object object{{"name", info.name},
                      {"sha256", info.sha256},
                      {"bytes", info.bytes},
                      {"train_tokens", info.train_tokens},
                      {"train_windows", info.train_windows},
                      {"val_tokens", info.val_tokens},
                      {"val_windows", info.val_windows},
                      {"val_sha256", info.val_sha256},
                      {"unknown_bytes", info.unknown_bytes},
                      {"vocab", info.vocab},
                      {"entropy_bits_per_byte", std::move(entropy)},
                      {"notes", json::array(info.notes.begin(), info.notes.end())}};
  if (info.tokenizer_sha256.empty()) return object;
  object["tokenizer_sha256"] = info.tokenizer_sha256;
  object["documents"] = info.documents;
  object["bytes_per_token"] = info.bytes_per_token;
  object["bytes_kept"] = info.bytes_kept;
  return object;
}

}  // namespace bitsweep::data
