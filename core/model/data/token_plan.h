// How a run's texts become tokens: with which tokenizer, what stands between documents, and where the split lies.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/notes.h"
#include "data/corpus.h"
#include "data/dataset_info.h"
#include "data/mixture.h"
#include "data/split.h"
#include "data/token_store.h"
#include "spec/run_spec.h"
#include "tokenize/tokenizer.h"

namespace bitsweep::data {

// Of the tokenizer of a spec that is no alphabet; null where it is trained on the corpus. Throws Error{input} for what
// cannot be read, and for a file that changed since the run was planned.
std::shared_ptr<const tokenize::Tokenizer> open_file_tokenizer(const spec::DataSpec& spec);

// A text that a run on `own` is scored on beside (eval.also), in the run's tokens and context. A tokenizer that is
// trained on the run's corpus is the file in `cache` that it becomes.
spec::DataSpec text_beside(const spec::DataSpec& own, const spec::AlsoSpec& text, const fs::path& cache);

// Rows of the model's embedding: those that the spec names, else as many as there are tokens. Throws Error{input} when
// it names fewer.
int64_t model_vocab(const spec::DataSpec& spec, int64_t tokens);

// Where it lies: CACHE/tokenizers/<first 12 digits of its name>.model.
fs::path trained_tokenizer_file(const fs::path& cache, const std::string& name);
// The one that was trained before, in CACHE/tokenizers; null when it is not there.
std::shared_ptr<const tokenize::Tokenizer> find_trained_tokenizer(const spec::DataSpec& spec, const std::string& name,
                                                                  const fs::path& cache);
// Of the training side, what a tokenizer is trained on.
std::vector<Segment> training_sample(const spec::DataSpec& spec, const Mixture& mixture, const Split& split);
// The same, trained and kept where it is not there; processes that meet do it twice and keep one. Throws Error as
// train_sentence_piece does, and Error{environment} when the disk refuses.
std::shared_ptr<const tokenize::Tokenizer> trained_tokenizer(const spec::DataSpec& spec, const std::string& name,
                                                             std::span<const uint8_t> text,
                                                             const std::vector<Segment>& sample, const fs::path& cache,
                                                             Notes* notes);

// Where the texts' bytes are split, whatever the tokenizer; `val` null: the corpus is split. `ends`: of the corpus's
// documents, where data.split asks for them. Throws Error{input}, of a run that is being planned also when a part of a
// mixture is left without text on either side.
Split split_texts(const spec::DataSpec& spec, const CorpusFacts& train, const CorpusFacts* val,
                  std::span<const uint64_t> ends);

// Whether it matters where documents end.
bool documents_matter(const spec::DataSpec& spec);

// What decides the ids: a file's parts; of a tokenizer that is trained (null), on what and how.
std::string tokenizer_name(const spec::DataSpec& spec, const tokenize::Tokenizer* tokenizer, const CorpusFacts& train,
                           const CorpusFacts* val);

// The roles that every trained tokenizer has.
tokenize::TokenizerFacts trained_facts();

// Fills in info.documents and their hash: what the spec says, else what suits. Throws Error{input} for a token that the
// tokenizer has not, and for documents that are not those that the run was planned on.
void choose_documents(const spec::DataSpec& spec, const tokenize::TokenizerFacts& tokenizer, const CorpusFacts& train,
                      const CorpusFacts* val, DatasetInfo& info);

// What stands between documents that were chosen, "none" for a tokenizer without tokens for it.
DocumentTokens marks_of(const std::string& documents, const tokenize::TokenizerFacts& tokenizer);
// The text with the ends that matter under these marks. REQUIRES the ends of a text that has several documents, where
// they are marked.
TextDocuments marked_text(const CorpusText& text, const std::string& documents);

// REQUIRES the chosen documents in `info`. The texts must outlive what is made of it.
StoreSource store_source(std::shared_ptr<const tokenize::Tokenizer> tokenizer, const CorpusText& train,
                         const CorpusText* val, const Split& split, const DatasetInfo& info);

// Tokens, windows and bytes of a store, with notes on what was lost.
void tell_store(const StoreFacts& facts, const tokenize::TokenizerFacts& tokenizer, int64_t context, DatasetInfo& info);

// The same from a sample; of a tokenizer that is not trained yet (null), nothing but that.
void estimate_tokens(const spec::DataSpec& spec, const tokenize::Tokenizer* tokenizer, const InspectedCorpus& train,
                     const Split& split, DatasetInfo& info);

}  // namespace bitsweep::data
