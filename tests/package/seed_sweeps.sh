#!/usr/bin/env bash
# The seeds' experiments by the real program, small and on made-up data: sweeps/instruct-base and -tune (before, after,
# question by question), v76-finetune (freezing, probes, forgetting), llama-bitnet-15m (a trained tokenizer, twins).
# usage: seed_sweeps.sh BITSWEEP SOURCE_DIR
set -euo pipefail
bitsweep=$1 sweeps=$2/sweeps
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
fail() { echo "$1" >&2 && exit 1; }
export BITSWEEP_ROOT=$work/root

run() { "$bitsweep" run "$@" --devices cpu:2 > run.txt 2> run.err || fail "$*: $(cat run.txt run.err)"; }
# The ids of a sweep's finished runs, in its order.
ids_of() { "$bitsweep" runs "$1" --csv | awk -F, '$3 == "done" { print $1 }'; }
count() { [ "$(ids_of "$1" | wc -l)" -eq "$2" ] || fail "$1: not $2 runs are done: $("$bitsweep" runs "$1")"; }
# A metric of a run at a step: metric RUN NAME STEP.
metric() {
  "$bitsweep" query "SELECT value FROM metrics WHERE run = '$1' AND name = '$2' AND step = $3" --csv | tail -n +2
}
small="--set model.d_model=32 --set model.n_heads=2 --set model.d_ff=32 --set train.batch=2 --set train.warmup=2"
small="$small --set eval.windows=4"
questions='eval.tasks=[{ name: squad, file: stories-questions, kind: generate, max_tokens: 4, limit: 6 }]'

# shellcheck disable=SC2086
run "$sweeps/instruct-base.yaml" $small --set model.n_layers=1 --set train.steps=6 --set eval.every=3 --set "$questions"
count instruct-base 1
base=$(ids_of instruct-base)
# shellcheck disable=SC2086
run "$sweeps/instruct-tune.yaml" $small --set model.n_layers=1 --set train.steps=4 --set eval.every=2 \
  --set "$questions" --set "train.init_from=$base"
count instruct-tune 2
for tuned in $(ids_of instruct-tune); do
  "$bitsweep" compare "$base" "$tuned" --task squad > compare.txt || fail "compare: $(cat compare.txt)"
  grep -qi mcnemar compare.txt || fail "no test of what changed: $(cat compare.txt)"
  for step in 0 4; do
    [ -n "$(metric "$tuned" base.bpc "$step")" ] || fail "what $tuned forgets is not told at step $step"
    [ -n "$(metric "$tuned" squad.em "$step")" ] || fail "$tuned was not asked at step $step"
  done
done

cat > base.yaml <<'YAML'
name: v76-base
model: { plugin: v76, d_model: 32, n_layers: 3, n_heads: 2, d_ff: 32 }
data: { corpus: stories, tokenizer: ascii128, context: 1024 }
train: { steps: 4, batch: 2, warmup: 2 }
eval: { windows: 4 }
YAML
run base.yaml
base=$(ids_of v76-base)
# shellcheck disable=SC2086
run "$sweeps/v76-finetune.yaml" $small --set model.n_layers=3 --set train.steps=4 --set eval.every=4 --set seed=0 \
  --set train.precision=f32 --set "train.init_from=$base"
count v76-finetune 4
for tuned in $(ids_of v76-finetune); do
  for name in base.bpc repeat_ipmr.L0H0; do
    for step in 0 4; do
      [ -n "$(metric "$tuned" "$name" "$step")" ] || fail "$tuned has no $name at step $step"
    done
  done
done

for i in $(seq 3000); do echo "line $i tells of $((i * 7919 % 10007)) little things, and of $((i % 97)) more."; done > text.txt
# shellcheck disable=SC2086
run "$sweeps/llama-bitnet-15m.yaml" $small --set model.n_layers=1 --set data.corpus=text.txt --set seed=0 \
  --set 'data.tokenizer={ train: { kind: bpe, vocab: 300 } }' --set train.steps=4 --set eval.every=2 \
  --set eval.bytes=4000 --set train.precision=f32 --set data.context=32
count llama-bitnet-15m 6
"$bitsweep" report llama-bitnet-15m > /dev/null
grep -q 'the same [0-9,]* bytes' reports/llama-bitnet-15m/report.md || fail "the report does not say what was scored"
