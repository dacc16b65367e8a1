#!/usr/bin/env bash
# The loop that the project is for, by the real program: runs, the next ones by `suggest` within an hour budget that two
# variants share, their sweep file as `submit` takes it, and advice again with what they found.
# usage: next_runs.sh BITSWEEP
set -euo pipefail
bitsweep=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
fail() { echo "$1" >&2 && exit 1; }

cat > first.yaml <<'YAML'
name: first
grid:
  model.plugin: [llama, v57]
  model.params: [20k, 40k]
  train.steps: [20, 40]
data: { corpus: stories, tokenizer: ascii128, context: 32 }
train: { batch: 4, warmup: 5, lr: 3.0e-3 }
eval: { every: 20, windows: 8 }
report: { targets: [{ params: 100k, tokens: 50k }] }
YAML
export BITSWEEP_ROOT=$work/root
"$bitsweep" run first.yaml > run.txt

"$bitsweep" suggest first --hours 20s > advice.out 2> advice.txt
grep -q 'of the hours, by what they take' advice.txt || fail "the division of the hours is not told: $(cat advice.txt)"
for variant in llama v57; do
  grep -q "^L = .*  $variant  " advice.out || fail "nothing is said of $variant: $(cat advice.out)"
done
# Seconds of all batches: "± 0.33 expected after 4 runs (8.1 s)".
spent=$(sed -n 's/.*expected after .* (\([0-9.]*\) s)$/\1/p' advice.out | awk '{ s += $1 } END { print s + 0 }')
awk -v s="$spent" 'BEGIN { exit !(s > 0 && s <= 20.5) }' || fail "$spent s of 20 are given out: $(cat advice.out)"

next=$(ls first-*-next-1.yaml | head -n 1)
[ -n "$next" ] || fail "no sweep file was written"
"$bitsweep" plan "$next" > /dev/null
"$bitsweep" run "$next" > next.txt
"$bitsweep" suggest first "$(basename "$next" .yaml)" --hours 20s --runs 2 --out - --json > again.json 2> again.txt
grep -q '"batch"' again.json || fail "no advice after the next runs: $(cat again.txt)"
