#include "plan/plan.h"

#include "spec/corpus_value.h"
#include "spec/tokenizer_value.h"

namespace bitsweep::plan {
namespace {

json::value hours(const std::optional<double>& seconds) {
  return seconds ? json::value(*seconds / 3600) : json::value(nullptr);
}

json::value hours_from(const PlannedRun& run) {
  return run.time ? json::value(run.time->measured ? "measured" : "scaled") : json::value(nullptr);
}

json::value bytes_json(const PlannedRun& run) {
  if (!run.memory) return nullptr;
  json::object bytes = to_json(run.memory->tensors);
  bytes["data"] = run.memory->data_bytes;
  bytes["process"] = run.memory->process_bytes;
  bytes["total"] = run.memory->total_bytes();
  return bytes;
}

json::array blocks_json(const PlannedRun& run) {
  json::array blocks;
  for (const plugin::BlockCost& block : run.model.blocks) {
    blocks.push_back({{"name", block.name},
                      {"params", block.params},
                      {"flops_forward_per_token", block.flops_forward_per_token},
                      {"flops_training_per_token", block.flops_training_per_token()},
                      {"kept_bytes", block.kept_bytes}});
  }
  return blocks;
}

template <class T>
json::value optional_json(const std::optional<T>& value) {
  return value ? json::value(*value) : json::value(nullptr);
}

json::object run_json(const PlannedRun& run) {
  json::object object{
      {"id", run.id},
      {"plugin", run.spec.model.plugin},
      {"axes", run.axes},
      {"seed", run.spec.seed},
      {"params", run.model.params},
      {"params_nonembedding", run.model.params_nonembedding()},
      {"params_extra", run.model.params_extra},
      {"stored_bits_per_weight", run.model.stored_bits_per_weight},
      {"stored_bits_per_weight_body", optional_json(run.model.stored_bits_per_weight_body)},
      {"stored_bytes", run.model.stored_bytes > 0 ? json::value(run.model.stored_bytes) : json::value(nullptr)},
      {"steps", run.spec.train.steps},
      {"tokens", run.tokens},
      {"epochs", run.epochs > 0 ? json::value(run.epochs) : json::value(nullptr)},
      {"flops", run.flops},
      {"flops_6nd", run.flops_6nd},
      {"bytes", bytes_json(run)},
      {"blocks", blocks_json(run)},
      {"hours", hours(run.time ? std::optional(run.time->seconds) : std::nullopt)},
      {"hours_from", hours_from(run)},
      {"state", run.state}};
  for (const auto& member : to_json(run.model.path)) object[member.key()] = member.value();
  if (run.other_build) object["other_build"] = to_json(*run.other_build);
  return object;
}

json::object data_json(const PlannedData& data) {
  const DatasetFacts& facts = data.facts;
  const auto count = [&](int64_t tokens) {
    return facts.estimated && tokens == 0 ? json::value(nullptr) : json::value(tokens);
  };
  json::object object{
      {"corpus", spec::corpus_json(data.spec)},
      {"tokenizer", spec::tokenizer_text(spec::tokenizer_json(data.spec))},
      {"bytes", facts.bytes},
      {"vocab", facts.vocab},
      {"train_tokens", count(facts.train_tokens)},
      {"val_tokens", count(facts.val_tokens)},
      {"bytes_per_token",
       facts.estimated && facts.train_tokens == 0 ? json::value(nullptr) : json::value(facts.bytes_per_token)},
      {"exact", !facts.estimated}};
  if (!data.beside.empty()) object["beside"] = data.beside;
  if (!facts.tokenizer_sha256.empty()) {
    object["tokenizer_sha256"] = facts.tokenizer_sha256;
    object["documents"] = facts.documents;
  }
  if (facts.estimated && facts.store_bytes > 0)
    object["to_encode"] = json::object{{"bytes", facts.store_bytes}, {"hours", facts.store_seconds / 3600}};
  return object;
}

}  // namespace

json::object to_json(const OtherBuild& build) {
  json::object parts;
  for (const std::string& part : differing_parts(build.made, build.now)) {
    const bool plugin = part == "plugin";
    parts[part] = json::object{{"made", plugin ? build.made.plugin : build.made.nn},
                               {"now", plugin ? build.now.plugin : build.now.nn}};
  }
  return parts;
}

json::object plan_json(const Plan& plan) {
  json::array data;
  for (const PlannedData& one : plan.data) data.push_back(data_json(one));
  json::array runs;
  for (const PlannedRun& run : plan.runs) runs.push_back(run_json(run));
  const PlanTotals totals = plan.totals();
  return {{"sweep", plan.sweep.name},
          {"data", std::move(data)},
          {"runs", std::move(runs)},
          {"totals",
           {{"runs", totals.runs},
            {"done", totals.done},
            {"tokens", totals.tokens},
            {"flops", totals.flops},
            {"hours", hours(totals.seconds)},
            {"hours_left", hours(totals.seconds_left)},
            {"bytes",
             {{"most", optional_json(totals.memory_bytes)}, {"checkpoints", optional_json(totals.checkpoint_bytes)}}}}},
          {"notes", strings_json(plan.notes)}};
}

}  // namespace bitsweep::plan
