// truebit's options, cost and entry point. The model: model.h.
#include "plugin/plugin.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "model.h"

namespace bitsweep {
namespace {

constexpr std::array<std::pair<const char*, nn::FlipKind>, 5> kRules{{{"bop", nn::FlipKind::bop},
                                                                      {"counter", nn::FlipKind::counter},
                                                                      {"bold", nn::FlipKind::bold},
                                                                      {"diode", nn::FlipKind::diode},
                                                                      {"dqt", nn::FlipKind::dqt}}};
constexpr std::array<std::pair<const char*, nn::FlipNorm>, 3> kNorms{
    {{"factored", nn::FlipNorm::factored}, {"tensor", nn::FlipNorm::tensor}, {"none", nn::FlipNorm::none}}};

// The value that `option` names, and the name of a value.
template <class Table>
auto read_choice(nn::OptionReader& reader, const char* option, const Table& table) {
  std::vector<std::string> words;
  for (const auto& [word, value] : table) words.emplace_back(word);
  const std::string given = reader.choice(option, words.front(), words);
  for (const auto& [word, value] : table) {
    if (given == word) return value;
  }
  return table.front().second;
}

nn::FlipOptions read_flip(nn::OptionReader& reader) {
  nn::FlipOptions flip;
  flip.kind = read_choice(reader, "rule", kRules);
  flip.norm = read_choice(reader, "norm", kNorms);
  flip.state_bits = reader.integer("state_bits", flip.state_bits, 4, 32);
  if (flip.state_bits != 4 && flip.state_bits != 8 && flip.state_bits != 16 && flip.state_bits != 32)
    reader.add_problem(fmt::format("state_bits: expected 4, 8, 16 or 32, got {}", flip.state_bits));
  flip.gamma = reader.number("gamma", flip.gamma, 1e-6, 1);
  flip.z_start = reader.number("z_start", flip.z_start, 0.01, 100);
  flip.z_end = reader.number("z_end", flip.z_end, 0.01, 100);
  flip.eta = reader.number("eta", flip.eta, 1e-6, 1);
  flip.beta = reader.number("beta", flip.beta, 0, 0.999999);
  // What the rule does not use tells no two runs apart.
  const bool noisy = flip.kind == nn::FlipKind::bop || flip.kind == nn::FlipKind::counter;
  const bool steps = flip.kind == nn::FlipKind::bold || flip.kind == nn::FlipKind::dqt;
  const bool diode = flip.kind == nn::FlipKind::diode;
  for (const char* name : {"gamma", "z_start", "z_end"})
    if (!noisy) reader.leave_out(name);
  if (!steps) reader.leave_out("eta");
  if (!diode) reader.leave_out("beta");
  if (diode) reader.leave_out("norm");
  return flip;
}

struct TruebitFamily {
  using Built = Truebit;
  static constexpr auto stages = nn::strict_stages<true>;
  static constexpr auto no_engine = nn::no_strict_engine;

  static TruebitOptions read(nn::OptionReader& reader, int64_t vocab, int64_t context) {
    TruebitOptions options;
    read_family_shape<TruebitFamily>(reader, options, vocab);
    options.attention = nn::read_attention(
        reader, {nn::AttentionKind::gumbel, nn::AttentionKind::topk, nn::AttentionKind::rwsp}, context);
    options.output = nn::read_output_ste(reader);
    options.flip = read_flip(reader);
    return options;
  }

  static nn::ModelCount count(const TruebitOptions& options, int64_t vocab) {
    const auto& [d, layers, heads, f] = options.shape;
    nn::ModelCount count = count_strict_stack(options, vocab);
    count.latent_bits_per_weight = static_cast<double>(options.flip.state_bits + 1);  // the counter and the bit
    add_bits(count, options.flip, 2, vocab, d);
    add_bits(count, options.flip, 4 * layers, d, d);
    add_bits(count, options.flip, 2 * layers, f, d);
    add_bits(count, options.flip, layers, d, f);
    return count;
  }

 private:
  // So many matrices of [rows, columns].
  static void add_bits(nn::ModelCount& count, const nn::FlipOptions& flip, int64_t matrices, int64_t rows,
                       int64_t columns) {
    const nn::FlipBytes bytes = flip_bytes(flip, rows, columns);
    count.bits += matrices * rows * columns;
    count.bits_bytes += matrices * bytes.bits;
    count.rule_bytes += matrices * bytes.state;
    count.rule_moment_bytes = std::max(count.rule_moment_bytes, bytes.moment);
  }
};

}  // namespace
}  // namespace bitsweep

BITSWEEP_PLUGIN("truebit", bitsweep::nn::describe_family<bitsweep::TruebitFamily>,
                bitsweep::nn::create_family<bitsweep::TruebitFamily>)
