#include "tokenize/sentence_piece.h"

#include <sentencepiece_processor.h>

#include <fmt/format.h>

#include "base/error.h"
#include "base/sha256.h"
#include "tokenize/model_proto.h"

namespace bitsweep::tokenize {
namespace {

using sentencepiece::SentencePieceProcessor;

constexpr std::string_view kSpace = "\xE2\x96\x81";  // ▁, which stands for a space within pieces

bool has_no_text(const SentencePieceProcessor& model, int id) {
  return model.IsControl(id) || model.IsUnknown(id) || model.IsUnused(id);
}

// A piece of one byte is written "<0x0A>".
std::string piece_bytes(const SentencePieceProcessor& model, int id) {
  if (has_no_text(model, id)) return "";
  std::string piece = model.IdToPiece(id);
  if (model.IsByte(id)) return {static_cast<char>(std::stoi(piece.substr(3, 2), nullptr, 16))};
  for (size_t at = 0; (at = piece.find(kSpace, at)) != std::string::npos; ++at) piece.replace(at, kSpace.size(), " ");
  return piece;
}

std::string identity_of(const SentencePieceProcessor& model, const ModelSettings& settings) {
  Sha256 hash;
  const auto text = [&](std::string_view value) {
    hash.update(fmt::format("{}:", value.size()));
    hash.update(value);
  };
  text("SentencePiece 1");
  for (int id = 0; id < model.GetPieceSize(); ++id) {
    text(model.IdToPiece(id));
    hash.update(fmt::format("{} {}{}{}{}\n", model.GetScore(id), model.IsControl(id), model.IsUnknown(id),
                            model.IsUnused(id), model.IsByte(id)));
  }
  text(settings.normalizer_map);
  hash.update(fmt::format("{} {} {} {} {} {} {}", settings.add_dummy_prefix, settings.remove_extra_whitespaces,
                          settings.escape_whitespaces, settings.model_type, settings.byte_fallback, model.bos_id(),
                          model.eos_id()));
  return hash.hex();
}

std::string loss_of(const ModelSettings& settings) {
  std::string loss;
  const auto add = [&](std::string what) { loss += (loss.empty() ? "" : "; ") + std::move(what); };
  if (!settings.normalizer_map.empty()) add(fmt::format("its normalizer ({}) changes text", settings.normalizer));
  if (settings.remove_extra_whitespaces) add("it removes repeated spaces");
  if (!settings.byte_fallback) add("what no piece holds becomes one unknown token");
  return loss;
}

const char* kind_of(const ModelSettings& settings) {
  switch (settings.model_type) {
    case 1:
      return "SentencePiece unigram";
    case 2:
      return "SentencePiece BPE";
    case 3:
      return "SentencePiece words";
    default:
      return "SentencePiece characters";
  }
}

std::optional<TokenId> known(int id) { return id < 0 ? std::nullopt : std::optional(static_cast<TokenId>(id)); }

class SentencePiece final : public Tokenizer {
 public:
  SentencePiece(std::unique_ptr<SentencePieceProcessor> model, TokenizerFacts facts, std::vector<std::string> pieces)
      : Tokenizer(std::move(facts), std::move(pieces)), model_(std::move(model)) {}

  std::unique_ptr<Encoder> make_encoder() const override { return std::make_unique<Cutter>(*model_); }

 private:
  class Cutter final : public Encoder {
   public:
    explicit Cutter(const SentencePieceProcessor& model) : model_(model) {}
    void encode(std::string_view text, std::vector<TokenId>& ids) override {
      const auto status = model_.Encode(text, &found_);
      if (!status.ok()) throw Error(ErrorKind::failed, fmt::format("SentencePiece: {}", status.ToString()));
      ids.insert(ids.end(), found_.begin(), found_.end());
    }

   private:
    const SentencePieceProcessor& model_;
    std::vector<int> found_;
  };

  std::unique_ptr<SentencePieceProcessor> model_;
};

}  // namespace

std::shared_ptr<const Tokenizer> read_sentence_piece(std::string_view bytes, const std::string& name) {
  const auto settings = read_model_settings(bytes);
  auto model = std::make_unique<SentencePieceProcessor>();
  if (!settings || !model->LoadFromSerializedProto(bytes).ok())
    throw Error(ErrorKind::input, fmt::format("{}: no SentencePiece model, or a damaged one", name));
  if (settings->whitespace_as_suffix)
    throw Error(ErrorKind::input,
                fmt::format("{}: white space behind words (treat_whitespace_as_suffix) is not read", name));
  std::vector<std::string> pieces;
  for (int id = 0; id < model->GetPieceSize(); ++id) pieces.push_back(piece_bytes(*model, id));
  TokenizerFacts facts{.name = name,
                       .kind = kind_of(*settings),
                       .sha256 = identity_of(*model, *settings),
                       .vocab = model->GetPieceSize(),
                       .bos = known(model->bos_id()),
                       .eos = known(model->eos_id()),
                       .loss = loss_of(*settings),
                       .dummy_prefix = settings->add_dummy_prefix};
  facts.lossless = facts.loss.empty();
  return std::make_shared<SentencePiece>(std::move(model), std::move(facts), std::move(pieces));
}

std::string sentence_piece_version() { return BITSWEEP_SENTENCEPIECE_VERSION; }

}  // namespace bitsweep::tokenize
